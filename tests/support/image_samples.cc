#include "tests/support/image_samples.h"

#include <Magick++.h>
#include <lcms2.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <stdexcept>

namespace thumb::testing {
namespace {

const char* coder_of(ImageFormat format) {
  switch (format) {
    case ImageFormat::kJpeg:
      return "JPEG";
    case ImageFormat::kPng:
      return "PNG";
    case ImageFormat::kGif:
      return "GIF";
    case ImageFormat::kWebp:
      return "WEBP";
  }
  return "";
}

Magick::Image from_rgba(PixelSize size, const std::vector<unsigned char>& rgba) {
  Magick::Image image(size.width, size.height, "RGBA", Magick::CharPixel, rgba.data());
  const bool opaque = [&] {
    for (std::size_t i = 3; i < rgba.size(); i += 4) {
      if (rgba[i] != 255) return false;
    }
    return true;
  }();
  image.matte(!opaque);
  return image;
}

Magick::Image filled(PixelSize size, const Quarters& colours) {
  std::vector<unsigned char> rgba;
  rgba.reserve(std::size_t{size.width} * size.height * 4);
  for (std::uint32_t y = 0; y < size.height; ++y) {
    for (std::uint32_t x = 0; x < size.width; ++x) {
      const bool right = x * 2 >= size.width;
      const bool low = y * 2 >= size.height;
      const Rgba& c = colours[(low ? 2U : 0U) + (right ? 1U : 0U)];
      for (const int v : {c.r, c.g, c.b, c.a}) rgba.push_back(static_cast<unsigned char>(v));
    }
  }
  return from_rgba(size, rgba);
}

Magick::Image filled(PixelSize size, const Rgba& colour) {
  return filled(size, Quarters{colour, colour, colour, colour});
}

std::string written(Magick::Image image, ImageFormat format) {
  image.magick(coder_of(format));
  image.quality(95);
  if (format == ImageFormat::kWebp) image.defineValue("webp", "lossless", "true");
  Magick::Blob blob;
  image.write(&blob);
  return {static_cast<const char*>(blob.data()), blob.length()};
}

void append_u32(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(value >> static_cast<unsigned>(shift) & 0xFFU));
  }
}

// CRC-32 as PNG has it (ISO 3309).
std::uint32_t crc32(const std::string& data) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char c : data) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0U);
  }
  return ~crc;
}

std::string chunk(const std::string& type, const std::string& data) {
  std::string out;
  append_u32(out, static_cast<std::uint32_t>(data.size()));
  out += type + data;
  append_u32(out, crc32(type + data));
  return out;
}

std::string swapped_primaries_profile() {
  const cmsCIExyY white = {0.3127, 0.3290, 1.0};
  const cmsCIExyYTRIPLE primaries = {
      {0.30, 0.60, 1.0}, {0.64, 0.33, 1.0}, {0.15, 0.06, 1.0}};  // sRGB's green as red and back
  cmsToneCurve* gamma = cmsBuildGamma(nullptr, 2.2);
  cmsToneCurve* curves[3] = {gamma, gamma, gamma};
  cmsHPROFILE profile = cmsCreateRGBProfile(&white, &primaries, curves);
  cmsUInt32Number bytes = 0;
  cmsSaveProfileToMem(profile, nullptr, &bytes);
  std::string saved(bytes, '\0');
  cmsSaveProfileToMem(profile, saved.data(), &bytes);
  cmsCloseProfile(profile);
  cmsFreeToneCurve(gamma);
  return saved;
}

}  // namespace

int distance(const Rgba& a, const Rgba& b) {
  return std::max(
      {std::abs(a.r - b.r), std::abs(a.g - b.g), std::abs(a.b - b.b), std::abs(a.a - b.a)});
}

const MagickRuntime& samples_ready() {
  static const auto kRuntime = [] {
    auto started = MagickRuntime::start({});
    if (!started) throw std::runtime_error(started.error().message + started.error().detail);
    return std::move(*started);
  }();
  return *kRuntime;
}

std::string quarters(ImageFormat format, PixelSize size, const Quarters& colours) {
  return written(filled(size, colours), format);
}

std::string noise(ImageFormat format, PixelSize size, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<unsigned char> rgba;
  for (std::uint32_t i = 0; i < size.width * size.height; ++i) {
    for (int channel = 0; channel < 3; ++channel) {
      rgba.push_back(static_cast<unsigned char>(random() & 0xFFU));
    }
    rgba.push_back(255);
  }
  return written(from_rgba(size, rgba), format);
}

std::string progressive_jpeg(PixelSize size) {
  Magick::Image image = filled(size, kFourColours);
  image.interlaceType(Magick::PlaneInterlace);
  return written(image, ImageFormat::kJpeg);
}

std::string cmyk_jpeg(PixelSize size) {
  Magick::Image image = filled(size, kFourColours);
  image.colorSpace(Magick::CMYKColorspace);
  return written(image, ImageFormat::kJpeg);
}

std::string gray_jpeg(PixelSize size) {
  Magick::Image image = filled(size, Rgba{90, 90, 90});
  image.type(Magick::GrayscaleType);
  return written(image, ImageFormat::kJpeg);
}

std::string png_16_bit(PixelSize size) {
  Magick::Image image = filled(size, kFourColours);
  image.depth(16);
  image.defineValue("png", "bit-depth", "16");
  image.defineValue("png", "color-type", "2");
  return written(image, ImageFormat::kPng);
}

std::string animated(ImageFormat format, PixelSize canvas, const Rgba& first, const Rgba& second) {
  std::vector<Magick::Image> frames = {filled(canvas, first), filled(canvas, second)};
  for (auto& frame : frames) {
    frame.magick(coder_of(format));
    frame.animationDelay(10);
    if (format == ImageFormat::kWebp) frame.defineValue("webp", "lossless", "true");
  }
  Magick::Blob blob;
  Magick::writeImages(frames.begin(), frames.end(), &blob, true);
  return {static_cast<const char*>(blob.data()), blob.length()};
}

std::string gif_with_offset(PixelSize canvas, PixelSize frame, int x, int y, const Rgba& colour) {
  Magick::Image image = filled(frame, colour);
  image.page(Magick::Geometry(canvas.width, canvas.height, x, y));
  return written(image, ImageFormat::kGif);
}

std::string jpeg_with_swapped_primaries(PixelSize size, const Rgba& stored) {
  Magick::Image image = filled(size, stored);
  const std::string profile = swapped_primaries_profile();
  image.profile("ICC", Magick::Blob(profile.data(), profile.size()));
  return written(image, ImageFormat::kJpeg);
}

std::string exif_tiff(int orientation) {
  std::string tiff("MM\0\x2A\0\0\0\x08\0\x01", 10);      // big-endian, one entry
  tiff += std::string("\x01\x12\0\x03\0\0\0\x01\0", 9);  // tag 0x0112, SHORT, one value
  tiff.push_back(static_cast<char>(orientation));
  return tiff + std::string(6, '\0');
}

std::string jpeg_with_orientation(const std::string& jpeg, int orientation) {
  const std::string body = std::string("Exif\0\0", 6) + exif_tiff(orientation);
  const auto length = static_cast<std::uint32_t>(body.size() + 2);
  std::string app1 = "\xFF\xE1";
  app1.push_back(static_cast<char>(length >> 8U));
  app1.push_back(static_cast<char>(length & 0xFFU));
  return jpeg.substr(0, 2) + app1 + body + jpeg.substr(2);
}

std::string webp_with_orientation(const std::string& webp, PixelSize size, int orientation) {
  const auto little = [](std::size_t value, std::size_t bytes) {
    std::string out;
    for (std::size_t i = 0; i < bytes; ++i)
      out.push_back(static_cast<char>(value >> 8 * i & 0xFFU));
    return out;
  };
  const std::string picture = webp.substr(12);
  const std::string tiff = exif_tiff(orientation);
  const std::string extended = "VP8X" + little(10, 4) + little(0x08, 4) +
                               little(size.width - 1, 3) + little(size.height - 1, 3);
  const std::string body = "WEBP" + extended + picture + "EXIF" + little(tiff.size(), 4) + tiff;
  return "RIFF" + little(body.size(), 4) + body;
}

std::string png_with_chunk(const std::string& png, const std::string& type,
                           const std::string& data) {
  constexpr std::size_t kAfterHeader = 8 + 12 + 13;
  return png.substr(0, kAfterHeader) + chunk(type, data) + png.substr(kAfterHeader);
}

std::string png_claiming(PixelSize size) {
  std::string header;
  append_u32(header, size.width);
  append_u32(header, size.height);
  header += std::string("\x08\x02\0\0\0", 5);  // 8 bits, RGB
  const std::string empty_deflate("\x78\x9C\x03\0\0\0\0\x01", 8);
  return std::string("\x89PNG\r\n\x1A\n") + chunk("IHDR", header) + chunk("IDAT", empty_deflate) +
         chunk("IEND", "");
}

Pixels Pixels::of(const std::string& bytes) {
  Magick::Image image(Magick::Blob(bytes.data(), bytes.size()));
  Pixels pixels;
  pixels.magick_ = image.magick();
  pixels.size_ = {static_cast<std::uint32_t>(image.columns()),
                  static_cast<std::uint32_t>(image.rows())};
  std::vector<unsigned char> rgba(image.columns() * image.rows() * 4);
  image.write(0, 0, image.columns(), image.rows(), "RGBA", Magick::CharPixel, rgba.data());
  for (std::size_t i = 0; i + 3 < rgba.size(); i += 4) {
    pixels.pixels_.push_back({rgba[i], rgba[i + 1], rgba[i + 2], rgba[i + 3]});
  }
  return pixels;
}

Rgba Pixels::quarter(int index) const {
  const std::uint32_t x = size_.width * (index % 2 == 0 ? 1 : 3) / 4;
  const std::uint32_t y = size_.height * (index < 2 ? 1 : 3) / 4;
  return at(std::min(x, size_.width - 1), std::min(y, size_.height - 1));
}

double Pixels::mean_difference(const Pixels& other) const {
  double sum = 0;
  for (std::size_t i = 0; i < pixels_.size(); ++i) {
    const Rgba& a = pixels_[i];
    const Rgba& b = other.pixels_.at(i);
    sum += std::abs(a.r - b.r) + std::abs(a.g - b.g) + std::abs(a.b - b.b);
  }
  return sum / (3.0 * static_cast<double>(std::max<std::size_t>(1, pixels_.size())));
}

}  // namespace thumb::testing
