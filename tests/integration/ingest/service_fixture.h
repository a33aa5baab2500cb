// The real service over real sockets, Kafka, files and view; only the processor is left out.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "ingest/service.h"
#include "kafka/topic_admin.h"
#include "kafka/topic_provisioner.h"
#include "platform/file_io.h"
#include "platform/fs_blob_store.h"
#include "state_projector/local_view_reader.h"
#include "state_projector/projector.h"
#include "state_projector/rocks/rocks_store.h"
#include "tests/integration/kafka/kafka_fixture.h"
#include "tests/support/http_raw_client.h"
#include "tests/support/temp_dir.h"

namespace thumb::ingest {

inline constexpr std::int32_t kPartitions = 3;

inline std::string sample(const std::string& name) {
  return read_file(std::string(THUMB_SOURCE_DIR) + "/tests/unit/ingest/data/" + name).value();
}

// The projector on a thread of its own, over the view folder of the test.
class RunningProjector {
 public:
  RunningProjector(const std::filesystem::path& view_dir, const TopicNames& names,
                   const kafka::ClusterConfig& cluster, Log& log)
      : folder_(view_dir),
        lock_(folder_.lock().value()),
        blobs_(FsBlobStore::open_root(view_dir.parent_path() / "blobs").value()),
        checkpoints_(*blobs_, *blobs_, log),
        admin_(kafka::make_admin(cluster, log).value()),
        reader_(kafka::make_partition_reader(cluster, {}, log).value()),
        lag_reader_(kafka::make_partition_reader(cluster, {}, log).value()),
        projector_({.view_dir = view_dir},
                   {names, *admin_, *reader_, *lag_reader_,
                    [&cluster, &log] { return kafka::make_partition_reader(cluster, {}, log); },
                    RocksStore::open, checkpoints_, log, metrics_}),
        thread_([this](const std::stop_token& stop) { EXPECT_TRUE(projector_.run(stop)); }) {}

 private:
  ViewFolder folder_;
  decltype(std::declval<ViewFolder>().lock().value()) lock_;
  std::unique_ptr<FsBlobStore> blobs_;
  CheckpointStore checkpoints_;
  Metrics metrics_;
  std::unique_ptr<kafka::Admin> admin_;
  std::unique_ptr<kafka::PartitionReader> reader_;
  std::unique_ptr<kafka::PartitionReader> lag_reader_;
  Projector projector_;
  std::jthread thread_;
};

// One instance with adapters of its own, as another process would have.
class Instance {
 public:
  // `asked` is the cluster that lookups ask; another one than `cluster` plays a broker that is
  // away. `patience` bounds each wait for either.
  Instance(const std::filesystem::path& dir, const TopicNames& names,
           const kafka::ClusterConfig& cluster, const kafka::ClusterConfig& asked, Log& log,
           std::chrono::milliseconds patience = kafka::kPatience)
      : blobs_(FsBlobStore::open_root(dir / "blobs").value()),
        admin_(kafka::make_admin(asked, log).value()),
        lag_reader_(kafka::make_partition_reader(asked, {}, log).value()),
        producer_(kafka::make_producer(cluster, {.delivery_timeout = patience}, log).value()),
        view_({.view_dir = dir / "view"}, log),
        service_(options(patience),
                 {*blobs_, *admin_, *lag_reader_, *producer_, view_, names, log}) {
    EXPECT_TRUE(service_.start());
  }
  ~Instance() { EXPECT_TRUE(service_.stop()); }

  [[nodiscard]] std::uint16_t port() const { return service_.port(); }

 private:
  static ServiceOptions options(std::chrono::milliseconds patience) {
    ServiceOptions options;
    options.server.port = 0;
    options.partitions = kPartitions;
    options.workers = 4;
    options.ask_timeout = patience;
    return options;
  }

  std::unique_ptr<FsBlobStore> blobs_;
  std::unique_ptr<kafka::Admin> admin_;
  std::unique_ptr<kafka::PartitionReader> lag_reader_;
  std::unique_ptr<kafka::Producer> producer_;
  LocalViewReader view_;
  Service service_;
};

class ServiceTest : public kafka::KafkaTest {
 protected:
  void SetUp() override {
    KafkaTest::SetUp();
    if (HasFatalFailure()) return;
    names_ = TopicNames(unique("ingest") + "-");
    const auto specs =
        kafka::declared_topics(kafka::built_in_topics_json(), {names_.prefix(), kPartitions, 1});
    const auto admin = kafka::make_topic_admin(cluster(), log_);
    ASSERT_TRUE(kafka::ensure_topics(**admin, *specs, kafka::kPatience));
  }

  std::unique_ptr<RunningProjector> start_projector() {
    return std::make_unique<RunningProjector>(dir_.path() / "view", names_, cluster(), log_);
  }
  std::unique_ptr<Instance> start_instance() {
    return std::make_unique<Instance>(dir_.path(), names_, cluster(), cluster(), log_);
  }

  static thumb::test::RawResponse get(const Instance& instance, const std::string& path,
                                      const std::string& fields = "") {
    return exchange(instance, thumb::test::get_request(path, fields));
  }
  static thumb::test::RawResponse post(const Instance& instance, const std::string& body,
                                       const std::string& fields = "") {
    return exchange(instance, thumb::test::post_request("/v1/images", body, fields));
  }
  static thumb::test::RawResponse exchange(const Instance& instance, const std::string& request) {
    auto answer = thumb::test::exchange(instance.port(), request);
    EXPECT_TRUE(answer) << "no answer";
    return answer.value_or(thumb::test::RawResponse{});
  }
  static std::string id_of(const thumb::test::RawResponse& accepted) {
    EXPECT_EQ(accepted.status, 202) << accepted.body;
    return nlohmann::json::parse(accepted.body).value("id", "");
  }

  thumb::testing::TempDir dir_;
  TopicNames names_;
};

}  // namespace thumb::ingest
