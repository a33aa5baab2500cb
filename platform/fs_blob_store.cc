// Blobs as files. A blob is first an anonymous name in staging/, and gets its own by rename, so
// nobody ever sees half of one.
#include "platform/fs_blob_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>

#include "platform/file_io.h"

namespace thumb {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxKeyBytes = 512;
constexpr std::size_t kMaxSegmentBytes = 255;  // NAME_MAX
constexpr auto kStaleAfter = std::chrono::hours(1);

bool valid_segment(std::string_view segment) {
  if (segment.empty() || segment == "." || segment == ".." || segment.size() > kMaxSegmentBytes) {
    return false;
  }
  return segment.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
             "0123456789._-") == std::string_view::npos;
}

bool valid_key(std::string_view key) {
  if (key.empty() || key.size() > kMaxKeyBytes) return false;
  for (;;) {
    const auto slash = key.find('/');
    if (!valid_segment(key.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    key.remove_prefix(slash + 1);
  }
}

// Hash of the second segment (the image id): FNV-1a folded to a byte. Part of the on-disk layout.
std::string shard_of(std::string_view key) {
  const auto first = key.find('/');
  auto id = first == std::string_view::npos ? key : key.substr(first + 1);
  id = id.substr(0, id.find('/'));
  std::uint32_t hash = 2166136261U;
  for (const char c : id) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return fmt::format("{:02x}", (hash ^ (hash >> 8U) ^ (hash >> 16U) ^ (hash >> 24U)) & 0xffU);
}

// A folder of the store that is not there means that its disk is not, for now; "not found" is said
// of blobs only, since it is final to callers.
Failure store_failure(std::string_view what, int error) {
  return io_failure(what, error == ENOENT ? ENODEV : error);
}

Failure blob_not_found() {
  return fail(ErrorKind::kNotFound, "blob-not-found", "the stored bytes are gone");
}

Failure bad_key() {
  return fail(ErrorKind::kInvalid, "bad-blob-key", "that is not a valid blob key");
}

class FileReader final : public BlobReader {
 public:
  FileReader(UniqueFd fd, std::uint64_t size) : fd_(std::move(fd)), size_(size) {}
  std::uint64_t size_bytes() const override { return size_; }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    for (;;) {
      const auto got = ::pread(fd_.get(), out.data(), out.size(), static_cast<off_t>(offset));
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EINTR) return io_failure("read blob", errno);
    }
  }

 private:
  UniqueFd fd_;
  std::uint64_t size_;
};

void remove_stale(const fs::path& staging) {
  std::error_code ignored;
  const auto now = fs::file_time_type::clock::now();
  for (const auto& entry : fs::directory_iterator(staging, ignored)) {
    const auto written = entry.last_write_time(ignored);
    if (!ignored && now - written > kStaleAfter) fs::remove(entry.path(), ignored);
  }
}

}  // namespace

class FsBlobWriter final : public BlobWriter {
 public:
  FsBlobWriter(FsBlobStore& store, fs::path staged, UniqueFd fd)
      : store_(store), staged_(std::move(staged)), fd_(std::move(fd)) {}
  ~FsBlobWriter() override {
    unmap();
    if (!committed_) ::unlink(staged_.c_str());
  }
  FsBlobWriter(const FsBlobWriter&) = delete;
  FsBlobWriter& operator=(const FsBlobWriter&) = delete;

  Result<void> write(ByteView bytes) override {
    unmap();
    if (auto written = write_fully(fd_.get(), bytes); !written) return written;
    size_ += bytes.size();
    return {};
  }

  Result<ByteView> contents() override {
    if (size_ == 0) return ByteView{};
    if (map_ == nullptr) {
      void* map = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, fd_.get(), 0);
      if (map == MAP_FAILED) return io_failure("map staged blob", errno);
      map_ = map;
    }
    return ByteView(static_cast<const std::byte*>(map_), size_);
  }

  Result<void> commit(std::string_view key) override;

 private:
  void unmap() {
    if (map_ != nullptr) ::munmap(map_, size_);
    map_ = nullptr;
  }

  FsBlobStore& store_;
  fs::path staged_;
  UniqueFd fd_;
  std::size_t size_ = 0;
  void* map_ = nullptr;
  bool committed_ = false;
};

Result<void> FsBlobWriter::commit(std::string_view key) {
  const auto path = store_.path_of(key);
  if (!path) return Failure(path.error());
  if (::fsync(fd_.get()) != 0) return io_failure("fsync blob", errno);
  // A delete of the same image may remove the folder between mkdir and rename: then once more.
  for (int attempt = 0;; ++attempt) {
    if (auto made = store_.make_folder(path->parent_path()); !made) return made;
    if (::rename(staged_.c_str(), path->c_str()) == 0) break;
    if (errno != ENOENT || attempt == 3) return store_failure("rename blob", errno);
  }
  committed_ = true;
  auto synced = fsync_directory(path->parent_path());
  if (!synced && synced.error().kind == ErrorKind::kNotFound) {
    return store_failure("fsync folder", ENOENT);  // a delete of the same image was quicker
  }
  return synced;
}

// An image's own folder: its entry is fsynced whoever made it, since two writers may race. One that
// holds something is durable: its writer did so before it moved a blob in.
Result<void> FsBlobStore::make_folder(const fs::path& folder) {
  if (auto above = make_shared_folder(folder.parent_path()); !above) return above;
  if (::mkdir(folder.c_str(), 0755) == 0) return fsync_directory(folder.parent_path());
  if (errno == EEXIST) {
    std::error_code gone;
    const bool holds_something = !fs::is_empty(folder, gone) && !gone;
    return holds_something ? Result<void>{} : fsync_directory(folder.parent_path());
  }
  if (errno == ENOENT) {
    const std::lock_guard lock(mutex_);
    durable_.clear();  // somebody removed a shared folder: make it again next time
  }
  return store_failure("mkdir", errno);
}

Result<void> FsBlobStore::make_shared_folder(const fs::path& folder) {
  if (folder == root_ / "objects") return {};
  {
    const std::lock_guard lock(mutex_);
    if (durable_.contains(folder)) return {};
  }
  if (auto above = make_shared_folder(folder.parent_path()); !above) return above;
  if (::mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) return store_failure("mkdir", errno);
  if (auto synced = fsync_directory(folder.parent_path()); !synced) return synced;
  const std::lock_guard lock(mutex_);
  durable_.insert(folder);
  return {};
}

Result<std::unique_ptr<FsBlobStore>> FsBlobStore::open_root(const fs::path& root) {
  std::error_code error;
  fs::create_directories(root / "staging", error);
  if (!error) fs::create_directories(root / "objects", error);
  if (error) return io_failure("create " + root.string(), error.value());
  auto opened = open_existing(root);
  if (!opened) return opened;
  if (auto synced = fsync_directory(root); !synced) return Failure(synced.error());
  remove_stale(root / "staging");
  return opened;
}

Result<std::unique_ptr<FsBlobStore>> FsBlobStore::open_existing(fs::path root) {
  const auto writable = [](const fs::path& folder) {
    return ::access(folder.c_str(), W_OK | X_OK) == 0;
  };
  if (is_there(root) && !(writable(root / "staging") && writable(root / "objects"))) {
    return io_failure("write to " + root.string(), errno);
  }
  return std::unique_ptr<FsBlobStore>(new FsBlobStore(std::move(root)));
}

bool FsBlobStore::is_there(const fs::path& root) {
  return ::access((root / "staging").c_str(), F_OK) == 0 &&
         ::access((root / "objects").c_str(), F_OK) == 0;
}

Result<fs::path> FsBlobStore::path_of(std::string_view key) const {
  if (!valid_key(key)) return bad_key();
  return root_ / "objects" / shard_of(key) / key;
}

Result<std::unique_ptr<BlobWriter>> FsBlobStore::create() {
  static std::atomic<std::uint64_t> counter{0};  // with the pid: unique among processes on a root
  auto staged = root_ / "staging" /
                fmt::format("{}-{}-{}", ::getpid(), ++counter,
                            std::chrono::steady_clock::now().time_since_epoch().count());
  UniqueFd fd(::open(staged.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!fd.valid()) return store_failure("stage blob", errno);
  return std::make_unique<FsBlobWriter>(*this, std::move(staged), std::move(fd));
}

Result<void> FsBlobStore::require_objects() const {
  if (::access((root_ / "objects").c_str(), F_OK) == 0) return {};
  return store_failure("find the blobs", errno);
}

Result<std::unique_ptr<BlobReader>> FsBlobStore::open(std::string_view key) {
  const auto path = path_of(key);
  if (!path) return Failure(path.error());
  UniqueFd fd(::open(path->c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!fd.valid() && (errno == ENOENT || errno == ENOTDIR)) {
    if (auto here = require_objects(); !here) return Failure(here.error());
    return blob_not_found();
  }
  if (!fd.valid() || ::fstat(fd.get(), &status) != 0) return io_failure("open blob", errno);
  // A key may be the beginning of others, as only a stranger would write it.
  if (!S_ISREG(status.st_mode)) return blob_not_found();
  return std::make_unique<FileReader>(std::move(fd), static_cast<std::uint64_t>(status.st_size));
}

Result<void> FsBlobStore::remove_all(std::string_view prefix) {
  const auto folder = path_of(prefix);
  if (!folder) return Failure(folder.error());
  if (auto here = require_objects(); !here) return here;
  std::error_code error;
  fs::remove_all(*folder, error);
  if (error) return io_failure("remove blobs", error.value());
  return fs::exists(folder->parent_path(), error) ? fsync_directory(folder->parent_path())
                                                  : Result<void>{};
}

Result<std::vector<std::string>> FsBlobStore::list(std::string_view prefix) {
  const auto folder = path_of(prefix);
  if (!folder) return Failure(folder.error());
  std::vector<std::string> keys;
  std::error_code error;
  fs::recursive_directory_iterator at(*folder, error);
  if (error == std::errc::no_such_file_or_directory) return keys;
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    std::error_code gone;
    if (!at->is_regular_file(gone)) continue;
    keys.push_back(std::string(prefix) + "/" + at->path().lexically_relative(*folder).string());
  }
  if (error) return io_failure("list blobs", error.value());
  std::ranges::sort(keys);
  return keys;
}

}  // namespace thumb
