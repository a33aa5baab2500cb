#include "processor/image/magick_thumbnail_maker.h"

#include <algorithm>
#include <optional>
#include <string>

#include "platform/digest.h"
#include "processor/image/claimed_size.h"
#include "processor/image/fit.h"
#include "processor/image/image_source.h"
#include "processor/image/magick_edge.h"
#include "processor/image/picture_steps.h"
#include "processor/image/png_chunks.h"

namespace thumb {
namespace {

struct Plan {
  ImageHead head;
  PixelSize full;                  // orientation applied
  std::vector<PixelSize> targets;  // orientation applied, one a variant
  PixelSize decode_at_least;       // orientation not applied
};

Plan plan_for(const ImageHead& head, std::span<const VariantSpec> variants) {
  Plan plan{head, oriented(head.size, head.orientation), {}, {1, 1}};
  for (const auto& variant : variants) {
    const PixelSize target = fit_inside(plan.full, {variant.width, variant.height});
    const PixelSize least = decode_size_for(plan.full, target);
    plan.targets.push_back(target);
    plan.decode_at_least.width = std::max(plan.decode_at_least.width, least.width);
    plan.decode_at_least.height = std::max(plan.decode_at_least.height, least.height);
  }
  plan.decode_at_least = oriented(plan.decode_at_least, head.orientation);
  return plan;
}

Result<ImageHead> within(const ImageHead& head, const MakeLimits& limits) {
  if (pixels_of(head.size) <= limits.max_pixels) return head;
  return fail(ErrorKind::kLimit, "too-many-pixels",
              "The image has more than " + std::to_string(limits.max_pixels) + " pixels.",
              std::to_string(head.size.width) + "x" + std::to_string(head.size.height));
}

MadeThumbnail make_one(const Magick::Image& picture, const ImageHead& head, const std::string& name,
                       PixelSize target, ByteView srgb_profile) {
  Magick::Image image = resized(picture, oriented(target, head.orientation));
  apply_orientation(image, head.orientation);
  convert_to_srgb(image, srgb_profile);
  MadeThumbnail made;
  made.name = name;
  made.format = output_format(image, head.format);
  made.size = target;
  made.bytes = encoded(image, made.format);
  made.sha256 = sha256_hex(as_bytes(made.bytes));
  return made;
}

// Some coders don't say that they got no memory for pixels (png.c), so what they say of an image
// that may need more than there is counts as that.
Failure damaged_or_too_large(const Error& error, const DecodingBytes& needed,
                             std::uint64_t memory) {
  if (error.kind != ErrorKind::kCorrupt || needed.asked <= memory) return Failure(error);
  return fail(ErrorKind::kLimit, "out-of-memory", "The image needs too much memory to decode.",
              error.detail);
}

}  // namespace

Result<MadeThumbnails> MagickThumbnailMaker::make(ByteView original,
                                                  std::span<const VariantSpec> variants,
                                                  const MakeLimits& limits) {
  return guarded("make thumbnails", [&] { return make_unguarded(original, variants, limits); });
}

Result<MadeThumbnails> MagickThumbnailMaker::make_unguarded(ByteView original,
                                                            std::span<const VariantSpec> variants,
                                                            const MakeLimits& limits) {
  const auto format = sniff_image_format(original);
  if (!format) {
    return fail(ErrorKind::kUnsupported, "unsupported-format",
                "The image is neither JPEG nor PNG, GIF or WebP.");
  }
  if (const auto claimed = claimed_size(original, *format)) {
    if (const auto fit = within({*format, *claimed}, limits); !fit) return Failure(fit.error());
  }
  std::optional<std::string> without_texts;
  if (*format == ImageFormat::kPng) without_texts = png_without_texts(original);
  const ByteView bytes = without_texts ? as_bytes(*without_texts) : original;

  DecodeTimer timer(limits.max_time);
  const auto head = read_head(bytes, *format, timer).and_then([&](const ImageHead& read) {
    return within(read, limits);
  });
  if (!head) return Failure(head.error());
  const Plan plan = plan_for(*head, variants);

  const DecodingBytes needed = decoding_bytes(*head, plan.decode_at_least);
  if (!reserve_(needed.held)) {
    return fail_transient(ErrorKind::kUnavailable, "decoder-busy",
                          "There is no memory free to decode at the moment.");
  }
  DecodeTimer pixel_timer(limits.max_time);  // anew: waiting for memory is not the image's fault
  const auto picture = read_picture(bytes, *head, plan.decode_at_least, pixel_timer);
  if (!picture) return damaged_or_too_large(picture.error(), needed, runtime_.memory_bytes());
  MadeThumbnails made{plan.full, {}};
  for (std::size_t i = 0; i < variants.size(); ++i) {
    made.thumbnails.push_back(
        make_one(*picture, plan.head, variants[i].name, plan.targets[i], runtime_.srgb_profile()));
  }
  return made;
}

}  // namespace thumb
