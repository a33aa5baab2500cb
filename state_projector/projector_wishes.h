// What operators ask of a running projector, handed over to its thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>

#include "platform/result.h"

namespace thumb {

enum class Wish : std::uint8_t {
  kRebuild,                // build a view beside the serving one, from the first offset
  kRebuildFromCheckpoint,  // the same from the newest good checkpoint
  kRollBack,               // catch the previous view up, then serve from it again
  kDiscard,                // remove the previous view, and one that was half built
  kCheckpoint,             // write a checkpoint now
};

// Thread-safe. Each wish is answered once: by the projector, or by the end of this object.
class ProjectorWishes {
 public:
  using Answer = std::function<void(const Result<void>&)>;
  struct Pending {
    Wish wish{};
    Answer answer;
  };

  ~ProjectorWishes() { refuse(); }

  // `answer` may be called from any thread, also at once: kUnavailable/"busy" (back off) if others
  // are waiting.
  void put(Wish wish, Answer answer);
  // The oldest, for the projector to answer; empty if there is none.
  [[nodiscard]] std::optional<Pending> take();
  // Answers all that wait with kUnavailable/"not-ready" (back off).
  void refuse();
  // From now on all are answered so, at once. Before whoever asks goes away.
  void close();

 private:
  std::mutex mutex_;
  std::deque<Pending> pending_;
  bool closed_ = false;
};

}  // namespace thumb
