// What only the reader on disk has: views that are swapped, removed, rewritten under it.
#include "state_projector/local_view_reader.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/support/wait_until.h"
#include "tests/unit/state_projector/view_on_disk.h"

namespace thumb::testing {
namespace {

using namespace placed;  // NOLINT(google-build-using-namespace)

class LocalViewReaderTest : public ::testing::Test {
 protected:
  bool shows(LocalViewReader& reader, int image, std::optional<ImageState> state) {
    return wait_until([&] {
      const auto row = reader.get(image_id(image));
      return row.has_value() && (*row ? std::optional((*row)->state()) : std::nullopt) == state;
    });
  }

  ViewOnDisk view_;
  Log log_{"test", LogLevel::kError};
  LocalViewOptions options_{.view_dir = view_.folder().root()};
};

TEST_F(LocalViewReaderTest, AViewThatIsThereServesFromTheFirstCallOn) {
  view_.make();
  view_.put(uploaded(image_id(1)), at(0, 100));
  LocalViewReader reader(options_, log_);
  EXPECT_TRUE(reader.get(image_id(1)).value().has_value());
}

TEST_F(LocalViewReaderTest, FollowsWritesWithoutBeingAsked) {
  view_.make();
  LocalViewReader reader(options_, log_);
  view_.put(uploaded(image_id(1)), at(0, 100));
  EXPECT_TRUE(shows(reader, 1, ImageState::kAccepted));
}

TEST_F(LocalViewReaderTest, FollowsWritesAndSwapsByWhatTheKernelTellsAlone) {
  using namespace std::chrono_literals;
  options_.full_look_interval = 1h;  // no look in vain
  view_.make();
  LocalViewReader reader(options_, log_);
  for (int image = 1; image <= 3; ++image) {
    view_.put(uploaded(image_id(image)), at(image, 100));
    EXPECT_TRUE(shows(reader, image, ImageState::kAccepted));
  }
  must(view_.store().compact());  // another WAL
  view_.put(uploaded(image_id(4)), at(4, 100));
  EXPECT_TRUE(shows(reader, 4, ImageState::kAccepted));
  view_.make();
  view_.put(uploaded(image_id(5)), at(0, 100));
  EXPECT_TRUE(shows(reader, 5, ImageState::kAccepted));
  EXPECT_TRUE(shows(reader, 1, std::nullopt));
}

TEST_F(LocalViewReaderTest, FollowsThePointerToAnotherViewAndTheOldOneMayGo) {
  view_.make();
  view_.put(uploaded(image_id(1)), at(0, 100));
  LocalViewReader one(options_, log_);
  LocalViewReader other(options_, log_);
  view_.make(false);
  view_.put(uploaded(image_id(2)), at(0, 100));
  EXPECT_FALSE(one.get(image_id(2)).value().has_value());  // not published
  must(view_.folder().publish(view_.view_id()));
  must(view_.folder().tidy());
  for (auto* reader : {&one, &other}) {
    EXPECT_TRUE(shows(*reader, 2, ImageState::kAccepted));
    EXPECT_TRUE(shows(*reader, 1, std::nullopt));
  }
}

TEST_F(LocalViewReaderTest, ServesTheLastStateWhileTheFolderIsGoneAndThenTheNewView) {
  view_.make();
  view_.put(uploaded(image_id(1)), at(0, 100));
  LocalViewReader reader(options_, log_);
  std::filesystem::remove_all(view_.folder().root());
  EXPECT_TRUE(reader.get(image_id(1)).value().has_value());
  std::filesystem::create_directories(view_.folder().root());
  view_.make();
  view_.put(uploaded(image_id(2)), at(0, 100));
  EXPECT_TRUE(shows(reader, 2, ImageState::kAccepted));
}

TEST_F(LocalViewReaderTest, APointerToNowhereOrToNonsenseIsNoView) {
  LocalViewReader reader(options_, log_);
  for (const auto* text : {"v-0190b3a0-0000-7000-8000-000000000001\n", "v-../../etc", "", "x"}) {
    must(replace_file(view_.folder().pointer(), text));
    EXPECT_EQ(reader.get(image_id(1)).error().code, "view-unavailable");
  }
  view_.make();
  EXPECT_TRUE(shows(reader, 1, std::nullopt));
}

TEST_F(LocalViewReaderTest, AViewOfAnotherRowVersionIsNotRead) {
  view_.make(false);
  must(view_.store().write(encode_meta({kRowVersion + 1, "cluster-a", view_.view_id(), 2})));
  must(view_.folder().publish(view_.view_id()));
  LocalViewReader reader(options_, log_);
  EXPECT_EQ(reader.get(image_id(1)).error().code, "view-unavailable");
}

TEST_F(LocalViewReaderTest, ADamagedRowIsUnavailableAndOthersAreServed) {
  view_.make();
  view_.put(uploaded(image_id(1)), at(0, 100));
  view_.put(uploaded(image_id(2)), at(1, 100));
  const KeyChange damage{view_keys::row(image_id(1)), "\x01garbage"};
  must(view_.store().write({&damage, 1}));
  LocalViewReader reader(options_, log_);
  EXPECT_EQ(reader.get(image_id(1)).error().code, "view-unavailable");
  EXPECT_TRUE(reader.get(image_id(2)).value().has_value());
}

TEST_F(LocalViewReaderTest, PositionsAndRowsHoldTogetherUnderFlushCompactionAndRestart) {
  view_.make();
  view_.put(uploaded(image_id(1)), at(0, 100));
  LocalViewReader reader(options_, log_);
  std::atomic<bool> done{false};
  std::atomic<int> broken{0};
  std::atomic<int> looks{0};
  const auto watch = [&] {
    std::int64_t last = 0;
    while (!done) {
      const auto position = reader.position(Topic::kImageRequests, 0).value();
      const auto row = reader.get(image_id(1)).value();
      const auto folded_to = row->newest()->asked->offset + 1;
      if (folded_to < position || position < last) ++broken;
      last = position;
      if (reader.list({}).value().rows.size() != 1) ++broken;
      ++looks;
    }
  };
  std::thread one(watch);
  std::thread other(watch);
  constexpr int kRequests = 400;
  for (int i = 1; i <= kRequests; ++i) {
    auto again = requested(image_id(1), 1);
    again.request_id.bytes[1] = static_cast<std::uint8_t>(i);
    again.request_id.bytes[2] = static_cast<std::uint8_t>(i >> 8);
    view_.put(again, at(i, 100 + i));
    if (i % 40 == 0) must(view_.store().compact());
    if (i % 100 == 0) view_.reopen();
  }
  EXPECT_TRUE(wait_until(
      [&] { return reader.position(Topic::kImageRequests, 0).value() == kRequests + 1; }));
  done = true;
  one.join();
  other.join();
  EXPECT_EQ(broken, 0);
  EXPECT_GT(looks, 0);
  EXPECT_EQ(reader.get(image_id(1)).value()->generation(), kRequests + 1U);
}

}  // namespace
}  // namespace thumb::testing
