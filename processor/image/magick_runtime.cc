#include "processor/image/magick_runtime.h"

#include <Magick++.h>
#include <lcms2.h>
#include <malloc.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "platform/file_io.h"

namespace thumb {
namespace {

constexpr std::array kCoders = {"JPEG", "PNG", "GIF", "WEBP"};

// A policy.xml of our own for the time of start: code can only narrow what a policy allows, and the
// distribution's allows too little memory for large PNGs and far too many coders.
class PolicyFolder {
 public:
  static Result<PolicyFolder> write(const MagickOptions& options) {
    std::error_code error;
    const auto temporary = std::filesystem::temp_directory_path(error);
    if (error) return io_failure("folder for temporary files (TMPDIR)", error.value());
    std::string path = (temporary / "thumb-policy-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) return io_failure("policy folder", errno);
    PolicyFolder folder(path);
    return replace_file(folder.path_ / "policy.xml", policy(options)).map([&] {
      return std::move(folder);
    });
  }
  PolicyFolder(PolicyFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  PolicyFolder& operator=(PolicyFolder&&) = delete;
  ~PolicyFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  explicit PolicyFolder(std::filesystem::path path) : path_(std::move(path)) {}

  static std::string policy(const MagickOptions& options) {
    const auto resource = [](const char* name, std::uint64_t value) {
      return std::string("  <policy domain=\"resource\" name=\"") + name + "\" value=\"" +
             std::to_string(value) + "\"/>\n";
    };
    return "<policymap>\n" + resource("memory", options.memory_bytes) + resource("map", 0) +
           resource("disk", 0) + resource("thread", 1) + resource("width", options.max_side) +
           resource("height", options.max_side) +
           "  <policy domain=\"coder\" rights=\"none\" pattern=\"*\"/>\n"
           "  <policy domain=\"coder\" rights=\"read|write\" pattern=\"{JPEG,PNG,GIF,WEBP}\"/>\n"
           "  <policy domain=\"delegate\" rights=\"none\" pattern=\"*\"/>\n"
           "  <policy domain=\"filter\" rights=\"none\" pattern=\"*\"/>\n"
           "  <policy domain=\"path\" rights=\"none\" pattern=\"@*\"/>\n"
           "</policymap>\n";
  }

  std::filesystem::path path_;
};

void set_limits(const MagickOptions& options) {
  using namespace MagickCore;
  SetMagickResourceLimit(ThreadResource, 1);  // else each resize starts a team of OpenMP threads
  SetMagickResourceLimit(MemoryResource, options.memory_bytes);
  SetMagickResourceLimit(MapResource, 0);
  SetMagickResourceLimit(DiskResource, 0);
  SetMagickResourceLimit(AreaResource, options.memory_bytes);
  SetMagickResourceLimit(WidthResource, options.max_side);
  SetMagickResourceLimit(HeightResource, options.max_side);
  // No TimeResource: ImageMagick 6 counts it from the first image of the process and then ends the
  // process; each image has its own deadline by way of the progress monitor (image_source.cc).
}

// Each image takes and frees a few megabytes. By default the heap's end goes back to the kernel
// each time, and comes again page by page: a tenth of a thumbnail's time.
void keep_freed_memory() {
  constexpr int kKeptBytes = 16 << 20;
  constexpr int kStepBytes = 1 << 20;
  mallopt(M_TRIM_THRESHOLD, kKeptBytes);
  mallopt(M_TOP_PAD, kStepBytes);
}

// Debian's coders are modules, opened at first use: open them now, while the policy file exists.
Result<void> load_coders() {
  MagickCore::ExceptionInfo* exception = MagickCore::AcquireExceptionInfo();
  std::string missing;
  for (const char* coder : kCoders) {
    const MagickCore::MagickInfo* info = MagickCore::GetMagickInfo(coder, exception);
    if (info == nullptr || info->decoder == nullptr) missing += std::string(" ") + coder;
  }
  MagickCore::DestroyExceptionInfo(exception);
  if (missing.empty()) return {};
  return fail(ErrorKind::kInternal, "image-engine", "ImageMagick lacks coders:" + missing);
}

// Asking for rights makes ImageMagick read the policy; it keeps what it read.
Result<void> check_policy() {
  using namespace MagickCore;
  const bool ours =
      IsRightsAuthorized(CoderPolicyDomain, ReadPolicyRights, "JPEG") != MagickFalse &&
      IsRightsAuthorized(CoderPolicyDomain, ReadPolicyRights, "MVG") == MagickFalse;
  if (ours) return {};
  return fail(ErrorKind::kInternal, "image-engine", "ImageMagick does not follow our policy");
}

Result<std::string> make_srgb_profile() {
  const auto failure = fail(ErrorKind::kInternal, "image-engine", "no sRGB profile could be made");
  cmsHPROFILE profile = cmsCreate_sRGBProfile();
  if (profile == nullptr) return failure;
  cmsUInt32Number bytes = 0;
  std::string saved;
  if (cmsSaveProfileToMem(profile, nullptr, &bytes) != 0) {
    saved.resize(bytes);
    if (cmsSaveProfileToMem(profile, saved.data(), &bytes) == 0) saved.clear();
  }
  cmsCloseProfile(profile);
  if (saved.empty()) return failure;
  return saved;
}

}  // namespace

Result<std::unique_ptr<MagickRuntime>> MagickRuntime::start(const MagickOptions& options) {
  const auto folder = PolicyFolder::write(options);
  if (!folder) return Failure(folder.error());
  setenv("MAGICK_CONFIGURE_PATH", folder->path().c_str(), 1);
  setenv("MAGICK_THREAD_LIMIT", "1", 1);
  setenv("OMP_NUM_THREADS", "1", 1);
  keep_freed_memory();
  Magick::InitializeMagick(nullptr);
  set_limits(options);
  if (auto ready = load_coders().and_then(check_policy); !ready) return Failure(ready.error());
  return make_srgb_profile().map([&](std::string profile) {
    return std::unique_ptr<MagickRuntime>(new MagickRuntime(options, std::move(profile)));
  });
}

}  // namespace thumb
