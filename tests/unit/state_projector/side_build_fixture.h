// A projector over a log in memory, whose builds beside the serving view can be held and broken.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "state_projector/projector.h"
#include "state_projector/rocks/rocks_follower.h"
#include "state_projector/rocks/rocks_store.h"
#include "state_projector/view_digest.h"
#include "tests/support/fake_blob_store.h"
#include "tests/support/fake_log.h"
#include "tests/support/placed_events.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wait_until.h"

namespace thumb::testing {

// A reader that can be held before each of its polls, and can break.
class GatedReader final : public kafka::PartitionReader {
 public:
  struct Gate {
    std::atomic<bool> shut = false;
    std::atomic<bool> broken = false;
    std::atomic<int> waiting = 0;
    std::atomic<int> polls = 0;
  };
  GatedReader(FakeLog& log, Gate& gate) : reader_(log), gate_(gate) {
    reader_.on_idle = [] { std::this_thread::yield(); };
    reader_.max_batch = 1;
  }
  Result<void> assign(std::span<const kafka::PartitionOffset> starts) override {
    return reader_.assign(starts);
  }
  Result<kafka::ReadBatch> poll(std::size_t max, std::chrono::milliseconds wait) override {
    if (gate_.broken) return fail(ErrorKind::kInternal, "broken", "the reader is broken");
    if (gate_.shut) {
      gate_.waiting = 1;
      std::this_thread::yield();
      return kafka::ReadBatch{};
    }
    ++gate_.polls;
    return reader_.poll(max, wait);
  }

 private:
  FakePartitionReader reader_;
  Gate& gate_;
};

class SideBuildTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder_.root());
    for (int i = 0; i < 8; ++i) log_.append(placed::uploaded(placed::image_id(i)), i % 2, 100 + i);
    for (int i = 0; i < 4; ++i) log_.append(placed::completed(placed::image_id(i)), i % 2, 200 + i);
    log_.append_control(Topic::kThumbnailCompleted, 0);
    log_.append(placed::about<ImageDeleted>(placed::image_id(5), 1), 1, 400);
    reader_.on_idle = [] { std::this_thread::yield(); };
  }
  void TearDown() override { stop(); }

  void start() {
    metrics_.emplace();
    projector_.emplace(ProjectorOptions{.view_dir = folder_.root(),
                                        .poll_wait = std::chrono::milliseconds(1),
                                        .retry_pause = std::chrono::milliseconds(1),
                                        .take_over_within = take_over_within_,
                                        .at_once = at_once_},
                       ProjectorPorts{log_.names(), log_, reader_, lag_reader_,
                                      [this]() -> Result<std::unique_ptr<kafka::PartitionReader>> {
                                        return std::make_unique<GatedReader>(log_, gate_);
                                      },
                                      RocksStore::open, checkpoints_, log_sink_, *metrics_});
    thread_ = std::jthread([this](const std::stop_token& stop) {
      const auto ended = projector_->run(stop);
      EXPECT_TRUE(ended.has_value()) << ended.error().message;
    });
    ASSERT_TRUE(wait_until([this] { return projector_->ready(); }));
  }
  void stop() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
    projector_.reset();
  }
  Result<void> wish(Wish wish) {
    std::promise<Result<void>> answer;
    projector_->wishes().put(wish, [&](const Result<void>& granted) { answer.set_value(granted); });
    return answer.get_future().get();
  }
  bool serves_another_than(const std::string& id) {
    return wait_until([&] {
      return projector_->progress().report().state == BuildReport::State::kServing &&
             serving() != id;
    });
  }
  std::string serving() { return folder_.current().value().value_or(""); }
  std::shared_ptr<RocksFollower> view(const std::string& id) {
    return RocksFollower::open(folder_.path_of(id)).value();
  }
  std::string digest(const std::string& id) { return digest_of(*view(id)).value().sha256; }
  std::size_t entries_named(const std::string& prefix) {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.root())) {
      if (entry.path().filename().string().starts_with(prefix)) ++count;
    }
    return count;
  }
  std::size_t folders() { return entries_named("v-"); }

  TempDir directory_;
  ViewFolder folder_{directory_.path() / "view"};
  FakeLog log_{2};
  FakePartitionReader reader_{log_};
  FakePartitionReader lag_reader_{log_};
  GatedReader::Gate gate_;
  std::int64_t take_over_within_ = 0;
  BulkStartOptions at_once_{};
  Log log_sink_{"test", LogLevel::kError};
  FakeBlobStore blobs_;
  CheckpointStore checkpoints_{blobs_, blobs_, log_sink_};
  std::optional<Metrics> metrics_;
  std::optional<Projector> projector_;
  std::jthread thread_;
};

}  // namespace thumb::testing
