// The stored form of rows: exact, deterministic, and a decoder that takes any bytes.
#include <gtest/gtest.h>

#include "platform/text.h"
#include "schemas/row.h"
#include "tests/support/placed_events.h"
#include "tests/support/rapidcheck_gtest.h"

namespace thumb::testing {
namespace {

using namespace placed;  // NOLINT(google-build-using-namespace)

const ImageId kImage = image_id(1);

ImageRow full_row() {
  auto upload = uploaded(kImage);
  upload.private_offset = 3;
  return folded(kImage, {{upload, at(5, 1'700'000'000'000)},
                         {named(kImage, "a b.jpg"), at(3, 1)},
                         {about<ThumbnailStarted>(kImage, 0), at(1, 1'700'000'000'010)},
                         {completed(kImage), at(4, 1'700'000'000'020)},
                         {requested(kImage, 1), at(9, 1'700'000'000'030)},
                         {failed(kImage, 1), at(2, 1'700'000'000'040)}});
}

// What the decoder takes, the digest's cutter takes, and nothing else.
void refused_alike(const std::string& bytes) {
  std::string cut;
  const auto decoded = decode_row(kImage, bytes);
  const auto done = append_canonical_row(kImage, bytes, cut);
  RC_ASSERT(done.has_value() == decoded.has_value());
  if (!done) RC_ASSERT(done.error().code == decoded.error().code);
}

TEST(RowCodec, KeepsEveryField) {
  const auto row = full_row();
  const auto decoded = decode_row(kImage, encode_row(row));
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(*decoded, row);
}

TEST(RowCodec, LeavesOutWhatTheIdAlreadySays) {
  // Key and digest of a usual blob are 32 bytes and a short name, not 180 characters.
  const auto row = folded(kImage, {{uploaded(kImage), at(5, 1'700'000'000'000)},
                                   {completed(kImage), at(4, 1'700'000'000'020)}});
  EXPECT_LT(encode_row(row).size(), 250U);
}

TEST(RowCodec, KeepsUnusualBlobsAsTheyAre) {
  for (const auto& [key, sha] : std::vector<std::pair<std::string, std::string>>{
           {"", ""},
           {"elsewhere/x", std::string(64, 'A')},
           {"images/" + kImage.str() + "/" + std::string(64, 'a'), std::string(64, 'a')},
           {std::string(64, 'a'), std::string(64, 'a')},
           {"images/" + kImage.str(), "abc"},
           {std::string("with\0zero", 9), std::string(63, 'a')}}) {
    auto event = uploaded(kImage);
    event.original.key = key;
    event.original.sha256 = sha;
    const auto row = folded(kImage, {{event, at(0, 0)}});
    const auto decoded = decode_row(kImage, encode_row(row));
    ASSERT_TRUE(decoded.has_value()) << key;
    EXPECT_EQ(*decoded, row) << key;
  }
}

TEST(RowCodec, KeepsExtremeNumbers) {
  auto row = empty_row(kImage);
  row.deleted =
      ImageRow::Deletion{std::numeric_limits<std::int64_t>::max(),
                         time_from_ms(std::numeric_limits<std::int64_t>::min()), "t", "b"};
  EXPECT_EQ(decode_row(kImage, encode_row(row)).value(), row);
  row.deleted->offset = -1;
  row.deleted->at = time_from_ms(std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(decode_row(kImage, encode_row(row)).value(), row);
}

TEST(RowCodec, TheBytesAreThoseOfTheWrittenFormat) {
  auto row = empty_row(kImage);
  row.deleted = ImageRow::Deletion{3, time_from_ms(-1), "ab", ""};
  // version, parts, offset 3, time -1, "ab", "", no requests
  EXPECT_EQ(to_hex(as_bytes(encode_row(row))),
            "02040601026162"
            "00"
            "00");
}

TEST(RowCodec, RefusesOtherVersionsCutsAndAdditions) {
  const auto bytes = encode_row(full_row());
  auto other = bytes;
  other[0] = 1;
  EXPECT_EQ(decode_row(kImage, other).error().code, "row-version");
  EXPECT_EQ(decode_row(kImage, "").error().code, "row-version");
  EXPECT_EQ(decode_row(kImage, bytes + "x").error().code, "corrupt-row");
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_row(kImage, std::string_view(bytes).substr(0, size))) << size;
    std::string cut;
    EXPECT_FALSE(append_canonical_row(kImage, std::string_view(bytes).substr(0, size), cut))
        << size;
  }
}

TEST(RowCodec, ALyingCountCostsNothing) {
  // A deletion-free row that claims 2^63 requests and holds none.
  const std::string bytes("\x02\x00\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F", 11);
  EXPECT_EQ(decode_row(kImage, bytes).error().code, "corrupt-row");
}

TEST(RowCodec, TheDigestsFormHasNoHintsAndNoRequestsOfNothingElse) {
  auto row = full_row();
  ASSERT_EQ(row.requests.size(), 2U);
  for (int more = 0; more < 200; ++more) {  // their count takes two bytes, what remains one
    auto& hint = row.requests.emplace_back();
    hint.id = request_id(kImage, 2);
    hint.started_at = time_from_ms(more);
  }
  std::string cut = "before";
  ASSERT_TRUE(append_canonical_row(kImage, encode_row(row), cut));
  row.requests.resize(2);
  row.requests[0].started_at.reset();
  EXPECT_EQ(cut, "before" + encode_row(row));
}

TEST(RowCodecProperty, AnyBytesGiveARowOrAnError) {
  check_property(
      [] {
        auto bytes = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
        if (!bytes.empty()) bytes[0] = static_cast<char>(kRowVersion);
        refused_alike(bytes);
        const auto decoded = decode_row(kImage, bytes);
        if (decoded) RC_ASSERT(decode_row(kImage, encode_row(*decoded)).value() == *decoded);
      },
      5'000);
}

TEST(RowCodecProperty, DamagedRowsGiveARowOrAnError) {
  const auto whole = encode_row(full_row());
  check_property(
      [&whole] {
        auto bytes = whole;
        const auto changes = *rc::gen::inRange(1, 6);
        for (int i = 0; i < changes; ++i) {
          bytes[*rc::gen::inRange<std::size_t>(1, bytes.size())] = *rc::gen::arbitrary<char>();
        }
        refused_alike(bytes);
        const auto decoded = decode_row(kImage, bytes);
        if (decoded) RC_ASSERT(decode_row(kImage, encode_row(*decoded)).value() == *decoded);
      },
      5'000);
}

}  // namespace
}  // namespace thumb::testing
