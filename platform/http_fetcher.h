// Many HTTP requests at once to a service of ours, over connections that are kept, by one thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "platform/result.h"

namespace thumb {

enum class FetchMethod { kGet, kPost };  // a POST has no body

struct Fetched {
  int status = 0;
  std::string body;
};

// Thread-safe. Follows no redirects, uses no proxy. Errors: kUnavailable/"not-reached",
// kTimeout/"no-answer" (both back off; what a POST asks for may have been done), and
// kTooLarge/"answer-too-large" past the limit.
class HttpFetcher {
 public:
  using Done = std::function<void(Result<Fetched>)>;

  // `max_connections` are open at most; more requests wait for one.
  explicit HttpFetcher(std::size_t max_connections, std::size_t max_answer_bytes = 64ULL << 20U);
  // Every `done` that was not called is called with "not-reached".
  ~HttpFetcher();
  HttpFetcher(const HttpFetcher&) = delete;
  HttpFetcher& operator=(const HttpFetcher&) = delete;

  // Never blocks. `done` is called exactly once, on the fetcher's thread; it must be short and must
  // not throw.
  void fetch(std::string url, std::chrono::milliseconds timeout, Done done,
             FetchMethod method = FetchMethod::kGet);

  // The same, waiting for the outcome. REQUIRES: not called on the fetcher's thread.
  [[nodiscard]] Result<Fetched> fetch_and_wait(std::string url, std::chrono::milliseconds timeout,
                                               FetchMethod method = FetchMethod::kGet);

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace thumb
