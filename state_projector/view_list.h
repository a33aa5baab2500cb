// The views of a folder as an operator sees them: which serves, what it can be replaced by.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "state_projector/build_progress.h"
#include "state_projector/view_digest.h"
#include "state_projector/view_folder.h"
#include "state_projector/view_queries.h"

namespace thumb {

struct ListedView {
  std::string id;
  std::string role;  // "serving", "building", "previous"
  std::uint64_t bytes = 0;
  std::optional<ViewMeta> meta;  // empty if the view can't be read: `problem` says why
  Positions positions;
  std::optional<ViewDigest> digest;  // if it was asked for
  std::string problem;
};

using FollowView =
    std::function<Result<std::shared_ptr<const KeyValueReader>>(const std::filesystem::path&)>;

// Works beside a running projector; digests read all rows.
[[nodiscard]] Result<std::vector<ListedView>> list_views(const ViewFolder& folder,
                                                         const FollowView& follow,
                                                         bool with_digests);

[[nodiscard]] std::string views_json(const std::vector<ListedView>& views);  // one line
[[nodiscard]] std::string views_text(const std::vector<ListedView>& views);  // for people

// {"view_id", "sha256", "partitions": [...], "positions": {...}} on one line.
[[nodiscard]] std::string digest_json(const std::string& view_id, const ViewDigest& digest);

// {"state": "none" | "building" | "serving" | "failed", ...} on one line.
[[nodiscard]] std::string build_json(const BuildReport& report);

}  // namespace thumb
