// Pointer files are replaced atomically; what they say is checked before it is used as a path.
#include "state_projector/view_folder.h"

#include <array>
#include <limits>
#include <random>
#include <set>
#include <system_error>

#include "platform/clock.h"
#include "schemas/ids.h"
#include "state_projector/scratch_folder.h"

namespace thumb {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kViewPrefix = "v-";
constexpr const char* kWanted = "wanted";
constexpr std::string_view kRebuildText = "rebuild\n";
constexpr std::string_view kRestoreText = "restore\n";
constexpr std::string_view kGonePrefix = "gone-";

Failure disk_failure(std::string_view what, const std::error_code& error) {
  return fail_transient(ErrorKind::kUnavailable, "view-unavailable",
                        "the view folder can't be used",
                        std::string(what) + ": " + error.message());
}

std::optional<std::string> view_id_in(std::string_view name,
                                      std::string_view prefix = kViewPrefix) {
  if (!name.starts_with(prefix)) return std::nullopt;
  const auto id = parse_uuid(name.substr(prefix.size()));
  return id ? std::optional(format_uuid(*id)) : std::nullopt;
}

}  // namespace

fs::path ViewFolder::path_of(const std::string& view_id) const {
  return root_ / (std::string(kViewPrefix) + view_id);
}

Result<std::optional<std::string>> ViewFolder::current() const { return read_pointer(pointer()); }

Result<std::optional<std::string>> ViewFolder::next() const { return read_pointer(root_ / "next"); }

Result<std::optional<std::string>> ViewFolder::previous() const {
  return read_pointer(root_ / "previous");
}

Result<std::optional<std::string>> ViewFolder::read_pointer(const fs::path& file) const {
  const auto text = read_file(file);
  if (!text && text.error().kind == ErrorKind::kNotFound) return std::nullopt;
  if (!text) return Failure(text.error());
  std::string_view name = *text;
  if (name.ends_with('\n')) name.remove_suffix(1);
  const auto id = view_id_in(name);
  // A pointer to a folder that somebody removed points to nothing.
  std::error_code error;
  if (!id || !fs::is_directory(path_of(*id), error)) return std::nullopt;
  return id;
}

Result<UniqueFd> ViewFolder::lock() const {
  std::error_code error;
  fs::create_directories(root_, error);
  if (error) return disk_failure("make " + root_.string(), error);
  auto held = lock_file(root_ / "lock");
  if (!held && held.error().code == "locked") {
    return fail(ErrorKind::kConflict, "view-in-use",
                "a projector is working on " + root_.string() + "; stop it first");
  }
  return held;
}

Result<ViewFolder::Wanted> ViewFolder::wanted() const {
  const auto text = read_file(root_ / kWanted);
  if (!text && text.error().kind == ErrorKind::kNotFound) return Wanted::kNothing;
  if (!text) return Failure(text.error());
  if (*text == kRestoreText) return Wanted::kRestore;
  return *text == kRebuildText ? Wanted::kRebuild : Wanted::kNothing;
}

Result<void> ViewFolder::want(Wanted what) const {
  if (what == Wanted::kNothing) return remove_pointer(kWanted);
  return replace_file(root_ / kWanted, what == Wanted::kRestore ? kRestoreText : kRebuildText);
}

// A crash in between leaves both: tidy() mends that.
Result<void> ViewFolder::set_next(const std::string& view_id) const {
  auto set = replace_file(root_ / "next", std::string(kViewPrefix) + view_id + "\n");
  return set ? want(Wanted::kNothing) : set;
}

Result<void> ViewFolder::publish(const std::string& view_id) const {
  const auto serving = current();
  if (!serving) return Failure(serving.error());
  // A crash in between leaves `previous` saying what `current` says: tidy() mends that.
  if (*serving && **serving != view_id) {
    auto kept = replace_file(root_ / "previous", std::string(kViewPrefix) + **serving + "\n");
    if (!kept) return kept;
  }
  return replace_file(pointer(), std::string(kViewPrefix) + view_id + "\n");
}

Result<void> ViewFolder::forget_next() const {
  auto forgotten = remove_pointer("next");
  return forgotten ? want(Wanted::kNothing) : forgotten;
}
Result<void> ViewFolder::forget_previous() const { return remove_pointer("previous"); }

Result<void> ViewFolder::remove_pointer(const std::string& name) const {
  std::error_code error;
  fs::remove(root_ / name, error);
  if (error) return disk_failure("remove " + (root_ / name).string(), error);
  return {};
}

Result<void> ViewFolder::tidy() const {
  if (auto aside = put_aside(); !aside) return aside;
  return remove_put_aside(std::numeric_limits<std::uint64_t>::max(), [] { return true; });
}

Result<void> ViewFolder::put_aside() const {
  const auto serving = current();
  if (!serving) return Failure(serving.error());
  std::set<std::string> named;
  if (*serving) named.insert(**serving);
  const auto keep = [&](const Result<std::optional<std::string>>& view,
                        const std::string& pointer_name) -> Result<void> {
    if (!view) return Failure(view.error());
    if (*view == *serving || !*view) return remove_pointer(pointer_name);
    named.insert(**view);
    return {};
  };
  const auto building = next();
  if (auto kept = keep(building, "next"); !kept) return kept;
  if (*building) {
    if (auto done = want(Wanted::kNothing); !done) return done;
  }
  if (auto kept = keep(previous(), "previous"); !kept) return kept;

  std::error_code error;
  for (fs::directory_iterator at(root_, error), end; !error && at != end; at.increment(error)) {
    const auto id = view_id_in(at->path().filename().string());
    if (!id || named.contains(*id)) continue;
    fs::rename(at->path(), root_ / (std::string(kGonePrefix) + *id), error);
    if (error) break;
  }
  if (error) return disk_failure("tidy " + root_.string(), error);
  return {};
}

Result<void> ViewFolder::remove_put_aside(std::uint64_t slice_bytes, const GoOn& go_on) const {
  std::error_code error;
  for (fs::directory_iterator at(root_, error), end; !error && at != end; at.increment(error)) {
    if (!view_id_in(at->path().filename().string(), kGonePrefix)) continue;
    if (auto removed = remove_in_slices(at->path(), slice_bytes, go_on); !removed) return removed;
  }
  if (error) return disk_failure("tidy " + root_.string(), error);
  return {};
}

std::string make_view_id() {
  std::random_device source;
  std::array<std::uint8_t, 10> random{};
  for (auto& byte : random) byte = static_cast<std::uint8_t>(source());
  return format_uuid(make_uuid_v7(SystemClock().now(), random));
}

}  // namespace thumb
