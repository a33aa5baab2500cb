// The routes of ingest as main composes them, on fakes: a request in, its answer out, no socket.
#pragma once

#include <gtest/gtest.h>

#include <future>
#include <nlohmann/json.hpp>
#include <string>

#include "fakes.h"
#include "ingest/routes.h"
#include "kafka/partitioner.h"
#include "platform/file_io.h"
#include "platform/fs_blob_store.h"
#include "platform/http/problem.h"
#include "platform/log.h"
#include "platform/metrics.h"
#include "tests/support/fake_kafka.h"
#include "tests/support/fake_view_reader.h"
#include "tests/support/temp_dir.h"

namespace thumb::ingest::test {

inline constexpr std::int32_t kPartitions = 4;

inline std::string sample(const std::string& name) {
  return read_file(std::string(THUMB_SOURCE_DIR) + "/tests/unit/ingest/data/" + name).value();
}

inline std::string header_of(const http::Response& response, std::string_view name) {
  for (const auto& field : response.headers) {
    if (field.name == name) return field.value;
  }
  return {};
}

inline std::string text_of(const http::Response& response) {
  if (const auto* blob = std::get_if<http::BlobBody>(&response.body)) {
    std::string bytes(blob->length, '\0');
    const auto out = std::as_writable_bytes(std::span(bytes.data(), bytes.size()));
    EXPECT_EQ(blob->blob->read_at(blob->offset, out).value(), bytes.size());
    return bytes;
  }
  return std::get<std::string>(response.body);
}

inline nlohmann::json json_of(const http::Response& response) {
  return nlohmann::json::parse(text_of(response));
}

// A promise behind a Responder.
class Answer {
 public:
  http::Responder responder() { return http::Responder(channel_); }
  // Fails the test (and answers 0) if none comes in ten seconds.
  http::Response get() {
    auto future = channel_->promise.get_future();
    if (future.wait_for(std::chrono::seconds(60)) != std::future_status::ready) {
      ADD_FAILURE() << "no answer";
      return {.status = 0, .headers = {}, .body = std::string("{}")};
    }
    return future.get();
  }

 private:
  struct Channel final : http::Responder::Channel {
    void send(http::Response response) override { promise.set_value(std::move(response)); }
    std::promise<http::Response> promise;
  };
  std::shared_ptr<Channel> channel_ = std::make_shared<Channel>();
};

struct Call {
  http::Method method = http::Method::kGet;
  std::string path;
  std::vector<http::HeaderField> headers = {};
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> query = {};
  std::size_t piece = 1000;  // the body comes in pieces of this size
};

class Harness {
 public:
  explicit Harness(std::size_t worker_queue = 100) : workers(2, worker_queue) {
    add_routes(router_, {uploads_, status_, history_, stats_, downloads_, commands_, event_routes_,
                         health_, metrics, in_flight});
  }
  ~Harness() { EXPECT_TRUE(in_flight.wait_until_none(std::chrono::seconds(60))); }
  Harness(const Harness&) = delete;
  Harness& operator=(const Harness&) = delete;

  http::Response call(const Call& call) { return start(call)->get(); }
  http::Response get(const std::string& path, std::vector<http::HeaderField> headers = {}) {
    return call({.path = path, .headers = std::move(headers)});
  }
  http::Response post(const std::string& body, std::vector<http::HeaderField> headers = {}) {
    return call({http::Method::kPost, "/v1/images", std::move(headers), body});
  }

  // Hands the request over without waiting for its answer.
  std::shared_ptr<Answer> start(const Call& call) {
    auto answer = std::make_shared<Answer>();
    const auto match = router_.match(call.method, call.path);
    if (match.route == nullptr) {
      ADD_FAILURE() << "no route for " << call.path;
      answer->responder().send({.status = 404, .headers = {}, .body = std::string("{}")});
      return answer;
    }
    http::Request request;
    request.method = call.method;
    request.path = call.path;
    request.params = match.params;
    request.query = call.query;
    request.headers = call.headers;
    request.has_body = !call.body.empty();
    if (const auto* handler = std::get_if<http::Handler>(&match.route->target)) {
      (*handler)(std::move(request), answer->responder());
    } else {
      send_body(std::get<http::OpenBody>(match.route->target), call, std::move(request), *answer);
    }
    return answer;
  }

  // As the processor and the projector would: the image's upload is folded into the view.
  void show(const FakeLog::Published& published, std::int64_t offset) {
    view.put(published.event, {partition_of(image_id_of(published.event)), offset},
             time_from_ms(1'700'000'000'500));
  }
  std::int32_t partition_of(const ImageId& id) const {
    return kafka::partition_for(id.str(), kPartitions);
  }
  std::string blob(const std::string& key) {
    auto reader = files->open(key);
    return reader ? read_all(**reader, 1U << 20U).value() : std::string();
  }
  std::size_t staged_files() const {
    const auto folder = std::filesystem::directory_iterator(dir.path() / "staging");
    return static_cast<std::size_t>(std::distance(begin(folder), end(folder)));
  }

  thumb::testing::TempDir dir;
  std::unique_ptr<FsBlobStore> files = FsBlobStore::open_root(dir.path()).value();
  Log log{"ingest", LogLevel::kError};
  Metrics metrics;
  FixedClock clock;
  CountingIds ids;
  FakeLog events;
  FakeEnds ends;
  thumb::testing::FakeViewReader view;
  thumb::testing::FakeCluster cluster{"t.image-requests"};
  FailingBlobs blobs{*files};
  InFlight in_flight;
  WorkerPool workers;

 private:
  static void send_body(const http::OpenBody& open, const Call& call, http::Request request,
                        Answer& answer) {
    auto receiver = open(request);
    if (!receiver) return answer.responder().send(http::problem(receiver.error()));
    for (std::size_t at = 0; at < call.body.size(); at += call.piece) {
      const auto piece = std::string_view(call.body).substr(at, call.piece);
      if (auto written = (*receiver)->write(as_bytes(piece)); !written) {
        return answer.responder().send(http::problem(written.error()));
      }
    }
    (*receiver)->complete(std::move(request), answer.responder());
  }

  Freshness freshness_{ends, view, FreshnessOptions{.timeout = std::chrono::seconds(60)}, metrics};
  ImageLookup lookup_{view, freshness_, kPartitions,
                      LookupOptions{.min_position_timeout = std::chrono::milliseconds(50),
                                    .personal_timeout = std::chrono::milliseconds(50)}};
  AcceptFlow flow_{events, ids, clock, 50'000'000, log, metrics};
  UploadContext uploads_{blobs, flow_, ids, workers, {}};
  const TopicNames names_{"t."};
  StatusRoutes status_{lookup_, view};
  HistoryRoutes history_{lookup_, view, names_};
  thumb::testing::FakeAdmin admin_{cluster};
  thumb::testing::FakePartitionReader lag_reader_{cluster};
  ViewLag lag_{admin_, lag_reader_, view, names_, kPartitions, clock, metrics};
  StatsRoutes stats_{view, lag_};
  DownloadRoutes downloads_{lookup_, blobs, workers};
  CommandRoutes commands_{lookup_, view, events, ids, clock, log};
  ChangeHub hub_{
      view,
      clock,
      metrics,
      {.keep_alive = std::chrono::milliseconds(50), .retry = std::chrono::milliseconds(5)}};
  EventRoutes event_routes_{lookup_, view, hub_};
  Health health_{[] { return Result<void>{}; }, view, {}};
  http::Router router_;
};

}  // namespace thumb::ingest::test
