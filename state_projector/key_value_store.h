// Port: an ordered map of byte strings with atomic batches, all that the view needs of a database.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "platform/result.h"

namespace thumb {

// What a batch does to one key: a value is put, no value removes.
struct KeyChange {
  std::string key;
  std::optional<std::string> value;
  friend bool operator==(const KeyChange&, const KeyChange&) = default;
};

// Thread-safe. Errors: kCorrupt/"view-corrupt" (never: build the view anew),
// kUnavailable/"view-unavailable" (back off: the disk fails or is full).
class KeyValueReader {
 public:
  // False ends a scan.
  using Visit = std::function<bool(std::string_view key, std::string_view value)>;

  virtual ~KeyValueReader() = default;
  [[nodiscard]] virtual Result<std::optional<std::string>> get(std::string_view key) const = 0;
  // In the order of `keys`.
  [[nodiscard]] virtual Result<std::vector<std::optional<std::string>>> multi_get(
      std::span<const std::string> keys) const = 0;
  // Every key that starts with `prefix` and is >= `from`, ascending by bytes, as of one moment.
  // The views die with the visit.
  [[nodiscard]] virtual Result<void> scan(std::string_view prefix, std::string_view from,
                                          const Visit& visit) const = 0;
};

// Pairs on their way into a store, in ascending order of keys, none twice. For one thread. Nothing
// of it shows, and nothing is left of it if it goes away, unless the store has taken it in.
class SortedRun {
 public:
  virtual ~SortedRun() = default;
  // REQUIRES: `key` is above all keys before it. Errors: those of the store.
  [[nodiscard]] virtual Result<void> add(std::string_view key, std::string_view value) = 0;
};

class KeyValueStore : public KeyValueReader {
 public:
  // All changes or none, also through a crash of this process: the next opening has the batch whole
  // or not at all. A power cut may lose the newest batches, never one in the middle.
  [[nodiscard]] virtual Result<void> write(std::span<const KeyChange> changes) = 0;

  // Much at once into a store that holds none of the keys: far quicker than write(), and in no
  // memory to speak of. begin_run() is for any thread.
  [[nodiscard]] virtual Result<std::unique_ptr<SortedRun>> begin_run() = 0;
  // All of the runs or none, as in write(). REQUIRES: begin_run() of this store made them, and no
  // key is in two of them.
  [[nodiscard]] virtual Result<void> take_in(std::vector<std::unique_ptr<SortedRun>> runs) = 0;
  // Makes `folder` a copy as of this moment, on its own from then on: files that never change are
  // shared (hard links), so it takes no time to speak of and, at first, no space. REQUIRES: not
  // there yet, on the same file system.
  [[nodiscard]] virtual Result<void> copy_to(const std::filesystem::path& folder) = 0;
};

}  // namespace thumb
