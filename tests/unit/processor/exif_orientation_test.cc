#include "processor/image/exif_orientation.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/support/image_samples.h"

namespace thumb {
namespace {

using namespace testing;

// A JPEG's first segments, of which no decoder would make a picture.
std::string bare_jpeg() { return std::string("\xFF\xD8\xFF\xDA\x00\x02", 6); }

int of_jpeg(const std::string& jpeg) {
  return exif_orientation(as_bytes(jpeg), ImageFormat::kJpeg);
}

TEST(ExifOrientation, IsReadFromJpeg) {
  for (int orientation = 1; orientation <= 8; ++orientation) {
    EXPECT_EQ(of_jpeg(jpeg_with_orientation(bare_jpeg(), orientation)), orientation);
  }
}

TEST(ExifOrientation, LittleEndianBlocksAreReadToo) {
  const std::string tiff = std::string("II\x2A\0\x08\0\0\0\x01\0", 10) +
                           std::string("\x12\x01\x03\0\x01\0\0\0\x06\0\0\0", 12) +
                           std::string(4, '\0');
  const std::string png = png_with_chunk(png_claiming({2, 2}), "eXIf", tiff);
  EXPECT_EQ(exif_orientation(as_bytes(png), ImageFormat::kPng), 6);
}

TEST(ExifOrientation, WithoutOneAnImageIsUpright) {
  EXPECT_EQ(of_jpeg(bare_jpeg()), 1);
  EXPECT_EQ(of_jpeg(""), 1);
  EXPECT_EQ(exif_orientation(as_bytes(png_claiming({2, 2})), ImageFormat::kPng), 1);
  EXPECT_EQ(exif_orientation(as_bytes("GIF89a"), ImageFormat::kGif), 1);
}

TEST(ExifOrientation, NonsenseIsUpright) {
  for (const int orientation : {0, 9, 255}) {
    EXPECT_EQ(of_jpeg(jpeg_with_orientation(bare_jpeg(), orientation)), 1);
  }
}

TEST(ExifOrientation, ABlockBehindTheFirstScanDoesNotCount) {
  const std::string scan_first = bare_jpeg() + jpeg_with_orientation(bare_jpeg(), 6).substr(2);
  EXPECT_EQ(of_jpeg(scan_first), 1);
}

RC_GTEST_PROP(ExifOrientation, AnyBytesAreSurvived, (const std::string& junk)) {
  const std::string exif = jpeg_with_orientation(bare_jpeg(), 6);
  const auto cut = *rc::gen::inRange<std::size_t>(0, exif.size());
  const std::string files[] = {junk, "\xFF\xD8" + junk, exif.substr(0, cut) + junk,
                               std::string(12, 'x') + "EXIF" + junk};
  for (const auto format : {ImageFormat::kJpeg, ImageFormat::kPng, ImageFormat::kWebp}) {
    for (const auto& file : files) {
      const int orientation = exif_orientation(as_bytes(file), format);
      RC_ASSERT(orientation >= 1 && orientation <= 8);
    }
  }
}

}  // namespace
}  // namespace thumb
