// The client's side of an event stream, without a socket: reads what it is sent, at a pace that the
// test sets.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "harness.h"
#include "tests/support/wait_until.h"

namespace thumb::ingest::test {

struct StreamEvent {
  std::string event;
  std::string id;
  nlohmann::json data;
};

// Parses as the standard has it (HTML, 9.2.6), comments aside.
inline std::vector<StreamEvent> parse_stream(const std::string& text) {
  std::vector<StreamEvent> events;
  StreamEvent next;
  std::size_t at = 0;
  for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', at)) {
    const auto line = text.substr(at, end - at);
    at = end + 1;
    if (line.starts_with("event: ")) next.event = line.substr(7);
    if (line.starts_with("id: ")) next.id = line.substr(4);
    if (line.starts_with("data: ")) next.data = nlohmann::json::parse(line.substr(6));
    if (!line.empty()) continue;
    if (!next.data.is_null()) events.push_back(next);
    next = {};
  }
  return events;
}

// The client's side of a stream: takes bytes as the test lets it.
class FakeWriter final : public http::StreamWriter {
 public:
  explicit FakeWriter(std::size_t limit) : limit_(limit) {}
  bool write(std::string_view text) override {
    const std::lock_guard lock(mutex_);
    if (!open_ || text.size() > limit_ - held_) return open_ = false;
    text_ += text;
    held_ += text.size();
    return true;
  }
  std::size_t room() const override {
    const std::lock_guard lock(mutex_);
    return open_ ? limit_ - held_ : 0;
  }
  void end() override {
    const std::lock_guard lock(mutex_);
    open_ = false;
    ended_ = true;
  }
  bool is_open() const override {
    const std::lock_guard lock(mutex_);
    return open_;
  }
  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }
  bool ended() const {
    const std::lock_guard lock(mutex_);
    return ended_;
  }
  void take_all() {
    const std::lock_guard lock(mutex_);
    held_ = 0;
  }

 private:
  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::string text_;
  std::size_t held_ = 0;
  bool open_ = true;
  bool ended_ = false;
};

// A stream being listened to.
class Stream {
 public:
  explicit Stream(const http::Response& response, std::size_t limit = std::size_t{64} << 20U)
      : writer_(std::make_shared<FakeWriter>(limit)) {
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(header_of(response, "Content-Type"), "text/event-stream");
    EXPECT_EQ(header_of(response, "Cache-Control"), "no-store");
    source_ = std::get<http::StreamBody>(response.body).source;
    source_->opened(writer_);
  }
  ~Stream() { leave(); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  void leave() {
    if (!source_) return;
    writer_->end();
    std::exchange(source_, nullptr)->closed();
  }
  void take() {
    writer_->take_all();
    source_->drained();
  }
  std::vector<StreamEvent> events() const { return parse_stream(writer_->text()); }
  // What a client sends to come back: the last id, of an event or not.
  std::string last_event_id() const {
    const auto text = writer_->text();
    const auto at = text.rfind("id: ");
    return at == std::string::npos ? "" : text.substr(at + 4, text.find('\n', at) - at - 4);
  }
  std::vector<StreamEvent> wait_for(std::size_t count) const {
    EXPECT_TRUE(thumb::testing::wait_until([&] { return events().size() >= count; }))
        << writer_->text();
    return events();
  }
  FakeWriter& writer() { return *writer_; }

 private:
  std::shared_ptr<FakeWriter> writer_;
  std::shared_ptr<http::StreamSource> source_;
};

}  // namespace thumb::ingest::test
