// What a bulk build has collected, read back in key order, wherever it lies.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "platform/result.h"

namespace thumb {

// Stands on one pair at a time. For one thread; the source must outlive it.
class EntryCursor {
 public:
  virtual ~EntryCursor() = default;
  // False past the end: then there is no key and no value.
  [[nodiscard]] virtual bool valid() const = 0;
  // Both until next().
  [[nodiscard]] virtual std::string_view key() const = 0;
  [[nodiscard]] virtual std::string_view value() const = 0;
  // Errors: those of the file system (back off).
  [[nodiscard]] virtual Result<void> next() = 0;
};

// All of them as one. No key is in two of them.
class MergedEntries final : public EntryCursor {
 public:
  explicit MergedEntries(std::vector<std::unique_ptr<EntryCursor>> cursors);

  [[nodiscard]] bool valid() const override { return !heap_.empty(); }
  [[nodiscard]] std::string_view key() const override { return heap_.front()->key(); }
  [[nodiscard]] std::string_view value() const override { return heap_.front()->value(); }
  [[nodiscard]] Result<void> next() override;

 private:
  std::vector<std::unique_ptr<EntryCursor>> heap_;  // the least key first
};

}  // namespace thumb
