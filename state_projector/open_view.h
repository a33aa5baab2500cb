// Views held open by their one writer, and the ways to come by one: opened again if the log can go
// on with it, or made empty.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "platform/log.h"
#include "state_projector/cluster_state.h"
#include "state_projector/view_folder.h"
#include "state_projector/view_writer.h"

namespace thumb {

struct OpenView {
  std::string id;
  std::shared_ptr<KeyValueStore> store;
  std::unique_ptr<ViewWriter> writer;  // goes before the store that it writes to
};

// Thread-safe. All references must outlive it. REQUIRES: the caller holds ViewFolder::lock().
class ViewOpener {
 public:
  using OpenStore =
      std::function<Result<std::unique_ptr<KeyValueStore>>(const std::filesystem::path&)>;

  ViewOpener(const ViewFolder& folder, const TopicNames& names, OpenStore open_store, Log& log)
      : folder_(folder), names_(names), open_store_(std::move(open_store)), log_(log) {}

  // Empty, with a line in the log, if the view can't be gone on with: it is damaged, of another
  // row version, of another cluster, or stands past the end of the log. Error, besides those of
  // the disk: kConflict/"partition-count-changed" (never).
  [[nodiscard]] Result<std::optional<OpenView>> reopen(const std::string& id,
                                                       const ClusterState& cluster) const;
  // The same of one whose store is open already.
  [[nodiscard]] Result<std::optional<OpenView>> go_on(const std::string& id,
                                                      std::shared_ptr<KeyValueStore> store,
                                                      const ClusterState& cluster) const;
  // A new one, empty, named by `next`.
  [[nodiscard]] Result<OpenView> make(const ClusterState& cluster) const;

  // From now on watchers are told of its changes. For a view that begins to serve.
  [[nodiscard]] Result<void> begin_feed(OpenView& view) const;

 private:
  [[nodiscard]] Result<OpenView> begin_writing(const std::string& id,
                                               std::shared_ptr<KeyValueStore> store) const;
  [[nodiscard]] Result<std::optional<OpenView>> unusable(const Error& error) const;

  const ViewFolder& folder_;
  const TopicNames& names_;
  const OpenStore open_store_;
  Log& log_;
};

}  // namespace thumb
