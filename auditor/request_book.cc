#include "auditor/request_book.h"

#include <algorithm>

#include "schemas/dead_letters.h"

namespace thumb::auditor {

const RequestEntry& RequestBook::add(const InRecord& record, const ReadRequest& read) {
  const std::int32_t partition = record.position.partition;
  RequestEntry entry;
  entry.offset = record.position.offset;
  entry.at = record.timestamp;
  entry.id = read.request;
  entry.image = image_index(read.image);
  entry.attempt = redrive_attempt(record.headers);
  entry.kind = read.kind;
  if (const auto known = latest_.find(read.request); known != latest_.end()) {
    entry.earlier = known->second;
  }
  entry.repeat = is_repeat(entry, partition);

  ImageEntry& image = images_[entry.image];
  if (entry.kind == RecordKind::kDeletion && !entry.repeat && !image.deleted()) {
    image.deleted_offset = entry.offset;
    image.deleted_at = entry.at;
  }
  const auto index = static_cast<std::uint32_t>(entries_[partition].size());
  latest_.insert_or_assign(read.request, EntryRef{partition, index});
  return append(entry, partition);
}

const RequestEntry& RequestBook::add_unreadable(const InRecord& record) {
  RequestEntry entry;
  entry.offset = record.position.offset;
  entry.at = record.timestamp;
  entry.attempt = redrive_attempt(record.headers);
  return append(entry, record.position.partition);
}

const RequestEntry& RequestBook::append(RequestEntry entry, std::int32_t partition) {
  if (entry.must_end()) ++open_;
  auto& entries = entries_[partition];
  entries.push_back(entry);
  return entries.back();
}

// Another attempt of the same request is none: it was sent again on purpose.
bool RequestBook::is_repeat(const RequestEntry& entry, std::int32_t partition) const {
  for (EntryRef ref = entry.earlier; ref.valid(); ref = at(ref).earlier) {
    const RequestEntry& earlier = at(ref);
    if (ref.partition != partition || earlier.attempt != entry.attempt) continue;
    return entry.at - earlier.at <= kRepeatWindow;
  }
  return false;
}

RequestEntry* RequestBook::find(LogPosition position) {
  const auto partition = entries_.find(position.partition);
  if (partition == entries_.end()) return nullptr;
  auto& entries = partition->second;
  const auto found = std::lower_bound(
      entries.begin(), entries.end(), position.offset,
      [](const RequestEntry& entry, std::int64_t offset) { return entry.offset < offset; });
  return found == entries.end() || found->offset != position.offset ? nullptr : &*found;
}

void RequestBook::end(RequestEntry& entry, Ending ending, LogPosition by) {
  if (entry.ending == Ending::kNone && entry.must_end()) --open_;
  entry.ending = ending;
  entry.end = by;
}

std::uint32_t RequestBook::image_index(const ImageId& id) {
  const auto [known, is_new] =
      image_indexes_.try_emplace(id, static_cast<std::uint32_t>(images_.size()));
  if (is_new) images_.push_back(ImageEntry{id, -1, {}, -1, -1});
  return known->second;
}

}  // namespace thumb::auditor
