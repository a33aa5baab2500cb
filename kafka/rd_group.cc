#include "kafka/rd_group.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "kafka/rd_error.h"

namespace thumb::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Members learn of a rebalance by their heartbeats; a cooperative one takes two rounds.
constexpr milliseconds kHeartbeat{1'000};

// How long one question to the coordinator takes at most, as socket.timeout.ms has it. Nothing can
// end the library's wait for the answer, so a longer one is made of these.
constexpr milliseconds kQuestionLimit{3'000};

// The library has no accessors; this reads what rd_kafka_consumer_group_metadata_write() makes of
// the metadata: a magic, the generation, then group id and member id, each ending in NUL. Fails
// closed should another version write it otherwise.
bool is_member(const rd_kafka_consumer_group_metadata_t& metadata) {
  constexpr std::string_view kMagic = "CGMDv2:";
  void* data = nullptr;
  std::size_t size = 0;
  const RdError error(rd_kafka_consumer_group_metadata_write(&metadata, &data, &size));
  if (error) return false;
  const std::string text(static_cast<const char*>(data), size);
  rd_kafka_mem_free(nullptr, data);
  std::int32_t generation = -1;
  if (!text.starts_with(kMagic) || size < kMagic.size() + sizeof generation) return false;
  std::memcpy(&generation, text.data() + kMagic.size(), sizeof generation);
  const auto group_end = text.find('\0', kMagic.size() + sizeof generation);
  const bool has_member_id =
      group_end != std::string::npos && group_end + 1 < size && text[group_end + 1] != '\0';
  return generation >= 0 && has_member_id;
}

}  // namespace

RdOptions group_options(const GroupOptions& options) {
  const auto heartbeat = std::min<milliseconds>(kHeartbeat, options.session_timeout / 3);
  return {.settings = {
              {"group.id", options.group_id},
              {"partition.assignment.strategy", "cooperative-sticky"},
              {"session.timeout.ms", std::to_string(options.session_timeout.count())},
              {"heartbeat.interval.ms", std::to_string(heartbeat.count())},
              {"max.poll.interval.ms", std::to_string(options.max_poll_interval.count())},
              {"enable.auto.commit", "false"},
              {"enable.auto.offset.store", "false"},
              {"auto.offset.reset", "error"},
              {"isolation.level", "read_committed"},
              // A new record ends the wait at once; a partition that is new to this member waits
              // for it to end.
              {"fetch.wait.max.ms", "100"},
              {"fetch.error.backoff.ms", "50"},
              // A coordinator that fell silent is left in time to find the next one before the
              // session ends; a fetch is little enough for a slow link to bring meanwhile.
              {"socket.timeout.ms", std::to_string(kQuestionLimit.count())},
              {"fetch.max.bytes", "1048576"},
              // Work, not throughput: what is fetched ahead is memory, and is fetched again by the
              // next owner. Past a limit 2.0.2 stops fetching for 1 s, so not too little either.
              {"queued.min.messages", "10000"},
              {"queued.max.messages.kbytes", "16384"},
          }};
}

// Between leaving a group and joining it again there is no generation, and the broker takes a
// transaction's offsets without one unchecked: that would undo the fencing of KIP-447.
Result<std::unique_ptr<GroupMetadata>> member_metadata(rd_kafka_t* client) {
  RdGroupMetadataHandle handle(rd_kafka_consumer_group_metadata(client));
  if (!handle || !is_member(*handle)) {
    return fail_transient(ErrorKind::kConflict, "not-in-group",
                          "the consumer is not in its group at the moment");
  }
  return std::make_unique<RdGroupMetadata>(std::move(handle));
}

Result<std::vector<PartitionOffset>> committed_offsets(rd_kafka_t* client,
                                                       std::span<const TopicPartition> partitions,
                                                       milliseconds timeout,
                                                       const std::stop_token& stop) {
  const auto list = to_rd(partitions);
  const auto deadline = steady_clock::now() + timeout;
  auto code = RD_KAFKA_RESP_ERR__TIMED_OUT;
  while (code == RD_KAFKA_RESP_ERR__TIMED_OUT && !stop.stop_requested()) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
    if (left <= milliseconds(0)) break;
    code = rd_kafka_committed(client, list.get(), to_rd(std::min(left, kQuestionLimit)));
  }
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return tl::unexpected(to_error(code, "committed offsets"));
  }
  std::vector<PartitionOffset> offsets;
  for (const auto& element : std::span(list->elems, static_cast<std::size_t>(list->cnt))) {
    if (element.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return tl::unexpected(to_error(element.err, "committed offsets", element.topic));
    }
    offsets.push_back(
        {{element.topic, element.partition}, std::max<std::int64_t>(element.offset, -1)});
  }
  return offsets;
}

}  // namespace thumb::kafka
