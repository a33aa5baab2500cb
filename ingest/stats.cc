#include "ingest/stats.h"

#include <algorithm>
#include <string>
#include <utility>

#include "ingest/answers.h"
#include "ingest/json_writer.h"
#include "ingest/parameters.h"
#include "platform/http/problem.h"

namespace thumb::ingest {

namespace {

constexpr std::chrono::milliseconds kInterval{2'000};

// Whole milliseconds as seconds.
std::string seconds_text(std::chrono::milliseconds time) {
  const auto ms = time.count();
  const auto fraction = std::to_string(1'000 + ms % 1'000).substr(1);
  return std::to_string(ms / 1'000) + "." + fraction;
}

struct Total {
  std::int64_t records = 0;
  std::chrono::milliseconds oldest{0};
};

Total total_of(const ViewLag::Measured& measured) {
  Total total;
  for (const auto& [tp, lag] : measured.lags) {
    total.records += lag.records();
    total.oldest = std::max(total.oldest, lag.age(measured.at));
  }
  return total;
}

void write_lag(JsonWriter& json, const std::optional<ViewLag::Measured>& measured) {
  json.key("lag");
  if (!measured) {
    json.null();
    return;
  }
  const Total total = total_of(*measured);
  json.begin_object()
      .field("records", static_cast<std::uint64_t>(total.records))
      .key("seconds")
      .raw(seconds_text(total.oldest))
      .field("measured_at", to_rfc3339(measured->at))
      .key("partitions")
      .begin_array();
  for (const auto& [tp, lag] : measured->lags) {
    json.begin_object()
        .field("topic", tp.topic)
        .field("partition", static_cast<std::uint64_t>(tp.partition))
        .field("position", static_cast<std::uint64_t>(lag.position))
        .field("end", static_cast<std::uint64_t>(lag.end))
        .field("records", static_cast<std::uint64_t>(lag.records()))
        .key("seconds")
        .raw(seconds_text(lag.age(measured->at)))
        .end_object();
  }
  json.end_array().end_object();
}

}  // namespace

ViewLag::ViewLag(kafka::Admin& admin, kafka::PartitionReader& reader, ViewReader& view,
                 const TopicNames& names, std::int32_t partitions, const Clock& clock,
                 Metrics& metrics)
    : view_(view),
      names_(names),
      partitions_(partitions),
      clock_(clock),
      records_(metrics.gauge("thumb_ingest_view_lag_records",
                             "Records of all topics that the view lacks")),
      seconds_(metrics.gauge("thumb_ingest_view_lag_seconds",
                             "Age of the oldest record that the view lacks")),
      watcher_(
          admin, reader, [this] { return positions(); },
          [this](const kafka::Lags& lags) { note(lags); }, kInterval) {}

std::optional<ViewLag::Measured> ViewLag::newest() const {
  const std::scoped_lock lock(mutex_);
  return newest_;
}

kafka::LagWatcher::Positions ViewLag::positions() {
  const auto stats = view_.stats();
  if (!stats) return known_;  // it may have moved since, but an alarm must not rest meanwhile
  kafka::LagWatcher::Positions positions;
  for (const auto topic : kProjectedTopics) {
    for (std::int32_t partition = 0; partition < partitions_; ++partition) {
      positions[{names_.of(topic), partition}] = position_of(stats->positions, {topic, partition});
    }
  }
  known_ = std::move(positions);
  return known_;
}

void ViewLag::note(const kafka::Lags& lags) {
  if (lags.empty()) return;
  const std::scoped_lock lock(mutex_);
  newest_ = Measured{lags, clock_.now()};
  const Total total = total_of(*newest_);
  records_.Set(static_cast<double>(total.records));
  seconds_.Set(std::chrono::duration<double>(total.oldest).count());
}

void StatsRoutes::get(const http::Request& request, http::Responder responder) {
  if (const auto ok = check_parameters(request, {}); !ok) {
    return responder.send(http::problem(ok.error()));
  }
  const auto stats = view_.stats();
  if (!stats) return responder.send(http::problem(stats.error()));
  std::string body;
  JsonWriter json(body);
  json.begin_object().field("view_id", stats->view_id).key("images").begin_object();
  for (const auto state : kAllImageStates) {
    const auto found = stats->images.find(state);
    const auto count = found == stats->images.end() ? 0 : found->second;
    json.field(to_string(state), static_cast<std::uint64_t>(count));
  }
  json.end_object().field("unreadable_records", static_cast<std::uint64_t>(stats->unreadable));
  write_lag(json, lag_.newest());
  json.end_object();
  responder.send(json_answer(200, std::move(body)));
}

}  // namespace thumb::ingest
