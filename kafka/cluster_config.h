// From the settings that every binary shares to the cluster that its clients talk to.
#pragma once

#include <string>
#include <utility>

#include "kafka/types.h"
#include "platform/common_settings.h"

namespace thumb::kafka {

// `client_id` names the program in the broker's logs and quotas.
[[nodiscard]] inline ClusterConfig cluster_config(const CommonSettings& common,
                                                  std::string client_id) {
  return {common.bootstrap(), std::move(client_id), common.kafka_overrides()};
}

}  // namespace thumb::kafka
