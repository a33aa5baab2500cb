// The fold's rules one by one.
#include "state_projector/fold.h"

#include <gtest/gtest.h>

#include "tests/support/placed_events.h"

namespace thumb::testing {
namespace {

using namespace placed;  // NOLINT(google-build-using-namespace)

const ImageId kImage = image_id(1);

TEST(Fold, AnUploadMakesAVisibleAcceptedRow) {
  auto event = uploaded(kImage);
  event.private_offset = 7;
  const auto row = folded(kImage, {{event, at(5, 100)}});
  ASSERT_TRUE(row.visible());
  EXPECT_EQ(row.state(), ImageState::kAccepted);
  EXPECT_EQ(row.upload->offset, 5);
  EXPECT_EQ(row.upload->at, time_from_ms(100));
  EXPECT_EQ(row.upload->original, event.original);
  EXPECT_EQ(row.upload->private_offset, 7);
  ASSERT_EQ(row.requests.size(), 1U);
  EXPECT_EQ(row.requests[0].id, upload_request_id(kImage));
  EXPECT_EQ(row.generation(), 1U);
  EXPECT_EQ(row.updated_at(), time_from_ms(100));
}

TEST(Fold, OfTwoUploadsTheLowestOffsetCountsAndTheRepeatIsNoNewRequest) {
  const PlacedEvent first{uploaded(kImage, 'a'), at(5, 100)};
  const PlacedEvent second{uploaded(kImage, 'b'), at(9, 90)};
  const auto row = folded(kImage, {second, first});
  EXPECT_EQ(row, folded(kImage, {first, second}));
  EXPECT_EQ(row.upload->offset, 5);
  EXPECT_EQ(row.upload->original.sha256, std::string(64, 'a'));
  EXPECT_EQ(row.generation(), 1U);
}

TEST(Fold, WithinARequestCompletedBeatsFailedBeatsProcessing) {
  std::vector<PlacedEvent> events{{uploaded(kImage), at(0, 10)}};
  events.push_back({about<ThumbnailStarted>(kImage, 0), at(0, 20)});
  EXPECT_EQ(folded(kImage, events).state(), ImageState::kProcessing);
  events.push_back({failed(kImage), at(0, 30)});
  EXPECT_EQ(folded(kImage, events).state(), ImageState::kFailed);
  events.push_back({completed(kImage), at(0, 40)});
  EXPECT_EQ(folded(kImage, events).state(), ImageState::kCompleted);
  EXPECT_EQ(folded(kImage, events).updated_at(), time_from_ms(40));
}

TEST(Fold, TheStateIsThatOfTheNewestRequestAndTheOldThumbnailsServeMeanwhile) {
  std::vector<PlacedEvent> events{{uploaded(kImage), at(0, 10)},
                                  {completed(kImage, 0, 'c'), at(0, 20)},
                                  {requested(kImage, 1), at(3, 30)}};
  auto row = folded(kImage, events);
  EXPECT_EQ(row.state(), ImageState::kAccepted);
  EXPECT_EQ(row.generation(), 2U);
  EXPECT_EQ(row.newest()->id, request_id(kImage, 1));
  EXPECT_EQ(row.newest_completed()->id, upload_request_id(kImage));

  events.push_back({failed(kImage, 1), at(1, 40)});
  row = folded(kImage, events);
  EXPECT_EQ(row.state(), ImageState::kFailed);
  EXPECT_EQ(row.newest_completed()->id, upload_request_id(kImage));
}

TEST(Fold, AnAnswerWaitsUnseenForItsQuestion) {
  std::vector<PlacedEvent> events{{completed(kImage, 1), at(0, 50)}};
  EXPECT_FALSE(folded(kImage, events).visible());
  events.push_back({uploaded(kImage), at(0, 10)});
  auto row = folded(kImage, events);
  EXPECT_EQ(row.state(), ImageState::kAccepted);
  EXPECT_EQ(row.newest_completed(), nullptr);
  EXPECT_EQ(row.updated_at(), time_from_ms(10));
  events.push_back({requested(kImage, 1), at(2, 40)});
  row = folded(kImage, events);
  EXPECT_EQ(row.state(), ImageState::kCompleted);
  EXPECT_EQ(row.updated_at(), time_from_ms(50));
}

TEST(Fold, OfRepeatedAnswersTheLowestOffsetCounts) {
  const auto row = folded(kImage, {{uploaded(kImage), at(0, 10)},
                                   {completed(kImage, 0, 'd'), at(8, 60)},
                                   {completed(kImage, 0, 'c'), at(4, 50)},
                                   {failed(kImage, 0, "b"), at(6, 60)},
                                   {failed(kImage, 0, "a"), at(2, 50)}});
  EXPECT_EQ(row.requests[0].completed->offset, 4);
  EXPECT_EQ(row.requests[0].completed->variants[0].blob.sha256, std::string(64, 'c'));
  EXPECT_EQ(row.requests[0].failed->code, "a");
}

TEST(Fold, TheEarliestStartIsKept) {
  const auto row = folded(kImage, {{uploaded(kImage), at(0, 10)},
                                   {about<ThumbnailStarted>(kImage, 0), at(1, 30)},
                                   {about<ThumbnailStarted>(kImage, 0), at(2, 20)}});
  EXPECT_EQ(row.requests[0].started_at, time_from_ms(20));
}

TEST(Fold, OfPersonalFieldsTheHighestOffsetCountsAndATombstoneEmpties) {
  const PlacedEvent old_name{named(kImage, "old.jpg"), at(3, 10)};
  const PlacedEvent new_name{named(kImage, "new.jpg"), at(5, 10)};
  const PlacedEvent erased{ImagePrivateErased{kImage}, at(8, 10)};
  EXPECT_EQ(folded(kImage, {new_name, old_name}).personal->filename, "new.jpg");
  EXPECT_EQ(folded(kImage, {erased, new_name, old_name}).personal->filename, "");
  // Compaction leaves the last one only; then a replay gives the same.
  EXPECT_EQ(folded(kImage, {new_name}), folded(kImage, {old_name, new_name}));
}

TEST(Fold, ADeletionAbsorbsEverythingBeforeAndAfterIt) {
  const PlacedEvent deletion{about<ImageDeleted>(kImage, 2, "ann"), at(9, 90)};
  const PlacedEvent repeat{about<ImageDeleted>(kImage, 3, "bob"), at(12, 95)};
  const auto row = folded(kImage, {{uploaded(kImage), at(0, 10)},
                                   {named(kImage, "secret.jpg"), at(0, 10)},
                                   repeat,
                                   deletion,
                                   {completed(kImage), at(0, 99)},
                                   {requested(kImage, 4), at(15, 99)}});
  EXPECT_EQ(row, folded(kImage, {deletion}));
  EXPECT_EQ(row.state(), ImageState::kDeleted);
  EXPECT_EQ(row.deleted->by, "ann");
  EXPECT_EQ(row.updated_at(), time_from_ms(90));
  EXPECT_TRUE(row.requests.empty());
  EXPECT_EQ(encode_row(row).find("secret"), std::string::npos);
}

TEST(Fold, EqualOffsetsOfTwoPartitionsAreJoinedTheSameWayRound) {
  const PlacedEvent here{uploaded(kImage, 'a'), at(5, 100, 0)};
  const PlacedEvent there{uploaded(kImage, 'b'), at(5, 100, 1)};
  EXPECT_EQ(folded(kImage, {here, there}), folded(kImage, {there, here}));
}

}  // namespace
}  // namespace thumb::testing
