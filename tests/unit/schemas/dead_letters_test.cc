#include "schemas/dead_letters.h"

#include <gtest/gtest.h>

namespace thumb {
namespace {

TEST(DeadLetterHeaders, TheLastOneCounts) {
  const std::vector<Header> headers = {{"a", "1"}, {"b", "2"}, {"a", "3"}};
  EXPECT_EQ(last_header(headers, "a"), "3");
  EXPECT_EQ(last_header(headers, "c"), std::nullopt);
}

TEST(DeadLetterHeaders, TheOriginIsReadWholeOrNotAtAll) {
  std::vector<Header> headers = {{"__connect.errors.topic", "image-requests"},
                                 {"__connect.errors.partition", "3"},
                                 {"__connect.errors.offset", "1041"}};
  const auto origin = origin_of(headers);
  ASSERT_TRUE(origin);
  EXPECT_EQ(*origin, (DeadLetterOrigin{"image-requests", {3, 1041}}));
  for (const auto* bad : {"", "-1", "many", "1 "}) {
    headers[2].value = bad;
    EXPECT_EQ(origin_of(headers).error().code, "no-origin") << bad;
  }
  headers.pop_back();
  EXPECT_FALSE(origin_of(headers));
  EXPECT_FALSE(origin_of({}));
}

TEST(DeadLetterHeaders, ARecordKnowsWhatItWasSentAgainFrom) {
  const std::vector<Header> headers = {{"thumb_redrive_attempt", "2"}, {"thumb_redrive_of", "3:7"}};
  EXPECT_EQ(redrive_attempt(headers), 2U);
  EXPECT_EQ(redrive_of(headers), (LogPosition{3, 7}));
  EXPECT_EQ(redrive_attempt({}), 0U);
  EXPECT_EQ(redrive_of({}), std::nullopt);
  EXPECT_EQ(redrive_of({{"thumb_redrive_of", "here"}}), std::nullopt);
  EXPECT_EQ(redrive_attempt({{"thumb_redrive_attempt", "99999999999"}}), 4'294'967'295U);
}

}  // namespace
}  // namespace thumb
