// The quick way to read an event's JSON makes no difference but for time: what it takes, the
// thorough way takes too and reads the same; over examples, mutants, and the cases in which parsers
// disagree.
#include "schemas/plain_json.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "schemas/codec.h"
#include "schemas/event_json.h"
#include "tests/support/event_samples.h"
#include "tests/support/rapidcheck_gtest.h"

namespace thumb::testing {
namespace {

constexpr std::string_view kNames[] = {
    "image-uploaded",      "thumbnail-requested", "image-deleted", "thumbnail-started",
    "thumbnail-completed", "thumbnail-failed",    "image-private"};

// Whether the quick way took it.
bool agree(std::string_view name, const std::string& text) {
  const auto quick = event_from_plain_json(name, text);
  if (!quick) return false;
  const auto thorough = event_from_any_json(name, text);
  const bool same = thorough && *thorough == *quick;
  EXPECT_TRUE(same) << name << " " << text;
  return true;
}

std::vector<std::pair<std::string, std::string>> written_events() {
  std::vector<std::pair<std::string, std::string>> texts;
  for (const auto& event : one_of_each()) {
    if (std::holds_alternative<ImagePrivateErased>(event)) continue;
    texts.emplace_back(event_name(event), event_to_json(event));
  }
  return texts;
}

TEST(PlainJson, TakesWhatWeWrite) {
  for (const auto& [name, text] : written_events()) EXPECT_TRUE(agree(name, text)) << text;
}

TEST(PlainJson, AgreesOnEveryExampleUnderEveryName) {
  std::size_t taken = 0;
  std::size_t seen = 0;
  const auto examples = std::filesystem::path(THUMB_SOURCE_DIR) / "schemas/examples";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(examples)) {
    if (!entry.is_regular_file()) continue;
    std::ostringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    for (const auto name : kNames) taken += agree(name, text.str()) ? 1U : 0U;
    ++seen;
  }
  EXPECT_GT(seen, 20U);
  EXPECT_GE(taken, std::size(kNames));
}

TEST(PlainJson, AgreesOnMutants) {
  const auto texts = written_events();
  int taken = 0;
  check_property([&] {
    const auto& [name, whole] = *rc::gen::elementOf(texts);
    auto text = whole;
    const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
    const auto other = *rc::gen::inRange<std::size_t>(0, text.size());
    const auto length = *rc::gen::inRange<std::size_t>(1, 40);
    switch (*rc::gen::inRange(0, 4)) {
      case 0:
        text[at] = *rc::gen::arbitrary<char>();
        break;
      case 1:
        text.erase(at, length);
        break;
      case 2:
        text.insert(at, whole.substr(other, length));
        break;
      default:
        text[at] = *rc::gen::elementOf(std::string("0123456789-.eE\"{}[],: \\a\x01\x7f\xc3"));
    }
    taken += agree(name, text) ? 1 : 0;
  });
  EXPECT_GT(taken, 0);
}

// What stands before the last brace of an image-private is another field.
std::string with(const std::string& field) {
  auto text = event_to_json(personal(image_id(1)));
  text.pop_back();
  return text + "," + field + "}";
}

TEST(PlainJson, LeavesWhatParsersDisagreeOnToTheThoroughWay) {
  for (const auto* field :
       {R"("filename":"another")", R"("filename":null)", R"("tenant":"t")",
        R"("x":123456789012345678901234567890)", R"("x":1e999)", R"("x":"\ud800")",
        R"("x":"a\u0041")", "\"x\":\"\xed\xa0\x80\"", R"("x":01)", R"("x":nul)"}) {
    EXPECT_FALSE(agree("image-private", with(field))) << field;
  }
  const auto whole = event_to_json(personal(image_id(1)));
  EXPECT_FALSE(agree("image-private", "\xef\xbb\xbf" + whole)) << "byte order mark";
  EXPECT_FALSE(agree("image-private", whole + std::string(1, '\0')));
  EXPECT_FALSE(agree("image-private", whole + whole));
  EXPECT_FALSE(agree("image-private", ""));
  EXPECT_FALSE(agree("image-private", "[" + whole + "]"));
  EXPECT_FALSE(agree("image-eaten", whole));
}

TEST(PlainJson, TakesUnknownFieldsOfAnyKind) {
  for (const auto* field : {R"("x":-0)", R"("x":1.5e-7)", R"("x":[[],{"filename":"inner"}])",
                            R"("x":null)", R"("x":"ü")", "\"x\":\"\x7f\""}) {
    EXPECT_TRUE(agree("image-private", with(field))) << field;
  }
}

TEST(PlainJson, TellsNumbersOfOtherKindsApart) {
  const auto whole = event_to_json(started(image_id(1), request_id(2), {3, 1041}));
  const auto with_offset = [&](const std::string& number) {
    auto text = whole;
    return text.replace(text.find("1041"), 4, number);
  };
  EXPECT_TRUE(agree("thumbnail-started", with_offset("-0")));
  EXPECT_TRUE(agree("thumbnail-started", with_offset("9223372036854775807")));
  for (const auto* number : {"9223372036854775808", "-1", "1.0", "1e3", "\"1\"", "true", "null"}) {
    EXPECT_FALSE(agree("thumbnail-started", with_offset(number))) << number;
  }
}

}  // namespace
}  // namespace thumb::testing
