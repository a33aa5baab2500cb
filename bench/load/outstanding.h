// Images that were accepted and are not seen completed yet: at most a window of them, oldest first.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>

namespace thumb::bench {

// Thread-safe. Waits end with close(), which whoever has a deadline or a failure calls.
class Outstanding {
 public:
  explicit Outstanding(std::size_t window) : room_(window) {}

  // Waits for room for one more image; false once closed. Each true is followed by one add().
  [[nodiscard]] bool reserve();
  void add(std::string id);
  // The oldest; waits for one. Nothing once closed and empty.
  [[nodiscard]] std::optional<std::string> oldest();
  // The oldest is completed: makes room for another.
  void pop();
  // No more will be added.
  void close();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t room_;
  std::deque<std::string> ids_;
  bool closed_ = false;
};

}  // namespace thumb::bench
