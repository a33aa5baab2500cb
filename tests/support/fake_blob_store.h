// A blob store in memory that can be out of order.
#pragma once

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "platform/blob_lister.h"
#include "platform/blob_store.h"

namespace thumb::testing {

// Thread-safe.
class FakeBlobStore final : public BlobStore, public BlobLister {
 public:
  Result<std::unique_ptr<BlobWriter>> create() override {
    if (broken()) return outage();
    return std::make_unique<Writer>(*this);
  }
  // Called before each opening.
  std::function<void()> on_open = [] {};

  Result<std::unique_ptr<BlobReader>> open(std::string_view key) override {
    on_open();
    const std::scoped_lock lock(mutex_);
    if (broken_) return outage();
    const auto found = blobs_.find(std::string(key));
    if (found == blobs_.end()) {
      return thumb::fail(ErrorKind::kNotFound, "blob-not-found", "there is no such blob");
    }
    return std::make_unique<Reader>(found->second);
  }
  Result<void> remove_all(std::string_view prefix) override {
    const std::scoped_lock lock(mutex_);
    if (broken_) return outage();
    std::erase_if(blobs_, [&](const auto& blob) {
      return blob.first.starts_with(std::string(prefix) + "/");
    });
    return {};
  }

  Result<std::vector<std::string>> list(std::string_view prefix) override {
    const std::scoped_lock lock(mutex_);
    if (broken_) return outage();
    std::vector<std::string> found;
    for (const auto& [key, bytes] : blobs_) {
      if (key.starts_with(std::string(prefix) + "/")) found.push_back(key);
    }
    return found;
  }

  void set(const std::string& key, const std::string& bytes) {
    const std::scoped_lock lock(mutex_);
    blobs_[key] = bytes;
  }
  // Every call fails for a passing reason until it is mended.
  void set_broken(bool broken) {
    const std::scoped_lock lock(mutex_);
    broken_ = broken;
  }
  [[nodiscard]] std::vector<std::string> keys() const {
    const std::scoped_lock lock(mutex_);
    std::vector<std::string> keys;
    for (const auto& [key, bytes] : blobs_) keys.push_back(key);
    return keys;
  }
  [[nodiscard]] std::string bytes_of(const std::string& key) const {
    const std::scoped_lock lock(mutex_);
    return blobs_.at(key);
  }

 private:
  class Reader final : public BlobReader {
   public:
    explicit Reader(std::string bytes) : bytes_(std::move(bytes)) {}
    std::uint64_t size_bytes() const override { return bytes_.size(); }
    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) const override {
      const std::size_t from = std::min<std::size_t>(offset, bytes_.size());
      const std::size_t count = std::min(out.size(), bytes_.size() - from);
      std::memcpy(out.data(), bytes_.data() + from, count);
      return count;
    }

   private:
    std::string bytes_;
  };

  class Writer final : public BlobWriter {
   public:
    explicit Writer(FakeBlobStore& store) : store_(store) {}
    Result<void> write(ByteView bytes) override {
      bytes_.append(as_text(bytes));
      return {};
    }
    Result<ByteView> contents() override { return as_bytes(bytes_); }
    Result<void> commit(std::string_view key) override {
      if (store_.broken()) return outage();
      store_.set(std::string(key), bytes_);
      return {};
    }

   private:
    FakeBlobStore& store_;
    std::string bytes_;
  };

  static Failure outage() {
    return fail_transient(ErrorKind::kUnavailable, "io-error", "the disk is away");
  }
  bool broken() const {
    const std::scoped_lock lock(mutex_);
    return broken_;
  }

  mutable std::mutex mutex_;
  std::map<std::string, std::string> blobs_;
  bool broken_ = false;
};

}  // namespace thumb::testing
