#include "processor/image/image_source.h"

#include <algorithm>
#include <memory>
#include <string>

#include "processor/image/exif_orientation.h"
#include "processor/image/fit.h"
#include "processor/image/jpeg/jpeg_eighth.h"
#include "processor/image/magick_edge.h"

namespace thumb {
namespace {

struct ImageInfoDeleter {
  void operator()(MagickCore::ImageInfo* info) const { MagickCore::DestroyImageInfo(info); }
};
using ImageInfoPtr = std::unique_ptr<MagickCore::ImageInfo, ImageInfoDeleter>;

struct ImageListDeleter {
  void operator()(MagickCore::Image* images) const { MagickCore::DestroyImageList(images); }
};
using ImageListPtr = std::unique_ptr<MagickCore::Image, ImageListDeleter>;

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

// The coder is named by us: ImageMagick must not choose one by content or by a prefix in a name.
ImageInfoPtr new_info(ImageFormat format, DecodeTimer& timer) {
  ImageInfoPtr info(MagickCore::AcquireImageInfo());
  MagickCore::CopyMagickString(info->magick, coder_of(format), MaxTextExtent);
  info->scene = 0;
  info->number_scenes = 1;  // the first frame of an animation
  timer.attach(*info);
  return info;
}

Failure expired() {
  return fail(ErrorKind::kLimit, "decode-timeout", "The image took too long to decode.");
}

// ImageMagick may hand out an image together with an error: what counts is what was reported.
Result<ImageListPtr> checked(MagickCore::Image* images, MagickCore::ExceptionInfo& reported,
                             ImageFormat format, const DecodeTimer& timer) {
  ImageListPtr owned(images);
  if (timer.expired()) return expired();
  if (auto verdict = judge(reported, format); !verdict) return Failure(verdict.error());
  // Some coders leave their warnings with the image only.
  if (owned != nullptr) {
    if (auto verdict = judge(owned->exception, format); !verdict) return Failure(verdict.error());
  }
  if (owned != nullptr && owned->columns > 0 && owned->rows > 0) return owned;
  return fail(ErrorKind::kCorrupt, "corrupt-image", "The image is damaged or incomplete.",
              "no picture and no error from the decoder");
}

PixelSize frame_size(const MagickCore::Image& image) {
  return {static_cast<std::uint32_t>(image.columns), static_cast<std::uint32_t>(image.rows)};
}

bool has_canvas(ImageFormat format) {
  return format == ImageFormat::kGif || format == ImageFormat::kWebp;
}

PixelSize canvas_size(const MagickCore::Image& image, ImageFormat format) {
  const bool has_page = has_canvas(format) && image.page.width > 0 && image.page.height > 0;
  if (!has_page) return frame_size(image);
  return {static_cast<std::uint32_t>(image.page.width),
          static_cast<std::uint32_t>(image.page.height)};
}

// Puts a frame that is not its whole canvas where it belongs; the rest is transparent.
void put_on_canvas(Magick::Image& frame, PixelSize canvas) {
  const Magick::Geometry page = frame.page();
  const bool covers = frame.columns() == canvas.width && frame.rows() == canvas.height &&
                      page.xOff() == 0 && page.yOff() == 0;
  if (covers) return;
  using MagickCore::Quantum;  // named by the macro TransparentOpacity
  frame.page(Magick::Geometry(0, 0));
  frame.matte(true);
  frame.backgroundColor(Magick::Color(0, 0, 0, TransparentOpacity));
  frame.extent(Magick::Geometry(canvas.width, canvas.height, -page.xOff(), -page.yOff()));
}

// libjpeg scales by eighths of the size while it decodes.
std::uint64_t jpeg_scale_eighths(PixelSize size, PixelSize at_least) {
  const std::uint64_t divisor = std::max(1U, std::min(size.width / std::max(1U, at_least.width),
                                                      size.height / std::max(1U, at_least.height)));
  return std::max<std::uint64_t>(1, (8 + divisor - 1) / divisor);
}

Magick::Quantum quantum(std::uint8_t level) {
  static_assert(sizeof(Magick::Quantum) == 2);
  return static_cast<Magick::Quantum>(level * 0x101);
}

// As ImageMagick's own reader would have made it.
Magick::Image image_of(const RgbPicture& picture, const std::string& icc_profile) {
  MagickCore::Image* pixels = MagickCore::AcquireImage(nullptr);
  Magick::Image image(pixels);  // Magick++ makes new ones by a coder that is not permitted here
  MagickCore::SetImageExtent(pixels, picture.size.width, picture.size.height);
  image.quiet(true);
  Magick::PixelPacket* to = image.setPixels(0, 0, picture.size.width, picture.size.height);
  if (to == nullptr) throw std::bad_alloc();
  for (auto from = picture.rgb.begin(); from != picture.rgb.end(); from += 3, ++to) {
    to->red = quantum(from[0]);
    to->green = quantum(from[1]);
    to->blue = quantum(from[2]);
    to->opacity = 0;  // opaque
  }
  image.syncPixels();
  if (!icc_profile.empty()) {
    image.profile("ICC", Magick::Blob(icc_profile.data(), icc_profile.size()));
  }
  return image;
}

// Only where that is small enough, and the file is without a fault.
std::optional<Magick::Image> read_eighth(ByteView bytes, const ImageHead& head,
                                         PixelSize at_least) {
  if (!head.plain_jpeg || jpeg_scale_eighths(head.size, at_least) != 1) return std::nullopt;
  const auto picture = jpeg_eighth(bytes, *head.plain_jpeg);
  if (!picture) return std::nullopt;
  return image_of(*picture, head.plain_jpeg->icc_profile);
}

}  // namespace

void DecodeTimer::attach(MagickCore::ImageInfo& info) {
  MagickCore::SetImageInfoProgressMonitor(&info, &DecodeTimer::on_progress, this);
}

MagickCore::MagickBooleanType DecodeTimer::on_progress(const char* /*what*/,
                                                       MagickCore::MagickOffsetType /*at*/,
                                                       MagickCore::MagickSizeType /*of*/,
                                                       void* self) {
  auto& timer = *static_cast<DecodeTimer*>(self);
  if (std::chrono::steady_clock::now() >= timer.deadline_) timer.expired_ = true;
  return timer.expired_ ? MagickCore::MagickFalse : MagickCore::MagickTrue;
}

Result<ImageHead> read_head(ByteView bytes, ImageFormat format, DecodeTimer& timer) {
  if (format == ImageFormat::kJpeg) {
    if (auto plain = plain_jpeg_head(bytes)) {
      const PixelSize size = plain->size;
      return ImageHead{format, size, exif_orientation(bytes, format), false, std::move(plain)};
    }
  }
  const ImageInfoPtr info = new_info(format, timer);
  const ExceptionInfoPtr reported = new_exception_info();
  MagickCore::Image* image =
      MagickCore::PingBlob(info.get(), bytes.data(), bytes.size(), reported.get());
  return checked(image, *reported, format, timer).map([&](const ImageListPtr& head) {
    const bool progressive =
        format == ImageFormat::kJpeg && head->interlace != MagickCore::NoInterlace;
    return ImageHead{format, canvas_size(*head, format), exif_orientation(bytes, format),
                     progressive};
  });
}

Result<Magick::Image> read_picture(ByteView bytes, const ImageHead& head, PixelSize at_least,
                                   DecodeTimer& timer) {
  if (auto image = read_eighth(bytes, head, at_least)) return *image;
  const ImageInfoPtr info = new_info(head.format, timer);
  if (head.format == ImageFormat::kJpeg) {
    const std::string hint = std::to_string(at_least.width) + "x" + std::to_string(at_least.height);
    MagickCore::SetImageOption(info.get(), "jpeg:size", hint.c_str());
  }
  const ExceptionInfoPtr reported = new_exception_info();
  MagickCore::Image* images =
      MagickCore::BlobToImage(info.get(), bytes.data(), bytes.size(), reported.get());
  auto decoded = checked(images, *reported, head.format, timer);
  if (!decoded) return Failure(decoded.error());
  images = decoded->release();
  MagickCore::Image* first = MagickCore::RemoveFirstImageFromList(&images);
  const ImageListPtr other_frames(images);
  MagickCore::SetImageProgressMonitor(first, nullptr, nullptr);  // the timer's life ends before
  MagickCore::ClearMagickException(&first->exception);           // judged above
  Magick::Image image(first);
  image.quiet(true);
  if (has_canvas(head.format)) put_on_canvas(image, head.size);
  return image;
}

DecodingBytes decoding_bytes(const ImageHead& head, PixelSize at_least) {
  constexpr std::uint64_t kHeldBytes = 12;        // a pixel: 8 ImageMagick's, 4 codec and resize
  constexpr std::uint64_t kAskedBytes = 18;       // a palette's pixels are allocated twice
  constexpr std::uint64_t kCoefficientBytes = 6;  // a progressive JPEG is kept whole until its end
  const std::uint64_t full = pixels_of(head.size);
  std::uint64_t decoded = full;
  if (head.format == ImageFormat::kJpeg) {
    const std::uint64_t eighths = jpeg_scale_eighths(head.size, at_least);
    decoded = full * eighths * eighths / 64;
  }
  if (has_canvas(head.format)) decoded *= 2;  // a frame and its canvas
  const std::uint64_t coefficients = head.progressive ? full * kCoefficientBytes : 0;
  return {decoded * kHeldBytes + coefficients, decoded * kAskedBytes + coefficients};
}

}  // namespace thumb
