// The event flow as a table: topics, what is on them, who writes and who reads.
#include "schemas/topology.h"

namespace thumb {
namespace {

using enum Service;

constexpr std::string_view kRequestEvents[] = {"image-uploaded", "thumbnail-requested",
                                               "image-deleted"};
constexpr std::string_view kCompletedEvents[] = {"thumbnail-completed"};
constexpr std::string_view kFailedEvents[] = {"thumbnail-failed"};
constexpr std::string_view kStartedEvents[] = {"thumbnail-started"};
constexpr std::string_view kPrivateEvents[] = {"image-private", "image-private-erased"};

constexpr Service kRequestWriters[] = {kIngest, kOperator};
constexpr Service kIngestOnly[] = {kIngest};
constexpr Service kProcessorOnly[] = {kProcessor};
constexpr Service kRequestReaders[] = {kProcessor, kStateProjector, kOperator};
constexpr Service kTerminalReaders[] = {kStateProjector, kOperator, kOthers};
constexpr Service kInnerReaders[] = {kStateProjector, kOperator};
constexpr Service kOperatorOnly[] = {kOperator};

constexpr TopicRole kTopology[] = {
    {Topic::kImageRequests, "image-requests", kRequestEvents, kRequestWriters, kRequestReaders,
     false},
    {Topic::kThumbnailCompleted, "thumbnail-completed", kCompletedEvents, kProcessorOnly,
     kTerminalReaders, true},
    {Topic::kThumbnailFailed, "thumbnail-failed", kFailedEvents, kProcessorOnly, kTerminalReaders,
     true},
    {Topic::kThumbnailStarted, "thumbnail-started", kStartedEvents, kProcessorOnly, kInnerReaders,
     false},
    {Topic::kImagePrivate, "image-private", kPrivateEvents, kIngestOnly, kInnerReaders, false},
    // Whole records as they came, whatever they were.
    {Topic::kImageRequestsDlq, "image-requests-dlq", {}, kProcessorOnly, kOperatorOnly, true},
};

}  // namespace

std::span<const TopicRole> topology() { return kTopology; }

const TopicRole& role_of(Topic topic) { return kTopology[static_cast<std::size_t>(topic) - 1]; }

std::string TopicNames::of(Topic topic) const { return prefix_ + std::string(role_of(topic).name); }

std::optional<Topic> TopicNames::find(std::string_view name) const {
  if (!name.starts_with(prefix_)) return std::nullopt;
  name.remove_prefix(prefix_.size());
  for (const auto& role : kTopology) {
    if (role.name == name) return role.topic;
  }
  return std::nullopt;
}

}  // namespace thumb
