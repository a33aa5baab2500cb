// The JSON of the interface, read back by another library.
#include "ingest/resource_json.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <nlohmann/json.hpp>

#include "ingest/json_writer.h"

namespace thumb::ingest {
namespace {

using nlohmann::json;

ImageId some_id() { return ImageId::parse("0198c5b2-7e1a-7abc-8def-0123456789ab").value(); }

ImageRow accepted() {
  ImageRow row;
  row.id = some_id();
  row.upload = ImageRow::Upload{.offset = 41,
                                .at = time_from_ms(1'700'000'000'123),
                                .tenant = "default",
                                .original = {"images/x/original-ab", 1234, "ab", "image/jpeg"},
                                .size = {4000, 3000},
                                .variants = default_variants(),
                                .private_offset = {}};
  RequestRow request;
  request.id = upload_request_id(row.id);
  request.asked = RequestRow::Asked{41, time_from_ms(1'700'000'000'123), "anonymous"};
  row.requests.push_back(request);
  return row;
}

ImageRow completed() {
  auto row = accepted();
  row.requests[0].completed = RequestRow::Completed{
      7,
      time_from_ms(1'700'000'001'000),
      {3000, 4000},
      {Variant{"default", {"images/x/thumbnail-default-cd", 99, "cd", "image/jpeg"}, {75, 100}}}};
  return row;
}

json read(const ImageRow& row) { return json::parse(resource_json(row, 3)); }

TEST(ResourceJson, OfAnAcceptedImage) {
  const auto path = "/v1/images/0198c5b2-7e1a-7abc-8def-0123456789ab";
  EXPECT_EQ(
      read(accepted()),
      json({{"id", "0198c5b2-7e1a-7abc-8def-0123456789ab"},
            {"filename", nullptr},
            {"content_type", "image/jpeg"},
            {"bytes", 1234},
            {"sha256", "ab"},
            {"state", "accepted"},
            {"generation", 1},
            {"size", {{"original", {{"width", 4000}, {"height", 3000}}}, {"thumbnail", nullptr}}},
            {"variants", json::array()},
            {"created_at", "2023-11-14T22:13:20.123Z"},
            {"updated_at", "2023-11-14T22:13:20.123Z"},
            {"position", "3:41"},
            {"links",
             {{"self", path},
              {"thumbnail", std::string(path) + "/thumbnail"},
              {"original", std::string(path) + "/original"}}}}));
}

TEST(ResourceJson, OfACompletedImage) {
  const auto image = read(completed());
  EXPECT_EQ(image["state"], "completed");
  EXPECT_EQ(image["size"]["original"], json({{"width", 3000}, {"height", 4000}}));
  EXPECT_EQ(image["size"]["thumbnail"], json({{"width", 75}, {"height", 100}}));
  EXPECT_EQ(image["variants"].size(), 1U);
  EXPECT_EQ(image["variants"][0]["sha256"], "cd");
  EXPECT_EQ(image["variants"][0]["href"],
            "/v1/images/0198c5b2-7e1a-7abc-8def-0123456789ab/thumbnails/default");
  EXPECT_EQ(image["updated_at"], "2023-11-14T22:13:21.000Z");
  EXPECT_FALSE(image.contains("error"));
}

TEST(ResourceJson, OfAFailedImage) {
  auto row = accepted();
  row.requests[0].failed =
      RequestRow::Failed{9, time_from_ms(1'700'000'002'000), "corrupt-image", "It can't be read."};
  const auto image = read(row);
  EXPECT_EQ(image["state"], "failed");
  EXPECT_EQ(image["error"], json({{"code", "corrupt-image"}, {"message", "It can't be read."}}));
}

TEST(ResourceJson, ANewRequestKeepsTheOldThumbnails) {
  auto row = completed();
  RequestRow again;
  again.id.bytes[0] = 1;
  again.asked = RequestRow::Asked{50, time_from_ms(1'700'000'003'000), "anonymous"};
  row.requests.push_back(again);
  const auto image = read(row);
  EXPECT_EQ(image["state"], "accepted");
  EXPECT_EQ(image["generation"], 2);
  EXPECT_EQ(image["position"], "3:50");
  EXPECT_EQ(image["variants"].size(), 1U);
}

TEST(ResourceJson, OfADeletedImage) {
  ImageRow row;
  row.id = some_id();
  row.deleted = ImageRow::Deletion{60, time_from_ms(1'700'000'004'000), "default", "anonymous"};
  const json left = {{"id", "0198c5b2-7e1a-7abc-8def-0123456789ab"},
                     {"state", "deleted"},
                     {"deleted_at", "2023-11-14T22:13:24.000Z"},
                     {"by", "anonymous"}};
  EXPECT_EQ(json::parse(deleted_json(row)), left);
  EXPECT_EQ(read(row), left);
}

TEST(ResourceJson, AnErasedNameIsNone) {
  auto row = accepted();
  row.personal = ImageRow::Private{5, ""};
  EXPECT_EQ(read(row)["filename"], nullptr);
}

RC_GTEST_PROP(ResourceJsonProperty, IsValidForAnyFileName, (const std::string& name)) {
  RC_PRE(!name.empty());
  auto row = accepted();
  row.personal = ImageRow::Private{5, name};
  const auto text = resource_json(row, 3);
  const auto image = json::parse(text);  // strict: throws on what is no UTF-8
  const auto lenient = json(name).dump(-1, ' ', false, json::error_handler_t::replace);
  if (lenient.find("\xEF\xBF\xBD") == std::string::npos) RC_ASSERT(image["filename"] == name);
}

RC_GTEST_PROP(JsonStringProperty, RoundTripsUtf8, ()) {
  std::string text;
  for (const auto point :
       *rc::gen::container<std::vector<std::uint32_t>>(rc::gen::element<std::uint32_t>(
           0, 9, 10, 31, 34, 92, 127, 0x80, 0x7FF, 0x800, 0xFFFF, 0x2028, 0x10000, 0x10FFFF))) {
    if (point < 0x80) {
      text.push_back(static_cast<char>(point));
    } else if (point < 0x800) {
      text.push_back(static_cast<char>(0xC0U | point >> 6U));
      text.push_back(static_cast<char>(0x80U | (point & 0x3FU)));
    } else if (point < 0x10000) {
      text.push_back(static_cast<char>(0xE0U | point >> 12U));
      text.push_back(static_cast<char>(0x80U | (point >> 6U & 0x3FU)));
      text.push_back(static_cast<char>(0x80U | (point & 0x3FU)));
    } else {
      text.push_back(static_cast<char>(0xF0U | point >> 18U));
      text.push_back(static_cast<char>(0x80U | (point >> 12U & 0x3FU)));
      text.push_back(static_cast<char>(0x80U | (point >> 6U & 0x3FU)));
      text.push_back(static_cast<char>(0x80U | (point & 0x3FU)));
    }
  }
  std::string out;
  append_json_string(out, text);
  RC_ASSERT(json::parse(out).get<std::string>() == text);
}

TEST(JsonString, ReplacesIllFormedBytes) {
  std::string out;
  append_json_string(out,
                     "a\xff\xc0\xaf"
                     "b");
  EXPECT_EQ(json::parse(out).get<std::string>(),
            "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
            "b");
}

}  // namespace
}  // namespace thumb::ingest
