#include "kafka/read_stretches.h"

#include <map>

#include "platform/on_threads.h"

namespace thumb::kafka {
namespace {

using Steady = std::chrono::steady_clock;
using Take = std::function<Result<void>(const InRecord&)>;

// What is left of each stretch.
class Remainder {
 public:
  explicit Remainder(std::span<const Stretch> stretches) {
    for (const auto& stretch : stretches) {
      if (stretch.from < stretch.to) left_[stretch.tp] = {stretch.from, stretch.to};
    }
  }

  [[nodiscard]] bool empty() const { return left_.empty(); }
  [[nodiscard]] std::vector<PartitionOffset> starts() const {
    std::vector<PartitionOffset> starts;
    for (const auto& [tp, bounds] : left_) starts.push_back({tp, bounds.next});
    return starts;
  }
  // True if the batch brought anything that was wanted.
  Result<bool> take(const ReadBatch& batch, const Take& take) {
    bool moved = false;
    for (const auto& record : batch.records) {
      const TopicPartition tp{std::string(record.topic), record.position.partition};
      const auto found = left_.find(tp);
      if (found == left_.end()) continue;
      if (record.position.offset < found->second.to) {
        if (auto taken = take(owned(record)); !taken) return Failure(taken.error());
      }
      advance(tp, record.position.offset + 1);
      moved = true;
    }
    for (const auto& end : batch.ends) moved = advance(end.tp, end.offset) || moved;
    return moved;
  }

 private:
  // Everything below `next` was read. True if that is news.
  bool advance(const TopicPartition& tp, std::int64_t next) {
    const auto found = left_.find(tp);
    if (found == left_.end() || next <= found->second.next) return false;
    found->second.next = next;
    if (next >= found->second.to) left_.erase(found);
    return true;
  }

  struct Bounds {
    std::int64_t next = 0;
    std::int64_t to = 0;
  };
  std::map<TopicPartition, Bounds> left_;
};

}  // namespace

Result<void> read_stretches(PartitionReader& reader, std::span<const Stretch> stretches,
                            const std::function<Result<void>(const InRecord&)>& take,
                            const StretchOptions& options, const std::stop_token& stop) {
  Remainder left(stretches);
  if (left.empty()) return {};
  if (auto assigned = reader.assign(left.starts()); !assigned) return assigned;
  auto give_up = Steady::now() + options.patience;
  // Taking one record may take as long as a broker needs to answer.
  const Take take_unless_stopped = [&](const InRecord& record) -> Result<void> {
    if (stop.stop_requested()) return told_to_stop();
    return take(record);
  };
  while (!left.empty()) {
    if (stop.stop_requested()) return told_to_stop();
    const auto batch = reader.poll(options.batch_records, options.poll_wait);
    if (!batch) return Failure(batch.error());
    const auto moved = left.take(*batch, take_unless_stopped);
    if (!moved) return Failure(moved.error());
    if (*moved) give_up = Steady::now() + options.patience;
    if (Steady::now() >= give_up) {
      return fail_transient(ErrorKind::kTimeout, "read-stalled",
                            "the broker gives no more records, although there are some");
    }
  }
  // What is fetched ahead would be fetched for nobody.
  return reader.assign({});
}

}  // namespace thumb::kafka
