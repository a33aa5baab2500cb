// A running server with routes that show what it does with a request.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "platform/http/problem.h"
#include "platform/http/server.h"
#include "tests/support/http_raw_client.h"

namespace thumb::http {

// Something that becomes true on another thread; waiting for it fails the test after a minute.
template <typename T>
class Watched {
 public:
  template <typename Change>
  void update(const Change& change) {
    const std::lock_guard lock(mutex_);
    change(value_);
    changed_.notify_all();
  }
  template <typename Condition>
  void wait(const Condition& condition) {
    std::unique_lock lock(mutex_);
    const bool came = changed_.wait_for(lock, std::chrono::seconds(60),
                                        [&] { return condition(std::as_const(value_)); });
    EXPECT_TRUE(came) << "what was waited for did not happen";
  }
  [[nodiscard]] T get() {
    const std::lock_guard lock(mutex_);
    return value_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  T value_{};
};

// What became of the uploads.
struct Uploads {
  int opened = 0;
  int completed = 0;
  int destroyed = 0;
  std::uint64_t bytes = 0;
};

class EchoReceiver final : public BodyReceiver {
 public:
  explicit EchoReceiver(Watched<Uploads>& uploads) : uploads_(uploads) {
    uploads_.update([](Uploads& u) { ++u.opened; });
  }
  ~EchoReceiver() override {
    uploads_.update([](Uploads& u) { ++u.destroyed; });
  }
  Result<void> write(ByteView bytes) override {
    body_ += as_text(bytes);
    uploads_.update([&](Uploads& u) { u.bytes += bytes.size(); });
    if (body_.find("REFUSE") != std::string::npos) {
      return fail(ErrorKind::kUnsupported, "refused-body", "This body is refused.");
    }
    return {};
  }
  void complete(Request request, Responder responder) override {
    uploads_.update([](Uploads& u) { ++u.completed; });
    Response response;
    response.set("X-Declared",
                 request.content_length ? std::to_string(*request.content_length) : "no");
    response.body = std::move(body_);
    responder.send(std::move(response));
  }

 private:
  Watched<Uploads>& uploads_;
  std::string body_;
};

class HttpServerTest : public ::testing::Test {
 protected:
  HttpServerTest() {
    options_.port = 0;
    add_routes();
  }

  void start() {
    auto server = Server::start(options_, router_, log_, metrics_);
    ASSERT_TRUE(server) << server.error().message << server.error().detail;
    server_ = std::move(*server);
  }
  // Before any member of a derived fixture goes that handlers or streams tell of themselves.
  void TearDown() override { server_.reset(); }

  [[nodiscard]] std::uint16_t port() const { return server_->port(); }
  [[nodiscard]] std::optional<test::RawResponse> exchange(std::string_view request,
                                                          bool to_head = false) const {
    return test::exchange(port(), request, to_head);
  }

  // The responder of the next request to /later, kept by its handler.
  [[nodiscard]] Responder take_kept() {
    kept_.wait([](const auto& kept) { return !kept.empty(); });
    std::optional<std::shared_ptr<Responder>> taken;
    kept_.update([&](auto& kept) {
      taken = kept.front();
      kept.pop_front();
    });
    return std::move(**taken);
  }

  Log log_{"http-test", LogLevel::kError};
  Metrics metrics_;
  Router router_;
  ServerOptions options_;
  Watched<Uploads> uploads_;
  Watched<std::deque<std::shared_ptr<Responder>>> kept_;
  std::unique_ptr<Server> server_;

 private:
  static Response text(std::string body) {
    Response response;
    response.set("Content-Type", "text/plain");
    response.body = std::move(body);
    return response;
  }

  void add_routes() {
    router_.add(Method::kGet, "/hello",
                [](const Request&, Responder responder) { responder.send(text("hello")); });
    router_.add(Method::kGet, "/show/{what}", [](const Request& request, Responder responder) {
      responder.send(text(request.params.at("what") + "|" + request.path + "|" + request.peer));
    });
    router_.add(Method::kPost, "/plain",
                [](const Request&, Responder responder) { responder.send(text("plain")); });
    router_.add(Method::kGet, "/forget", [](const Request&, const Responder&) {});
    router_.add(Method::kGet, "/throw", [](const Request&, const Responder&) {
      throw std::runtime_error("a handler's mistake");
    });
    router_.add(Method::kGet, "/later", [this](const Request&, Responder responder) {
      auto kept = std::make_shared<Responder>(std::move(responder));
      kept_.update([&](auto& all) { all.push_back(std::move(kept)); });
    });
    router_.add(Method::kGet, "/status/{code}", [](const Request& request, Responder responder) {
      Response response = text("body");
      response.status = std::stoi(request.params.at("code"));
      responder.send(std::move(response));
    });
    router_.add(Method::kGet, "/bytes/{count}", [](const Request& request, Responder responder) {
      responder.send(text(std::string(std::stoul(request.params.at("count")), 'b')));
    });
    const auto open = [this](const Request& request) -> Result<std::unique_ptr<BodyReceiver>> {
      if (request.query_value("refuse")) {
        return fail(ErrorKind::kInvalid, "refused-head", "This head is refused.");
      }
      return std::make_unique<EchoReceiver>(uploads_);
    };
    router_.add_upload(Method::kPost, "/upload", open);
  }
};

}  // namespace thumb::http
