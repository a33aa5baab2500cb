// Blobs are sent as the client takes them: read in small pieces, never ahead of a slow reader.
#include <atomic>
#include <thread>

#include "tests/integration/http/server_fixture.h"

namespace thumb::http {
namespace {

using test::get_request;
using test::RawClient;

// Bytes that say where they stand; can fail from some offset on.
class PatternBlob final : public BlobReader {
 public:
  explicit PatternBlob(std::uint64_t size) : size_(size) {}
  [[nodiscard]] std::uint64_t size_bytes() const override { return size_; }
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset,
                                            std::span<std::byte> out) const override {
    largest_piece = std::max(largest_piece.load(), out.size());
    if (offset >= fail_from) return fail(ErrorKind::kUnavailable, "io-error", "x");
    if (offset >= size_) return 0;
    const std::size_t size = std::min<std::uint64_t>(out.size(), size_ - offset);
    for (std::size_t i = 0; i < size; ++i) out[i] = byte_at(offset + i);
    read_up_to = std::max(read_up_to.load(), offset + size);
    return size;
  }
  static std::byte byte_at(std::uint64_t at) {
    return static_cast<std::byte>((at * 2'654'435'761U) >> 13U);
  }

  mutable std::atomic<std::uint64_t> read_up_to{0};
  mutable std::atomic<std::size_t> largest_piece{0};
  std::uint64_t fail_from = std::numeric_limits<std::uint64_t>::max();

 private:
  const std::uint64_t size_;
};

class HttpBlob : public HttpServerTest {
 protected:
  static constexpr std::uint64_t kSize = 100U << 20U;

  HttpBlob() {
    router_.add(Method::kGet, "/blob", [this](const Request& request, Responder responder) {
      Response response;
      response.body = BlobBody{.blob = blob_,
                               .offset = std::stoull(std::string(*request.query_value("from"))),
                               .length = std::stoull(std::string(*request.query_value("count")))};
      responder.send(std::move(response));
    });
    start();
  }

  static std::string pattern(std::uint64_t from, std::uint64_t count) {
    std::string text;
    for (std::uint64_t i = from; i < from + count; ++i) {
      text.push_back(static_cast<char>(PatternBlob::byte_at(i)));
    }
    return text;
  }

  std::shared_ptr<PatternBlob> blob_ = std::make_shared<PatternBlob>(kSize);
};

TEST_F(HttpBlob, RangesArriveExactly) {
  for (const auto& [from, count] : std::vector<std::pair<std::uint64_t, std::uint64_t>>{
           {0, 0}, {0, 1}, {5, 1'000}, {1, 65'536}, {77, 3'000'001}, {kSize - 1, 1}}) {
    const auto response = exchange(
        get_request("/blob?from=" + std::to_string(from) + "&count=" + std::to_string(count)));
    ASSERT_TRUE(response);
    EXPECT_EQ(response->header("content-length"), std::to_string(count));
    EXPECT_TRUE(response->body == pattern(from, count)) << from << " " << count;
  }
}

TEST_F(HttpBlob, HeadSendsTheLengthOnly) {
  RawClient client(port());
  client.send("HEAD /blob?from=0&count=1000 HTTP/1.1\r\nHost: x\r\n\r\n" + get_request("/hello"));
  EXPECT_EQ(client.read_response(true)->header("content-length"), "1000");
  EXPECT_EQ(client.read_response()->body, "hello");
  EXPECT_EQ(blob_->read_up_to, 0U);
}

TEST_F(HttpBlob, ASlowReaderIsNotReadAheadOf) {
  RawClient client(port(), 4'096);
  client.send(get_request("/blob?from=0&count=" + std::to_string(kSize), "Connection: close\r\n"));
  EXPECT_THAT(client.read(1'000), ::testing::StartsWith("HTTP/1.1 200 OK"));
  // Others are served while this one waits, until the server has no more to do for it.
  std::uint64_t before = 1;
  for (int i = 0; i < 200 || before != blob_->read_up_to; ++i) {
    before = blob_->read_up_to;
    EXPECT_EQ(exchange(get_request("/hello"))->status, 200);
  }
  // What the kernel buffers, and one piece.
  EXPECT_LT(blob_->read_up_to, 16U << 20U);
  EXPECT_LE(blob_->largest_piece, 64U * 1024U);
  EXPECT_GT(client.read_to_end().size(), kSize - 1'000);
  EXPECT_EQ(blob_->read_up_to, kSize);
}

TEST_F(HttpBlob, AFastReaderOfALargeBlobLeavesTheOthersTheirTurn) {
  std::vector<std::jthread> readers;
  readers.reserve(4);
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([this] {
      const auto response = exchange(get_request("/blob?from=0&count=" + std::to_string(kSize)));
      ASSERT_TRUE(response);
      EXPECT_EQ(response->body.size(), kSize);
    });
  }
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(exchange(get_request("/hello"))->status, 200);
  }
  for (std::jthread& reader : readers) reader.join();
}

TEST_F(HttpBlob, ABlobThatFailsCutsTheConnection) {
  blob_->fail_from = 200'000;
  EXPECT_EQ(exchange(get_request("/blob?from=0&count=1000000")), std::nullopt);
  EXPECT_EQ(exchange(get_request("/blob?from=" + std::to_string(kSize - 10) + "&count=20")),
            std::nullopt);  // shorter than promised
}

TEST_F(HttpBlob, AReaderThatLeavesReleasesTheBlob) {
  RawClient client(port(), 4'096);
  client.send(get_request("/blob?from=0&count=" + std::to_string(kSize)));
  EXPECT_EQ(client.read(100).size(), 100U);
  EXPECT_GT(blob_.use_count(), 1);
  client.reset();
  for (int i = 0; i < 10'000 && blob_.use_count() > 1; ++i) {
    EXPECT_EQ(exchange(get_request("/hello"))->status, 200);
  }
  EXPECT_EQ(blob_.use_count(), 1);
}

}  // namespace
}  // namespace thumb::http
