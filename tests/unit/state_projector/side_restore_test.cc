// Views that begin with a checkpoint: a new instance's, and one made beside the view that serves.
#include "state_projector/view_queries.h"
#include "tests/unit/state_projector/side_build_fixture.h"

namespace thumb::testing {
namespace {

using namespace placed;  // NOLINT(google-build-using-namespace)

class SideRestoreTest : public SideBuildTest {};

TEST_F(SideRestoreTest, ACheckpointFromBeforeWhatTheLogHasLostReplacesNoView) {
  start();
  const auto id = serving();
  ASSERT_TRUE(wish(Wish::kCheckpoint).has_value());
  for (int i = 8; i <= 9; ++i) log_.append(uploaded(image_id(i)), 1, 900);
  ASSERT_TRUE(wait_until([&] { return read_row(*view(id), image_id(9)).value().has_value(); }));
  log_.set_low(Topic::kImageRequests, 1, 6);
  ASSERT_TRUE(wish(Wish::kRebuildFromCheckpoint).has_value());
  ASSERT_TRUE(wait_until(
      [this] { return projector_->progress().report().state == BuildReport::State::kFailed; }));
  // Not to delete the view, as where none serves.
  const auto problem = projector_->progress().report().problem;
  EXPECT_NE(problem.find("log-truncated: image-requests/1 begins at offset 6: a view folded from"),
            std::string::npos)
      << problem;
  EXPECT_EQ(serving(), id);
}

TEST_F(SideRestoreTest, ANewInstanceBeginsWithTheCheckpointAndReadsTheTail) {
  start();
  const auto old_id = serving();
  ASSERT_TRUE(wish(Wish::kCheckpoint).has_value());
  stop();
  std::filesystem::remove_all(folder_.root());
  std::filesystem::create_directories(folder_.root());
  log_.append(uploaded(image_id(9)), 0, 900);
  // What lies before the checkpoint is not asked for again.
  log_.set_low(Topic::kImageRequests, 1, 3);
  start();
  EXPECT_NE(serving(), old_id);
  EXPECT_TRUE(read_row(*view(serving()), image_id(1)).value().has_value());
  EXPECT_TRUE(read_row(*view(serving()), image_id(9)).value().has_value());
  EXPECT_EQ(read_meta(*view(serving())).value().view_id, serving());
  EXPECT_EQ(projector_->progress().report().records, 1);
  log_.set_low(Topic::kImageRequests, 1, 0);
  const auto restored = serving();
  ASSERT_TRUE(wish(Wish::kRebuild).has_value());
  ASSERT_TRUE(serves_another_than(restored));
  EXPECT_EQ(digest(serving()), digest(restored));
}

TEST_F(SideRestoreTest, RebuildsFromACheckpoint) {
  start();
  const auto old_id = serving();
  ASSERT_TRUE(wish(Wish::kRebuildFromCheckpoint).has_value());
  ASSERT_TRUE(wait_until(
      [this] { return projector_->progress().report().state == BuildReport::State::kFailed; }));
  EXPECT_NE(projector_->progress().report().problem.find("no-checkpoint"), std::string::npos);
  ASSERT_TRUE(wish(Wish::kCheckpoint).has_value());
  log_.append(uploaded(image_id(9)), 0, 900);
  ASSERT_TRUE(wish(Wish::kRebuildFromCheckpoint).has_value());
  ASSERT_TRUE(serves_another_than(old_id));
  EXPECT_TRUE(
      wait_until([&] { return read_row(*view(serving()), image_id(9)).value().has_value(); }));
}

// Whoever asked for it does not ask again: the projector was only killed.
TEST_F(SideRestoreTest, ARestoreThatIsCutShortBeginsAgainAtTheNextStart) {
  start();
  const auto old_id = serving();
  ASSERT_TRUE(wish(Wish::kCheckpoint).has_value());
  // What is copied below must not change meanwhile.
  ASSERT_TRUE(wait_until([this] { return entries_named("thumb-view-") == 0; }));
  const auto left = directory_.path() / "left";
  std::atomic<int> opened = 0;
  blobs_.on_open = [&] {
    if (++opened != 2) return;  // behind the manifest
    std::filesystem::copy(folder_.root(), left, std::filesystem::copy_options::recursive);
  };
  ASSERT_TRUE(wish(Wish::kRebuildFromCheckpoint).has_value());
  ASSERT_TRUE(serves_another_than(old_id));
  EXPECT_EQ(folder_.wanted().value(), ViewFolder::Wanted::kNothing);
  stop();

  std::filesystem::remove_all(folder_.root());
  std::filesystem::rename(left, folder_.root());  // as a crash would have left it
  EXPECT_EQ(serving(), old_id);
  EXPECT_EQ(folder_.wanted().value(), ViewFolder::Wanted::kRestore);
  EXPECT_EQ(folders(), 2U);  // one of them is half a copy
  start();
  ASSERT_TRUE(serves_another_than(old_id));
  EXPECT_EQ(projector_->progress().report().task, "restore");
  EXPECT_EQ(folder_.wanted().value(), ViewFolder::Wanted::kNothing);
  EXPECT_EQ(folder_.previous().value(), old_id);
  EXPECT_EQ(folders(), 2U);
  EXPECT_EQ(digest(serving()), digest(old_id));
}

// Killed before the view had a name.
TEST_F(SideRestoreTest, ARebuildThatHadNotBegunYetBeginsAtTheNextStart) {
  start();
  const auto old_id = serving();
  stop();
  ASSERT_TRUE(folder_.want(ViewFolder::Wanted::kRebuild).has_value());
  start();
  ASSERT_TRUE(serves_another_than(old_id));
  EXPECT_EQ(projector_->progress().report().task, "rebuild");
  EXPECT_EQ(folder_.wanted().value(), ViewFolder::Wanted::kNothing);
  EXPECT_EQ(digest(serving()), digest(old_id));
}

// A crash between the two files: what was copied is gone on with, and no other copy is made.
TEST_F(SideRestoreTest, ARestoreIsNoLongerWantedOnceItsViewIsNamed) {
  start();
  stop();
  const auto id = make_view_id();
  std::filesystem::create_directory(folder_.path_of(id));
  ASSERT_TRUE(folder_.set_next(id).has_value());
  ASSERT_TRUE(folder_.want(ViewFolder::Wanted::kRestore).has_value());
  ASSERT_TRUE(folder_.tidy().has_value());
  EXPECT_EQ(folder_.wanted().value(), ViewFolder::Wanted::kNothing);
  EXPECT_EQ(folder_.next().value(), id);
}

TEST_F(SideRestoreTest, ARestoreThatHasFailedIsNotTriedAgainAtEachStart) {
  start();
  const auto id = serving();
  ASSERT_TRUE(wish(Wish::kRebuildFromCheckpoint).has_value());
  ASSERT_TRUE(
      wait_until([this] { return folder_.wanted().value() == ViewFolder::Wanted::kNothing; }));
  EXPECT_EQ(projector_->progress().report().state, BuildReport::State::kFailed);
  stop();
  start();
  EXPECT_EQ(projector_->progress().report().state, BuildReport::State::kNone);
  EXPECT_EQ(serving(), id);
}

}  // namespace
}  // namespace thumb::testing
