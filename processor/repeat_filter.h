// Recognises a request that was published twice, from nothing but the log: a request is a repeat if
// the same one stands at a lower offset of its partition, at most 15 minutes of log time before.
// Publishers look a request up before they repeat it; this catches those that overlapped. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <unordered_map>

#include "platform/clock.h"
#include "schemas/ids.h"

namespace thumb {

inline constexpr std::chrono::minutes kRepeatWindow{15};

// What makes two records the same request. A redriven dead letter is another attempt.
struct RequestKey {
  RequestId request;
  std::uint32_t attempt = 0;
  friend bool operator==(const RequestKey&, const RequestKey&) = default;
};

// Of one partition. Bounded memory: past `capacity` requests within the window the oldest are
// forgotten, and a repeat of those passes.
class RepeatFilter {
 public:
  explicit RepeatFilter(std::size_t capacity = 131'072) : capacity_(capacity) {}

  // Takes note of the record and says whether it is a repeat. A repeat counts as an occurrence too.
  // The same offset seen again gets the same answer as the first time.
  // REQUIRES: offsets come in rising order, but for the one seen last of a request.
  [[nodiscard]] bool observe(const RequestKey& key, std::int64_t offset, TimeMs timestamp);

  [[nodiscard]] std::size_t size() const { return last_.size(); }

 private:
  struct KeyHash {
    std::size_t operator()(const RequestKey& key) const {
      return std::hash<RequestId>{}(key.request) ^ (key.attempt * 0x9E3779B97F4A7C15U);
    }
  };
  struct Seen {
    std::int64_t offset = 0;
    TimeMs timestamp;
    bool repeat = false;
  };
  struct Aging {
    RequestKey key;
    std::int64_t offset = 0;
    TimeMs timestamp;
  };

  void forget_before(TimeMs oldest);
  void forget_oldest();

  std::size_t capacity_;
  std::unordered_map<RequestKey, Seen, KeyHash> last_;
  std::deque<Aging> order_;  // by offset; entries that a later occurrence replaced are skipped
};

}  // namespace thumb
