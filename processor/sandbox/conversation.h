// One image's talk with one worker: the job goes over, memory is granted, the answer is taken and
// checked, all under the processor's own clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "processor/sandbox/job_codec.h"
#include "processor/sandbox/memory_gate.h"
#include "processor/sandbox/worker_link.h"

namespace thumb {

class Conversation {
 public:
  enum class End {
    kAnswered,  // answer() is the worker's, checked; the worker may go on
    kBusy,      // there was no memory to grant; the worker may go on
    kTimedOut,  // the worker is still at it
    kClosed,    // the worker is gone, or about to go
    kNonsense,  // what it says is no answer: it is out of its mind, or somebody else's
  };

  // REQUIRES: `gate` outlives it, and so does `worker`, which is the caller's alone.
  Conversation(WorkerLink& worker, MemoryGate& gate) : worker_(worker), gate_(gate) {}

  // `grace`: what the worker gets beyond the job's limit, to say itself that it took too long.
  // Waiting for memory counts for nobody. REQUIRES: called once; `original` fits the input area.
  [[nodiscard]] End run(ByteView original, const DecodeJob& job, std::chrono::milliseconds grace);

  // True once the worker had the image in work.
  [[nodiscard]] bool begun() const { return begun_; }
  // REQUIRES: run() gave kAnswered.
  [[nodiscard]] Result<MadeThumbnails>& answer() { return answer_; }

 private:
  [[nodiscard]] bool grant(std::uint64_t bytes);
  [[nodiscard]] End take_answer(std::uint64_t length, const DecodeJob& job);

  WorkerLink& worker_;
  MemoryGate& gate_;
  MemoryGate::Share share_;
  std::chrono::steady_clock::time_point deadline_;
  bool begun_ = false;
  bool asked_ = false;
  bool refused_ = false;
  Result<MadeThumbnails> answer_;
};

}  // namespace thumb
