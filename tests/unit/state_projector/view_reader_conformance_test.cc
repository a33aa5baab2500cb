// What every ViewReader must do, asked of the real one over RocksDB and of the fake that other
// tests use in its place.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <set>

#include "platform/http/server.h"
#include "state_projector/local_view_reader.h"
#include "state_projector/remote_view_reader.h"
#include "state_projector/view_routes.h"
#include "tests/support/fake_view_reader.h"
#include "tests/support/placed_events.h"
#include "tests/support/rapidcheck_gtest.h"
#include "tests/support/wait_until.h"
#include "tests/unit/state_projector/view_on_disk.h"

namespace thumb::testing {
namespace {

using namespace placed;  // NOLINT(google-build-using-namespace)
using namespace std::chrono_literals;

Deadline in(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }

bool wait_for(ViewReader& reader, Topic topic, std::int32_t partition, std::int64_t next_offset,
              std::chrono::milliseconds limit = 20s) {
  std::promise<bool> answer;
  reader.wait_for(topic, partition, next_offset, in(limit),
                  [&answer](bool reached) { answer.set_value(reached); });
  return answer.get_future().get();
}

bool wait_for_change(ViewReader& reader, std::uint64_t after, std::chrono::milliseconds limit) {
  std::promise<bool> answer;
  reader.wait_for_change(after, in(limit), [&answer](bool changed) { answer.set_value(changed); });
  return answer.get_future().get();
}

// A reader and the hand that feeds it.
class FakeSubject {
 public:
  FakeSubject() { reader_->set_available(false); }
  ViewReader& reader() { return *reader_; }
  void make_view() { reader_->set_available(true); }
  void put(const Event& event, const RecordPlace& place) {
    reader_->put(event, place.position, place.at);
  }
  void advance(Topic topic, std::int32_t partition, std::int64_t next_offset) {
    reader_->advance(topic, partition, next_offset);
  }
  void destroy_reader() { reader_.reset(); }

 private:
  std::unique_ptr<FakeViewReader> reader_ = std::make_unique<FakeViewReader>();
};

class LocalSubject {
 public:
  ViewReader& reader() { return *reader_; }
  void make_view() {
    view_.make();
    ASSERT_TRUE(wait_until([this] { return reader_->get(image_id(0)).has_value(); }));
  }
  void put(const Event& event, const RecordPlace& place) {
    view_.put(event, place);
    ASSERT_TRUE(
        wait_for(*reader_, topic_of(event), place.position.partition, place.position.offset + 1));
  }
  // Seen by a waiter, which is what its callers test.
  void advance(Topic topic, std::int32_t partition, std::int64_t next_offset) {
    view_.advance(topic, partition, next_offset);
  }
  void destroy_reader() { reader_.reset(); }

 private:
  ViewOnDisk view_;
  Log log_{"test", LogLevel::kError};
  std::unique_ptr<LocalViewReader> reader_ =
      std::make_unique<LocalViewReader>(LocalViewOptions{.view_dir = view_.folder().root()}, log_);
};

// The fake once more, asked over HTTP.
class RemoteSubject {
 public:
  RemoteSubject() {
    add_view_routes(router_, fake_.reader());
    server_ = http::Server::start({.port = 0}, router_, log_, metrics_).value();
    reader_ = std::make_unique<RemoteViewReader>(
        RemoteViewOptions{.url = "http://127.0.0.1:" + std::to_string(server_->port())}, log_);
  }
  ~RemoteSubject() {
    reader_.reset();
    server_->stop(0ms);
  }
  RemoteSubject(const RemoteSubject&) = delete;
  RemoteSubject& operator=(const RemoteSubject&) = delete;

  ViewReader& reader() { return *reader_; }
  void make_view() { fake_.make_view(); }
  void put(const Event& event, const RecordPlace& place) {
    fake_.put(event, place);
    ASSERT_TRUE(
        wait_for(*reader_, topic_of(event), place.position.partition, place.position.offset + 1));
  }
  void advance(Topic topic, std::int32_t partition, std::int64_t next_offset) {
    fake_.advance(topic, partition, next_offset);
  }
  void destroy_reader() { reader_.reset(); }

 private:
  Log log_{"test", LogLevel::kError};
  Metrics metrics_;
  FakeSubject fake_;
  http::Router router_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<RemoteViewReader> reader_;
};

template <typename Subject>
class ViewReaderConformance : public ::testing::Test {
 protected:
  void SetUp() override { subject_.make_view(); }

  // Uploads images 0..count-1 at times 100, 101, ... in partition 0.
  void upload(int count) {
    for (int i = 0; i < count; ++i) subject_.put(uploaded(image_id(i)), at(i, 100 + i));
  }
  std::vector<std::string> ids(const ListQuery& query) {
    std::vector<std::string> found;
    const auto page = subject_.reader().list(query).value();
    for (const auto& row : page.rows) found.push_back(row.id.str());
    return found;
  }
  static std::vector<std::string> images(const std::vector<int>& numbers) {
    std::vector<std::string> all;
    for (const auto number : numbers) all.push_back(image_id(number).str());
    return all;
  }

  Subject subject_;
};

template <typename Subject>
class ViewReaderWithoutView : public ::testing::Test {
 protected:
  Subject subject_;
};

using Subjects = ::testing::Types<FakeSubject, LocalSubject, RemoteSubject>;
TYPED_TEST_SUITE(ViewReaderConformance, Subjects);
TYPED_TEST_SUITE(ViewReaderWithoutView, Subjects);

TYPED_TEST(ViewReaderWithoutView, EveryQuestionIsUnavailableAndMayBeRepeated) {
  auto& reader = this->subject_.reader();
  for (const auto& error :
       {reader.get(image_id(1)).error(), reader.list({}).error(),
        reader.position(Topic::kImageRequests, 0).error(), reader.history(image_id(1)).error(),
        reader.stats().error(), reader.changes(0, 10).error()}) {
    EXPECT_EQ(error.kind, ErrorKind::kUnavailable);
    EXPECT_EQ(error.code, "view-unavailable");
    EXPECT_EQ(error.retry, Retry::kBackoff);
  }
}

TYPED_TEST(ViewReaderWithoutView, AWaitEndsAtItsDeadlineOrWhenTheViewComes) {
  EXPECT_FALSE(wait_for(this->subject_.reader(), Topic::kImageRequests, 0, 1, 10ms));
  std::promise<bool> answer;
  this->subject_.reader().wait_for(Topic::kImageRequests, 0, 1, in(20s),
                                   [&](bool reached) { answer.set_value(reached); });
  this->subject_.make_view();
  this->subject_.put(uploaded(image_id(1)), at(0, 100));
  EXPECT_TRUE(answer.get_future().get());
  EXPECT_TRUE(this->subject_.reader().get(image_id(1)).value().has_value());
}

TYPED_TEST(ViewReaderConformance, GetGivesVisibleRowsOnly) {
  auto& reader = this->subject_.reader();
  EXPECT_FALSE(reader.get(image_id(1)).value().has_value());
  this->subject_.put(completed(image_id(1)), at(0, 90));
  EXPECT_FALSE(reader.get(image_id(1)).value().has_value());
  this->subject_.put(uploaded(image_id(1)), at(0, 100));
  EXPECT_EQ(reader.get(image_id(1)).value()->state(), ImageState::kCompleted);
  this->subject_.put(about<ImageDeleted>(image_id(1), 1), at(1, 110));
  EXPECT_EQ(reader.get(image_id(1)).value()->state(), ImageState::kDeleted);
}

TYPED_TEST(ViewReaderConformance, HistoryIsOfVisibleImagesThatAreNotDeleted) {
  auto& reader = this->subject_.reader();
  const auto events = [&] {
    std::vector<std::string> names;
    const auto history = reader.history(image_id(1)).value();
    for (const auto& entry : history) names.push_back(entry.event);
    return names;
  };
  this->subject_.put(named(image_id(1), "a.jpg"), at(0, 90));
  EXPECT_TRUE(events().empty());
  this->subject_.put(uploaded(image_id(1)), at(0, 100));
  this->subject_.put(failed(image_id(1)), at(0, 120));
  this->subject_.put(requested(image_id(1), 1), at(1, 110));
  EXPECT_EQ(events(), (std::vector<std::string>{"image-private", "image-uploaded",
                                                "thumbnail-requested", "thumbnail-failed"}));
  this->subject_.put(about<ImageDeleted>(image_id(1), 2), at(2, 130));
  EXPECT_TRUE(events().empty());
}

TYPED_TEST(ViewReaderConformance, CountsImagesByState) {
  this->upload(3);
  this->subject_.put(completed(image_id(1)), at(0, 200));
  this->subject_.put(completed(image_id(7)), at(1, 200));  // of an upload not seen
  const auto stats = this->subject_.reader().stats().value();
  EXPECT_EQ(stats.images, (std::map<ImageState, std::int64_t>{{ImageState::kAccepted, 2},
                                                              {ImageState::kCompleted, 1}}));
}

TYPED_TEST(ViewReaderConformance, AWatcherIsWokenByTheNextChangeAndFindsIt) {
  auto& reader = this->subject_.reader();
  this->upload(1);
  const auto before = reader.changes(0, 10).value();
  ASSERT_EQ(before.changes.size(), 1U);
  EXPECT_EQ(before.newest, 1U);
  EXPECT_EQ(wait_for_change(reader, 0, 20s), true);
  EXPECT_EQ(wait_for_change(reader, 1, 15ms), false);
  std::promise<bool> woken;
  reader.wait_for_change(1, in(20s), [&](bool changed) { woken.set_value(changed); });
  this->subject_.put(completed(image_id(0)), at(0, 200));
  EXPECT_TRUE(woken.get_future().get());
  const auto page = reader.changes(1, 10).value();
  EXPECT_EQ(page.view_id, before.view_id);
  ASSERT_EQ(page.changes.size(), 1U);
  EXPECT_EQ(page.changes[0].sequence, 2U);
  EXPECT_EQ(page.changes[0].state, ImageState::kCompleted);
}

TYPED_TEST(ViewReaderConformance, ListsNewestFirstWithoutDeletedOnes) {
  this->upload(4);
  this->subject_.put(uploaded(image_id(9)), at(4, 50));   // accepted before all others
  this->subject_.put(uploaded(image_id(8)), at(5, 102));  // at the same time as number 2
  this->subject_.put(about<ImageDeleted>(image_id(1), 1), at(6, 500));
  this->subject_.put(completed(image_id(7)), at(0, 600));  // of an upload not seen
  EXPECT_EQ(this->ids({}), this->images({3, 8, 2, 0, 9}));
}

TYPED_TEST(ViewReaderConformance, ListsByState) {
  this->upload(5);
  this->subject_.put(completed(image_id(1)), at(0, 200));
  this->subject_.put(completed(image_id(3)), at(1, 200));
  this->subject_.put(failed(image_id(0)), at(0, 200));
  this->subject_.put(about<ImageDeleted>(image_id(4), 1), at(5, 300));
  this->subject_.put(about<ImageDeleted>(image_id(2), 1), at(6, 400));
  EXPECT_EQ(this->ids({.state = ImageState::kCompleted}), this->images({3, 1}));
  EXPECT_EQ(this->ids({.state = ImageState::kFailed}), this->images({0}));
  EXPECT_EQ(this->ids({.state = ImageState::kAccepted}), this->images({}));
  EXPECT_EQ(this->ids({.state = ImageState::kDeleted}), this->images({2, 4}));
}

TYPED_TEST(ViewReaderConformance, PagesMeetEveryImageOnceWhileNewOnesCome) {
  this->upload(7);
  auto& reader = this->subject_.reader();
  std::vector<std::string> seen;
  ListQuery query{.limit = 3};
  do {
    const auto page = reader.list(query).value();
    EXPECT_LE(page.rows.size(), 3U);
    for (const auto& row : page.rows) seen.push_back(row.id.str());
    query.cursor = page.next_cursor;
    if (seen.size() == 3) this->subject_.put(uploaded(image_id(9)), at(7, 900));
  } while (!query.cursor.empty());
  EXPECT_EQ(seen, this->images({6, 5, 4, 3, 2, 1, 0}));
}

TYPED_TEST(ViewReaderConformance, AFullLastPageHasNoCursor) {
  this->upload(4);
  const auto page = this->subject_.reader().list({.limit = 2}).value();
  ASSERT_FALSE(page.next_cursor.empty());
  const auto last = this->subject_.reader().list({.limit = 2, .cursor = page.next_cursor}).value();
  EXPECT_EQ(last.rows.size(), 2U);
  EXPECT_TRUE(last.next_cursor.empty());
}

TYPED_TEST(ViewReaderConformance, TheLimitIsCutToItsRange) {
  this->upload(3);
  EXPECT_EQ(this->subject_.reader().list({.limit = 0}).value().rows.size(), 1U);
  EXPECT_EQ(this->subject_.reader().list({.limit = 1'000'000'000}).value().rows.size(), 3U);
}

TYPED_TEST(ViewReaderConformance, RefusesCursorsThatNoListGave) {
  this->upload(2);
  const auto good = this->subject_.reader().list({.limit = 1}).value().next_cursor;
  for (const auto& bad :
       {std::string("x"), good + "00", good.substr(2), std::string(good.size(), 'g'),
        std::string(good.size(), 'A'), std::string(100'000, '0'), std::string("\0", 1)}) {
    const auto refused = this->subject_.reader().list({.cursor = bad});
    ASSERT_FALSE(refused.has_value()) << bad;
    EXPECT_EQ(refused.error().code, "bad-cursor");
    EXPECT_EQ(refused.error().kind, ErrorKind::kInvalid);
  }
}

TYPED_TEST(ViewReaderConformance, PositionsStartAtZeroAndMovePastRecords) {
  auto& reader = this->subject_.reader();
  EXPECT_EQ(reader.position(Topic::kImageRequests, 0).value(), 0);
  this->subject_.put(uploaded(image_id(1)), at(4, 100));
  EXPECT_EQ(reader.position(Topic::kImageRequests, 0).value(), 5);
  EXPECT_EQ(reader.position(Topic::kImageRequests, 1).value(), 0);
  EXPECT_EQ(reader.position(Topic::kThumbnailCompleted, 0).value(), 0);
}

TYPED_TEST(ViewReaderConformance, AWaitForWhatIsReachedIsAnsweredAtOnce) {
  this->subject_.put(uploaded(image_id(1)), at(4, 100));
  for (const std::int64_t offset : {0, 4, 5}) {
    bool called = false;
    bool answer = false;
    this->subject_.reader().wait_for(Topic::kImageRequests, 0, offset, in(0ms), [&](bool reached) {
      called = true;
      answer = reached;
    });
    EXPECT_TRUE(called);
    EXPECT_TRUE(answer);
  }
  EXPECT_TRUE(wait_for(this->subject_.reader(), Topic::kThumbnailFailed, 1, 0));
}

TYPED_TEST(ViewReaderConformance, AWaitEndsWhenItsPositionIsReached) {
  auto& reader = this->subject_.reader();
  std::promise<bool> near;
  std::promise<bool> far;
  reader.wait_for(Topic::kImageRequests, 0, 3, in(20s), [&](bool r) { near.set_value(r); });
  reader.wait_for(Topic::kImageRequests, 0, 4, in(20s), [&](bool r) { far.set_value(r); });
  this->subject_.advance(Topic::kImageRequests, 1, 100);  // another partition
  this->subject_.advance(Topic::kImageRequests, 0, 3);
  EXPECT_TRUE(near.get_future().get());
  auto not_yet = far.get_future();
  EXPECT_EQ(not_yet.wait_for(50ms), std::future_status::timeout);
  this->subject_.advance(Topic::kImageRequests, 0, 4);
  EXPECT_TRUE(not_yet.get());
}

TYPED_TEST(ViewReaderConformance, AWaitEndsAtItsDeadline) {
  EXPECT_FALSE(wait_for(this->subject_.reader(), Topic::kImageRequests, 0, 1, 0ms));
  EXPECT_FALSE(wait_for(this->subject_.reader(), Topic::kImageRequests, 0, 1, 15ms));
  // A short deadline behind a long one is not kept waiting.
  std::promise<bool> long_one;
  this->subject_.reader().wait_for(Topic::kImageRequests, 0, 1, in(20s),
                                   [&](bool reached) { long_one.set_value(reached); });
  EXPECT_FALSE(wait_for(this->subject_.reader(), Topic::kImageRequests, 0, 1, 15ms));
  this->subject_.advance(Topic::kImageRequests, 0, 1);
  EXPECT_TRUE(long_one.get_future().get());
}

TYPED_TEST(ViewReaderConformance, TooManyWaitersAreToldSoAtOnceAndAllOthersAreAnsweredOnce) {
  constexpr int kMax = 10'000;
  auto& reader = this->subject_.reader();
  std::atomic<int> reached{0};
  std::atomic<int> refused{0};
  for (int i = 0; i < kMax + 5; ++i) {
    reader.wait_for(Topic::kImageRequests, 0, 1, in(60s),
                    [&](bool yes) { ++(yes ? reached : refused); });
  }
  EXPECT_EQ(refused, 5);
  EXPECT_EQ(reached, 0);
  this->subject_.advance(Topic::kImageRequests, 0, 1);
  EXPECT_TRUE(wait_until([&] { return reached == kMax; }));
  EXPECT_TRUE(wait_for(reader, Topic::kImageRequests, 0, 1));  // there is room again
  EXPECT_EQ(refused, 5);
}

TYPED_TEST(ViewReaderConformance, WaitersAreToldOfTheReadersEnd) {
  std::atomic<int> answers{0};
  std::atomic<bool> any_reached{false};
  for (int i = 0; i < 10; ++i) {
    this->subject_.reader().wait_for(Topic::kImageRequests, 0, 1, in(60s), [&](bool reached) {
      ++answers;
      any_reached = any_reached || reached;
    });
  }
  this->subject_.destroy_reader();
  EXPECT_EQ(answers, 10);
  EXPECT_FALSE(any_reached);
}

TYPED_TEST(ViewReaderConformance, ARowReadAfterAPositionIsAtLeastAsNew) {
  std::atomic<bool> done{false};
  std::atomic<int> broken{0};
  auto& reader = this->subject_.reader();
  std::thread watcher([&] {
    while (!done) {
      const auto position = reader.position(Topic::kImageRequests, 0).value();
      const auto row = reader.get(image_id(1)).value();
      const auto asked = row && row->newest() ? row->newest()->asked->offset + 1 : 0;
      if (asked < position) ++broken;
    }
  });
  this->subject_.put(uploaded(image_id(1)), at(0, 100));
  for (int i = 1; i < 60; ++i)
    this->subject_.put(requested(image_id(1), i % 4 + i * 4), at(i, 100));
  done = true;
  watcher.join();
  EXPECT_EQ(broken, 0);
}

TEST(ViewReaders, AgreeOnWhateverTheLogHolds) {
  check_property(
      [] {
        FakeSubject fake;
        LocalSubject local;
        fake.make_view();
        local.make_view();
        for (const auto& [event, place] : *any_log(5, 1)) {
          fake.put(event, place);
          local.put(event, place);
        }
        for (int i = 0; i < 5; ++i) {
          RC_ASSERT(fake.reader().get(image_id(i)).value() ==
                    local.reader().get(image_id(i)).value());
          RC_ASSERT(fake.reader().history(image_id(i)).value() ==
                    local.reader().history(image_id(i)).value());
        }
        RC_ASSERT(fake.reader().stats().value().images == local.reader().stats().value().images);
        RC_ASSERT(fake.reader().changes(0, 100).value().changes ==
                  local.reader().changes(0, 100).value().changes);
        std::vector<std::optional<ImageState>> filters{std::nullopt};
        filters.insert(filters.end(), std::begin(kAllImageStates), std::end(kAllImageStates));
        for (const auto& filter : filters) {
          ListQuery query{.state = filter, .limit = 2};
          do {
            const auto expected = fake.reader().list(query).value();
            const auto found = local.reader().list(query).value();
            RC_ASSERT(found.rows == expected.rows);
            RC_ASSERT(found.next_cursor == expected.next_cursor);
            query.cursor = found.next_cursor;
          } while (!query.cursor.empty());
        }
      },
      20);
}

}  // namespace
}  // namespace thumb::testing
