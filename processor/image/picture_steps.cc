#include "processor/image/picture_steps.h"

#include <new>
#include <span>

#include "processor/image/lanczos.h"
#include "processor/image/magick_edge.h"

namespace thumb {
namespace {

constexpr std::size_t kJpegQuality = 82;

bool is_opaque(const Magick::Image& image) {
  if (!image.matte()) return true;
  const ExceptionInfoPtr ignored = new_exception_info();
  return MagickCore::IsOpaqueImage(image.constImage(), ignored.get()) != MagickCore::MagickFalse;
}

// True if the picture now is in sRGB. A profile that can't be used (damaged, of another colour
// model) is no reason to fail: viewers ignore it as well.
bool convert_by_profile(Magick::Image& image, ByteView srgb_profile) {
  if (image.iccColorProfile().length() == 0) return false;
  try {
    image.quiet(false);  // lcms reports a useless profile as a warning
    image.profile("ICC", Magick::Blob(srgb_profile.data(), srgb_profile.size()));
    image.quiet(true);
    return true;
  } catch (const Magick::Exception&) {
    image.quiet(true);
    return false;
  }
}

// May each channel be shrunk by itself, and is there nothing besides the four of them?
bool has_plain_channels(const Magick::Image& image) {
  const auto space = image.colorSpace();
  return !image.matte() && image.classType() == Magick::DirectClass &&
         (space == Magick::sRGBColorspace || space == Magick::RGBColorspace);
}

// Everything but the pixels is the source's.
Magick::Image shrunk(const Magick::Image& source, PixelSize size) {
  static_assert(sizeof(Magick::PixelPacket) == kChannels * sizeof(std::uint16_t));
  const Magick::PixelPacket* from = source.getConstPixels(0, 0, source.columns(), source.rows());
  // A damaged file may give a picture without pixels: ImageMagick's own resize says so.
  if (from == nullptr) return source;
  const ExceptionInfoPtr reported = new_exception_info();
  MagickCore::Image* clone = MagickCore::CloneImage(source.constImage(), size.width, size.height,
                                                    MagickCore::MagickTrue, reported.get());
  if (clone == nullptr) throw std::bad_alloc();
  Magick::Image result(clone);
  result.quiet(true);
  const auto values = [](const Magick::Image& image) {
    return kChannels * image.columns() * image.rows();
  };
  Magick::PixelPacket* to = result.setPixels(0, 0, size.width, size.height);
  if (to == nullptr) throw std::bad_alloc();
  lanczos_shrink(
      {reinterpret_cast<const std::uint16_t*>(from), values(source)},
      {static_cast<std::uint32_t>(source.columns()), static_cast<std::uint32_t>(source.rows())},
      {reinterpret_cast<std::uint16_t*>(to), values(result)}, size);
  result.syncPixels();
  return result;
}

}  // namespace

Magick::Image resized(const Magick::Image& source, PixelSize size) {
  const bool shrinks = size.width <= source.columns() && size.height <= source.rows() &&
                       (size.width < source.columns() || size.height < source.rows());
  Magick::Image image = shrinks && has_plain_channels(source) ? shrunk(source, size) : source;
  Magick::Geometry geometry(size.width, size.height);
  geometry.aspect(true);  // exactly this size: the aspect was worked out before
  image.filterType(Magick::LanczosFilter);
  if (image.columns() != size.width || image.rows() != size.height) image.resize(geometry);
  image.page(Magick::Geometry(0, 0));
  return image;
}

void apply_orientation(Magick::Image& image, int exif_orientation) {
  image.orientation(static_cast<Magick::OrientationType>(exif_orientation));
  image.autoOrient();
}

void convert_to_srgb(Magick::Image& image, ByteView srgb_profile) {
  if (convert_by_profile(image, srgb_profile)) return;
  const auto space = image.colorSpace();
  if (space != Magick::sRGBColorspace && space != Magick::GRAYColorspace) {
    image.colorSpace(Magick::sRGBColorspace);
  }
}

ImageFormat output_format(const Magick::Image& image, ImageFormat source_format) {
  switch (source_format) {
    case ImageFormat::kJpeg:
      return ImageFormat::kJpeg;
    case ImageFormat::kPng:
    case ImageFormat::kGif:
      return ImageFormat::kPng;
    case ImageFormat::kWebp:
      return is_opaque(image) ? ImageFormat::kJpeg : ImageFormat::kPng;
  }
  return ImageFormat::kPng;
}

std::string encoded(Magick::Image& image, ImageFormat format) {
  image.strip();
  image.depth(8);
  if (format == ImageFormat::kJpeg) {
    image.matte(false);
    image.magick("JPEG");
    image.quality(kJpegQuality);
    image.interlaceType(Magick::NoInterlace);
  } else {
    image.magick("PNG");
    image.interlaceType(Magick::NoInterlace);
  }
  Magick::Blob blob;
  image.write(&blob);
  return {static_cast<const char*>(blob.data()), blob.length()};
}

}  // namespace thumb
