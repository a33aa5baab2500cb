// libcurl's multi interface: one thread drives all transfers, and new ones wake it.
#include "platform/http_fetcher.h"

#include <curl/curl.h>

#include <deque>
#include <future>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace thumb {
namespace {

constexpr int kIdleWaitMs = 60'000;  // curl_multi_wakeup() ends it

struct EasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using Easy = std::unique_ptr<CURL, EasyDeleter>;

struct MultiDeleter {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
using Multi = std::unique_ptr<CURLM, MultiDeleter>;

// libcurl wants to be told once, before any thread uses it.
void initialise_curl() {
  static const CURLcode kOnce = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(kOnce);
}

struct Transfer {
  Easy easy;
  std::string url;
  std::string body;
  std::size_t max_bytes = 0;
  std::chrono::milliseconds timeout{0};
  FetchMethod method = FetchMethod::kGet;
  HttpFetcher::Done done;
};

std::size_t on_bytes(char* data, std::size_t size, std::size_t count, void* opaque) {
  auto& transfer = *static_cast<Transfer*>(opaque);
  if (transfer.body.size() + size * count > transfer.max_bytes) return 0;  // ends the transfer
  transfer.body.append(data, size * count);
  return size * count;
}

Failure not_reached(std::string_view detail) {
  return fail_transient(ErrorKind::kUnavailable, "not-reached", "the service can't be reached",
                        detail);
}

Result<Fetched> outcome_of(Transfer& transfer, CURLcode code) {
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return fail_transient(ErrorKind::kTimeout, "no-answer", "the service did not answer in time");
  }
  if (code == CURLE_WRITE_ERROR) {
    return fail(ErrorKind::kTooLarge, "answer-too-large", "the answer is too large");
  }
  if (code != CURLE_OK) return not_reached(curl_easy_strerror(code));
  long status = 0;
  curl_easy_getinfo(transfer.easy.get(), CURLINFO_RESPONSE_CODE, &status);
  return Fetched{static_cast<int>(status), std::move(transfer.body)};
}

}  // namespace

class HttpFetcher::Loop {
 public:
  Loop(std::size_t max_connections, std::size_t max_bytes)
      : max_bytes_(max_bytes), multi_(make_multi(max_connections)) {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  ~Loop() {
    thread_.request_stop();
    curl_multi_wakeup(multi_.get());
    thread_.join();
    for (auto& [easy, transfer] : running_) {
      curl_multi_remove_handle(multi_.get(), easy);
      transfer->done(not_reached("stopped"));
    }
    for (auto& transfer : inbox_) transfer->done(not_reached("stopped"));
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void add(std::unique_ptr<Transfer> transfer) {
    transfer->max_bytes = max_bytes_;
    {
      const std::lock_guard lock(mutex_);
      inbox_.push_back(std::move(transfer));
    }
    curl_multi_wakeup(multi_.get());
  }

 private:
  static Multi make_multi(std::size_t max_connections) {
    initialise_curl();
    Multi multi(curl_multi_init());
    const auto limit = static_cast<long>(max_connections);
    curl_multi_setopt(multi.get(), CURLMOPT_MAX_TOTAL_CONNECTIONS, limit);
    curl_multi_setopt(multi.get(), CURLMOPT_MAXCONNECTS, limit);
    return multi;
  }

  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      begin_new();
      int running = 0;
      curl_multi_perform(multi_.get(), &running);
      finish_done();
      curl_multi_poll(multi_.get(), nullptr, 0, kIdleWaitMs, nullptr);
    }
  }

  void begin_new() {
    std::deque<std::unique_ptr<Transfer>> fresh;
    {
      const std::lock_guard lock(mutex_);
      fresh.swap(inbox_);
    }
    for (auto& transfer : fresh) begin(std::move(transfer));
  }

  void begin(std::unique_ptr<Transfer> transfer) {
    transfer->easy = take_spare();
    CURL* easy = transfer->easy.get();
    curl_easy_setopt(easy, CURLOPT_URL, transfer->url.c_str());
    if (transfer->method == FetchMethod::kPost) curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "");
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(transfer->timeout.count()));
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &on_bytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer.get());
    curl_multi_add_handle(multi_.get(), easy);
    running_.emplace(easy, std::move(transfer));
  }

  void finish_done() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      const auto found = running_.find(message->easy_handle);
      const auto transfer = std::move(found->second);
      running_.erase(found);
      curl_multi_remove_handle(multi_.get(), transfer->easy.get());
      transfer->done(outcome_of(*transfer, code));
      spare_.push_back(std::move(transfer->easy));
    }
  }

  // Handles are used again: making one costs more than a small request.
  Easy take_spare() {
    if (spare_.empty()) return Easy(curl_easy_init());
    Easy easy = std::move(spare_.back());
    spare_.pop_back();
    curl_easy_reset(easy.get());
    return easy;
  }

  const std::size_t max_bytes_;
  Multi multi_;
  std::mutex mutex_;
  std::deque<std::unique_ptr<Transfer>> inbox_;
  // Of the thread alone.
  std::map<CURL*, std::unique_ptr<Transfer>> running_;
  std::vector<Easy> spare_;
  std::jthread thread_;  // last: starts when all else is there
};

HttpFetcher::HttpFetcher(std::size_t max_connections, std::size_t max_answer_bytes)
    : loop_(std::make_unique<Loop>(max_connections, max_answer_bytes)) {}

HttpFetcher::~HttpFetcher() = default;

void HttpFetcher::fetch(std::string url, std::chrono::milliseconds timeout, Done done,
                        FetchMethod method) {
  auto transfer = std::make_unique<Transfer>();
  transfer->url = std::move(url);
  transfer->timeout = timeout;
  transfer->method = method;
  transfer->done = std::move(done);
  loop_->add(std::move(transfer));
}

Result<Fetched> HttpFetcher::fetch_and_wait(std::string url, std::chrono::milliseconds timeout,
                                            FetchMethod method) {
  std::promise<Result<Fetched>> answer;
  fetch(
      std::move(url), timeout,
      [&answer](Result<Fetched> result) { answer.set_value(std::move(result)); }, method);
  return answer.get_future().get();
}

}  // namespace thumb
