// What of one partition is done and what is not, so that only the contiguous finished prefix is
// committed. Pure.
#pragma once

#include <cstdint>
#include <map>

namespace thumb {

// Offsets have gaps (control records take some), so "contiguous" means: of the offsets begun here.
class OffsetLedger {
 public:
  // `next` is the offset that the group has committed: of the first record not handled yet.
  explicit OffsetLedger(std::int64_t next) : next_commit_(next) {}

  // REQUIRES: `offset` is not below next_commit() and above every offset begun before.
  void begin(std::int64_t offset);
  // REQUIRES: `offset` was begun and is not settled yet. Twice is harmless.
  void finish(std::int64_t offset);

  // The offset that may be committed now if the next commit takes `limit` finished records at most:
  // one past the last of them; next_commit() if there is none.
  [[nodiscard]] std::int64_t committable(std::size_t limit) const;
  // Finished records that the next commit could take.
  [[nodiscard]] std::size_t ready() const;
  // The offset that was committed last.
  [[nodiscard]] std::int64_t next_commit() const { return next_commit_; }
  // The group has committed `next`: everything below is settled and forgotten.
  void settle(std::int64_t next);

  // Begun and not settled.
  [[nodiscard]] std::size_t open() const { return finished_.size(); }

 private:
  std::int64_t next_commit_;
  std::map<std::int64_t, bool> finished_;  // by offset
};

}  // namespace thumb
