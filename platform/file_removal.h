// The removal of large files beside work that needs the disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "platform/result.h"

namespace thumb {

// Asked after each slice, and before each file: false ends the removal there.
using GoOn = std::function<bool()>;

// Removes `folder` and all that is in it, and cuts each file that is longer than `slice_bytes`
// down, slice by slice, before its name goes. Who calls decides by `go_on` how long the disk rests
// in between. What is left when `go_on` ends it is removed by calling this again. A file that
// anybody has open, or that has another name, is not cut: its bytes stay for them.
//
// REQUIRES: nobody opens a file in `folder` any more (give it another name first).
// Errors: kUnavailable/"io-error" (back off).
[[nodiscard]] Result<void> remove_in_slices(const std::filesystem::path& folder,
                                            std::uint64_t slice_bytes, const GoOn& go_on);

}  // namespace thumb
