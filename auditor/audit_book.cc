// Taking records in: each is judged at once by what came before it.
#include "auditor/audit_book.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "kafka/partitioner.h"

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

// Null for events that concern no request.
const EventBase* base_of(const Event& event) {
  return std::visit(
      [](const auto& e) -> const EventBase* {
        if constexpr (requires { e.request_id; }) return &e;
        return nullptr;
      },
      event);
}

}  // namespace

struct AuditBook::End {
  Topic topic;
  LogPosition position;
  const EventBase& base;
  LogPosition request;
  Ending ending;
};

void AuditBook::begins_at(Topic topic, std::int32_t partition, std::int64_t offset) {
  beginnings_[{topic, partition}] = offset;
  report(Kind::kHistoryCut, topic, {partition, offset},
         fmt::format("the log begins at offset {}: what stood before can't be audited", offset));
}

bool AuditBook::before_log(Topic topic, LogPosition position) const {
  const auto beginning = beginnings_.find({topic, position.partition});
  return beginning != beginnings_.end() && position.offset < beginning->second;
}

void AuditBook::report(Kind kind, Topic topic, LogPosition position, std::string detail,
                       const EventBase* base) {
  Finding finding{kind, topic, position, {}, {}, std::move(detail)};
  if (base != nullptr) {
    finding.image_id = base->image_id.str();
    finding.request_id = base->request_id.str();
  }
  findings_.add(std::move(finding));
}

void AuditBook::add(const InRecord& record) {
  const auto topic = names_.find(record.topic);
  if (!topic) return;
  ++counts_.records.at(static_cast<std::size_t>(*topic));
  switch (*topic) {
    case Topic::kImageRequests:
      return add_request(record);
    case Topic::kImageRequestsDlq:
      return add_dead_letter(record);
    case Topic::kThumbnailCompleted:
    case Topic::kThumbnailFailed:
    case Topic::kThumbnailStarted:
    case Topic::kImagePrivate:
      return add_other(record, *topic);
  }
}

void AuditBook::check_partition(const InRecord& record, Topic topic) {
  const auto right = kafka::partition_for(record.key, partitions_);
  if (record.position.partition == right) return;
  report(Kind::kWrongPartition, topic, record.position,
         fmt::format("the key '{}' belongs to partition {}", record.key, right));
}

void AuditBook::add_request(const InRecord& record) {
  note_redrive(record);
  const auto decoded = decode(record);
  if (decoded) return add_readable(record, *decoded);
  ++counts_.unreadable;
  requests_.add_unreadable(record);
  unreadable_[record.position] = {fnv1a(record.key), fnv1a(record.value.value_or(""))};
}

void AuditBook::add_readable(const InRecord& record, const DecodedEvent& decoded) {
  const EventBase& base = *base_of(decoded.event);
  check_partition(record, Topic::kImageRequests);
  ReadRequest read{RecordKind::kUpload, base.image_id, base.request_id};
  if (std::holds_alternative<ThumbnailRequested>(decoded.event)) read.kind = RecordKind::kRequest;
  if (std::holds_alternative<ImageDeleted>(decoded.event)) read.kind = RecordKind::kDeletion;
  const RequestEntry& entry = requests_.add(record, read);
  if (entry.repeat) {
    ++counts_.repeats;
  } else if (read.kind == RecordKind::kUpload) {
    ++counts_.uploads;
  } else {
    ++(read.kind == RecordKind::kRequest ? counts_.requests : counts_.deletions);
  }
  if (decoded.event_id != fmt::format("{}:{}", base.request_id.str(), event_name(decoded.event))) {
    report(Kind::kWrongEventId, Topic::kImageRequests, record.position,
           fmt::format("ce_id is '{}'", decoded.event_id.substr(0, 100)), &base);
  }
  name_blobs(record, Topic::kImageRequests, decoded.event);
}

void AuditBook::note_redrive(const InRecord& record) {
  const auto dead_letter = redrive_of(record.headers);
  if (dead_letter) redrives_.push_back({record.position, *dead_letter, round_});
}

void AuditBook::name_blobs(const InRecord& record, Topic topic, const Event& event) {
  const auto name = [&](const EventBase& base, const std::string& variant, const BlobRef& blob) {
    const auto image = requests_.image_index(base.image_id);
    if (blobs_.add(image, base.image_id, variant, blob, topic, record.position)) return;
    report(Kind::kBlobMisnamed, topic, record.position,
           fmt::format("'{}' is not how a blob of this image and digest is named", blob.key),
           &base);
  };
  if (const auto* uploaded = std::get_if<ImageUploaded>(&event)) {
    name(*uploaded, "", uploaded->original);
  } else if (const auto* requested = std::get_if<ThumbnailRequested>(&event)) {
    name(*requested, "", requested->original);
  } else if (const auto* completed = std::get_if<ThumbnailCompleted>(&event)) {
    for (const auto& variant : completed->variants) name(*completed, variant.name, variant.blob);
  }
}

void AuditBook::add_other(const InRecord& record, Topic topic) {
  const auto decoded = decode(record);
  if (!decoded) {
    return report(Kind::kUnreadable, topic, record.position,
                  fmt::format("{}: {}", decoded.error().code, decoded.error().message));
  }
  check_partition(record, topic);
  const EventBase* base = base_of(decoded->event);
  if (base == nullptr) return;  // image-private: nothing to compare it with
  if (decoded->event_id !=
      fmt::format("{}:{}", base->request_id.str(), event_name(decoded->event))) {
    report(Kind::kWrongEventId, topic, record.position,
           fmt::format("ce_id is '{}'", decoded->event_id.substr(0, 100)), base);
  }
  if (const auto* started = std::get_if<ThumbnailStarted>(&decoded->event)) {
    return add_start(record, *started);
  }
  if (const auto* completed = std::get_if<ThumbnailCompleted>(&decoded->event)) {
    ++counts_.completed;
    add_end({topic, record.position, *base, completed->request, Ending::kCompleted});
    name_blobs(record, topic, decoded->event);
  } else if (const auto* failed = std::get_if<ThumbnailFailed>(&decoded->event)) {
    ++counts_.failed;
    add_end({topic, record.position, *base, failed->request, Ending::kFailed});
  }
}

void AuditBook::add_start(const InRecord& record, const ThumbnailStarted& event) {
  const RequestEntry* entry = requests_.find(event.request);
  if (entry == nullptr && before_log(Topic::kImageRequests, event.request)) return;
  if (entry != nullptr && entry->id == event.request_id) return;
  report(Kind::kStartWithoutRequest, Topic::kThumbnailStarted, record.position,
         fmt::format("no such request at {}", place(Topic::kImageRequests, event.request)), &event);
}

void AuditBook::add_end(const End& end) {
  const auto found = [&](Kind kind, std::string detail) {
    report(kind, end.topic, end.position, std::move(detail), &end.base);
  };
  const std::string request = place(Topic::kImageRequests, end.request);
  if (end.position.partition != end.request.partition) {
    found(Kind::kEndInOtherPartition, fmt::format("its request stands at {}", request));
  }
  RequestEntry* entry = requests_.find(end.request);
  if (entry == nullptr && before_log(Topic::kImageRequests, end.request)) {
    ++counts_.before_log;
    return;
  }
  if (entry == nullptr || entry->kind == RecordKind::kUnreadable ||
      entry->kind == RecordKind::kDeletion) {
    return found(Kind::kEndWithoutRequest,
                 fmt::format("{} {}", request,
                             entry == nullptr ? "does not exist" : "asks for no thumbnails"));
  }
  if (entry->id != end.base.request_id || requests_.image(entry->image).id != end.base.image_id) {
    return found(Kind::kEndOfAnotherRequest,
                 fmt::format("{} is request {} of image {}", request, entry->id.str(),
                             requests_.image(entry->image).id.str()));
  }
  if (entry->repeat) {
    return found(Kind::kRepeatEnded, fmt::format("{} is a repeat", request));
  }
  if (entry->ending != Ending::kNone) {
    return found(Kind::kEndedTwice, fmt::format("{} has ended with {} {}", request,
                                                name_of(entry->ending), to_string(entry->end)));
  }
  requests_.end(*entry, end.ending, end.position);
  check_order(end, *entry);
}

void AuditBook::check_order(const End& end, const RequestEntry& entry) {
  ImageEntry& image = requests_.image(entry.image);
  const bool completed = end.ending == Ending::kCompleted;
  std::int64_t& last = completed ? image.last_completed : image.last_failed;
  if (entry.offset < last) {
    report(Kind::kOutOfOrder, end.topic, end.position,
           fmt::format("the image's later request at offset {} ended before it", last), &end.base);
  }
  last = std::max(last, entry.offset);
  if (completed && image.deleted() && entry.offset > image.deleted_offset) {
    report(Kind::kCompletedAfterDelete, end.topic, end.position,
           fmt::format("its request at offset {} stands behind the deletion at offset {}",
                       entry.offset, image.deleted_offset),
           &end.base);
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
  if (entry->repeat) return found(Kind::kRepeatEnded, fmt::format("{} is a repeat", request));
  if (entry->ending != Ending::kNone) {
    return found(Kind::kEndedTwice, fmt::format("{} has ended with {} {}", request,
                                                name_of(entry->ending), to_string(entry->end)));
  }
  requests_.end(*entry, Ending::kDeadLettered, record.position);
  const auto digest = unreadable_.find(origin->position);
  if (digest == unreadable_.end()) return;
  // The value is left out where the whole would have been too large for the topic.
  if (digest->second.key != fnv1a(record.key) ||
      (record.value && digest->second.value != fnv1a(*record.value))) {
    found(Kind::kDeadLetterDiffers, fmt::format("key or value are not those of {}", request));
  }
}

}  // namespace thumb::auditor
