// The beginning of a view's life, when the log is long already: up to its end at once, then on
// record by record.
#pragma once

#include <cstdint>
#include <filesystem>

#include "state_projector/bulk_build.h"
#include "state_projector/open_view.h"

namespace thumb {

struct BulkStartOptions {
  // Fewer records are folded one by one before a build at once has found its feet. And a build that
  // is cut short is begun anew, where the other way goes on from its last batch.
  std::int64_t from_records = 50'000;
  BulkOptions bulk{};
};

// If `view` stands at the first record everywhere and the log has that many: builds it at once up
// to the end that the log had for `source.cluster`, telling `progress`. Else does nothing. The
// writer is another one afterwards. `view_dir`: where scratch folders may lie. Errors: those of
// bulk_build(); the view is as it was then.
[[nodiscard]] Result<void> start_at_once(OpenView& view, const BulkSource& source,
                                         const std::filesystem::path& view_dir,
                                         const BulkStartOptions& options,
                                         const std::stop_token& stop, const TellBuilt& tell);

}  // namespace thumb
