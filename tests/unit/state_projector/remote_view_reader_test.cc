// A view that is asked over HTTP, while another takes its place or too many wait for it.
#include "state_projector/remote_view_reader.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <optional>

#include "platform/http/server.h"
#include "state_projector/view_routes.h"
#include "tests/support/fake_view_reader.h"
#include "tests/support/placed_events.h"
#include "tests/support/wait_until.h"

namespace thumb::testing {
namespace {

using namespace placed;  // NOLINT(google-build-using-namespace)
using namespace std::chrono_literals;

class RemoteViewReaderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    add_view_routes(router_, view_);
    server_ = http::Server::start({.port = 0}, router_, log_, metrics_).value();
    reader_.emplace(RemoteViewOptions{.url = "http://127.0.0.1:" + std::to_string(server_->port()),
                                      .pause = 1h},
                    log_);
  }
  void TearDown() override {
    reader_.reset();
    server_->stop(0ms);
  }
  void put(int image) { view_.put(uploaded(image_id(image)), {0, image}, time_from_ms(image)); }
  static bool is_ready(const std::future<bool>& answer) {
    return answer.wait_for(0s) == std::future_status::ready;
  }
  static Deadline in(std::chrono::milliseconds time) {
    return std::chrono::steady_clock::now() + time;
  }

  Log log_{"test", LogLevel::kError};
  Metrics metrics_;
  FakeViewReader view_;
  http::Router router_;
  std::unique_ptr<http::Server> server_;
  std::optional<RemoteViewReader> reader_;
};

// The numbers of the view before say nothing of this one: or whoever follows the feed would be told
// of a change, look, find none, and ask again, as fast as he can.
TEST_F(RemoteViewReaderTest, WhoHasSeenAnotherViewsFeedWaitsForItsChanges) {
  for (int image = 0; image < 3; ++image) put(image);
  ASSERT_EQ(reader_->stats().value().newest_change, 3U);
  view_.swap_view("rebuilt");
  const auto page = reader_->changes(3, 10).value();
  ASSERT_EQ(page.view_id, "rebuilt");
  ASSERT_EQ(page.newest, 0U);

  int in_vain = 0;
  std::future<bool> told;
  while (view_.waiting() == 0 && in_vain < 100) {
    auto answer = std::make_shared<std::promise<bool>>();
    told = answer->get_future();
    reader_->wait_for_change(0, in(60s), [answer](bool changed) { answer->set_value(changed); });
    ASSERT_TRUE(wait_until([&] { return view_.waiting() > 0 || is_ready(told); }));
    if (is_ready(told)) ++in_vain;
  }
  EXPECT_LE(in_vain, 1);  // told that it is another view
  put(3);
  EXPECT_TRUE(told.get());
  EXPECT_EQ(reader_->changes(0, 10).value().newest, 1U);
}

TEST_F(RemoteViewReaderTest, AViewThatTooManyWaitForIsLeftAloneForAWhile) {
  while (view_.waiting() < 10'000) {
    view_.wait_for(Topic::kImageRequests, 0, 1'000, in(1h), [](bool) {});
  }
  const int before = view_.asked_to_wait();
  std::promise<bool> answer;
  reader_->wait_for(Topic::kImageRequests, 1, 5, in(200ms),
                    [&](bool reached) { answer.set_value(reached); });
  EXPECT_FALSE(answer.get_future().get());
  EXPECT_LE(view_.asked_to_wait() - before, 2);
}

}  // namespace
}  // namespace thumb::testing
