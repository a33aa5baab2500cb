#include "bench/load/outstanding.h"

#include <utility>

namespace thumb::bench {

bool Outstanding::reserve() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return room_ > 0 || closed_; });
  if (closed_) return false;
  --room_;
  return true;
}

void Outstanding::add(std::string id) {
  const std::scoped_lock lock(mutex_);
  ids_.push_back(std::move(id));
  changed_.notify_all();
}

std::optional<std::string> Outstanding::oldest() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !ids_.empty() || closed_; });
  if (ids_.empty()) return std::nullopt;
  return ids_.front();
}

void Outstanding::pop() {
  const std::scoped_lock lock(mutex_);
  ids_.pop_front();
  ++room_;
  changed_.notify_all();
}

void Outstanding::close() {
  const std::scoped_lock lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

}  // namespace thumb::bench
