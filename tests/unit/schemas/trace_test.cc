#include "schemas/trace.h"

#include <gtest/gtest.h>

namespace thumb {
namespace {

constexpr const char* kValid = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(Traceparent, TakesValidOnes) {
  EXPECT_EQ(valid_traceparent(kValid), kValid);
  EXPECT_EQ(trace_id_of(kValid), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(valid_traceparent("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more"),
            kValid)
      << "a later version is read as 00";
}

TEST(Traceparent, IgnoresTheWholeHeaderOtherwise) {
  for (const auto* text : {"", "00", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                           "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                           "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                           "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
                           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
                           "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0"}) {
    EXPECT_FALSE(valid_traceparent(text)) << text;
  }
}

TEST(Traceparent, AChildKeepsTheTraceAndChangesTheSpan) {
  const auto child = child_traceparent(kValid, {1, 2, 3, 4, 5, 6, 7, 8});
  EXPECT_EQ(child, "00-0af7651916cd43dd8448eb211c80319c-0102030405060708-01");
  EXPECT_TRUE(valid_traceparent(child_traceparent(kValid, {})));
}

TEST(Traceparent, ANewOneIsValidWhateverTheRandomness) {
  EXPECT_TRUE(valid_traceparent(new_traceparent({})));
}

}  // namespace
}  // namespace thumb
