// What a checkpoint of a view says of itself, where its parts lie in the blob store, and which are
// to go: docs/view_format.md. Pure.
//
//   checkpoints/<row version>/<cluster id>/<time>-<view id>/<file>             the database's files
//   checkpoints/<row version>/<cluster id>/<time>-<view id>/manifest-<sha256>  written last
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "platform/clock.h"
#include "platform/result.h"
#include "state_projector/positions.h"

namespace thumb {

struct CheckpointFile {
  std::string name;
  std::uint64_t bytes = 0;
  std::string sha256;  // 64 lower-case hex digits
  friend bool operator==(const CheckpointFile&, const CheckpointFile&) = default;
};

struct CheckpointManifest {
  std::uint8_t row_version = 0;
  std::string cluster_id;
  std::string view_id;
  std::int32_t partitions = 0;
  TimeMs made_at;
  Positions positions;
  std::vector<CheckpointFile> files;
  friend bool operator==(const CheckpointManifest&, const CheckpointManifest&) = default;
};

// JSON; equal manifests give equal text.
[[nodiscard]] std::string encode_manifest(const CheckpointManifest& manifest);
// kCorrupt/"corrupt-checkpoint".
[[nodiscard]] Result<CheckpointManifest> decode_manifest(std::string_view text);

// Where all checkpoints of one row version and cluster stand.
[[nodiscard]] std::string checkpoint_shelf(std::uint8_t row_version, const std::string& cluster_id);
// "20260131T081530123Z-<view id>": by name is by time.
[[nodiscard]] std::string checkpoint_name(TimeMs made_at, const std::string& view_id);
[[nodiscard]] std::string manifest_name(std::string_view manifest);

// A checkpoint as a listing shows it.
struct StoredCheckpoint {
  std::string prefix;        // of all its keys, without the '/' behind
  std::string manifest_key;  // empty: it was never finished
  std::string manifest_sha256;
  friend bool operator==(const StoredCheckpoint&, const StoredCheckpoint&) = default;
};

// Newest first. Keys that are none of a checkpoint's are left out.
[[nodiscard]] std::vector<StoredCheckpoint> stored_checkpoints(
    const std::string& shelf, const std::vector<std::string>& keys);
// The finished ones but the newest `keep`, and unfinished ones older than all that are kept (a
// younger one may be on its way; with `keep` 0 they all go). REQUIRES: newest first.
[[nodiscard]] std::vector<StoredCheckpoint> outdated_checkpoints(
    const std::vector<StoredCheckpoint>& stored, std::size_t keep);

}  // namespace thumb
