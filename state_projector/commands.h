// The operator's commands of this binary, over ports: main only names the adapters.
//
// All but rebuild read the serving view and may run beside the projector.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <ostream>
#include <stop_token>

#include "kafka/admin.h"
#include "kafka/consumer.h"
#include "state_projector/key_value_store.h"
#include "state_projector/replay.h"
#include "state_projector/view_folder.h"

namespace thumb {

// How to open views: as followers (as of one moment, never caught up) and as their writer.
struct ViewOpeners {
  std::function<Result<std::shared_ptr<const KeyValueReader>>(const std::filesystem::path&)> follow;
  std::function<Result<std::unique_ptr<KeyValueStore>>(const std::filesystem::path&)> write;
};

// The log to replay from.
struct LogSource {
  kafka::Admin& admin;
  kafka::PartitionReader& reader;
  const TopicNames& names;
  std::chrono::milliseconds ask_timeout{5'000};
  ReplayOptions replay;
};

// kNotFound/"no-view" if there is none.
[[nodiscard]] Result<std::shared_ptr<const KeyValueReader>> open_serving_view(
    const ViewFolder& folder, const ViewOpeners& openers);

// One JSON object per row, by id, invisible rows too (`"visible": false`).
[[nodiscard]] Result<void> dump(const KeyValueReader& view, std::ostream& out);
[[nodiscard]] Result<void> status(const KeyValueReader& view, bool as_json, std::ostream& out);
// The position vector, then the digest alone on the last line.
[[nodiscard]] Result<void> digest(const KeyValueReader& view, std::ostream& out);

// Folds the log up to the view's positions into a scratch view below the view folder and prints
// both digests, `view <64 hex>` and `replay <64 hex>`. kConflict/"view-differs" names the first
// ids.
[[nodiscard]] Result<void> verify(const KeyValueReader& view, const ViewFolder& folder,
                                  const ViewOpeners& openers, const LogSource& log,
                                  const std::stop_token& stop, std::ostream& out);

// Offline: folds the log up to exactly the serving view's positions into a new view and prints
// `before <64 hex>` and `after <64 hex>` as its last two lines. Equal: the new one serves and the
// old is removed. Different: kConflict/"view-differs", and the old one goes on serving, unless
// `force` says that the log is right whatever it gives. kConflict/"view-in-use" while a projector
// runs.
[[nodiscard]] Result<void> rebuild(const ViewFolder& folder, const ViewOpeners& openers,
                                   const LogSource& log, bool force, const std::stop_token& stop,
                                   std::ostream& out);

}  // namespace thumb
