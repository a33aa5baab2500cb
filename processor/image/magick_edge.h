// Where ImageMagick's troubles become Errors of ours: its exceptions, and the warnings that it
// leaves beside an image. Only the files of this folder include this.
#pragma once

#include <Magick++.h>

#include <exception>
#include <memory>

#include "platform/result.h"
#include "schemas/image_format.h"

namespace thumb {

struct ExceptionInfoDeleter {
  void operator()(MagickCore::ExceptionInfo* e) const { MagickCore::DestroyExceptionInfo(e); }
};
using ExceptionInfoPtr = std::unique_ptr<MagickCore::ExceptionInfo, ExceptionInfoDeleter>;

[[nodiscard]] inline ExceptionInfoPtr new_exception_info() {
  return ExceptionInfoPtr(MagickCore::AcquireExceptionInfo());
}

// What counts of all that was reported while an image of `format` was read. Success if nothing was,
// or only what does not touch the picture (unknown chunks, odd metadata).
[[nodiscard]] Result<void> judge(MagickCore::ExceptionInfo& reported, ImageFormat format);

// One report. `reason` is ImageMagick's or the codec library's own text.
[[nodiscard]] Result<void> judge_report(MagickCore::ExceptionType severity, std::string_view reason,
                                        ImageFormat format);

// What an exception of Magick++ (or std::bad_alloc) out of `step` means.
[[nodiscard]] Failure failure_of(const std::exception& thrown, std::string_view step);

// Runs `step` and lets nothing thrown pass.
template <typename Step>
[[nodiscard]] auto guarded(std::string_view name, Step&& step) -> decltype(step()) {
  try {
    return step();
  } catch (const std::exception& thrown) {
    return failure_of(thrown, name);
  }
}

}  // namespace thumb
