// A pair is the two lengths (4 bytes each, of this machine's order: no other one reads it), the key
// and the value.
#include "state_projector/entry_spill.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace thumb {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{256} << 10U;
constexpr std::size_t kHeadBytes = 8;
using Lengths = std::array<std::uint32_t, 2>;

class SpillCursor final : public EntryCursor {
 public:
  SpillCursor(int file, std::uint64_t at, std::uint64_t end) : file_(file), at_(at), end_(end) {}

  [[nodiscard]] bool valid() const override { return valid_; }
  [[nodiscard]] std::string_view key() const override {
    return std::string_view(buffer_).substr(begin_ + kHeadBytes, lengths_[0]);
  }
  [[nodiscard]] std::string_view value() const override {
    return std::string_view(buffer_).substr(begin_ + kHeadBytes + lengths_[0], lengths_[1]);
  }

  Result<void> next() override {
    if (valid_) begin_ += kHeadBytes + lengths_[0] + lengths_[1];
    valid_ = false;
    if (begin_ == buffer_.size() && at_ == end_) return {};
    if (auto there = require(kHeadBytes); !there) return there;
    std::memcpy(lengths_.data(), buffer_.data() + begin_, kHeadBytes);
    if (auto there = require(kHeadBytes + lengths_[0] + lengths_[1]); !there) return there;
    valid_ = true;
    return {};
  }

 private:
  // Has so many bytes from begin_ on in the buffer.
  Result<void> require(std::size_t bytes) {
    if (buffer_.size() - begin_ >= bytes) return {};
    buffer_.erase(0, begin_);
    begin_ = 0;
    std::size_t filled = buffer_.size();
    buffer_.resize(std::max(bytes, std::min<std::uint64_t>(kBufferBytes, filled + end_ - at_)));
    while (filled < buffer_.size()) {
      const auto got =
          ::pread(file_, buffer_.data() + filled, buffer_.size() - filled, static_cast<off_t>(at_));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return io_failure("read what was put aside", got < 0 ? errno : EIO);
      filled += static_cast<std::size_t>(got);
      at_ += static_cast<std::uint64_t>(got);
    }
    return {};
  }

  const int file_;
  std::uint64_t at_;  // of the next byte to read
  const std::uint64_t end_;
  std::string buffer_;
  std::size_t begin_ = 0;  // of the pair, in the buffer
  Lengths lengths_{};
  bool valid_ = false;
};

void append(std::string& buffer, std::string_view key, std::string_view value) {
  const Lengths lengths{static_cast<std::uint32_t>(key.size()),
                        static_cast<std::uint32_t>(value.size())};
  std::array<char, kHeadBytes> head{};
  std::memcpy(head.data(), lengths.data(), kHeadBytes);
  buffer.append(head.data(), head.size());
  buffer.append(key);
  buffer.append(value);
}

}  // namespace

Result<EntrySpill> EntrySpill::write(const std::filesystem::path& folder, EntryCursor& entries) {
  auto name = (folder / "spill-XXXXXX").string();
  UniqueFd file(::mkostemp(name.data(), O_CLOEXEC));
  if (!file.valid()) return io_failure("put entries aside in " + folder.string(), errno);
  ::unlink(name.c_str());
  EntrySpill spill(std::move(file));
  std::string buffer;
  for (; entries.valid();) {
    if (buffer.empty()) spill.marks_.push_back({std::string(entries.key()), spill.size_});
    append(buffer, entries.key(), entries.value());
    if (auto moved = entries.next(); !moved) return Failure(std::move(moved.error()));
    if (buffer.size() < kBufferBytes && entries.valid()) continue;
    if (auto written = write_fully(spill.file_.get(), as_bytes(buffer)); !written) {
      return Failure(std::move(written.error()));
    }
    spill.size_ += buffer.size();
    buffer.clear();
  }
  return spill;
}

Result<std::unique_ptr<EntryCursor>> EntrySpill::cursor(std::string_view from) const {
  const auto above = std::ranges::upper_bound(marks_, from, {}, &Mark::key);
  const auto at = above == marks_.begin() ? 0 : std::prev(above)->at;
  auto cursor = std::make_unique<SpillCursor>(file_.get(), at, size_);
  do {
    if (auto moved = cursor->next(); !moved) return Failure(std::move(moved.error()));
  } while (cursor->valid() && cursor->key() < from);
  return std::unique_ptr<EntryCursor>(std::move(cursor));
}

}  // namespace thumb
