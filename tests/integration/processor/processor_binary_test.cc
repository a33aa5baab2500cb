// The real processor on a real broker: requests in, terminal events out, exactly once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "kafka/clients.h"
#include "kafka/partitioner.h"
#include "kafka/topic_provisioner.h"
#include "platform/digest.h"
#include "platform/fs_blob_store.h"
#include "schemas/blob_keys.h"
#include "schemas/codec.h"
#include "tests/integration/processor/child_process.h"
#include "tests/support/event_samples.h"
#include "tests/support/image_samples.h"
#include "tests/support/temp_dir.h"

namespace thumb {
namespace {

using namespace testing;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr std::int32_t kPartitions = 3;
constexpr seconds kPatience{90};  // a killed member's session and transaction take 10 s each

class ProcessorBinaryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* bootstrap = std::getenv("THUMB_TEST_KAFKA");
    ASSERT_NE(bootstrap, nullptr) << "THUMB_TEST_KAFKA must name a broker (host:port)";
    samples_ready();
    bootstrap_ = bootstrap;
    names_ = TopicNames("processor-test-" + std::to_string(getpid()) + "-" +
                        std::to_string(SystemClock().now().time_since_epoch().count()) + "-");
    make_topics();
    blobs_ = FsBlobStore::open_root(folder_.path() / "blobs").value();
    producer_ = kafka::make_producer(cluster(), {}, log_).value();
    reader_ = kafka::make_partition_reader(cluster(), {}, log_).value();
    admin_ = kafka::make_admin(cluster(), log_).value();
  }

  kafka::ClusterConfig cluster() const { return {bootstrap_, "processor-test", {}}; }

  void make_topics() {
    std::vector<kafka::TopicSpec> wanted;
    for (const auto topic : kAllTopics) {
      wanted.push_back(
          {names_.of(topic), kPartitions, 1, {{"message.timestamp.type", "LogAppendTime"}}, ""});
    }
    auto admin = kafka::make_topic_admin(cluster(), log_).value();
    const auto made = kafka::ensure_topics(*admin, wanted, seconds(30));
    ASSERT_TRUE(made) << made.error().message << made.error().detail;
  }

  // With `environment` in place of the usual settings of the same names.
  std::unique_ptr<ChildProcess> start(std::map<std::string, std::string> environment = {}) {
    environment.merge(std::map<std::string, std::string>{
        {"THUMB_KAFKA_BOOTSTRAP", bootstrap_},
        {"THUMB_TOPIC_PREFIX", names_.prefix()},
        {"THUMB_DATA_DIR", folder_.path().string()},
    });
    return std::make_unique<ChildProcess>(std::vector<std::string>{THUMB_PROCESSOR_BINARY},
                                          environment, log_file());
  }
  std::filesystem::path log_file() const { return folder_.path() / "processor.log"; }
  std::string logged() const {
    std::ifstream file(log_file());
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  static ImageId id(int n) {
    ImageId id = image_id(static_cast<std::uint8_t>(n % 256));
    id.bytes[13] = static_cast<std::uint8_t>(n / 256);
    return id;
  }

  // Stores an original and publishes its upload.
  void upload(int n, const std::string& bytes) {
    const std::string digest = sha256_hex(as_bytes(bytes));
    ImageUploaded event = uploaded(id(n));
    event.original = {original_blob_key(id(n), digest), bytes.size(), digest, "image/jpeg"};
    ASSERT_TRUE(put(*blobs_, event.original.key, as_bytes(bytes)));
    publish(event);
  }
  void publish(const Event& event) {
    const EventContext context{SystemClock().now(), "/test", std::nullopt};
    const auto written = producer_->produce_and_wait(encode(event, context, names_));
    ASSERT_TRUE(written) << written.error().detail;
  }

  // All committed records of a topic.
  std::vector<InRecord> read_all(Topic topic) {
    std::vector<kafka::PartitionOffset> starts;
    for (std::int32_t p = 0; p < kPartitions; ++p) starts.push_back({{names_.of(topic), p}, 0});
    EXPECT_TRUE(reader_->assign(starts));
    std::vector<InRecord> all;
    std::set<std::int32_t> open;
    for (std::int32_t p = 0; p < kPartitions; ++p) open.insert(p);
    const auto deadline = steady_clock::now() + seconds(30);
    while (!open.empty() && steady_clock::now() < deadline) {
      auto batch = reader_->poll(10'000, milliseconds(500));
      EXPECT_TRUE(batch) << batch.error().detail;
      if (!batch) break;
      std::ranges::transform(batch->records, std::back_inserter(all), owned);
      for (const auto& end : batch->ends) open.erase(end.tp.partition);
    }
    EXPECT_TRUE(open.empty()) << "the end of " << names_.of(topic) << " was not reached";
    return all;
  }
  std::size_t terminals() {
    return read_all(Topic::kThumbnailCompleted).size() + read_all(Topic::kThumbnailFailed).size();
  }
  [[nodiscard]] bool terminals_reach(std::size_t count) {
    const auto deadline = steady_clock::now() + kPatience;
    while (terminals() < count) {
      if (steady_clock::now() >= deadline) return false;
    }
    return true;
  }

  template <typename E>
  std::vector<E> events(Topic topic) {
    std::vector<E> all;
    for (const auto& record : read_all(topic)) {
      const auto decoded = decode(record);
      EXPECT_TRUE(decoded) << decoded.error().message;
      if (!decoded) continue;
      EXPECT_EQ(record.position.partition, kafka::partition_for(record.key, kPartitions));
      all.push_back(std::get<E>(decoded->event));
    }
    return all;
  }
  void expect_each_once(int first, int count) {
    std::multiset<ImageId> expected;
    for (int n = first; n < first + count; ++n) expected.insert(id(n));
    std::multiset<ImageId> seen;
    for (const auto& event : events<ThumbnailCompleted>(Topic::kThumbnailCompleted)) {
      seen.insert(event.image_id);
    }
    EXPECT_EQ(seen, expected);
  }
  static void end(ChildProcess& process) {
    process.send(SIGTERM);
    EXPECT_EQ(process.wait(), 0);
  }

  std::string bootstrap_;
  TopicNames names_;
  TempDir folder_;
  Log log_{"test", LogLevel::kError};
  std::unique_ptr<FsBlobStore> blobs_;
  std::unique_ptr<kafka::Producer> producer_;
  std::unique_ptr<kafka::PartitionReader> reader_;
  std::unique_ptr<kafka::Admin> admin_;
};

TEST_F(ProcessorBinaryTest, EveryRequestIsAnswered) {
  const auto process = start();
  upload(0, quarters(ImageFormat::kJpeg, {400, 200}));
  upload(1, quarters(ImageFormat::kPng, {300, 300}, {kRed, kClear, kBlue, kYellow}));
  upload(2, quarters(ImageFormat::kGif, {50, 40}));
  upload(3, quarters(ImageFormat::kWebp, {640, 480}));
  const std::string jpeg = noise(ImageFormat::kJpeg, {400, 300});
  upload(4, jpeg.substr(0, jpeg.size() / 2));
  upload(5, png_claiming({60'000, 60'000}));
  upload(6, "text, sent as an image");
  ASSERT_TRUE(producer_->produce_and_wait(
      {names_.of(Topic::kImageRequests), "any key", "poison", {{"origin", "test"}}, {}}));
  upload(7, quarters(ImageFormat::kJpeg, {80, 80}));
  ASSERT_TRUE(terminals_reach(8)) << logged();
  end(*process);

  std::map<ImageId, std::string> codes;
  for (const auto& event : events<ThumbnailFailed>(Topic::kThumbnailFailed)) {
    codes[event.image_id] = event.code;
  }
  const std::map<ImageId, std::string> expected = {
      {id(4), "corrupt-image"}, {id(5), "too-many-pixels"}, {id(6), "unsupported-format"}};
  EXPECT_EQ(codes, expected);
  const auto made = events<ThumbnailCompleted>(Topic::kThumbnailCompleted);
  EXPECT_THAT(made, SizeIs(5));
  for (const auto& event : made) {
    ASSERT_THAT(event.variants, SizeIs(1));
    const auto& variant = event.variants[0];
    const auto blob = blobs_->open(variant.blob.key);
    ASSERT_TRUE(blob);
    const std::string bytes = thumb::read_all(**blob, 1U << 20U).value();
    EXPECT_EQ(sha256_hex(as_bytes(bytes)), variant.blob.sha256);
    EXPECT_EQ(Pixels::of(bytes).size(), variant.size);
  }
  const auto letters = read_all(Topic::kImageRequestsDlq);
  ASSERT_THAT(letters, SizeIs(1));
  EXPECT_EQ(letters[0].value, "poison");
  EXPECT_THAT(read_all(Topic::kThumbnailStarted), SizeIs(8));
}

TEST_F(ProcessorBinaryTest, ADeletedImageLeavesNoBlobs) {
  const auto process = start();
  const std::string jpeg = noise(ImageFormat::kJpeg, {600, 400});
  upload(0, jpeg);
  upload(1, jpeg);
  publish(deleted(id(0), request_id(200)));
  publish(requested(id(0), request_id(201)));
  ASSERT_TRUE(terminals_reach(3)) << logged();
  end(*process);
  expect_each_once(0, 2);
  const auto failures = events<ThumbnailFailed>(Topic::kThumbnailFailed);
  ASSERT_THAT(failures, SizeIs(1));
  EXPECT_EQ(failures[0].code, "original-gone");
  for (const auto& event : events<ThumbnailCompleted>(Topic::kThumbnailCompleted)) {
    EXPECT_EQ(blobs_->open(event.variants[0].blob.key).has_value(), event.image_id == id(1));
  }
}

TEST_F(ProcessorBinaryTest, ExactlyOnceThroughKillsAndStops) {
  constexpr int kImages = 150;
  const std::string jpeg = noise(ImageFormat::kJpeg, {1'200, 900});
  for (int n = 0; n < kImages; ++n) upload(n, jpeg);
  auto first = start();
  ASSERT_TRUE(terminals_reach(5)) << logged();
  first->send(SIGKILL);
  EXPECT_EQ(first->wait(), 128 + SIGKILL);
  auto second = start();
  auto third = start();
  ASSERT_TRUE(terminals_reach(50)) << logged();
  second->send(SIGKILL);
  EXPECT_EQ(second->wait(), 128 + SIGKILL);
  auto fourth = start();
  ASSERT_TRUE(terminals_reach(90)) << logged();
  end(*third);
  ASSERT_TRUE(terminals_reach(kImages)) << logged();
  end(*fourth);
  expect_each_once(0, kImages);
}

TEST_F(ProcessorBinaryTest, RepeatsAreDroppedAcrossProcesses) {
  const std::string jpeg = noise(ImageFormat::kJpeg, {200, 200});
  auto process = start();
  for (int n = 0; n < 6; ++n) upload(n, jpeg);
  ASSERT_TRUE(terminals_reach(6)) << logged();
  end(*process);
  for (int n = 0; n < 6; ++n) upload(n, jpeg);
  for (int n = 6; n < 9; ++n) upload(n, jpeg);
  process = start();
  ASSERT_TRUE(terminals_reach(9)) << logged();
  end(*process);
  expect_each_once(0, 9);
}

TEST_F(ProcessorBinaryTest, RefusesToStartWhereOffsetsAreMissingButOutputsExist) {
  auto process = start();
  upload(0, noise(ImageFormat::kJpeg, {200, 200}));
  ASSERT_TRUE(terminals_reach(1)) << logged();
  end(*process);
  auto stranger = start({{"THUMB_GROUP", names_.prefix() + "another-group"}});
  EXPECT_EQ(stranger->wait(), 1);
  EXPECT_THAT(logged(), HasSubstr("group-offset-missing"));
  EXPECT_THAT(logged(), HasSubstr("--reset-offsets"));
  expect_each_once(0, 1);
}

TEST_F(ProcessorBinaryTest, SaysThatATopicIsMissing) {
  auto process = start(
      {{"THUMB_TOPIC_PREFIX", names_.prefix() + "elsewhere-"}, {"THUMB_STARTUP_TIMEOUT_MS", "0"}});
  EXPECT_EQ(process->wait(), 1);
  EXPECT_THAT(logged(), HasSubstr("topic-missing"));
}

TEST_F(ProcessorBinaryTest, GivesUpOnABrokerThatDoesNotCome) {
  auto process =
      start({{"THUMB_KAFKA_BOOTSTRAP", "127.0.0.1:1"}, {"THUMB_STARTUP_TIMEOUT_MS", "0"}});
  EXPECT_EQ(process->wait(), 1);
}

}  // namespace
}  // namespace thumb
