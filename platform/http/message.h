// What handlers see of HTTP: a request, a response, and the promise to answer. No Pistache type.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "platform/blob_store.h"
#include "platform/bytes.h"
#include "platform/http/stream.h"
#include "platform/result.h"

namespace thumb::http {

enum class Method { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions };

struct HeaderField {
  std::string name;
  std::string value;
};

// A request head, framed and checked: within limits, target percent-decoded once, valid UTF-8.
struct Request {
  Method method = Method::kGet;
  std::string path;                           // decoded, without the query
  std::map<std::string, std::string> params;  // from the route's pattern: "/v1/images/{id}" -> id
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in order
  std::vector<HeaderField> headers;                        // as sent, in order
  std::optional<std::uint64_t> content_length;             // empty: chunked or no body
  bool has_body = false;
  std::string peer;  // numeric address, for logs

  // The first header of that name (any case).
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
  [[nodiscard]] std::optional<std::string_view> query_value(std::string_view name) const;
};

// Bytes [offset, offset+length) of a blob, streamed as the client takes them.
struct BlobBody {
  std::shared_ptr<BlobReader> blob;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

struct Response {
  int status = 200;
  std::vector<HeaderField> headers;  // Content-Length, Date and Connection are added by the server
  std::variant<std::string, BlobBody, StreamBody> body;

  Response& set(std::string name, std::string value) {
    headers.push_back({std::move(name), std::move(value)});
    return *this;
  }
};

// The promise of exactly one answer. Movable, from any thread, also long after the handler
// returned. One destroyed unanswered answers 500. A client that left makes send() a no-op.
class Responder {
 public:
  class Channel {  // the server's side
   public:
    virtual ~Channel() = default;
    virtual void send(Response response) = 0;
  };

  explicit Responder(std::shared_ptr<Channel> channel) : channel_(std::move(channel)) {}
  ~Responder();
  Responder(Responder&&) noexcept = default;
  Responder& operator=(Responder&&) = delete;

  // REQUIRES: not called before.
  void send(Response response);

 private:
  std::shared_ptr<Channel> channel_;
};

// Where a request's body goes, as it comes. One per request; calls come from one thread at a time.
// Destroyed without complete(): the client left, was too slow or broke a limit; discard everything.
class BodyReceiver {
 public:
  virtual ~BodyReceiver() = default;
  // An error is answered at once (mapped by kind) and the connection closed.
  [[nodiscard]] virtual Result<void> write(ByteView bytes) = 0;
  // The whole body has come. Called once, on a reactor thread: hand long work to other threads.
  virtual void complete(Request request, Responder responder) = 0;
};

// For requests without a body (one that is sent is read and dropped, up to the limit).
// Runs on a reactor thread: answer at once or keep the responder for later; never block.
using Handler = std::function<void(Request, Responder)>;
// For requests with a body: called when the head is complete; an error is answered before the body
// is read (mapped by kind).
using OpenBody = std::function<Result<std::unique_ptr<BodyReceiver>>(const Request&)>;

}  // namespace thumb::http
