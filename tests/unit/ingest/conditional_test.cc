// RFC 9110 sections 13 and 14, case by case.
#include "ingest/conditional.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace thumb::ingest {
namespace {

constexpr std::string_view kTag = "\"abc\"";
constexpr std::uint64_t kSize = 1'000;

DeliveryPlan range(std::string_view value) {
  return plan_delivery({.if_match = {}, .if_none_match = {}, .range = value, .if_range = {}}, kTag,
                       kSize);
}

Delivery none_match(std::string_view value) {
  return plan_delivery({.if_match = {}, .if_none_match = value, .range = {}, .if_range = {}}, kTag,
                       kSize)
      .delivery;
}

const DeliveryPlan kWhole{Delivery::kWhole, {0, kSize}};

DeliveryPlan part(std::uint64_t offset, std::uint64_t length) {
  return {Delivery::kPart, {offset, length}};
}

TEST(Range, TakesTheThreeForms) {
  EXPECT_EQ(range("bytes=0-99"), part(0, 100));
  EXPECT_EQ(range("bytes=999-999"), part(999, 1));
  EXPECT_EQ(range("bytes=900-"), part(900, 100));
  EXPECT_EQ(range("bytes=-100"), part(900, 100));
  EXPECT_EQ(range("BYTES=0-0"), part(0, 1));
}

TEST(Range, IsCutAtTheEnd) {
  EXPECT_EQ(range("bytes=900-5000"), part(900, 100));
  EXPECT_EQ(range("bytes=-5000"), part(0, kSize));
  EXPECT_EQ(range("bytes=900-99999999999999999999999"), part(900, 100));
}

TEST(Range, PastTheEndIsUnsatisfiable) {
  for (const auto* value :
       {"bytes=1000-", "bytes=1000-2000", "bytes=-0", "bytes=99999999999999999999999-"}) {
    EXPECT_EQ(range(value).delivery, Delivery::kUnsatisfiable) << value;
  }
}

TEST(Range, IsIgnoredIfMalformedOrSeveral) {
  for (const auto* value :
       {"bytes=", "bytes=-", "bytes=5-2", "bytes=a-b", "bytes=1-2,5-6", "items=0-1", "bytes 0-1",
        "bytes=+1-2", "bytes=0x1-2", "", "bytes=1--2"}) {
    EXPECT_EQ(range(value), kWhole) << value;
  }
}

TEST(Range, CountsOnlyWithAMatchingIfRange) {
  const auto with = [](std::string_view if_range) {
    return plan_delivery(
        {.if_match = {}, .if_none_match = {}, .range = "bytes=0-9", .if_range = if_range}, kTag,
        kSize);
  };
  EXPECT_EQ(with("\"abc\""), part(0, 10));
  EXPECT_EQ(with("\"other\""), kWhole);
  EXPECT_EQ(with("W/\"abc\""), kWhole);  // weak tags never match here
  EXPECT_EQ(with("Tue, 15 Nov 1994 12:45:26 GMT"), kWhole);
}

TEST(IfNoneMatch, MatchesWeaklyAndInLists) {
  for (const auto* value : {"\"abc\"", "W/\"abc\"", "*", "\"x\", \"abc\"", "\"x,y\",W/\"abc\"",
                            " \"abc\" ", "\"x\" ,\"abc\""}) {
    EXPECT_EQ(none_match(value), Delivery::kNotModified) << value;
  }
  for (const auto* value : {"\"x\"", "abc", "\"ab", "\"abc", "\"x\" \"abc\"", "", "\"ABC\""}) {
    EXPECT_EQ(none_match(value), Delivery::kWhole) << value;
  }
}

TEST(IfMatch, ComparesStrongly) {
  const auto with = [](std::string_view value) {
    return plan_delivery({.if_match = value, .if_none_match = {}, .range = {}, .if_range = {}},
                         kTag, kSize)
        .delivery;
  };
  EXPECT_EQ(with("\"abc\""), Delivery::kWhole);
  EXPECT_EQ(with("*"), Delivery::kWhole);
  EXPECT_EQ(with("W/\"abc\""), Delivery::kPreconditionFailed);
  EXPECT_EQ(with("\"x\""), Delivery::kPreconditionFailed);
}

TEST(Precedence, NotModifiedGoesBeforeRange) {
  const auto plan = plan_delivery(
      {.if_match = {}, .if_none_match = "\"abc\"", .range = "bytes=5000-", .if_range = {}}, kTag,
      kSize);
  EXPECT_EQ(plan.delivery, Delivery::kNotModified);
}

RC_GTEST_PROP(RangeProperty, APartLiesWithinTheBytes,
              (const std::string& tail, std::uint32_t size)) {
  const auto header = "bytes=" + tail;
  const auto plan = plan_delivery(
      {.if_match = {}, .if_none_match = {}, .range = header, .if_range = {}}, kTag, size);
  if (plan.delivery == Delivery::kUnsatisfiable) return;
  RC_ASSERT(plan.range.offset + plan.range.length <= size);
  if (plan.delivery == Delivery::kPart) RC_ASSERT(plan.range.length > 0U);
}

TEST(Headers, AreWrittenAsTheStandardsSay) {
  EXPECT_EQ(strong_etag("ff00"), "\"ff00\"");
  EXPECT_EQ(content_range({900, 100}, kSize), "bytes 900-999/1000");
  // The well-known digest of no bytes at all.
  EXPECT_EQ(repr_digest("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:");
  EXPECT_EQ(repr_digest("not hex"), "");
}

}  // namespace
}  // namespace thumb::ingest
