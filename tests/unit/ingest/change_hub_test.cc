// What the hub asks of the view while it has nothing to tell.
#include "ingest/change_hub.h"

#include <gtest/gtest.h>

#include <atomic>

#include "stream_listener.h"
#include "tests/support/fake_view_reader.h"
#include "tests/support/placed_events.h"
#include "tests/support/wait_until.h"

namespace thumb::ingest {
namespace {

using namespace std::chrono_literals;
using namespace thumb::testing::placed;  // NOLINT(google-build-using-namespace)
using test::FakeWriter;
using test::parse_stream;
using thumb::testing::wait_until;

// Answers at once whoever waits for a change, though there is none: with false, as a view for which
// too many wait already, or with true, as one that takes another view's changes for its own.
class HastyView final : public ViewReader {
 public:
  explicit HastyView(bool answer) : answer_(answer) {}

  void wait_for_change(std::uint64_t after, Deadline deadline,
                       std::function<void(bool)> done) override {
    // There is an end to it, so that a hub that asks without end shows it, and goes on.
    if (++waits_ > kEndless) return view_.wait_for_change(after, deadline, std::move(done));
    done(answer_);
  }
  Result<ChangePage> changes(std::uint64_t after, std::size_t limit) override {
    ++reads_;
    return view_.changes(after, limit);
  }
  Result<std::optional<ImageRow>> get(const ImageId& id) override { return view_.get(id); }
  Result<ListPage> list(const ListQuery& query) override { return view_.list(query); }
  Result<std::vector<HistoryEntry>> history(const ImageId& id) override {
    return view_.history(id);
  }
  Result<ViewStats> stats() override { return view_.stats(); }
  Result<std::int64_t> position(Topic topic, std::int32_t partition) override {
    return view_.position(topic, partition);
  }
  void wait_for(Topic topic, std::int32_t partition, std::int64_t next_offset, Deadline deadline,
                std::function<void(bool)> done) override {
    view_.wait_for(topic, partition, next_offset, deadline, std::move(done));
  }

  void put(int image) { view_.put(uploaded(image_id(image)), {0, image}, time_from_ms(image)); }
  [[nodiscard]] int reads() const { return reads_; }
  [[nodiscard]] int waits() const { return waits_; }

 private:
  static constexpr int kEndless = 10'000;
  const bool answer_;
  thumb::testing::FakeViewReader view_;
  std::atomic<int> reads_ = 0;
  std::atomic<int> waits_ = 0;
};

class ChangeHubTest : public ::testing::TestWithParam<bool> {
 protected:
  // Listens to all changes until the test ends.
  void listen(const ChangeHubOptions& options) {
    hub_ = std::make_unique<ChangeHub>(view_, clock_, metrics_, options);
    Subscription all;
    all.place = {"fake", 0};
    source_ = hub_->subscribe(all);
    source_->opened(writer_);
  }
  [[nodiscard]] std::size_t keep_alives() const {
    std::size_t count = 0;
    const auto text = writer_->text();
    for (auto at = text.find(": keep"); at != std::string::npos; at = text.find(": keep", at + 1)) {
      ++count;
    }
    return count;
  }

  HastyView view_{GetParam()};
  SystemClock clock_;
  Metrics metrics_;
  std::shared_ptr<FakeWriter> writer_ = std::make_shared<FakeWriter>(std::size_t{1} << 20U);
  std::shared_ptr<http::StreamSource> source_;
  std::unique_ptr<ChangeHub> hub_;
};

INSTANTIATE_TEST_SUITE_P(, ChangeHubTest, ::testing::Values(false, true),
                         [](const auto& told) { return told.param ? "Changed" : "NotChanged"; });

TEST_P(ChangeHubTest, AnAnswerWithoutAChangeIsNoReasonToAskAgainAtOnce) {
  listen({.keep_alive = 5ms, .retry = 1h});
  ASSERT_TRUE(wait_until([this] { return keep_alives() >= 20; }));
  EXPECT_LE(view_.waits(), 2);
  EXPECT_LE(view_.reads(), 5);  // the edge, a last look after each answer, a page for the listener
}

TEST_P(ChangeHubTest, ChangesAreStillTold) {
  listen({.retry = 1ms});
  for (int image = 1; image <= 5; ++image) {
    view_.put(image);
    const auto told = static_cast<std::size_t>(image);
    ASSERT_TRUE(wait_until([&] { return parse_stream(writer_->text()).size() == told; }));
  }
}

}  // namespace
}  // namespace thumb::ingest
