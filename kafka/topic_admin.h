// Port: topics as things to be looked at and made. For operators' tools; services use Admin.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "kafka/topic_declaration.h"
#include "kafka/types.h"
#include "platform/log.h"

namespace thumb::kafka {

// Thread-safe. Every call blocks up to its time-out, for the broker to come up too.
// Errors: kTimeout/"kafka-timeout", kUnavailable/"kafka-unavailable" (back off).
class TopicAdmin {
 public:
  virtual ~TopicAdmin() = default;
  // Those of `names` that exist and have a leader for each partition, by name.
  [[nodiscard]] virtual Result<std::map<std::string, TopicState>> describe(
      std::span<const std::string> names, std::chrono::milliseconds timeout) = 0;
  // One that exists already, by whoever's hand, is a success. They may take a moment to be seen.
  // Error: kInvalid/"topic-refused" (never) says which topic the cluster refuses, and why.
  [[nodiscard]] virtual Result<void> create(std::span<const TopicSpec> topics,
                                            std::chrono::milliseconds timeout) = 0;
};

[[nodiscard]] Result<std::unique_ptr<TopicAdmin>> make_topic_admin(const ClusterConfig& cluster,
                                                                   Log& log);

}  // namespace thumb::kafka
