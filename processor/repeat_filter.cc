#include "processor/repeat_filter.h"

namespace thumb {

bool RepeatFilter::observe(const RequestKey& key, std::int64_t offset, TimeMs timestamp) {
  forget_before(timestamp - kRepeatWindow);
  const auto known = last_.find(key);
  if (known != last_.end() && known->second.offset >= offset) return known->second.repeat;
  const bool repeat = known != last_.end() && timestamp - known->second.timestamp <= kRepeatWindow;
  last_.insert_or_assign(key, Seen{offset, timestamp, repeat});
  order_.push_back({key, offset, timestamp});
  while (order_.size() > capacity_) forget_oldest();
  return repeat;
}

void RepeatFilter::forget_before(TimeMs oldest) {
  while (!order_.empty() && order_.front().timestamp < oldest) forget_oldest();
}

void RepeatFilter::forget_oldest() {
  const auto known = last_.find(order_.front().key);
  if (known != last_.end() && known->second.offset == order_.front().offset) last_.erase(known);
  order_.pop_front();
}

}  // namespace thumb
