#include "processor/image/picture_steps.h"

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

}  // namespace

Magick::Image resized(const Magick::Image& source, PixelSize size) {
  Magick::Image image = source;
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
