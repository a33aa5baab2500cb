#include "schemas/ids.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "schemas/blob_keys.h"

namespace thumb {
namespace {

TEST(Uuid, ReadsTheCanonicalFormOnly) {
  const auto id = parse_uuid("0198C0DE-7a11-7abc-8def-0123456789ab");
  ASSERT_TRUE(id);
  EXPECT_EQ(format_uuid(*id), "0198c0de-7a11-7abc-8def-0123456789ab");
  for (const auto* text :
       {"", "0198c0de7a117abc8def0123456789ab", "{0198c0de-7a11-7abc-8def-0123456789ab}",
        "0198c0de-7a11-7abc-8def-0123456789a", "0198c0de-7a11-7abc-8def-0123456789abc",
        "0198c0de-7a11-7abc-8def-0123456789ag", "0198c0de+7a11-7abc-8def-0123456789ab",
        "../../../../../../../../../etc/passwd"}) {
    EXPECT_FALSE(parse_uuid(text)) << text;
  }
}

TEST(UuidV7, HasVersionVariantAndTime) {
  std::array<std::uint8_t, 10> ones{};
  ones.fill(0xff);
  EXPECT_EQ(format_uuid(make_uuid_v7(time_from_ms(0x0198c0de7a11), ones)),
            "0198c0de-7a11-7fff-bfff-ffffffffffff");
  EXPECT_EQ(format_uuid(make_uuid_v7(time_from_ms(0), {})), "00000000-0000-7000-8000-000000000000");
}

TEST(UuidV7, SortsByTime) {
  EXPECT_TRUE(rc::check("order of time is order of ids", [] {
    const auto a = *rc::gen::inRange<std::int64_t>(0, 1LL << 47);
    const auto b = *rc::gen::inRange<std::int64_t>(a + 1, (1LL << 47) + 1);
    const auto random = *rc::gen::arbitrary<std::array<std::uint8_t, 10>>();
    RC_ASSERT(make_uuid_v7(time_from_ms(a), random) < make_uuid_v7(time_from_ms(b), {}));
  }));
}

TEST(Uuid, TextComesBackAsItWent) {
  EXPECT_TRUE(rc::check("round trip", [](const UuidBytes& bytes) {
    RC_ASSERT(parse_uuid(format_uuid(bytes)).value() == bytes);
  }));
}

TEST(BlobKeys, AllOfAnImageStandBelowOnePrefix) {
  const auto id = ImageId::parse("0198c0de-7a11-7abc-8def-0123456789ab").value();
  EXPECT_EQ(image_blob_prefix(id), "images/0198c0de-7a11-7abc-8def-0123456789ab");
  EXPECT_EQ(original_blob_key(id, "ff"), image_blob_prefix(id) + "/original-ff");
  EXPECT_EQ(thumbnail_blob_key(id, "default", "ff"),
            image_blob_prefix(id) + "/thumbnail-default-ff");
}

}  // namespace
}  // namespace thumb
