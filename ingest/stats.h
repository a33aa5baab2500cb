// GET /v1/stats: how many images are in which state, and how far the view is behind the log.
#pragma once

#include <mutex>
#include <optional>

#include "ingest/ports.h"
#include "kafka/lag_watcher.h"
#include "platform/clock.h"
#include "platform/http/message.h"
#include "platform/metrics.h"
#include "schemas/topology.h"
#include "state_projector/view_reader.h"

namespace thumb::ingest {

// How far the view is behind, by topic and partition; from a watcher's thread to any other.
// Thread-safe.
class ViewLag {
 public:
  struct Measured {
    kafka::Lags lags;
    TimeMs at;
  };

  // REQUIRES: all of it outlives this object; `reader` is for it alone. `partitions`: of every
  // topic.
  ViewLag(kafka::Admin& admin, kafka::PartitionReader& reader, ViewReader& view,
          const TopicNames& names, std::int32_t partitions, const Clock& clock, Metrics& metrics);

  // The newest measurement; none while Kafka could not be asked, or the view not be read, once.
  // While a view that was read can't be any more, it counts as standing where it stood.
  [[nodiscard]] std::optional<Measured> newest() const;

 private:
  [[nodiscard]] kafka::LagWatcher::Positions positions();
  void note(const kafka::Lags& lags);

  ViewReader& view_;
  const TopicNames& names_;
  const std::int32_t partitions_;
  const Clock& clock_;
  prometheus::Gauge& records_;
  prometheus::Gauge& seconds_;
  kafka::LagWatcher::Positions known_;  // of the watcher's thread
  mutable std::mutex mutex_;
  std::optional<Measured> newest_;
  kafka::LagWatcher watcher_;  // last: its thread uses all of the above
};

// Thread-safe. Everything given to the constructor outlives every request.
class StatsRoutes {
 public:
  StatsRoutes(ViewReader& view, const ViewLag& lag) : view_(view), lag_(lag) {}

  // 200 {"view_id", "images": {state: count}, "unreadable_records", "lag": {"records", "seconds",
  // "measured_at", "partitions": [{topic, partition, position, end, records, seconds}]} or null};
  // 503 without a view.
  void get(const http::Request& request, http::Responder responder);

 private:
  ViewReader& view_;
  const ViewLag& lag_;
};

}  // namespace thumb::ingest
