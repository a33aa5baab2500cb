// Acts of an operator that replay the log: prove that a view is what the log gives, or make it anew
// while no projector runs.
#pragma once

#include <ostream>
#include <stop_token>

#include "kafka/admin.h"
#include "kafka/consumer.h"
#include "state_projector/bulk_build.h"
#include "state_projector/commands.h"

namespace thumb {

// The log to replay from.
struct LogSource {
  kafka::Admin& admin;
  std::function<Result<std::unique_ptr<kafka::PartitionReader>>()> open_reader;
  const TopicNames& names;
  std::chrono::milliseconds ask_timeout{5'000};
  BulkOptions bulk{};
};

// Folds the log up to the view's positions into a scratch view below the view folder and compares
// (view_compare.h). Prints one JSON object a line for each of the first differences, then both
// digests, `view <64 hex>` and `replay <64 hex>`. kConflict/"view-differs" names the first. May run
// beside the projector: the view is as of the moment that it was opened.
[[nodiscard]] Result<void> verify(const KeyValueReader& view, const ViewFolder& folder,
                                  const ViewOpeners& openers, const LogSource& log,
                                  const std::stop_token& stop, std::ostream& out);

// Offline: folds the log up to exactly the serving view's positions into a new view and prints
// `before <64 hex>` and `after <64 hex>` as its last two lines. Equal: the new one serves and the
// old is kept as the previous one. Different: kConflict/"view-differs", and the old one goes on
// serving, unless `force` says that the log is right whatever it gives. kConflict/"view-in-use"
// while a projector runs.
[[nodiscard]] Result<void> rebuild(const ViewFolder& folder, const ViewOpeners& openers,
                                   const LogSource& log, bool force, const std::stop_token& stop,
                                   std::ostream& out);

}  // namespace thumb
