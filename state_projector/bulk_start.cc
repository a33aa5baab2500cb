#include "state_projector/bulk_start.h"

#include <algorithm>
#include <utility>

#include "state_projector/scratch_folder.h"

namespace thumb {

Result<void> start_at_once(OpenView& view, const BulkSource& source,
                           const std::filesystem::path& view_dir, const BulkStartOptions& options,
                           const std::stop_token& stop, const TellBuilt& tell) {
  const auto begun = [](const auto& position) { return position.second > 0; };
  if (std::ranges::any_of(view.writer->positions(), begun)) return {};
  std::int64_t records = 0;
  for (const auto& [partition, marks] : source.cluster.watermarks) {
    records += marks.high - marks.low;
  }
  if (records < options.from_records) return {};
  const auto scratch = ScratchFolder::make(view_dir);
  if (!scratch) return Failure(scratch.error());
  auto built = bulk_build(ends_of(source.cluster), source, *view.store, scratch->path(),
                          options.bulk, stop, tell);
  if (!built) return built;
  auto writer = ViewWriter::open(*view.store, source.names);
  if (!writer) return Failure(std::move(writer.error()));
  view.writer = std::move(*writer);
  return {};
}

}  // namespace thumb
