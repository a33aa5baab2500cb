#include "processor/image/magick_edge.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <new>
#include <string>

namespace thumb {
namespace {

using MagickCore::ExceptionType;

// Letters and digits only, in lower case: ImageMagick says "WidthOrHeightExceedsLimit" or "width or
// height exceeds limit", depending on whether its message file was found.
std::string squeezed(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0) out.push_back(static_cast<char>(std::tolower(byte)));
  }
  return out;
}

template <std::size_t N>
bool mentions(std::string_view squeezed_text, const std::array<std::string_view, N>& words) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    return squeezed_text.find(word) != std::string_view::npos;
  });
}

// libjpeg reports these although every pixel is there (jerror.h).
constexpr std::array<std::string_view, 5> kHarmlessJpeg = {
    "extraneousbytesbeforemarker", "invalidsosparameters", "adobecolortransform",
    "jfifextensionmarker",         "majorrevisionnumber",
};

// libpng and zlib report these as warnings when part of the picture is missing or wrong.
constexpr std::array<std::string_view, 6> kHarmfulPng = {
    "notenough", "crcerror", "incorrectdatacheck", "readexception", "truncated", "toofar",
};

bool harms(ExceptionType severity, std::string_view reason, ImageFormat format) {
  const std::string text = squeezed(reason);
  switch (format) {
    case ImageFormat::kJpeg:
      return severity == MagickCore::CorruptImageWarning && !mentions(text, kHarmlessJpeg);
    case ImageFormat::kPng:
      return mentions(text, kHarmfulPng);
    case ImageFormat::kGif:
    case ImageFormat::kWebp:
      return severity == MagickCore::CorruptImageWarning;
  }
  return true;
}

Failure corrupt(std::string_view detail) {
  return fail(ErrorKind::kCorrupt, "corrupt-image", "The image is damaged or incomplete.", detail);
}

constexpr std::array<std::string_view, 3> kTooLarge = {"exceedslimit", "exceedsuserlimit",
                                                       "sizelimit"};

Failure too_large(std::string_view detail) {
  return fail(ErrorKind::kLimit, "too-many-pixels", "The image is too large in width or height.",
              detail);
}

// A frame that lies outside of its canvas leaves nothing to work on.
constexpr std::array<std::string_view, 1> kNothingLeft = {"nopixelsdefined"};

Failure failure_for(ExceptionType severity, std::string_view reason) {
  constexpr std::array<std::string_view, 3> kMemory = {"memoryallocation", "resourcesexhausted",
                                                       "notenoughmemory"};
  const std::string text = squeezed(reason);
  if (mentions(text, kMemory)) {
    return fail(ErrorKind::kLimit, "out-of-memory", "The image needs too much memory to decode.",
                reason);
  }
  if (severity == MagickCore::MissingDelegateError || severity == MagickCore::PolicyError) {
    return fail(ErrorKind::kUnsupported, "unsupported-format",
                "The image is of a kind that is not supported.", reason);
  }
  return corrupt(reason);
}

}  // namespace

Result<void> judge_report(ExceptionType severity, std::string_view reason, ImageFormat format) {
  if (mentions(squeezed(reason), kTooLarge)) return too_large(reason);
  if (severity >= MagickCore::ErrorException) return failure_for(severity, reason);
  if (severity >= MagickCore::WarningException && harms(severity, reason, format)) {
    return corrupt(reason);
  }
  return {};
}

Result<void> judge(MagickCore::ExceptionInfo& reported, ImageFormat format) {
  using MagickCore::ExceptionInfo;
  auto* all = static_cast<MagickCore::LinkedListInfo*>(reported.exceptions);
  MagickCore::ResetLinkedListIterator(all);
  Result<void> verdict;
  while (const void* next = MagickCore::GetNextValueInLinkedList(all)) {
    const auto& one = *static_cast<const ExceptionInfo*>(next);
    auto of_one = judge_report(one.severity, one.reason == nullptr ? "" : one.reason, format);
    // A limit is the cause of the damage that is reported after it.
    if (!of_one && (verdict || of_one.error().kind == ErrorKind::kLimit)) {
      verdict = std::move(of_one);
    }
  }
  return verdict;
}

Failure failure_of(const std::exception& thrown, std::string_view step) {
  const std::string detail = std::string(step) + ": " + thrown.what();
  if (dynamic_cast<const std::bad_alloc*>(&thrown) != nullptr ||
      dynamic_cast<const Magick::ErrorResourceLimit*>(&thrown) != nullptr) {
    return fail(ErrorKind::kLimit, "out-of-memory", "The image needs too much memory to decode.",
                detail);
  }
  const std::string text = squeezed(thrown.what());
  if (mentions(text, kTooLarge)) return too_large(detail);
  if (mentions(text, kNothingLeft)) return corrupt(detail);
  return fail(ErrorKind::kInternal, "internal", "The thumbnail could not be made.", detail);
}

}  // namespace thumb
