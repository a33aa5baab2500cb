// Questions to the cluster, each bounded by its caller's time-out.
#include <algorithm>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "kafka/clients.h"
#include "kafka/rd_client.h"
#include "kafka/rd_error.h"

namespace thumb::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kAskAgain{20};

// A consumer handle: a producer's metadata requests would let a broker create topics by their name.
RdOptions admin_options() {
  return {
      .settings = {
          // `high` is then where the next record goes, not where the oldest open transaction began.
          {"isolation.level", "read_uncommitted"},
          {"retry.backoff.ms", "20"},
          // Small questions, which clients wait for: a silent broker is left soon.
          {"socket.timeout.ms", "2000"},
      }};
}

milliseconds left(Deadline deadline) {
  return std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
}

class RdAdmin final : public Admin {
 public:
  explicit RdAdmin(Log& log) : context_{log} {}

  Result<void> start(const ClusterConfig& cluster) {
    auto client = make_client(RD_KAFKA_CONSUMER, cluster, admin_options(), context_);
    if (!client) return tl::unexpected(client.error());
    client_ = std::move(*client);
    return {};
  }

  Result<std::string> cluster_id(milliseconds timeout) override {
    char* id = rd_kafka_clusterid(client_.get(), to_rd(timeout));
    if (id == nullptr) return tl::unexpected(to_error(RD_KAFKA_RESP_ERR__TIMED_OUT, "cluster id"));
    std::string text(id);
    rd_kafka_mem_free(client_.get(), id);
    return text;
  }

  Result<std::int32_t> partition_count(const std::string& topic, milliseconds timeout) override {
    const RdTopic handle(rd_kafka_topic_new(client_.get(), topic.c_str(), nullptr));
    if (!handle) return tl::unexpected(to_error(rd_kafka_last_error(), "topic", topic));
    const rd_kafka_metadata_t* answer = nullptr;
    const auto code = rd_kafka_metadata(client_.get(), 0, handle.get(), &answer, to_rd(timeout));
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return tl::unexpected(to_error(code, "metadata", topic));
    }
    const RdMetadata metadata(answer);
    if (metadata->topic_cnt != 1) {
      return tl::unexpected(to_error(RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, "metadata", topic));
    }
    if (metadata->topics[0].err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return tl::unexpected(to_error(metadata->topics[0].err, "metadata", topic));
    }
    return metadata->topics[0].partition_cnt;
  }

  Result<Watermarks> watermarks(const TopicPartition& tp, milliseconds timeout) override {
    return watermarks_of({&tp, 1}, timeout).map([&](const auto& marks) { return marks.at(tp); });
  }

  // Two questions to each leader: a few milliseconds for a hundred partitions.
  // Not rd_kafka_query_watermark_offsets(): it takes one partition, and up to librdkafka 2.3 it
  // ignores its time-out while the leader is away (confluentinc/librdkafka#2588). The same request,
  // by another call.
  Result<std::map<TopicPartition, Watermarks>> watermarks_of(
      std::span<const TopicPartition> partitions, milliseconds timeout) override {
    const auto deadline = steady_clock::now() + timeout;
    const auto lows = list_offsets(partitions, RD_KAFKA_OFFSET_BEGINNING, timeout);
    if (!lows) return tl::unexpected(lows.error());
    const auto highs = list_offsets(partitions, RD_KAFKA_OFFSET_END, left(deadline));
    if (!highs) return tl::unexpected(highs.error());
    std::map<TopicPartition, Watermarks> marks;
    for (const auto& tp : partitions) marks[tp] = {lows->at(tp), highs->at(tp)};
    return marks;
  }

  Result<std::int64_t> offset_for_time(const TopicPartition& tp, TimeMs time,
                                       milliseconds timeout) override {
    const auto deadline = steady_clock::now() + timeout;
    // Negative times have a meaning of their own in the request; no record is older than 1970.
    const auto found = list_offset(tp, std::max<std::int64_t>(0, to_ms(time)), timeout);
    if (!found || *found >= 0) return found;
    return list_offset(tp, RD_KAFKA_OFFSET_END, left(deadline));
  }

 private:
  using Offsets = std::map<TopicPartition, std::int64_t>;

  Result<std::int64_t> list_offset(const TopicPartition& tp, std::int64_t time,
                                   milliseconds timeout) {
    return list_offsets({&tp, 1}, time, timeout).map([&](const Offsets& found) {
      return found.at(tp);
    });
  }

  // The leaders' answers for a timestamp, or for one of the two special values that stand for it.
  // A partition that is new, or whose leader has just moved, has none for a moment: asked again.
  Result<Offsets> list_offsets(std::span<const TopicPartition> partitions, std::int64_t time,
                               milliseconds timeout) {
    if (partitions.empty()) return Offsets();
    const auto deadline = steady_clock::now() + timeout;
    while (true) {
      auto offsets = ask_leaders(partitions, time, left(deadline));
      if (offsets || offsets.error().kind != ErrorKind::kUnavailable) return offsets;
      if (left(deadline) <= kAskAgain) return offsets;
      std::this_thread::sleep_for(kAskAgain);
    }
  }

  Result<Offsets> ask_leaders(std::span<const TopicPartition> partitions, std::int64_t time,
                              milliseconds timeout) {
    const auto deadline = steady_clock::now() + timeout;
    std::vector<PartitionOffset> questions;
    for (const auto& tp : partitions) questions.push_back({tp, time});
    const auto list = to_rd(questions);
    auto code = rd_kafka_offsets_for_times(client_.get(), list.get(), to_rd(timeout));
    Offsets offsets;
    for (const auto& answer : std::span(list->elems, static_cast<std::size_t>(list->cnt))) {
      if (code == RD_KAFKA_RESP_ERR_NO_ERROR) code = answer.err;
      // Nobody answered for this one: what stands there is the question.
      if (code == RD_KAFKA_RESP_ERR_NO_ERROR && time < 0 && answer.offset == time) {
        code = RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
      }
      offsets[{answer.topic, answer.partition}] = answer.offset;
    }
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return offsets;
    auto error = to_error(code, "list offsets", partitions.front().topic);
    if (error.kind != ErrorKind::kNotFound) return tl::unexpected(std::move(error));
    return tl::unexpected(what_is_missing(partitions, left(deadline)));
  }

  // librdkafka says "unknown partition" for an unknown topic too, and for one whose leader it has
  // yet to learn of.
  Error what_is_missing(std::span<const TopicPartition> partitions, milliseconds timeout) {
    const auto deadline = steady_clock::now() + timeout;
    std::map<std::string, std::int32_t> counts;
    for (const auto& tp : partitions) {
      if (!counts.contains(tp.topic)) {
        const auto count = partition_count(tp.topic, left(deadline));
        if (!count) return count.error();
        counts[tp.topic] = *count;
      }
      if (tp.partition >= 0 && tp.partition < counts[tp.topic]) continue;
      return to_error(RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, "list offsets", tp.topic);
    }
    return to_error(RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, "list offsets",
                    partitions.front().topic);
  }

  RdContext context_;
  RdClient client_;
};

}  // namespace

Result<std::unique_ptr<Admin>> make_admin(const ClusterConfig& cluster, Log& log) {
  auto admin = std::make_unique<RdAdmin>(log);
  if (auto started = admin->start(cluster); !started) return tl::unexpected(started.error());
  return admin;
}

}  // namespace thumb::kafka
