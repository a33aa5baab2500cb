// Built on libcurl's easy interface, one handle a request.
#include "platform/http_client.h"

#include <curl/curl.h>

#include <memory>
#include <mutex>

namespace thumb {
namespace {

constexpr std::size_t kMaxBodyBytes = std::size_t{16} << 20U;

// A short count tells curl to give up (CURLE_WRITE_ERROR).
std::size_t append_body(const char* bytes, std::size_t size, std::size_t count, void* target) {
  auto& body = *static_cast<std::string*>(target);
  if (body.size() + size * count > kMaxBodyBytes) return 0;
  body.append(bytes, size * count);
  return size * count;
}

void initialise_once() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

Failure to_failure(CURLcode code, const std::string& url) {
  const auto detail = url + ": " + curl_easy_strerror(code);
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return fail_transient(ErrorKind::kTimeout, "no-answer", "no answer in time", detail);
  }
  if (code == CURLE_WRITE_ERROR) {
    return fail(ErrorKind::kTooLarge, "answer-too-large", "the answer is too large", detail);
  }
  return fail_transient(ErrorKind::kUnavailable, "not-reached", "nobody answers", detail);
}

}  // namespace

Result<HttpAnswer> http_request(const std::string& method, const std::string& url,
                                std::chrono::milliseconds timeout) {
  initialise_once();
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> handle(curl_easy_init(),
                                                                   &curl_easy_cleanup);
  if (!handle) return fail(ErrorKind::kInternal, "no-client", "no HTTP client could be made");
  HttpAnswer answer;
  curl_easy_setopt(handle.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_CUSTOMREQUEST, method.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
  curl_easy_setopt(handle.get(), CURLOPT_NOSIGNAL, 1L);  // of a process with threads
  curl_easy_setopt(handle.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, &append_body);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEDATA, &answer.body);
  if (const auto code = curl_easy_perform(handle.get()); code != CURLE_OK) {
    return to_failure(code, url);
  }
  long status = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  answer.status = static_cast<int>(status);
  return answer;
}

}  // namespace thumb
