// nlohmann's plain object keeps its keys sorted: the fixed order of a dump.
#include "state_projector/view_json.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace thumb {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kUnreadableShown = 20;

// What came from outside is UTF-8 by the codec; should it not be, a dump must still end.
std::string to_line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json to_json(PixelSize size) { return {{"width", size.width}, {"height", size.height}}; }

Json to_json(const BlobRef& blob) {
  return {{"key", blob.key},
          {"bytes", blob.bytes},
          {"sha256", blob.sha256},
          {"content_type", blob.content_type}};
}

Json to_json(const VariantSpec& spec) {
  return {{"name", spec.name}, {"width", spec.width}, {"height", spec.height}, {"fit", "inside"}};
}

Json to_json(const Variant& variant) {
  return {{"name", variant.name}, {"blob", to_json(variant.blob)}, {"size", to_json(variant.size)}};
}

Json to_json(const RequestRow& request);

template <typename Part>
Json placed(const Part& part) {
  return {{"offset", part.offset}, {"at", to_rfc3339(part.at)}};
}

template <typename Item>
Json to_array(const std::vector<Item>& items) {
  auto array = Json::array();
  for (const auto& item : items) array.push_back(to_json(item));
  return array;
}

Json to_json(const ImageRow::Upload& upload) {
  auto json = placed(upload);
  json["tenant"] = upload.tenant;
  json["original"] = to_json(upload.original);
  json["size"] = to_json(upload.size);
  json["variants"] = to_array(upload.variants);
  if (upload.private_offset) json["private_offset"] = *upload.private_offset;
  return json;
}

Json to_json(const RequestRow& request) {
  Json json = {{"id", request.id.str()}, {"state", to_string(request.state())}};
  if (request.asked) {
    json["asked"] = placed(*request.asked);
    json["asked"]["actor"] = request.asked->actor;
  }
  if (request.started_at) json["started_at"] = to_rfc3339(*request.started_at);
  if (request.completed) {
    json["completed"] = placed(*request.completed);
    json["completed"]["original_size"] = to_json(request.completed->original_size);
    json["completed"]["variants"] = to_array(request.completed->variants);
  }
  if (request.failed) {
    json["failed"] = placed(*request.failed);
    json["failed"]["code"] = request.failed->code;
    json["failed"]["message"] = request.failed->message;
  }
  return json;
}

Json to_json(const ImageRow& row) {
  Json json = {{"id", row.id.str()}, {"visible", row.visible()}};
  if (row.visible()) json["state"] = to_string(row.state());
  if (row.upload) json["upload"] = to_json(*row.upload);
  if (!row.requests.empty()) json["requests"] = to_array(row.requests);
  if (row.personal) {
    json["private"] = {{"offset", row.personal->offset}, {"filename", row.personal->filename}};
  }
  if (row.deleted) {
    json["deleted"] = placed(*row.deleted);
    json["deleted"]["tenant"] = row.deleted->tenant;
    json["deleted"]["by"] = row.deleted->by;
  }
  return json;
}

std::string place_text(const ViewPartition& partition) {
  return fmt::format("{}/{}", role_of(partition.topic).name, partition.partition);
}

}  // namespace

std::string row_json(const ImageRow& row) { return to_line(to_json(row)); }

std::string history_json(const HistoryEntry& entry) {
  return to_line({{"event", entry.event},
                  {"at", to_rfc3339(entry.at)},
                  {"actor", entry.actor},
                  {"row", to_json(entry.part)}});
}

Result<ViewStatus> read_status(const KeyValueReader& view) {
  auto meta = read_meta(view);
  if (!meta) return Failure(std::move(meta.error()));
  auto positions = read_positions(view);
  if (!positions) return Failure(std::move(positions.error()));
  auto counts = read_counts(view);
  if (!counts) return Failure(std::move(counts.error()));
  const auto unreadable_count = read_unreadable_count(view);
  if (!unreadable_count) return Failure(unreadable_count.error());
  auto unreadable = read_unreadable(view, kUnreadableShown);
  if (!unreadable) return Failure(std::move(unreadable.error()));
  return ViewStatus{std::move(*meta), std::move(*positions), std::move(*counts), *unreadable_count,
                    std::move(*unreadable)};
}

std::string status_json(const ViewStatus& status) {
  Json positions = Json::object();
  for (const auto& [partition, offset] : status.positions) {
    positions[std::string(role_of(partition.topic).name)][std::to_string(partition.partition)] =
        offset;
  }
  Json counts = Json::object();
  for (const auto state : kAllImageStates) {
    const auto found = status.counts.find(state);
    counts[std::string(to_string(state))] = found == status.counts.end() ? 0 : found->second;
  }
  auto unreadable = Json::array();
  for (const auto& record : status.unreadable) {
    unreadable.push_back({{"topic", role_of(record.partition.topic).name},
                          {"partition", record.partition.partition},
                          {"offset", record.offset},
                          {"reason", record.reason}});
  }
  return to_line({{"view_id", status.meta.view_id},
                  {"cluster_id", status.meta.cluster_id},
                  {"row_version", status.meta.row_version},
                  {"partitions", status.meta.partitions},
                  {"positions", positions},
                  {"images", counts},
                  {"unreadable_records", status.unreadable_count},
                  {"unreadable", unreadable}});
}

std::string positions_text(const Positions& positions) {
  std::string text;
  for (const auto& [partition, offset] : positions) {
    text += fmt::format("{} {}\n", place_text(partition), offset);
  }
  return text;
}

std::string status_text(const ViewStatus& status) {
  auto text = fmt::format("view       {}\ncluster    {}\nrows       version {}\n\nimages\n",
                          status.meta.view_id, status.meta.cluster_id, status.meta.row_version);
  for (const auto state : kAllImageStates) {
    const auto found = status.counts.find(state);
    text += fmt::format("  {:<12}{}\n", to_string(state),
                        found == status.counts.end() ? 0 : found->second);
  }
  text += "\nnext offset to fold\n";
  for (const auto& [partition, offset] : status.positions) {
    text += fmt::format("  {:<26}{}\n", place_text(partition), offset);
  }
  text += fmt::format("\nunreadable records: {}\n", status.unreadable_count);
  for (const auto& record : status.unreadable) {
    text += fmt::format("  {} offset {}: {}\n", place_text(record.partition), record.offset,
                        record.reason);
  }
  return text;
}

}  // namespace thumb
