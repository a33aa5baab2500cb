// Finding an image by guarantee 6: "not there" is said only once the view is known to hold all that
// the log held when the question came.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "ingest/freshness.h"
#include "ingest/parameters.h"
#include "platform/result.h"
#include "schemas/ids.h"
#include "state_projector/view_reader.h"

namespace thumb::ingest {

struct LookupOptions {
  std::chrono::milliseconds min_position_timeout{2'500};
  // For the file name, which travels on a topic of its own; without it the row is shown all the
  // same.
  std::chrono::milliseconds personal_timeout{1'000};
};

// Thread-safe. Everything given to the constructor outlives every call of `done`.
class ImageLookup {
 public:
  using Found = Result<std::optional<ImageRow>>;
  using Done = std::function<void(Found)>;

  // `partitions`: how many each event topic has.
  ImageLookup(ViewReader& view, Freshness& freshness, std::int32_t partitions,
              const LookupOptions& options);

  [[nodiscard]] std::int32_t partition_of(const ImageId& id) const;

  // Never blocks. A row that the view has is given inline, at once. `done` is called exactly once,
  // then or later on another thread: the row (deleted ones included), nothing if there is no such
  // image, or kUnavailable (back off): the view can't be read, is behind the query's Min-Position
  // or the log, or the log can't be asked.
  void find(const ImageQuery& query, Done done);

  // Calls back with success once the view holds every record of image-requests that is named, or
  // with kUnavailable/"view-behind".
  void await_positions(std::span<const LogPosition> positions,
                       std::function<void(Result<void>)> done);

 private:
  struct Search;
  [[nodiscard]] bool lacks_personal(const ImageRow& row) const;
  void dig(const std::shared_ptr<Search>& search, Found found);
  void answer(const std::shared_ptr<Search>& search, Found found);
  void await_next(std::shared_ptr<std::vector<LogPosition>> rest, Deadline deadline,
                  std::function<void(Result<void>)> done);

  ViewReader& view_;
  Freshness& freshness_;
  const std::int32_t partitions_;
  const LookupOptions options_;
};

}  // namespace thumb::ingest
