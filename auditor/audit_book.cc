// Taking records in: each is judged at once by what came before it. What ends a request is judged
// in audit_ends.cc.
#include "auditor/audit_book.h"

#include <fmt/format.h>

#include <utility>

#include "kafka/partitioner.h"

namespace thumb::auditor {
namespace {

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

void AuditBook::check_event_id(const InRecord& record, Topic topic, const DecodedEvent& decoded,
                               const EventBase& base) {
  if (decoded.event_id == fmt::format("{}:{}", base.request_id.str(), event_name(decoded.event))) {
    return;
  }
  report(Kind::kWrongEventId, topic, record.position,
         fmt::format("ce_id is '{}'", decoded.event_id.substr(0, 100)), &base);
}

void AuditBook::add_request(const InRecord& record) {
  note_redrive(record);
  const auto decoded = decode(record);
  if (decoded) return add_readable(record, *decoded);
  ++counts_.unreadable;
  requests_.add_unreadable(record);
  unreadable_[record.position] = digest_of(record);
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
  check_event_id(record, Topic::kImageRequests, decoded, base);
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
  check_event_id(record, topic, *decoded, *base);
  if (const auto* started = std::get_if<ThumbnailStarted>(&decoded->event)) {
    return add_start(record, *started);
  }
  if (const auto* completed = std::get_if<ThumbnailCompleted>(&decoded->event)) {
    ++counts_.completed;
    add_end({topic, record.position, base, Ending::kCompleted}, completed->request);
    name_blobs(record, topic, decoded->event);
  } else if (const auto* failed = std::get_if<ThumbnailFailed>(&decoded->event)) {
    ++counts_.failed;
    add_end({topic, record.position, base, Ending::kFailed}, failed->request);
  }
}

}  // namespace thumb::auditor
