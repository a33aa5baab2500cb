#include "state_projector/view_list.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <system_error>

#include "state_projector/view_json.h"

namespace thumb {
namespace {

using Json = nlohmann::ordered_json;

std::uint64_t bytes_in(const std::filesystem::path& folder) {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    std::error_code gone;  // files come and go while it is written
    const auto size = at->file_size(gone);
    if (!gone) bytes += size;
  }
  return bytes;
}

Result<void> read_into(ListedView& listed, const KeyValueReader& view, bool with_digest) {
  auto meta = read_meta(view);
  if (!meta) return Failure(std::move(meta.error()));
  auto positions = read_positions(view);
  if (!positions) return Failure(std::move(positions.error()));
  listed.meta = std::move(*meta);
  listed.positions = std::move(*positions);
  if (!with_digest || listed.meta->row_version != kRowVersion) return {};
  auto digest = digest_of(view);
  if (!digest) return Failure(std::move(digest.error()));
  listed.digest = std::move(*digest);
  return {};
}

ListedView listed(const ViewFolder& folder, const std::string& id, std::string_view role,
                  const FollowView& follow, bool with_digest) {
  ListedView found;
  found.id = id;
  found.role = role;
  found.bytes = bytes_in(folder.path_of(id));
  const auto view = follow(folder.path_of(id));
  const auto read = view ? read_into(found, **view, with_digest) : Failure(view.error());
  if (!read) found.problem = read.error().code + ": " + read.error().message;
  return found;
}

Json positions_as_json(const Positions& positions) {
  Json json = Json::object();
  for (const auto& [partition, offset] : positions) {
    json[std::string(role_of(partition.topic).name)][std::to_string(partition.partition)] = offset;
  }
  return json;
}

std::string_view name_of(BuildReport::State state) {
  switch (state) {
    case BuildReport::State::kNone:
      return "none";
    case BuildReport::State::kBuilding:
      return "building";
    case BuildReport::State::kServing:
      return "serving";
    case BuildReport::State::kFailed:
      return "failed";
  }
  return "none";
}

}  // namespace

Result<std::vector<ListedView>> list_views(const ViewFolder& folder, const FollowView& follow,
                                           bool with_digests) {
  std::vector<ListedView> views;
  const auto add = [&](const Result<std::optional<std::string>>& id,
                       std::string_view role) -> Result<void> {
    if (!id) return Failure(id.error());
    if (*id) views.push_back(listed(folder, **id, role, follow, with_digests));
    return {};
  };
  if (auto added = add(folder.current(), "serving"); !added) return Failure(added.error());
  if (auto added = add(folder.next(), "building"); !added) return Failure(added.error());
  if (auto added = add(folder.previous(), "previous"); !added) return Failure(added.error());
  return views;
}

std::string views_json(const std::vector<ListedView>& views) {
  auto array = Json::array();
  for (const auto& view : views) {
    Json json = {{"view_id", view.id}, {"role", view.role}, {"bytes", view.bytes}};
    if (view.meta) {
      json["row_version"] = view.meta->row_version;
      json["cluster_id"] = view.meta->cluster_id;
      json["positions"] = positions_as_json(view.positions);
    }
    if (view.digest) json["sha256"] = view.digest->sha256;
    if (!view.problem.empty()) json["problem"] = view.problem;
    array.push_back(std::move(json));
  }
  return Json{{"views", array}}.dump();
}

std::string views_text(const std::vector<ListedView>& views) {
  std::string text;
  for (const auto& view : views) {
    std::int64_t offsets = 0;
    for (const auto& [partition, offset] : view.positions) offsets += offset;
    text += fmt::format("{:<9} {}  {:.1f} MB, {} offsets folded\n", view.role, view.id,
                        static_cast<double>(view.bytes) / 1e6, offsets);
    if (view.digest) text += fmt::format("          digest {}\n", view.digest->sha256);
    if (!view.problem.empty()) text += fmt::format("          {}\n", view.problem);
  }
  return text.empty() ? "no view\n" : text;
}

std::string digest_json(const std::string& view_id, const ViewDigest& digest) {
  return Json{{"view_id", view_id},
              {"sha256", digest.sha256},
              {"partitions", digest.partitions},
              {"positions", positions_as_json(digest.positions)}}
      .dump();
}

std::string build_json(const BuildReport& report) {
  Json json = {{"state", name_of(report.state)}};
  if (report.state == BuildReport::State::kNone) return json.dump();
  auto partitions = Json::array();
  for (const auto& [partition, target] : report.targets) {
    Json one = {{"topic", role_of(partition.topic).name},
                {"partition", partition.partition},
                {"position", position_of(report.positions, partition)},
                {"target", target}};
    if (const auto seconds = report.seconds_left(partition)) one["seconds_left"] = *seconds;
    partitions.push_back(std::move(one));
  }
  const auto rate = report.records_per_second();
  if (!report.task.empty()) json["task"] = report.task;
  json["view_id"] = report.view_id;
  json["records"] = report.records;
  json["records_per_second"] = static_cast<std::int64_t>(rate);
  json["offsets_left"] = report.left();
  if (const auto seconds = report.seconds_left()) json["seconds_left"] = *seconds;
  json["partitions"] = std::move(partitions);
  if (!report.problem.empty()) json["problem"] = report.problem;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace thumb
