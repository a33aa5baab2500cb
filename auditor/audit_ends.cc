// What follows from a request: its start, and its end in a terminal event or a dead letter, each
// held to the request that it names.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "auditor/audit_book.h"

namespace thumb::auditor {
namespace {

std::string place(Topic topic, LogPosition position) {
  return fmt::format("{} {}", role_of(topic).name, to_string(position));
}

std::string_view name_of(Ending ending) {
  switch (ending) {
    case Ending::kNone:
      return "no end";
    case Ending::kCompleted:
      return role_of(Topic::kThumbnailCompleted).name;
    case Ending::kFailed:
      return role_of(Topic::kThumbnailFailed).name;
    case Ending::kDeadLettered:
      return role_of(Topic::kImageRequestsDlq).name;
  }
  return "";
}

std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

}  // namespace

AuditBook::Digest AuditBook::digest_of(const InRecord& record) {
  return {fnv1a(record.key), fnv1a(record.value.value_or(""))};
}

void AuditBook::add_start(const InRecord& record, const ThumbnailStarted& event) {
  const RequestEntry* entry = requests_.find(event.request);
  if (entry == nullptr && before_log(Topic::kImageRequests, event.request)) return;
  if (entry != nullptr && entry->id == event.request_id) return;
  report(Kind::kStartWithoutRequest, Topic::kThumbnailStarted, record.position,
         fmt::format("no such request at {}", place(Topic::kImageRequests, event.request)), &event);
}

void AuditBook::add_end(const End& end, LogPosition position) {
  const auto found = [&](Kind kind, std::string detail) {
    report(kind, end.topic, end.position, std::move(detail), end.base);
  };
  const std::string request = place(Topic::kImageRequests, position);
  if (end.position.partition != position.partition) {
    found(Kind::kEndInOtherPartition, fmt::format("its request stands at {}", request));
  }
  RequestEntry* entry = requests_.find(position);
  if (entry == nullptr && before_log(Topic::kImageRequests, position)) {
    ++counts_.before_log;
    return;
  }
  if (entry == nullptr || entry->kind == RecordKind::kUnreadable ||
      entry->kind == RecordKind::kDeletion) {
    return found(Kind::kEndWithoutRequest,
                 fmt::format("{} {}", request,
                             entry == nullptr ? "does not exist" : "asks for no thumbnails"));
  }
  if (entry->id != end.base->request_id || requests_.image(entry->image).id != end.base->image_id) {
    return found(Kind::kEndOfAnotherRequest,
                 fmt::format("{} is request {} of image {}", request, entry->id.str(),
                             requests_.image(entry->image).id.str()));
  }
  if (end_once(end, *entry, request)) check_order(end, *entry);
}

bool AuditBook::end_once(const End& end, RequestEntry& entry, std::string_view request) {
  if (entry.repeat) {
    report(Kind::kRepeatEnded, end.topic, end.position, fmt::format("{} is a repeat", request),
           end.base);
    return false;
  }
  if (entry.ending != Ending::kNone) {
    report(Kind::kEndedTwice, end.topic, end.position,
           fmt::format("{} has ended with {} {}", request, name_of(entry.ending),
                       to_string(entry.end)),
           end.base);
    return false;
  }
  requests_.end(entry, end.ending, end.position);
  return true;
}

void AuditBook::check_order(const End& end, const RequestEntry& entry) {
  ImageEntry& image = requests_.image(entry.image);
  const bool completed = end.ending == Ending::kCompleted;
  std::int64_t& last = completed ? image.last_completed : image.last_failed;
  if (entry.offset < last) {
    report(Kind::kOutOfOrder, end.topic, end.position,
           fmt::format("the image's later request at offset {} ended before it", last), end.base);
  }
  last = std::max(last, entry.offset);
  if (completed && image.deleted() && entry.offset > image.deleted_offset) {
    report(Kind::kCompletedAfterDelete, end.topic, end.position,
           fmt::format("its request at offset {} stands behind the deletion at offset {}",
                       entry.offset, image.deleted_offset),
           end.base);
  }
}

void AuditBook::add_dead_letter(const InRecord& record) {
  ++counts_.dead_letters;
  const auto found = [&](Kind kind, std::string detail) {
    report(kind, Topic::kImageRequestsDlq, record.position, std::move(detail));
  };
  DeadLetter& letter = dead_letters_[record.position];
  const auto origin = origin_of(record.headers);
  if (!origin) return found(Kind::kDeadLetterWithoutOrigin, origin.error().message);
  letter.origin = origin->position;
  const std::string request = fmt::format("{} {}", origin->topic, to_string(origin->position));
  RequestEntry* entry = requests_.find(origin->position);
  if (entry == nullptr && before_log(Topic::kImageRequests, origin->position)) {
    ++counts_.before_log;
    return;
  }
  if (entry == nullptr || origin->topic != names_.of(Topic::kImageRequests)) {
    return found(Kind::kDeadLetterWithoutOrigin, fmt::format("{} does not exist", request));
  }
  const End end{Topic::kImageRequestsDlq, record.position, nullptr, Ending::kDeadLettered};
  if (!end_once(end, *entry, request)) return;
  const auto original = unreadable_.find(origin->position);
  if (original == unreadable_.end()) return;
  const Digest copy = digest_of(record);
  // The value is left out where the whole would have been too large for the topic, and the key too
  // where that was not enough.
  const bool bare = !record.value && record.key.empty();
  if ((!bare && original->second.key != copy.key) ||
      (record.value && original->second.value != copy.value)) {
    found(Kind::kDeadLetterDiffers, fmt::format("key or value are not those of {}", request));
  }
}

}  // namespace thumb::auditor
