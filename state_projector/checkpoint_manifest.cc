#include "state_projector/checkpoint_manifest.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "platform/digest.h"
#include "platform/text.h"
#include "schemas/topology.h"

namespace thumb {
namespace {

using Json = nlohmann::json;

constexpr int kFormat = 1;
constexpr std::string_view kManifest = "manifest-";
constexpr std::size_t kShaDigits = 64;

Failure corrupt(std::string_view detail) {
  return fail(ErrorKind::kCorrupt, "corrupt-checkpoint", "the checkpoint is damaged", detail);
}

// A file's name goes into a path: of one segment, that leads nowhere else.
bool is_plain_name(const std::string& name) {
  return !name.empty() && name.front() != '.' && name.size() < 256 &&
         name.find('/') == std::string::npos && name.find('\0') == std::string::npos;
}

Positions read_positions_of(const Json& topics) {
  Positions positions;
  for (const auto& [name, partitions] : topics.items()) {
    const auto topic = TopicNames().find(name);
    if (!topic) continue;
    for (const auto& [number, offset] : partitions.items()) {
      positions[{*topic, static_cast<std::int32_t>(parse_i64(number).value_or(0))}] =
          offset.get<std::int64_t>();
    }
  }
  return positions;
}

}  // namespace

std::string encode_manifest(const CheckpointManifest& manifest) {
  Json positions = Json::object();
  for (const auto& [partition, offset] : manifest.positions) {
    positions[std::string(role_of(partition.topic).name)][std::to_string(partition.partition)] =
        offset;
  }
  auto files = Json::array();
  for (const auto& file : manifest.files) {
    files.push_back({{"name", file.name}, {"bytes", file.bytes}, {"sha256", file.sha256}});
  }
  return Json{{"format", kFormat},
              {"row_version", manifest.row_version},
              {"cluster_id", manifest.cluster_id},
              {"view_id", manifest.view_id},
              {"partitions", manifest.partitions},
              {"made_at", to_rfc3339(manifest.made_at)},
              {"positions", positions},
              {"files", files}}
      .dump(2);
}

Result<CheckpointManifest> decode_manifest(std::string_view text) {
  try {
    const auto json = Json::parse(text);
    if (json.at("format").get<int>() != kFormat) return corrupt("another format of manifest");
    CheckpointManifest manifest;
    manifest.row_version = json.at("row_version").get<std::uint8_t>();
    manifest.cluster_id = json.at("cluster_id").get<std::string>();
    manifest.view_id = json.at("view_id").get<std::string>();
    manifest.partitions = json.at("partitions").get<std::int32_t>();
    const auto made_at = parse_rfc3339(json.at("made_at").get<std::string>());
    if (!made_at) return corrupt("made_at is no time");
    manifest.made_at = *made_at;
    manifest.positions = read_positions_of(json.at("positions"));
    for (const auto& file : json.at("files")) {
      manifest.files.push_back({file.at("name").get<std::string>(),
                                file.at("bytes").get<std::uint64_t>(),
                                file.at("sha256").get<std::string>()});
      if (!is_plain_name(manifest.files.back().name)) return corrupt("a file's name is no name");
    }
    return manifest;
  } catch (const Json::exception& error) {
    return corrupt(error.what());
  }
}

std::string checkpoint_shelf(std::uint8_t row_version, const std::string& cluster_id) {
  return "checkpoints/" + std::to_string(row_version) + "/" + cluster_id;
}

std::string checkpoint_name(TimeMs made_at, const std::string& view_id) {
  auto time = to_rfc3339(made_at);
  std::erase_if(time, [](char c) { return c == '-' || c == ':' || c == '.'; });
  return time + "-" + view_id;
}

std::string manifest_name(std::string_view manifest) {
  return std::string(kManifest) + sha256_hex(as_bytes(manifest));
}

std::vector<StoredCheckpoint> stored_checkpoints(const std::string& shelf,
                                                 const std::vector<std::string>& keys) {
  std::map<std::string, StoredCheckpoint, std::greater<>> by_prefix;
  for (const auto& key : keys) {
    if (!key.starts_with(shelf + "/")) continue;
    const auto slash = key.find('/', shelf.size() + 1);
    if (slash == std::string::npos) continue;
    auto& stored = by_prefix[key.substr(0, slash)];
    stored.prefix = key.substr(0, slash);
    const auto name = std::string_view(key).substr(slash + 1);
    if (name.starts_with(kManifest) && name.size() == kManifest.size() + kShaDigits) {
      stored.manifest_key = key;
      stored.manifest_sha256 = name.substr(kManifest.size());
    }
  }
  std::vector<StoredCheckpoint> found;
  for (auto& [prefix, stored] : by_prefix) found.push_back(std::move(stored));
  return found;
}

std::vector<StoredCheckpoint> outdated_checkpoints(const std::vector<StoredCheckpoint>& stored,
                                                   std::size_t keep) {
  std::vector<StoredCheckpoint> outdated;
  std::size_t kept = 0;
  for (const auto& checkpoint : stored) {
    const bool finished = !checkpoint.manifest_key.empty();
    if (kept >= keep) {
      outdated.push_back(checkpoint);
    } else if (finished) {
      ++kept;
    }
  }
  return outdated;
}

}  // namespace thumb
