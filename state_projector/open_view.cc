// What a view says of itself (its meta) decides; a view is converted never, only folded anew.
#include "state_projector/open_view.h"

#include <fmt/format.h>

#include "state_projector/view_keys.h"
#include "state_projector/view_queries.h"

namespace thumb {
namespace {

// A watcher that was away for longer than this many changes looks at everything anew.
constexpr ViewWriterOptions kWithFeed{.feed_limit = 100'000};
constexpr ViewWriterOptions kWithoutFeed{.feed_limit = 0};

// Why a view can't be gone on with; empty if it can.
std::string mismatch(const ViewMeta& meta, const Positions& positions,
                     const ClusterState& cluster) {
  if (meta.row_version != kRowVersion) {
    return fmt::format("its rows are of version {}, this program's of {}", meta.row_version,
                       kRowVersion);
  }
  if (meta.cluster_id != cluster.cluster_id) {
    return fmt::format("it was folded from cluster {}, this is {}", meta.cluster_id,
                       cluster.cluster_id);
  }
  for (const auto& [partition, position] : positions) {
    const auto marks = cluster.watermarks.find(partition);
    if (marks != cluster.watermarks.end() && position > marks->second.high) {
      return fmt::format("it stands at {} of {}/{}, the log ends at {}", position,
                         role_of(partition.topic).name, partition.partition, marks->second.high);
    }
  }
  return {};
}

}  // namespace

Result<OpenView> ViewOpener::begin_writing(const std::string& id,
                                           std::shared_ptr<KeyValueStore> store) const {
  // A view that has served goes on telling its changes wherever it is folded, or those who remember
  // one of its numbers would miss what came between. One that never did has nobody to tell.
  const auto served = store->get(view_keys::last_change());
  if (!served) return Failure(served.error());
  auto writer = ViewWriter::open(*store, names_, *served ? kWithFeed : kWithoutFeed);
  if (!writer) return Failure(std::move(writer.error()));
  return OpenView{id, std::move(store), std::move(*writer)};
}

Result<std::optional<OpenView>> ViewOpener::reopen(const std::string& id,
                                                   const ClusterState& cluster) const {
  auto store = open_store_(folder_.path_of(id));
  if (!store) return unusable(store.error());
  return go_on(id, std::move(*store), cluster);
}

Result<std::optional<OpenView>> ViewOpener::unusable(const Error& error) const {
  if (error.kind != ErrorKind::kCorrupt) return Failure(error);
  log_.error("view is damaged and not gone on with", error);
  return std::nullopt;
}

Result<std::optional<OpenView>> ViewOpener::go_on(const std::string& id,
                                                  std::shared_ptr<KeyValueStore> store,
                                                  const ClusterState& cluster) const {
  auto view = begin_writing(id, std::move(store));
  if (!view) return unusable(view.error());
  const auto meta = read_meta(*view->store);
  if (!meta) return unusable(meta.error());
  if (const auto why = mismatch(*meta, view->writer->positions(), cluster); !why.empty()) {
    log_.warn("view is not gone on with", {{"view_id", id}, {"reason", why}});
    return std::nullopt;
  }
  if (meta->partitions != cluster.partitions) {
    return fail(
        ErrorKind::kConflict, "partition-count-changed",
        fmt::format("the topics have {} partitions, the view was folded from {}: Kafka keeps "
                    "no order of an image's events across such a change; use new topics, or "
                    "delete {} to fold what there is",
                    cluster.partitions, meta->partitions, folder_.root().string()));
  }
  return std::optional(std::move(*view));
}

Result<OpenView> ViewOpener::make(const ClusterState& cluster) const {
  const auto id = make_view_id();
  auto store = open_store_(folder_.path_of(id));
  if (!store) return Failure(std::move(store.error()));
  const auto meta = encode_meta({kRowVersion, cluster.cluster_id, id, cluster.partitions});
  if (auto written = (*store)->write(meta); !written) return Failure(std::move(written.error()));
  if (auto set = folder_.set_next(id); !set) return Failure(std::move(set.error()));
  log_.info("building a new view", {{"view_id", id}, {"cluster_id", cluster.cluster_id}});
  return begin_writing(id, std::move(*store));
}

Result<void> ViewOpener::begin_feed(OpenView& view) const {
  const auto served = view.store->get(view_keys::last_change());
  if (!served) return Failure(served.error());
  if (!*served) {
    const KeyChange none_yet{view_keys::last_change(), view_keys::encode_number(0)};
    if (auto marked = view.store->write({&none_yet, 1}); !marked) return marked;
  }
  auto writer = ViewWriter::open(*view.store, names_, kWithFeed);
  if (!writer) return Failure(std::move(writer.error()));
  view.writer = std::move(*writer);
  return {};
}

}  // namespace thumb
