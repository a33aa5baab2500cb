#include "processor/sandbox/sandboxed_thumbnail_maker.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "processor/sandbox/conversation.h"
#include "processor/sandbox/zygote.h"

namespace thumb {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;
using Reason = SandboxMetrics::Reason;
using Fate = WorkerSupply::Fate;

constexpr seconds kStartLimit{60};
constexpr seconds kDeathNewsLimit{5};
constexpr unsigned kMostAttempts = 3;
constexpr std::size_t kLargeBytes = 1U << 20U;

// The limit counts what is asked for, touched or not. Measured, at 50 megapixels: a PNG of one bit
// asks for 17 bytes a pixel (10 resident), as do GIF and WebP at the most; and a little more.
constexpr std::uint64_t kBytesPerPixel = 20;
constexpr std::uint64_t kBaseBytes = 64ULL << 20U;

SupplyOptions supply_options(const SandboxOptions& options) {
  SupplyOptions supply;
  supply.workers = options.workers;
  supply.input_bytes = std::max<std::uint64_t>(options.max_original_bytes, 1);
  supply.zygote_arguments = zygote_arguments(worker_memory_bytes(options));
  return supply;
}

}  // namespace

std::uint64_t worker_memory_bytes(const SandboxOptions& options) {
  return std::min(options.memory_bytes, options.max_pixels * kBytesPerPixel + kBaseBytes);
}

// What came of one try with one worker.
struct SandboxedThumbnailMaker::Attempt {
  std::optional<Result<MadeThumbnails>> result;  // none: try another worker
  bool killed = false;                           // by somebody else, with the image in work
};

SandboxedThumbnailMaker::SandboxedThumbnailMaker(const SandboxOptions& options, Log& log,
                                                 Metrics& metrics)
    : options_(options),
      log_(log),
      metrics_(metrics),
      gate_(options.memory_bytes),
      supply_(supply_options(options), log, metrics_) {}

Result<std::unique_ptr<SandboxedThumbnailMaker>> SandboxedThumbnailMaker::start(
    const SandboxOptions& options, Log& log, Metrics& metrics) {
  auto maker =
      std::unique_ptr<SandboxedThumbnailMaker>(new SandboxedThumbnailMaker(options, log, metrics));
  if (auto first = maker->supply_.await_first(steady_clock::now() + kStartLimit); !first) {
    return Failure(first.error());
  }
  return maker;
}

Result<MadeThumbnails> SandboxedThumbnailMaker::make(ByteView original,
                                                     std::span<const VariantSpec> variants,
                                                     const MakeLimits& limits) {
  if (original.size() > options_.max_original_bytes) {
    return fail(ErrorKind::kTooLarge, "original-too-large", "The original has too many bytes.");
  }
  unsigned kills = 0;
  for (unsigned i = 0; i < kMostAttempts; ++i) {
    auto tried = attempt(original, variants, limits);
    if (tried.result) return std::move(*tried.result);
    // The kernel picks the largest process when memory is short: twice is no accident.
    if (tried.killed && ++kills > 1) return decoder_out_of_memory("killed twice from outside");
  }
  return fail_transient(ErrorKind::kUnavailable, "decoder-unavailable",
                        "Decoding processes don't stay alive at the moment.");
}

SandboxedThumbnailMaker::Attempt SandboxedThumbnailMaker::attempt(
    ByteView original, std::span<const VariantSpec> variants, const MakeLimits& limits) {
  const auto asked_at = steady_clock::now();
  const auto worker = supply_.take(asked_at + options_.longest_wait);
  metrics_.wait_seconds.Observe(
      std::chrono::duration<double>(steady_clock::now() - asked_at).count());
  if (worker == nullptr) {
    return {fail_transient(ErrorKind::kUnavailable, "decoder-busy",
                           "No decoding process is free at the moment.")};
  }
  const DecodeJob job{original.size(), limits, {variants.begin(), variants.end()}};
  Conversation talk(*worker, gate_);
  switch (talk.run(original, job, options_.answer_grace)) {
    case Conversation::End::kAnswered:
      keep_or_recycle(worker, original.size());
      return {std::move(talk.answer())};
    case Conversation::End::kBusy:
      keep_or_recycle(worker, original.size());
      return {fail_transient(ErrorKind::kUnavailable, "decoder-busy",
                             "There is no memory free to decode at the moment.")};
    case Conversation::End::kTimedOut:
      metrics_.count(Reason::kTimeout);
      supply_.give_back(worker, Fate::kKill);
      if (!talk.begun()) return {};
      return {decode_timeout()};
    case Conversation::End::kNonsense:
      metrics_.count(Reason::kCrashed);
      supply_.give_back(worker, Fate::kKill);
      return {decoder_crashed("it gave no sensible answer")};
    case Conversation::End::kClosed:
      return mourn(worker, talk.begun());
  }
  return {};
}

SandboxedThumbnailMaker::Attempt SandboxedThumbnailMaker::mourn(
    const std::shared_ptr<WorkerLink>& worker, bool begun) {
  const Death death = supply_.await_death(*worker, steady_clock::now() + kDeathNewsLimit);
  supply_.give_back(worker, Fate::kKill);
  const Cause cause = cause_of(death);
  switch (cause) {
    case Cause::kLostZygote:
      metrics_.count(Reason::kZygote);
      return {};
    case Cause::kKilled:
      metrics_.count(Reason::kKilled);
      return {std::nullopt, begun};
    case Cause::kMemory:
      metrics_.count(Reason::kMemory);
      if (!begun) return {};
      return {decoder_out_of_memory(describe(death))};
    case Cause::kCrash:
      metrics_.count(Reason::kCrashed);
      if (!begun) return {};
      return {decoder_crashed(describe(death))};
  }
  return {};
}

void SandboxedThumbnailMaker::keep_or_recycle(const std::shared_ptr<WorkerLink>& worker,
                                              std::size_t original_bytes) {
  const bool spent = worker->jobs >= options_.images_per_worker;
  if (spent) metrics_.count(Reason::kRecycled);
  if (!spent && original_bytes > kLargeBytes) worker->input.trim();
  supply_.give_back(worker, spent ? Fate::kRetire : Fate::kKeep);
}

}  // namespace thumb
