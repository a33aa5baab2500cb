// Every record of image-requests, and how it ended, in as few bytes as that takes. With its image,
// its ids and the blobs named (named_blobs.h) a request costs about 400 bytes: measured, a million
// uploads with one thumbnail each take 397 MB, 537 MB while the blobs are put in order. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <unordered_map>
#include <vector>

#include "platform/log_position.h"
#include "schemas/ids.h"

namespace thumb::auditor {

// The same request at a higher offset of its partition, at most this much log time after its last
// occurrence, is a repeat: whoever works on requests leaves it out.
inline constexpr std::chrono::minutes kRepeatWindow{15};

enum class RecordKind : std::uint8_t { kUpload, kRequest, kDeletion, kUnreadable };
enum class Ending : std::uint8_t { kNone, kCompleted, kFailed, kDeadLettered };

// Where an entry stands in the book.
struct EntryRef {
  std::int32_t partition = -1;  // -1: none
  std::uint32_t index = 0;
  [[nodiscard]] bool valid() const { return partition >= 0; }
};

struct RequestEntry {
  std::int64_t offset = 0;
  TimeMs at;
  RequestId id;             // of an unreadable record: all zero
  EntryRef earlier;         // the record before this one that has the same request id
  std::uint32_t image = 0;  // index for RequestBook::image(); of an unreadable record: meaningless
  std::uint32_t attempt = 0;  // how many times it was sent again from a dead letter
  LogPosition end;            // of the record that ended it; REQUIRES: ending is not kNone
  RecordKind kind = RecordKind::kUnreadable;
  Ending ending = Ending::kNone;
  bool repeat = false;

  // Is an end of it to be expected?
  [[nodiscard]] bool must_end() const { return kind != RecordKind::kDeletion && !repeat; }
};

struct ImageEntry {
  ImageId id;
  std::int64_t deleted_offset = -1;  // -1: not deleted
  TimeMs deleted_at;
  // Offsets of the requests that ended last in thumbnail-completed and in thumbnail-failed.
  std::int64_t last_completed = -1;
  std::int64_t last_failed = -1;

  [[nodiscard]] bool deleted() const { return deleted_offset >= 0; }
};

// What a record of image-requests says, once it was read.
struct ReadRequest {
  RecordKind kind = RecordKind::kUnreadable;
  ImageId image;
  RequestId request;
};

// For one thread. Pointers and spans live until the next add.
class RequestBook {
 public:
  // REQUIRES: the records of a partition come in the order of their offsets.
  const RequestEntry& add(const InRecord& record, const ReadRequest& read);
  const RequestEntry& add_unreadable(const InRecord& record);

  // Null if no record stands there.
  [[nodiscard]] RequestEntry* find(LogPosition position);
  [[nodiscard]] const RequestEntry& at(EntryRef ref) const {
    return entries_.at(ref.partition)[ref.index];
  }
  void end(RequestEntry& entry, Ending ending, LogPosition by);

  [[nodiscard]] ImageEntry& image(std::uint32_t index) { return images_[index]; }
  [[nodiscard]] const ImageEntry& image(std::uint32_t index) const { return images_[index]; }
  // Makes the image known if it is not.
  [[nodiscard]] std::uint32_t image_index(const ImageId& id);
  [[nodiscard]] std::span<const ImageEntry> images() const { return images_; }

  // By partition, in the order of offsets.
  [[nodiscard]] const std::map<std::int32_t, std::vector<RequestEntry>>& entries() const {
    return entries_;
  }
  // How many records must end and have not.
  [[nodiscard]] std::size_t open() const { return open_; }

 private:
  [[nodiscard]] bool is_repeat(const RequestEntry& entry, std::int32_t partition) const;
  const RequestEntry& append(RequestEntry entry, std::int32_t partition);

  std::map<std::int32_t, std::vector<RequestEntry>> entries_;
  std::unordered_map<RequestId, EntryRef> latest_;  // the last record of each request id
  std::vector<ImageEntry> images_;
  std::unordered_map<ImageId, std::uint32_t> image_indexes_;
  std::size_t open_ = 0;
};

}  // namespace thumb::auditor
