#include "schemas/image_format.h"

#include <gtest/gtest.h>

namespace thumb {
namespace {

using namespace std::string_view_literals;

TEST(ImageFormat, IsToldByMagicBytes) {
  EXPECT_EQ(sniff_image_format(as_bytes("\xff\xd8\xff\xe0 and so on"sv)), ImageFormat::kJpeg);
  EXPECT_EQ(sniff_image_format(as_bytes("\x89PNG\r\n\x1a\n...."sv)), ImageFormat::kPng);
  EXPECT_EQ(sniff_image_format(as_bytes("GIF89a"sv)), ImageFormat::kGif);
  EXPECT_EQ(sniff_image_format(as_bytes("GIF87a"sv)), ImageFormat::kGif);
  EXPECT_EQ(sniff_image_format(as_bytes("RIFF\0\0\0\0WEBPVP8 "sv)), ImageFormat::kWebp);
}

TEST(ImageFormat, NothingElseIsTaken) {
  for (const auto text : {""sv, "\xff"sv, "\xff\xd8"sv, "GIF88a"sv, "RIFF\0\0\0\0WAVE"sv,
                          "RIFF\0\0\0\0WEB"sv, "<svg/>"sv, "BM"sv, "hello world, I am text"sv}) {
    EXPECT_FALSE(sniff_image_format(as_bytes(text))) << text;
  }
}

TEST(ImageFormat, NamesAndTypesBelongTogether) {
  for (const auto format :
       {ImageFormat::kJpeg, ImageFormat::kPng, ImageFormat::kGif, ImageFormat::kWebp}) {
    EXPECT_EQ(image_format_of(content_type_of(format)), format);
    EXPECT_FALSE(extension_of(format).empty());
  }
  EXPECT_FALSE(image_format_of("image/svg+xml"));
}

}  // namespace
}  // namespace thumb
