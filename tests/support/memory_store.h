// A KeyValueStore in memory, whose writes can be made to fail.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "state_projector/key_value_store.h"

namespace thumb::testing {

// For one thread.
class MemoryStore final : public KeyValueStore {
 public:
  std::map<std::string, std::string, std::less<>> entries;
  bool full = false;  // writes fail from now on
  std::size_t writes = 0;

  Result<std::optional<std::string>> get(std::string_view key) const override {
    const auto found = entries.find(key);
    if (found == entries.end()) return std::nullopt;
    return found->second;
  }

  Result<std::vector<std::optional<std::string>>> multi_get(
      std::span<const std::string> keys) const override {
    std::vector<std::optional<std::string>> values;
    for (const auto& key : keys) values.push_back(get(key).value());
    return values;
  }

  Result<void> scan(std::string_view prefix, std::string_view from,
                    const Visit& visit) const override {
    for (auto at = entries.lower_bound(from); at != entries.end() && at->first.starts_with(prefix);
         ++at) {
      if (!visit(at->first, at->second)) break;
    }
    return {};
  }

  Result<void> copy_to(const std::filesystem::path&) override {
    return fail(ErrorKind::kUnsupported, "unsupported", "not on disk");
  }

  Result<void> write(std::span<const KeyChange> changes) override {
    if (full) return fail_transient(ErrorKind::kUnavailable, "view-unavailable", "disk full");
    ++writes;
    for (const auto& [key, value] : changes) {
      if (value) {
        entries[key] = *value;
      } else {
        entries.erase(key);
      }
    }
    return {};
  }

  struct Run final : SortedRun {
    std::vector<KeyChange> pairs;
    Result<void> add(std::string_view key, std::string_view value) override {
      if (!pairs.empty() && key <= pairs.back().key) std::abort();
      pairs.push_back({std::string(key), std::string(value)});
      return {};
    }
  };

  Result<std::unique_ptr<SortedRun>> begin_run() override { return std::make_unique<Run>(); }

  Result<void> take_in(std::vector<std::unique_ptr<SortedRun>> runs) override {
    std::vector<KeyChange> all;
    for (auto& run : runs) {
      std::ranges::move(static_cast<Run&>(*run).pairs, std::back_inserter(all));
    }
    return write(all);
  }
};

}  // namespace thumb::testing
