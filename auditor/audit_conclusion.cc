// The end of an audit: what is missing, and what only all records together can tell.
#include <fmt/format.h>

#include <algorithm>

#include "auditor/audit_book.h"

namespace thumb::auditor {
namespace {

bool has_end_event(const RequestEntry& entry) {
  return entry.ending == Ending::kCompleted || entry.ending == Ending::kFailed;
}

}  // namespace

Findings AuditBook::conclude(TimeMs now, std::chrono::milliseconds grace) {
  conclude_redrives();
  for (const auto& [partition, entries] : requests_.entries()) {
    for (const auto& entry : entries) {
      conclude_entry(partition, entry, now - grace);
      conclude_chain(partition, entry);
    }
  }
  return std::move(findings_);
}

void AuditBook::report(Kind kind, std::int32_t partition, const RequestEntry& entry,
                       std::string detail) {
  Finding finding{kind, Topic::kImageRequests, {partition, entry.offset}, {},
                  {},   std::move(detail)};
  if (entry.kind != RecordKind::kUnreadable) {
    finding.image_id = requests_.image(entry.image).id.str();
    finding.request_id = entry.id.str();
  }
  findings_.add(std::move(finding));
}

void AuditBook::conclude_entry(std::int32_t partition, const RequestEntry& entry, TimeMs oldest) {
  const bool cut = beginnings_.contains({Topic::kThumbnailCompleted, partition}) ||
                   beginnings_.contains({Topic::kThumbnailFailed, partition}) ||
                   beginnings_.contains({Topic::kImageRequestsDlq, partition});
  if (entry.must_end() && entry.ending == Ending::kNone && entry.at < oldest && !cut) {
    const bool readable = entry.kind != RecordKind::kUnreadable;
    report(readable ? Kind::kNotEnded : Kind::kNotDeadLettered, partition, entry,
           fmt::format("appended at {}, and {} since", to_rfc3339(entry.at),
                       readable ? "neither completed nor failed" : "no dead letter"));
  }
  if (entry.ending != Ending::kDeadLettered || entry.kind == RecordKind::kUnreadable) return;
  const auto letter = dead_letters_.find(entry.end);
  if (letter != dead_letters_.end() && letter->second.sent_again > 0) return;
  report(Kind::kReadableDeadLetter, partition, entry,
         fmt::format("dead letter {} can be read by this version: it may be sent again",
                     to_string(entry.end)));
}

// The request and the records before it that have its id.
void AuditBook::conclude_chain(std::int32_t partition, const RequestEntry& entry) {
  if (entry.kind == RecordKind::kUnreadable) return;
  const bool ended = has_end_event(entry);
  bool again = false;
  bool late = false;
  for (EntryRef ref = entry.earlier; ref.valid(); ref = requests_.at(ref).earlier) {
    const RequestEntry& earlier = requests_.at(ref);
    const std::string where = to_string(LogPosition{ref.partition, earlier.offset});
    if (earlier.image != entry.image) {
      return report(Kind::kRequestIdReused, partition, entry,
                    fmt::format("image {} has a request of this id at {}",
                                requests_.image(earlier.image).id.str(), where));
    }
    if (entry.repeat || earlier.repeat) continue;
    if (!again && ended && has_end_event(earlier)) {
      report(Kind::kRequestEndedAgain, partition, entry,
             fmt::format("the same request at {} has an end too", where));
      again = true;
    }
    if (!late && earlier.attempt == entry.attempt) {
      report(Kind::kLateRepeat, partition, entry,
             fmt::format("the same request stands at {}, of {}", where, to_rfc3339(earlier.at)));
      late = true;
    }
  }
}

bool AuditBook::unsettled() const {
  return std::ranges::any_of(redrives_, [this](const Redrive& redrive) {
    return !dead_letters_.contains(redrive.dead_letter) &&
           !before_log(Topic::kImageRequestsDlq, redrive.dead_letter);
  });
}

void AuditBook::conclude_redrives() {
  for (const auto& redrive : redrives_) {
    const auto letter = dead_letters_.find(redrive.dead_letter);
    if (letter == dead_letters_.end()) {
      if (redrive.round == round_ || before_log(Topic::kImageRequestsDlq, redrive.dead_letter)) {
        continue;
      }
      report(Kind::kRedriveWithoutDeadLetter, Topic::kImageRequests, redrive.record,
             fmt::format("there is no dead letter {}", to_string(redrive.dead_letter)));
      continue;
    }
    // Two that overlapped: the second is a repeat like any other, and left out.
    const RequestEntry* entry = requests_.find(redrive.record);
    if (entry != nullptr && entry->repeat) continue;
    if (++letter->second.sent_again > 1) {
      report(Kind::kRedrivenTwice, Topic::kImageRequests, redrive.record,
             fmt::format("dead letter {} was sent again before", to_string(redrive.dead_letter)));
    } else {
      ++counts_.redriven;
    }
  }
}

Counts AuditBook::counts() const {
  Counts counts = counts_;
  counts.open = requests_.open();
  for (const auto& image : requests_.images()) {
    ++counts.images;
    if (image.deleted()) ++counts.deleted_images;
  }
  return counts;
}

}  // namespace thumb::auditor
