// What an audit can find: one kind for each way in which the log can break a promise. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "platform/log_position.h"
#include "schemas/topology.h"

namespace thumb::auditor {

// A warning is odd, but breaks no promise: an audit with warnings alone is clean.
enum class Severity : std::uint8_t { kError, kWarning };

enum class Kind : std::uint8_t {
  // Every request ends exactly once.
  kNotEnded,              // older than the grace period, and no end
  kEndedTwice,            // the same record has another end already
  kRequestEndedAgain,     // two records of one request id have an end each
  kRepeatEnded,           // a repeat has an end of its own
  kEndWithoutRequest,     // names a record that is not there, or no request
  kEndOfAnotherRequest,   // names a record of another request or image
  kEndInOtherPartition,   // not in the partition number of its request
  kOutOfOrder,            // behind the end of a later request of the same image, same topic
  kCompletedAfterDelete,  // of a request that stands behind the image's deletion
  // Dead letters.
  kNotDeadLettered,          // can't be read, older than the grace period, no dead letter
  kDeadLetterWithoutOrigin,  // names no record of image-requests
  kDeadLetterDiffers,        // key or value are not those of the record it names
  kRedriveWithoutDeadLetter,
  kRedrivenTwice,
  // Single records.
  kUnreadable,       // of a topic that only services write
  kWrongPartition,   // not the one that murmur2 of the key gives
  kWrongEventId,     // ce_id is not "<request id>:<event name>"
  kRequestIdReused,  // another image's request has it
  // Blobs.
  kBlobMissing,
  kBlobDiffers,      // in size or SHA-256
  kBlobMisnamed,     // the key is not the one that image, variant and digest give
  kDeletedBlobLeft,  // of an image that was deleted longer than the grace period ago
  // Warnings.
  kStartWithoutRequest,
  kReadableDeadLetter,  // this version understands it: it can be sent again
  kLateRepeat,          // published again more than 15 minutes later, so it is worked on again
  kHistoryCut,          // the log does not begin at offset 0
};
inline constexpr std::size_t kKinds = static_cast<std::size_t>(Kind::kHistoryCut) + 1;

[[nodiscard]] std::string_view name_of(Kind kind);  // "ended-twice"
[[nodiscard]] Severity severity_of(Kind kind);
[[nodiscard]] std::string_view to_string(Severity severity);

struct Finding {
  Kind kind{};
  Topic topic{};         // where the record stands that gave rise to it
  LogPosition position;  // of that record
  std::string image_id;  // empty where none is known
  std::string request_id;
  std::string detail;  // what is wrong, in one sentence
};

// Counts every finding and keeps the first thousand of each kind: a log that is wrong altogether
// does not fill the memory.
class Findings {
 public:
  static constexpr std::size_t kKeptPerKind = 1'000;

  void add(Finding finding);
  [[nodiscard]] std::size_t count(Kind kind) const { return counts_[index(kind)]; }
  [[nodiscard]] std::size_t count(Severity severity) const;
  // In the order in which they were added; of one kind the first thousand.
  [[nodiscard]] const std::vector<Finding>& kept() const { return kept_; }

 private:
  static constexpr std::size_t index(Kind kind) { return static_cast<std::size_t>(kind); }
  std::array<std::size_t, kKinds> counts_{};
  std::vector<Finding> kept_;
};

}  // namespace thumb::auditor
