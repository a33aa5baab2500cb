#include "state_projector/commands.h"

#include <fmt/format.h>

#include "state_projector/view_digest.h"
#include "state_projector/view_json.h"
#include "state_projector/view_list.h"
#include "state_projector/view_queries.h"

namespace thumb {

Result<std::shared_ptr<const KeyValueReader>> open_serving_view(const ViewFolder& folder,
                                                                const ViewOpeners& openers) {
  const auto current = folder.current();
  if (!current) return Failure(current.error());
  if (!*current) {
    return fail(ErrorKind::kNotFound, "no-view",
                "there is no view in " + folder.root().string() + "; the projector makes it");
  }
  return openers.follow(folder.path_of(**current));
}

Result<void> dump(const KeyValueReader& view, std::ostream& out) {
  return for_each_row(view, [&out](const ImageRow& row) {
    out << row_json(row) << '\n';
    return out.good();
  });
}

Result<void> status(const KeyValueReader& view, bool as_json, std::ostream& out) {
  return read_status(view).map([&](const ViewStatus& found) {
    out << (as_json ? status_json(found) + "\n" : status_text(found));
  });
}

Result<void> digest(const KeyValueReader& view, bool as_json, std::ostream& out) {
  const auto found = digest_of(view);
  if (!found) return Failure(found.error());
  if (as_json) {
    return read_meta(view).map(
        [&](const ViewMeta& meta) { out << digest_json(meta.view_id, *found) << '\n'; });
  }
  out << positions_text(found->positions);
  for (std::size_t i = 0; i < found->partitions.size(); ++i) {
    out << "partition " << i << ' ' << found->partitions[i] << '\n';
  }
  out << found->sha256 << '\n';
  return {};
}

Result<void> views(const ViewFolder& folder, const ViewOpeners& openers, bool with_digests,
                   bool as_json, std::ostream& out) {
  return list_views(folder, openers.follow, with_digests)
      .map([&](const std::vector<ListedView>& found) {
        out << (as_json ? views_json(found) + "\n" : views_text(found));
      });
}

Result<void> roll_back(const ViewFolder& folder, const ViewOpeners& openers, std::ostream& out) {
  const auto lock = folder.lock();
  if (!lock) return Failure(lock.error());
  const auto previous = folder.previous();
  if (!previous) return Failure(previous.error());
  if (!*previous) {
    return fail(ErrorKind::kConflict, "nothing-to-go-back-to", "no previous view is kept");
  }
  const auto view = openers.follow(folder.path_of(**previous));
  if (!view) return Failure(view.error());
  const auto meta = read_meta(**view);
  if (!meta) return Failure(meta.error());
  // Nobody could read it, and the projector would build a third one from the first record.
  if (meta->row_version != kRowVersion) {
    return fail(ErrorKind::kConflict, "nothing-to-go-back-to",
                fmt::format("the previous view has rows of version {}, this program reads {}",
                            meta->row_version, kRowVersion));
  }
  const auto id = **previous;
  // First as the one in the making, so that a crash in between can't lose sight of it.
  if (auto set = folder.set_next(id); !set) return set;
  if (auto published = folder.publish(id); !published) return published;
  out << "view " << id << " serves\n";
  return folder.tidy();
}

Result<void> discard(const ViewFolder& folder) {
  const auto lock = folder.lock();
  if (!lock) return Failure(lock.error());
  if (auto forgotten = folder.forget_previous(); !forgotten) return forgotten;
  if (auto forgotten = folder.forget_next(); !forgotten) return forgotten;
  return folder.tidy();
}

}  // namespace thumb
