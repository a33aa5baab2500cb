// verify and rebuild are one act, a replay up to the view's own positions, with other endings.
#include "state_projector/verify.h"

#include <fmt/format.h>

#include <future>
#include <set>

#include "state_projector/scratch_folder.h"
#include "state_projector/stoppable_reader.h"
#include "state_projector/view_compare.h"
#include "state_projector/view_digest.h"
#include "state_projector/view_json.h"
#include "state_projector/view_queries.h"

namespace thumb {
namespace {

constexpr std::size_t kDifferencesShown = 10;

Result<ClusterState> ask_cluster_of(const ViewMeta& meta, const LogSource& log) {
  auto cluster = ask_cluster(log.admin, log.names, log.ask_timeout);
  if (!cluster) return cluster;
  if (meta.row_version != kRowVersion || meta.cluster_id != cluster->cluster_id) {
    return fail(
        ErrorKind::kConflict, "view-of-another-log",
        fmt::format("the view (rows of version {}, cluster {}) can't be compared with cluster "
                    "{}; start the projector, it builds a new one",
                    meta.row_version, meta.cluster_id, cluster->cluster_id));
  }
  return cluster;
}

struct Replayed {
  ViewDigest digest;
  std::string lost;  // of the log's beginning; empty: nothing
};

// Replays into `store` up to the positions of `view`.
Result<Replayed> replay_beside(const KeyValueReader& view, KeyValueStore& store,
                               const std::string& view_id, const std::filesystem::path& scratch,
                               const LogSource& log, const std::stop_token& stop) {
  auto meta = read_meta(view);
  if (!meta) return Failure(std::move(meta.error()));
  auto cluster = ask_cluster_of(*meta, log);
  if (!cluster) return Failure(std::move(cluster.error()));
  const auto target = read_positions(view);
  if (!target) return Failure(target.error());

  meta->view_id = view_id;
  if (auto written = store.write(encode_meta(*meta)); !written) {
    return Failure(std::move(written.error()));
  }
  if (auto built = bulk_build(*target, {*cluster, log.names, log.open_reader}, store, scratch,
                              log.bulk, stop);
      !built) {
    return Failure(std::move(built.error()));
  }
  return digest_of(StoppableReader(store, stop)).map([&](ViewDigest digest) {
    return Replayed{std::move(digest), lost_beginning(*cluster, {})};
  });
}

// Prints the differences; the error that names what they are of.
Result<void> tell(const std::vector<ViewDifference>& differences, const Replayed& replayed,
                  std::ostream& out) {
  if (differences.empty()) return {};
  std::string named;
  std::set<std::string> seen;
  for (const auto& difference : differences) {
    out << difference_json(difference) << '\n';
    if (!seen.insert(difference.what + difference.where).second) continue;
    named += (named.empty() ? "" : ", ") + difference.what + " " + difference.where;
  }
  return fail(ErrorKind::kConflict, "view-differs",
              fmt::format("the view is not what the log gives: {}{}{}", named,
                          differences.size() == kDifferencesShown ? ", ..." : "",
                          replayed.lost.empty() ? "" : "; but " + replayed.lost));
}

// A view with a row that can't be read has no digest, but can be compared.
bool is_trouble(const Result<ViewDigest>& digest) {
  return !digest && digest.error().kind != ErrorKind::kCorrupt;
}

std::string sha256_text(const Result<ViewDigest>& digest) {
  return digest ? digest->sha256 : "none: " + digest.error().message;
}

}  // namespace

Result<void> verify(const KeyValueReader& view, const ViewFolder& folder,
                    const ViewOpeners& openers, const LogSource& log, const std::stop_token& stop,
                    std::ostream& out) {
  const StoppableReader mine(view, stop);
  const auto before = digest_of(mine);
  if (is_trouble(before)) return Failure(before.error());
  auto scratch = ScratchFolder::make(folder.root());
  if (!scratch) return Failure(std::move(scratch.error()));
  auto store = openers.write(scratch->path() / "view");
  if (!store) return Failure(std::move(store.error()));
  const auto after = replay_beside(view, **store, make_view_id(), scratch->path(), log, stop);
  if (!after) return Failure(after.error());

  const auto differences = compare_views(mine, StoppableReader(**store, stop), kDifferencesShown);
  if (!differences) return Failure(differences.error());
  out << positions_text(after->digest.positions);
  auto outcome = tell(*differences, *after, out);
  out << "view   " << sha256_text(before) << "\nreplay " << after->digest.sha256 << '\n';
  return outcome;
}

Result<void> rebuild(const ViewFolder& folder, const ViewOpeners& openers, const LogSource& log,
                     bool force, const std::stop_token& stop, std::ostream& out) {
  const auto lock = folder.lock();
  if (!lock) return Failure(lock.error());
  auto old_view = open_serving_view(folder, openers);
  if (!old_view) return Failure(std::move(old_view.error()));
  const auto scratch = ScratchFolder::make(folder.root());
  if (!scratch) return Failure(scratch.error());
  // While the broker is asked and its records are on their way, CPUs are free.
  auto digest_of_old = std::async(std::launch::async, [&old_view, &stop] {
    return digest_of(StoppableReader(**old_view, stop));
  });
  const auto new_id = make_view_id();
  std::vector<ViewDifference> differences;
  Result<ViewDigest> before;
  Result<Replayed> after;
  {
    auto store = openers.write(folder.path_of(new_id));
    if (!store) return Failure(std::move(store.error()));
    after = replay_beside(**old_view, **store, new_id, scratch->path(), log, stop);
    before = digest_of_old.get();
    if (after && !is_trouble(before) && !(before && after->digest.sha256 == before->sha256)) {
      auto found = compare_views(StoppableReader(**old_view, stop), StoppableReader(**store, stop),
                                 kDifferencesShown);
      if (!found) return Failure(std::move(found.error()));
      differences = std::move(*found);
    }
  }
  const bool same = before && after && after->digest.sha256 == before->sha256;
  const bool swap = same || (force && !is_trouble(before) && after);
  if (swap) {
    if (auto published = folder.publish(new_id); !published) return published;
  }
  old_view->reset();
  // Removes the new one if it was not swapped in.
  if (auto tidied = folder.tidy(); !tidied) return tidied;
  if (is_trouble(before)) return Failure(before.error());
  if (!after) return Failure(after.error());
  out << positions_text(after->digest.positions);
  auto outcome = tell(differences, *after, out);
  out << "before " << sha256_text(before) << "\nafter  " << after->digest.sha256 << '\n';
  return swap ? Result<void>() : outcome;
}

}  // namespace thumb
