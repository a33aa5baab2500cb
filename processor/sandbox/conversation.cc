#include "processor/sandbox/conversation.h"

#include <cstring>

#include "processor/sandbox/messages.h"

namespace thumb {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kMemoryWait{30};

}  // namespace

Conversation::End Conversation::run(ByteView original, const DecodeJob& job,
                                    std::chrono::milliseconds grace) {
  // Not std::ranges::copy: GCC 12 moves std::byte one by one.
  std::memcpy(worker_.input.bytes().data(), original.data(), original.size());
  ++worker_.jobs;
  if (!send_message(worker_.channel.get(), as_bytes(encode_job(job)))) return End::kClosed;
  deadline_ = steady_clock::now() + job.limits.max_time + grace;
  while (wait_readable(worker_.channel.get(), deadline_)) {
    const auto report = receive_struct<WorkerReport>(worker_.channel.get());
    if (!report) return End::kClosed;
    switch (report->news) {
      case WorkerNews::kBegun:
        begun_ = true;
        break;
      case WorkerNews::kNeedMemory:
        if (!begun_ || asked_) return End::kNonsense;
        if (!grant(report->value)) return End::kClosed;
        break;
      case WorkerNews::kDone:
        return take_answer(report->value, job);
      default:
        return End::kNonsense;
    }
  }
  return End::kTimedOut;
}

bool Conversation::grant(std::uint64_t bytes) {
  asked_ = true;
  const auto before = steady_clock::now();
  share_ = gate_.enter(bytes, kMemoryWait);
  deadline_ += steady_clock::now() - before;
  refused_ = !share_;
  return send_struct(worker_.channel.get(), MemoryGrant{!refused_});
}

// The worker still has the area mapped: what is checked must be a copy.
Conversation::End Conversation::take_answer(std::uint64_t length, const DecodeJob& job) {
  if (!begun_ || length > worker_.output.bytes().size()) return End::kNonsense;
  if (refused_) return End::kBusy;
  const std::string copy(as_text(worker_.output.bytes().first(length)));
  auto read = decode_answer(as_bytes(copy), job);
  if (!read) return End::kNonsense;
  answer_ = std::move(*read);
  return End::kAnswered;
}

}  // namespace thumb
