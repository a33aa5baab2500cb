// Where the kernel tells nothing of a view's changes, they are looked for. A program of its own,
// since it stands between the reader and the kernel.
#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <future>

#include "state_projector/local_view_reader.h"
#include "tests/support/wait_until.h"
#include "tests/unit/state_projector/view_on_disk.h"

namespace {

enum class Kernel {
  kHasNoneLeft,   // fs.inotify.max_user_instances is used up
  kTellsNothing,  // as of a file system on another machine: watches are taken, and that is all
};
std::atomic<Kernel> g_kernel{Kernel::kHasNoneLeft};

}  // namespace

// In place of libc's.
extern "C" int inotify_init1(int flags) noexcept {
  if (g_kernel == Kernel::kTellsNothing) {
    return static_cast<int>(::syscall(SYS_inotify_init1, flags));
  }
  errno = EMFILE;
  return -1;
}

extern "C" int inotify_add_watch(int fd, const char* /*path*/, std::uint32_t /*mask*/) noexcept {
  return static_cast<int>(::syscall(SYS_inotify_add_watch, fd, "/", IN_DELETE_SELF));
}

namespace thumb::testing {
namespace {

using namespace placed;  // NOLINT(google-build-using-namespace)
using namespace std::chrono_literals;

class ViewPollingTest : public ::testing::TestWithParam<Kernel> {
 protected:
  ViewPollingTest() {
    g_kernel = GetParam();
    view_.make();
  }
  static bool shows(LocalViewReader& reader, int image) {
    return wait_until([&] {
      const auto row = reader.get(image_id(image));
      return row.has_value() && row->has_value();
    });
  }

  ViewOnDisk view_;
  Log log_{"test", LogLevel::kError};
  LocalViewOptions options_{.view_dir = view_.folder().root(), .full_look_interval = 20ms};
};

TEST_P(ViewPollingTest, WritesAreFollowed) {
  LocalViewReader reader(options_, log_);
  for (int image = 1; image <= 8; ++image) {
    view_.put(uploaded(image_id(image)), at(image, 100));
    EXPECT_TRUE(shows(reader, image)) << image;
  }
  must(view_.store().compact());  // another WAL
  view_.put(uploaded(image_id(9)), at(9, 100));
  EXPECT_TRUE(shows(reader, 9));
}

TEST_P(ViewPollingTest, AnotherViewIsFoundByItsPointer) {
  LocalViewReader reader(options_, log_);
  for (int view = 1; view <= 3; ++view) {
    view_.make();
    view_.put(uploaded(image_id(view)), at(0, 100));
    EXPECT_TRUE(shows(reader, view)) << view;
  }
}

TEST_P(ViewPollingTest, WhoWaitsForAPositionIsTold) {
  LocalViewReader reader(options_, log_);
  for (std::int64_t offset = 0; offset < 5; ++offset) {
    std::promise<bool> told;
    reader.wait_for(Topic::kImageRequests, 0, offset + 1, std::chrono::steady_clock::now() + 20s,
                    [&](bool reached) { told.set_value(reached); });
    view_.put(uploaded(image_id(static_cast<int>(offset))), at(offset, 100));
    EXPECT_TRUE(told.get_future().get());
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, ViewPollingTest,
                         ::testing::Values(Kernel::kHasNoneLeft, Kernel::kTellsNothing),
                         [](const auto& of) {
                           return of.param == Kernel::kHasNoneLeft ? "HasNoneLeft" : "TellsNothing";
                         });

}  // namespace
}  // namespace thumb::testing
