#include "state_projector/projector_wishes.h"

#include <utility>

namespace thumb {
namespace {

constexpr std::size_t kMaxPending = 16;

Failure not_ready() {
  return fail_transient(ErrorKind::kUnavailable, "not-ready",
                        "the projector does not serve a view now");
}

}  // namespace

void ProjectorWishes::put(Wish wish, Answer answer) {
  bool closed = false;
  {
    const std::lock_guard lock(mutex_);
    closed = closed_;
    if (!closed && pending_.size() < kMaxPending) {
      pending_.push_back({wish, std::move(answer)});
      return;
    }
  }
  if (closed) return answer(not_ready());
  answer(fail_transient(ErrorKind::kUnavailable, "busy", "too many requests are waiting"));
}

std::optional<ProjectorWishes::Pending> ProjectorWishes::take() {
  const std::lock_guard lock(mutex_);
  if (pending_.empty()) return std::nullopt;
  auto oldest = std::move(pending_.front());
  pending_.pop_front();
  return oldest;
}

void ProjectorWishes::refuse() {
  while (const auto pending = take()) {
    pending->answer(not_ready());
  }
}

void ProjectorWishes::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  refuse();
}

}  // namespace thumb
