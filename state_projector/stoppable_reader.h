// A view as it is read by who may be told to stop in the middle of it.
#pragma once

#include <stop_token>
#include <utility>

#include "platform/on_threads.h"
#include "state_projector/key_value_store.h"

namespace thumb {

// Scans end with kUnavailable/"stopped" then; all else is the view's own. Both must outlive it.
class StoppableReader final : public KeyValueReader {
 public:
  StoppableReader(const KeyValueReader& view, std::stop_token stop)
      : view_(view), stop_(std::move(stop)) {}

  [[nodiscard]] Result<std::optional<std::string>> get(std::string_view key) const override {
    return view_.get(key);
  }
  [[nodiscard]] Result<std::vector<std::optional<std::string>>> multi_get(
      std::span<const std::string> keys) const override {
    return view_.multi_get(keys);
  }
  [[nodiscard]] Result<void> scan(std::string_view prefix, std::string_view from,
                                  const Visit& visit) const override {
    bool stopped = false;
    auto scanned = view_.scan(prefix, from, [&](std::string_view key, std::string_view value) {
      stopped = stop_.stop_requested();
      return !stopped && visit(key, value);
    });
    return stopped && scanned ? told_to_stop() : std::move(scanned);
  }

 private:
  const KeyValueReader& view_;
  const std::stop_token stop_;
};

}  // namespace thumb
