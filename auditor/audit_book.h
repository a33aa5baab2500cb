// The audit itself: is fed the committed records of all topics and says which promises they break.
//
// What it holds the log to:
// - Every record of image-requests ends exactly once: an upload or a request for thumbnails in
//   thumbnail-completed or thumbnail-failed, one that can't be read in image-requests-dlq. A repeat
//   and a deletion have no end.
// - An end stands in the partition number of its request and names its position. Within one topic
//   the ends of one image come in the order of its requests. Nothing is said of the order between a
//   completed and a failed one: they stand on two topics, which share no order.
// - The image's requests behind its deletion fail: there is nothing left to make thumbnails of.
//   Those before it may complete behind it in time, since they were in hand.
// - Blobs that events name exist with that size and SHA-256, until the image is deleted.
// Pure; for one thread.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "auditor/finding.h"
#include "auditor/named_blobs.h"
#include "auditor/request_book.h"
#include "schemas/codec.h"
#include "schemas/dead_letters.h"
#include "schemas/topology.h"

namespace thumb::auditor {

// What was read; `records` by the numbers of Topic.
struct Counts {
  std::array<std::size_t, kAllTopics.size() + 1> records{};
  std::size_t uploads = 0;
  std::size_t requests = 0;  // thumbnail-requested
  std::size_t deletions = 0;
  std::size_t unreadable = 0;  // of image-requests
  std::size_t repeats = 0;     // of these four none
  std::size_t completed = 0;
  std::size_t failed = 0;
  std::size_t dead_letters = 0;
  std::size_t redriven = 0;    // dead letters that were sent again
  std::size_t before_log = 0;  // ends of requests that the log no longer holds
  std::size_t images = 0;
  std::size_t deleted_images = 0;
  std::size_t open = 0;  // without an end, so far
};

class AuditBook {
 public:
  AuditBook(TopicNames names, std::int32_t partitions)
      : names_(std::move(names)), partitions_(partitions) {}

  // The first offset that the log still holds, if that is not 0.
  void begins_at(Topic topic, std::int32_t partition, std::int64_t offset);

  // REQUIRES: the records of a partition come in the order of their offsets; a request before what
  // was made of it.
  void add(const InRecord& record);

  // Requests and unreadable records that have not ended.
  [[nodiscard]] std::size_t open() const { return requests_.open(); }
  // Topics are read one after the other, so a record sent again may be read before its dead letter.
  // Then everything must be read on, once: what was named before next_round() is there after it.
  [[nodiscard]] bool unsettled() const;
  void next_round() { ++round_; }

  // All findings: those of the records alone, and those of what is missing by `now`. What is not
  // older than `grace` may still come. REQUIRES: called once, last, after next_round().
  [[nodiscard]] Findings conclude(TimeMs now, std::chrono::milliseconds grace);

  [[nodiscard]] Counts counts() const;
  [[nodiscard]] const RequestBook& requests() const { return requests_; }
  [[nodiscard]] const NamedBlobs& blobs() const { return blobs_; }

 private:
  struct DeadLetter {
    LogPosition origin;
    std::size_t sent_again = 0;
  };
  struct Redrive {
    LogPosition record;
    LogPosition dead_letter;
    unsigned round = 0;
  };
  struct Digest {
    std::uint64_t key = 0;
    std::uint64_t value = 0;
  };
  struct End {
    Topic topic;
    LogPosition position;
    const EventBase* base;  // null: it is a dead letter
    Ending ending;
  };

  void add_request(const InRecord& record);
  void add_readable(const InRecord& record, const DecodedEvent& decoded);
  void add_other(const InRecord& record, Topic topic);
  void note_redrive(const InRecord& record);
  void name_blobs(const InRecord& record, Topic topic, const Event& event);
  void check_event_id(const InRecord& record, Topic topic, const DecodedEvent& decoded,
                      const EventBase& base);

  // audit_ends.cc
  [[nodiscard]] static Digest digest_of(const InRecord& record);
  void add_start(const InRecord& record, const ThumbnailStarted& event);
  // REQUIRES: of a terminal event.
  void add_end(const End& end, LogPosition position);
  void add_dead_letter(const InRecord& record);
  // False if the request has ended before, or as a repeat is to have no end. `request` names it.
  bool end_once(const End& end, RequestEntry& entry, std::string_view request);
  void check_order(const End& end, const RequestEntry& entry);

  // audit_conclusion.cc
  void conclude_entry(std::int32_t partition, const RequestEntry& entry, TimeMs oldest);
  void conclude_chain(std::int32_t partition, const RequestEntry& entry);
  void conclude_redrives();

  [[nodiscard]] bool before_log(Topic topic, LogPosition position) const;
  void check_partition(const InRecord& record, Topic topic);
  void report(Kind kind, Topic topic, LogPosition position, std::string detail,
              const EventBase* base = nullptr);
  void report(Kind kind, std::int32_t partition, const RequestEntry& entry, std::string detail);

  TopicNames names_;
  std::int32_t partitions_;
  RequestBook requests_;
  NamedBlobs blobs_;
  Counts counts_;
  Findings findings_;
  std::map<std::pair<Topic, std::int32_t>, std::int64_t> beginnings_;
  std::map<LogPosition, DeadLetter> dead_letters_;  // by their own position
  std::map<LogPosition, Digest> unreadable_;        // by position on image-requests
  std::vector<Redrive> redrives_;
  unsigned round_ = 0;
};

}  // namespace thumb::auditor
