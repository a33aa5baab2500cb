// Answers without an end: a body that goes on for as long as its client listens.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace thumb::http {

// The writing end of one streamed body, the server's side. Thread-safe; may outlive the client, the
// connection and the server.
class StreamWriter {
 public:
  virtual ~StreamWriter() = default;

  // Hands text over to be sent soon. Never blocks. False, and nothing taken, once the stream is
  // over, or if the text is more than room(): then the client takes its bytes too slowly, and is
  // cut off. One who writes no more than room() loses no slow client.
  virtual bool write(std::string_view text) = 0;
  // How many bytes write() would take now; 0 once the stream is over. Grows until the next write().
  [[nodiscard]] virtual std::size_t room() const = 0;
  // Sends what was written, then closes the body as its framing has it.
  virtual void end() = 0;
  // False as soon as the client is known to be gone (nothing needs to be written to see that), was
  // cut off, the stream was ended or the server stops.
  [[nodiscard]] virtual bool is_open() const = 0;
};

// Who writes a stream. Calls come from the connection's reactor thread, one at a time: be short,
// never block.
class StreamSource {
 public:
  virtual ~StreamSource() = default;
  // The head is on its way; from now on the writer takes text, from any thread. Not called where no
  // body is sent: for HEAD, or if the client left before.
  virtual void opened(std::shared_ptr<StreamWriter> writer) = 0;
  // All that was written is with the kernel.
  virtual void drained() = 0;
  // The stream is over, for whatever reason. The last call, once after opened().
  virtual void closed() = 0;
};

// The body of such an answer: chunked, to an HTTP/1.0 client delimited by the connection's end. A
// client that closes its sending side counts as gone. One that takes nothing for the write
// time-out, or does not acknowledge TCP's probes, is cut off. Past ServerOptions::max_streams it is
// answered 503 instead.
struct StreamBody {
  std::shared_ptr<StreamSource> source;
  std::size_t max_buffered = std::size_t{64} * 1024;  // written, and not yet with the kernel
};

}  // namespace thumb::http
