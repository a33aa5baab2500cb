#include "projector_fixture.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <sstream>

#include "kafka/partitioner.h"
#include "kafka/topic_provisioner.h"
#include "platform/file_io.h"
#include "state_projector/cluster_state.h"
#include "state_projector/rocks/rocks_follower.h"
#include "state_projector/view_queries.h"
#include "tests/support/wait_until.h"

namespace thumb::testing {
namespace {

class NoRebalance final : public kafka::RebalanceListener {
 public:
  Result<std::vector<kafka::PartitionOffset>> on_assigned(
      std::span<const kafka::TopicPartition> partitions) override {
    std::vector<kafka::PartitionOffset> starts;
    for (const auto& tp : partitions) starts.push_back({tp, 0});
    assigned = true;
    return starts;
  }
  void on_revoked(std::span<const kafka::TopicPartition>) override {}
  void on_lost(std::span<const kafka::TopicPartition>) override {}
  bool assigned = false;
};

}  // namespace

Child::Child(const std::vector<std::string>& words, const std::filesystem::path& output) {
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, output.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                   0644);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  EXPECT_EQ(posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ), 0) << words[0];
  posix_spawn_file_actions_destroy(&actions);
}

Child::~Child() {
  if (pid_ <= 0) return;
  signal(SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Child::signal(int number) const { ::kill(pid_, number); }

int Child::wait(std::chrono::milliseconds limit) {
  int state = 0;
  const bool ended = wait_until([&] { return ::waitpid(pid_, &state, WNOHANG) == pid_; }, limit);
  if (!ended) return -1;
  pid_ = -1;
  return WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
}

std::vector<std::string> Outcome::lines() const {
  std::vector<std::string> all;
  std::istringstream in(output);
  for (std::string line; std::getline(in, line);) all.push_back(line);
  return all;
}

void ProjectorKafkaTest::SetUp() {
  KafkaTest::SetUp();
  if (HasFatalFailure()) return;
  names_ = TopicNames(unique("projector") + "-");
  const auto wanted = kafka::declared_topics(
      kafka::built_in_topics_json(),
      {.prefix = names_.prefix(), .partitions = kPartitions, .replication_factor = 1});
  ASSERT_TRUE(wanted.has_value());
  auto topics = kafka::make_topic_admin(cluster(), log_).value();
  ASSERT_TRUE(kafka::ensure_topics(*topics, *wanted, kafka::kPatience).has_value());
  admin_ = kafka::make_admin(cluster(), log_).value();
  producer_ = producer();
}

std::int32_t ProjectorKafkaTest::partition_of(const ImageId& id) {
  return kafka::partition_for(id.str(), kPartitions);
}

ImageId ProjectorKafkaTest::image(int number) {
  auto id = placed::image_id(0);
  id.bytes[14] = static_cast<std::uint8_t>(number >> 8);
  id.bytes[15] = static_cast<std::uint8_t>(number);
  return id;
}

OutRecord ProjectorKafkaTest::to_out(const Event& event) const {
  return encode(event, {SystemClock().now(), "/thumbstream/test", std::nullopt}, names_);
}

LogPosition ProjectorKafkaTest::append(const Event& event) {
  const auto placed = producer_->produce_and_wait(to_out(event));
  EXPECT_TRUE(placed.has_value());
  return placed.value_or(LogPosition{});
}

void ProjectorKafkaTest::append_in_transaction(const std::vector<Event>& events) {
  NoRebalance listener;
  auto member =
      kafka::make_group_consumer(
          cluster(), {.group_id = unique("group"), .topic = names_.of(Topic::kImageRequests)},
          listener, log_)
          .value();
  const auto transactional =
      kafka::make_transactional_producer(cluster(), {.transactional_id = unique("txn")}, log_)
          .value();
  ASSERT_TRUE(kafka::eventually(
      [&] { return member->poll(1, kafka::milliseconds(50)).has_value() && listener.assigned; }));
  std::vector<OutRecord> records;
  for (const auto& event : events) records.push_back(to_out(event));
  const auto group = member->group_metadata().value();
  ASSERT_TRUE(kafka::commit_patiently(*transactional, records, {}, *group).has_value());
}

void ProjectorKafkaTest::append_and_abort(const std::vector<Event>& events) {
  NoRebalance listener;
  auto member =
      kafka::make_group_consumer(
          cluster(), {.group_id = unique("group"), .topic = names_.of(Topic::kImageRequests)},
          listener, log_)
          .value();
  const auto transactional =
      kafka::make_transactional_producer(cluster(), {.transactional_id = unique("txn")}, log_)
          .value();
  ASSERT_TRUE(kafka::eventually(
      [&] { return member->poll(1, kafka::milliseconds(50)).has_value() && listener.assigned; }));
  const auto stale = member->group_metadata().value();
  member->close();
  std::vector<OutRecord> records;
  for (const auto& event : events) records.push_back(to_out(event));
  const std::vector<kafka::PartitionOffset> offsets{{{names_.of(Topic::kImageRequests), 0}, 0}};
  ASSERT_FALSE(transactional->commit_batch(records, offsets, *stale).has_value());
}

void ProjectorKafkaTest::fill(int first, int count) {
  using namespace placed;  // NOLINT(google-build-using-namespace)
  std::vector<Event> terminal;
  for (int i = first; i < first + count; ++i) {
    if (i % 5 == 0) append(named(image(i), "photo " + std::to_string(i) + ".jpg"));
    append(uploaded(image(i)));
    if (i % 3 == 0) append(about<ThumbnailStarted>(image(i), 0));
    if (i % 4 == 1) terminal.emplace_back(completed(image(i)));
    if (i % 4 == 2) terminal.emplace_back(failed(image(i)));
    if (i % 11 == 7) append(about<ImageDeleted>(image(i), 1));
    if (i % 13 == 1) append(requested(image(i), 2));
  }
  append_in_transaction(terminal);
  OutRecord garbage;
  garbage.topic = names_.of(Topic::kImageRequests);
  garbage.key = "key";
  garbage.value = "not an event";
  ASSERT_TRUE(producer_->produce_and_wait(garbage).has_value());
}

std::vector<std::string> ProjectorKafkaTest::words(const std::string& command,
                                                   const std::string& data_dir) const {
  std::vector<std::string> all{THUMB_BIN_DIR "/state_projector"};
  std::istringstream in(command);
  for (std::string word; in >> word;) all.push_back(word);
  for (const auto& word : {std::string("--data-dir"), (directory_.path() / data_dir).string(),
                           std::string("--kafka-bootstrap"), bootstrap_,
                           std::string("--topic-prefix"), names_.prefix()}) {
    all.push_back(word);
  }
  return all;
}

std::unique_ptr<Child> ProjectorKafkaTest::start_projector(const std::string& data_dir) {
  std::filesystem::remove(directory_.path() / (data_dir + ".log"));
  return std::make_unique<Child>(words("run", data_dir), directory_.path() / (data_dir + ".log"));
}

Outcome ProjectorKafkaTest::run(const std::string& command, const std::string& data_dir) {
  const auto output = directory_.path() / "command.out";
  std::filesystem::remove(output);
  Child child(words(command, data_dir), output);
  Outcome outcome;
  outcome.exit_code = child.wait(std::chrono::seconds(60));
  outcome.output = read_file(output).value_or("");
  return outcome;
}

bool ProjectorKafkaTest::caught_up(const std::string& data_dir) {
  const auto cluster_state = ask_cluster(*admin_, names_, kafka::kPatience);
  if (!cluster_state) return false;
  return wait_until(
      [&] {
        const auto current = folder(data_dir).current();
        if (!current || !*current) return false;
        const auto view = RocksFollower::open(folder(data_dir).path_of(**current));
        if (!view) return false;
        const auto positions = read_positions(**view);
        return positions && std::ranges::all_of(cluster_state->watermarks, [&](const auto& marks) {
                 return position_of(*positions, marks.first) >= marks.second.high;
               });
      },
      std::chrono::seconds(60));
}

std::string ProjectorKafkaTest::digest(const std::string& data_dir) {
  const auto outcome = run("digest", data_dir);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  const auto lines = outcome.lines();
  return lines.empty() ? "" : lines.back();
}

ViewFolder ProjectorKafkaTest::folder(const std::string& data_dir) const {
  return ViewFolder(directory_.path() / data_dir / "view");
}

std::string ProjectorKafkaTest::log_of(const std::string& data_dir) const {
  return read_file(directory_.path() / (data_dir + ".log")).value_or("");
}

void ProjectorKafkaTest::project(const std::string& data_dir) {
  const auto projector = start_projector(data_dir);
  ASSERT_TRUE(caught_up(data_dir)) << log_of(data_dir);
  // The view may have stood at the end before: a process that has only begun can't stop in order.
  ASSERT_TRUE(wait_until([&] { return log_of(data_dir).find("caught up") != std::string::npos; },
                         std::chrono::seconds(60)));
  projector->signal(SIGTERM);
  ASSERT_EQ(projector->wait(), 0) << log_of(data_dir);
}

}  // namespace thumb::testing
