// Who writes and who reads which topic: the event flow as data. kafka/topics.json holds partitions
// and settings, asyncapi.yaml tells the world; a test holds the three together.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace thumb {

// Fixed numbers: the view stores them in its positions.
enum class Topic : std::uint8_t {
  kImageRequests = 1,
  kThumbnailCompleted = 2,
  kThumbnailFailed = 3,
  kThumbnailStarted = 4,
  kImagePrivate = 5,
  kImageRequestsDlq = 6,
};

inline constexpr std::array kAllTopics = {
    Topic::kImageRequests,    Topic::kThumbnailCompleted, Topic::kThumbnailFailed,
    Topic::kThumbnailStarted, Topic::kImagePrivate,       Topic::kImageRequestsDlq,
};

// What the view is folded from.
inline constexpr std::array kProjectedTopics = {
    Topic::kImageRequests,    Topic::kThumbnailCompleted, Topic::kThumbnailFailed,
    Topic::kThumbnailStarted, Topic::kImagePrivate,
};

enum class Service : std::uint8_t { kIngest, kProcessor, kStateProjector, kOperator, kOthers };

struct TopicRole {
  Topic topic;
  std::string_view name;
  std::span<const std::string_view> event_names;  // the last part of each ce_type, without version
  std::span<const Service> writers;
  std::span<const Service> readers;
  bool transactional;  // written inside the processor's transaction
};

[[nodiscard]] std::span<const TopicRole> topology();
[[nodiscard]] const TopicRole& role_of(Topic topic);

// Topic names of one installation: the standard names behind an optional prefix, so that several
// installations (or tests) can share a cluster. Immutable; thread-safe.
class TopicNames {
 public:
  explicit TopicNames(std::string prefix = {}) : prefix_(std::move(prefix)) {}
  [[nodiscard]] std::string of(Topic topic) const;
  [[nodiscard]] std::optional<Topic> find(std::string_view name) const;
  [[nodiscard]] const std::string& prefix() const { return prefix_; }

 private:
  std::string prefix_;
};

}  // namespace thumb
