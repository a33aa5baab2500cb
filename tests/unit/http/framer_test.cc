// Framing without sockets: what is refused and how (request smuggling first of all), and that it
// never matters how the bytes are split on their way.
#include "platform/http/framer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

namespace thumb::http {
namespace {

constexpr FramingLimits kLimits{
    .max_header_bytes = 2048, .max_target_bytes = 512, .max_fields = 10, .max_body_bytes = 1000};

// All that came out of a stream of bytes, request by request, until it ended or was refused.
struct Transcript {
  std::vector<std::string> requests;  // "POST /path|body"
  int refused = 0;                    // status
  std::string code;
  bool complete = false;  // ended at a request's end, nothing left over
  std::size_t most_kept = 0;

  friend bool operator==(const Transcript& a, const Transcript& b) {
    return a.requests == b.requests && a.refused == b.refused && a.code == b.code &&
           a.complete == b.complete;
  }
  friend std::ostream& operator<<(std::ostream& out, const Transcript& t) {
    return out << testing::PrintToString(t.requests) << " refused " << t.refused << " " << t.code
               << " complete " << t.complete;
  }
};

// Feeds `pieces` one after another, keeping what the framer has not consumed, as a connection does.
class Feeder {
 public:
  Transcript feed(const std::vector<std::string>& pieces) {
    for (const std::string& piece : pieces) {
      kept_ += piece;
      if (!drain()) return seen_;
      seen_.most_kept = std::max(seen_.most_kept, kept_.size());
    }
    seen_.complete = !in_request_ && kept_.empty();
    return seen_;
  }

 private:
  bool drain() {
    for (;;) {
      const FrameStep step = framer_.next(kept_);
      EXPECT_LE(step.consumed, kept_.size());
      if (step.kind == FrameStep::Kind::kBody) seen_.requests.back().append(step.body);
      kept_.erase(0, step.consumed);
      switch (step.kind) {
        case FrameStep::Kind::kNeedMore:
          return true;
        case FrameStep::Kind::kBody:
          EXPECT_FALSE(step.body.empty());
          break;
        case FrameStep::Kind::kHead:
          in_request_ = true;
          seen_.requests.push_back(framer_.take_head().raw_path + "|");
          break;
        case FrameStep::Kind::kEnd:
          in_request_ = false;
          framer_.reset();
          if (kept_.empty()) return true;
          break;
        case FrameStep::Kind::kError:
          seen_.refused = framer_.error().status;
          seen_.code = framer_.error().code;
          return false;
      }
    }
  }

  RequestFramer framer_{kLimits};
  std::string kept_;
  bool in_request_ = false;
  Transcript seen_;
};

Transcript whole(const std::string& text) { return Feeder().feed({text}); }

std::vector<std::string> bytes_of(const std::string& text) {
  std::vector<std::string> bytes;
  for (const char c : text) bytes.emplace_back(1, c);
  return bytes;
}

RequestHead head_of(const std::string& text) {
  RequestFramer framer(kLimits);
  EXPECT_EQ(framer.next(text).kind, FrameStep::Kind::kHead);
  return framer.take_head();
}

TEST(Framer, HeadOfARequestWithoutBody) {
  const RequestHead head = head_of(
      "GET /v1/im%61ges/a%2Fb?limit=10&q=a+b%21 HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n");
  EXPECT_EQ(head.request.method, Method::kGet);
  EXPECT_EQ(head.raw_path, "/v1/im%61ges/a%2Fb");
  EXPECT_EQ(head.request.path, "/v1/images/a/b");
  EXPECT_EQ(head.request.query_value("limit"), "10");
  EXPECT_EQ(head.request.query_value("q"), "a b!");
  EXPECT_EQ(head.request.query_value("none"), std::nullopt);
  EXPECT_EQ(head.request.header("ACCEPT"), "*/*");
  EXPECT_FALSE(head.request.has_body);
  EXPECT_EQ(head.request.content_length, std::nullopt);
  EXPECT_TRUE(head.keep_alive);
}

TEST(Framer, KeepAliveFollowsVersionAndConnection) {
  EXPECT_TRUE(head_of("GET / HTTP/1.1\r\nHost: x\r\n\r\n").keep_alive);
  EXPECT_FALSE(head_of("GET / HTTP/1.1\r\nHost: x\r\nConnection: foo, Close\r\n\r\n").keep_alive);
  EXPECT_FALSE(head_of("GET / HTTP/1.0\r\n\r\n").keep_alive);
  EXPECT_TRUE(head_of("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").keep_alive);
}

TEST(Framer, ExpectationHoldsOnlyWhereABodyFollowsInHttp11) {
  const std::string expect = "Expect: 100-Continue\r\n";
  EXPECT_TRUE(head_of("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n" + expect + "\r\n")
                  .expect_continue);
  EXPECT_FALSE(head_of("POST / HTTP/1.1\r\nHost: x\r\n" + expect + "\r\n").expect_continue);
  EXPECT_FALSE(
      head_of("POST / HTTP/1.0\r\nContent-Length: 1\r\n" + expect + "\r\n").expect_continue);
}

TEST(Framer, BodiesByLengthAndByChunks) {
  EXPECT_THAT(whole("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello").requests,
              testing::ElementsAre("/a|hello"));
  const auto chunked = whole(
      "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n"
      "5;ext=\"v\"\r\nhello\r\n006\r\n world\r\n0\r\nTrailer: t\r\n\r\n");
  EXPECT_THAT(chunked.requests, testing::ElementsAre("/a|hello world"));
  EXPECT_TRUE(chunked.complete);
}

TEST(Framer, PipelinedRequestsComeOneByOne) {
  const auto seen = whole(
      "POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"
      "\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n"
      "POST /3 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nz\r\n0\r\n\r\n"
      "GET /4 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(seen.requests, testing::ElementsAre("/1|ab", "/2|", "/3|z", "/4|"));
  EXPECT_TRUE(seen.complete);
}

// What a front end and we might read differently is refused, never guessed.
struct RefusedCase {
  const char* name;
  std::string text;
  int status;
};

std::string post(const std::string& fields, const std::string& body = "hello") {
  return "POST / HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n" + body;
}
std::string get(const std::string& fields) {
  return "GET / HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n";
}
std::string chunked(const std::string& body) {
  return post("Transfer-Encoding: chunked\r\n", body);
}

const std::vector<RefusedCase> kRefusedCases = {
    {"TwoEqualLengths", post("Content-Length: 5\r\nContent-Length: 5\r\n"), 400},
    {"TwoDifferentLengths", post("Content-Length: 5\r\nContent-Length: 6\r\n"), 400},
    {"ListOfLengths", post("Content-Length: 5, 5\r\n"), 400},
    {"SignedLength", post("Content-Length: +5\r\n"), 400},
    {"NegativeLength", post("Content-Length: -5\r\n"), 400},
    {"HexLength", post("Content-Length: 0x5\r\n"), 400},
    {"EmptyLength", post("Content-Length: \r\n"), 400},
    {"LengthBeyond64Bits", post("Content-Length: 99999999999999999999999\r\n"), 400},
    {"LengthAndChunked", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400},
    {"ChunkedAndLength", post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400},
    {"LengthAndOtherCoding", post("Transfer-Encoding: gzip\r\nContent-Length: 5\r\n"), 400},
    {"OtherCoding", post("Transfer-Encoding: gzip\r\n"), 501},
    {"GzipThenChunked", post("Transfer-Encoding: gzip, chunked\r\n"), 501},
    {"ChunkedThenGzip", post("Transfer-Encoding: chunked, gzip\r\n"), 501},
    {"ChunkedTwiceInOne", post("Transfer-Encoding: chunked, chunked\r\n"), 501},
    {"Identity", post("Transfer-Encoding: identity\r\n"), 501},
    {"QuotedChunked", post("Transfer-Encoding: \"chunked\"\r\n"), 501},
    {"XChunked", post("Transfer-Encoding: xchunked\r\n"), 501},
    {"EmptyCoding", post("Transfer-Encoding:\r\n"), 501},
    {"GzipFieldThenChunkedField", post("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"),
     501},
    {"TwoChunkedFields", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
    {"ChunkedWithVerticalTab",
     post("Transfer-Encoding: \x0b"
          "chunked\r\n"),
     400},
    {"ChunkedInHttp10", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
    {"SpaceBeforeColon", post("Content-Length : 5\r\n"), 400},
    {"SpaceBeforeFirstField", "GET / HTTP/1.1\r\n Host: x\r\n\r\n", 400},
    {"FoldedField", get("X: a\r\n b\r\n"), 400},
    {"FoldedEmptyField", get("X:\r\n\tb\r\n"), 400},
    {"FoldedCoding", post("Transfer-Encoding:\r\n chunked\r\n"), 400},
    {"FieldWithoutColon", get("nonsense\r\n"), 400},
    {"EmptyFieldName", get(": x\r\n"), 400},
    {"BareLineFeeds", "GET / HTTP/1.1\nHost: x\n\n", 400},
    {"BareLineFeedInField", get("X: a\nY: b\r\n"), 400},
    {"BareCarriageReturn", get("X: a\rY: b\r\n"), 400},
    {"NulInField", get(std::string("X: a\0b\r\n", 8)), 400},
    {"NoHost", "GET / HTTP/1.1\r\n\r\n", 400},
    {"TwoHosts", get("Host: x\r\n"), 400},
    {"HostWithPath", "GET / HTTP/1.1\r\nHost: x/y\r\n\r\n", 400},
    {"HostList", "GET / HTTP/1.1\r\nHost: x, y\r\n\r\n", 400},
    {"HostWithUser", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400},
    {"NoVersion", "GET /\r\n\r\n", 400},
    {"LowerCaseVersion", "GET / http/1.1\r\nHost: x\r\n\r\n", 400},
    {"TextAfterVersion", "GET / HTTP/1.1 x\r\nHost: x\r\n\r\n", 400},
    {"Http2Preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
    {"Http9", "GET / HTTP/9.9\r\nHost: x\r\n\r\n", 505},
    {"Http12", "GET / HTTP/1.2\r\nHost: x\r\n\r\n", 505},
    {"TlsHello", std::string("\x16\x03\x01\x02\x00\x01\x00", 7), 400},
    {"UnknownMethod", "BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 501},
    {"Connect", "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", 501},
    {"LowerCaseMethod", "get / HTTP/1.1\r\nHost: x\r\n\r\n", 501},
    {"TwoSpaces", "GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
    {"TabInRequestLine", "GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n", 400},
    {"SpaceInTarget", "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400},
    {"RelativeTarget", "GET a HTTP/1.1\r\nHost: x\r\n\r\n", 400},
    {"StarWithGet", "GET * HTTP/1.1\r\nHost: x\r\n\r\n", 400},
    {"NonAsciiTarget", "GET /\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
    {"Fragment", "GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n", 400},
    {"NulInPath", "GET /a%00b HTTP/1.1\r\nHost: x\r\n\r\n", 400},
    {"BadUtf8InPath", "GET /%ff HTTP/1.1\r\nHost: x\r\n\r\n", 400},
    {"BadUtf8InQuery", "GET /?a=%c3%28 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
    {"CutEscape", "GET /a%4 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
    {"BadEscape", "GET /?%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400},
    {"LongTarget", "GET /" + std::string(512, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n", 414},
    {"EndlessTarget", "GET /" + std::string(9000, 'a'), 414},
    {"LongFields", get("X: " + std::string(2100, 'a') + "\r\n"), 431},
    {"EndlessFields", "GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(9000, 'a'), 431},
    {"ManyFields", get("A:\r\nB:\r\nC:\r\nD:\r\nE:\r\nF:\r\nG:\r\nH:\r\nI:\r\nJ:\r\n"), 431},
    {"OtherExpectation", post("Content-Length: 5\r\nExpect: 200-ok\r\n"), 417},
    {"LengthOverLimit", post("Content-Length: 1001\r\n", ""), 413},
    {"ChunkOverLimit", chunked("3e9\r\n"), 413},
    {"ChunksOverLimit", chunked("1\r\na\r\n3e8\r\n"), 413},
    {"ChunkSizeOverflow", chunked("ffffffffffffffffff\r\n"), 400},
    {"ChunkSizeSigned", chunked("+5\r\nhello\r\n0\r\n\r\n"), 400},
    {"ChunkSizeNegative", chunked("-1\r\n"), 400},
    {"ChunkSizePrefixed", chunked("0x5\r\nhello\r\n0\r\n\r\n"), 400},
    {"ChunkSizeSpaced", chunked("5 \r\nhello\r\n0\r\n\r\n"), 400},
    {"ChunkSizeMissing", chunked("\r\nhello\r\n0\r\n\r\n"), 400},
    {"ChunkEndMissing", chunked("5\r\nhelloXX0\r\n\r\n"), 400},
    {"ChunkTooLong", chunked("5\r\nhello!\r\n0\r\n\r\n"), 400},
    {"ChunkBareLineFeed", chunked("5\nhello\r\n0\r\n\r\n"), 400},
    {"ChunkExtensionLineFeed", chunked("5;a=\"\n\"\r\nhello\r\n0\r\n\r\n"), 400},
    {"ChunkExtensionMalformed", chunked("5;=x\r\nhello\r\n0\r\n\r\n"), 400},
    {"EndlessChunkExtension", chunked("5;a=" + std::string(9000, 'b')), 400},
    {"EndlessTrailer", chunked("0\r\nT: " + std::string(9000, 'b')), 400},
    {"LengthInTrailer", chunked("0\r\nContent-Length: 5\r\n\r\n"), 400},
    {"GarbageBetweenRequests", get("") + "garbage", 400},
    {"ManyEmptyLines", "\r\n\r\n\r\n\r\n" + get(""), 400},
};

class Refused : public testing::TestWithParam<RefusedCase> {};

TEST_P(Refused, InOnePieceAndByteByByte) {
  const RefusedCase& refused = GetParam();
  // Garbage is refused as soon as it can't become a request; a text that only lacks its end isn't.
  const std::string text = refused.text + "\r\n\r\n";
  EXPECT_EQ(whole(text).refused, refused.status) << whole(text);
  const Transcript slow = Feeder().feed(bytes_of(text));
  EXPECT_EQ(slow.refused, refused.status) << slow;
  EXPECT_LE(slow.most_kept, kLimits.max_header_bytes);
}

INSTANTIATE_TEST_SUITE_P(All, Refused, testing::ValuesIn(kRefusedCases),
                         [](const auto& test) { return test.param.name; });

TEST(Framer, TakesWhatOnlyLooksOdd) {
  for (const std::string text : {
           "GET / HTTP/1.0\r\n\r\n",
           "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
           "GET http://example.org:80/a?b HTTP/1.1\r\nHost: example.org\r\n\r\n",
           "GET http://example.org HTTP/1.1\r\nHost: example.org\r\n\r\n",
           "GET / HTTP/1.1\r\nHost:\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n",
           "GET /a{b}|c HTTP/1.1\r\nHost: x\r\nX: \xff obs-text\r\nEmpty:\r\n\r\n",
           "\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
           "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0005\r\n\r\nhello",
           "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\tchunked \r\n\r\n0\r\n\r\n",
           "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n",
       }) {
    const Transcript seen = whole(text);
    EXPECT_EQ(seen.refused, 0) << text << seen;
    EXPECT_EQ(seen.requests.size(), 1U) << text;
    EXPECT_EQ(Feeder().feed(bytes_of(text)).requests, seen.requests) << text;
  }
}

TEST(Framer, KnowsTheMethodOfARefusedRequest) {
  RequestFramer framer(kLimits);
  EXPECT_EQ(framer.method(), std::nullopt);
  EXPECT_EQ(framer.next("HEAD / HTTP/1.1\r\n\r\n").kind, FrameStep::Kind::kError);
  EXPECT_EQ(framer.method(), Method::kHead);
}

// A connection's life of well-formed requests, sometimes with something wrong at the end.
rc::Gen<std::string> any_stream() {
  return rc::gen::exec([] {
    std::string text;
    const int requests = *rc::gen::inRange(1, 4);
    for (int i = 0; i < requests; ++i) {
      const auto body = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
      const int kind = *rc::gen::inRange(0, 3);
      if (kind == 0) {
        text += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
      } else if (kind == 1) {
        text += "POST /" + std::to_string(i) +
                " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
                "\r\n\r\n" + body;
      } else {
        text += "POST /" + std::to_string(i) +
                " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
        for (std::size_t at = 0; at < body.size();) {
          const auto size =
              std::min(body.size() - at, *rc::gen::inRange<std::size_t>(1, body.size() + 1));
          std::array<char, 16> hex;
          std::snprintf(hex.data(), hex.size(), "%zX", size);
          text += std::string(hex.data()) + "\r\n" + body.substr(at, size) + "\r\n";
          at += size;
        }
        text += *rc::gen::element<std::string>("0\r\n\r\n", "000;x=y\r\n\r\n", "0\r\nT: 1\r\n\r\n");
      }
    }
    if (*rc::gen::inRange(0, 3) == 0) {
      text += kRefusedCases[*rc::gen::inRange<std::size_t>(0, kRefusedCases.size())].text;
    }
    return text;
  });
}

TEST(FramerProperty, HowBytesAreSplitNeverMatters) {
  EXPECT_TRUE(rc::check("any split gives the same transcript", [] {
    const std::string text = *any_stream();
    const Transcript expected = whole(text);
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < text.size();) {
      const auto size = *rc::gen::weightedOneOf<std::size_t>(
          {{3, rc::gen::just<std::size_t>(1)}, {2, rc::gen::inRange<std::size_t>(1, 200)}});
      pieces.push_back(text.substr(at, size));
      at += pieces.back().size();
    }
    const Transcript split = Feeder().feed(pieces);
    RC_ASSERT(split.requests.size() >= expected.requests.size());
    RC_ASSERT(split.refused == expected.refused);
    RC_ASSERT(split.complete == expected.complete);
    if (expected.refused == 0) RC_ASSERT(split.requests == expected.requests);
  }));
}

// A fault may be seen later where bytes come singly (the parser waits for the head's end), but
// nothing is let through that would be refused in one piece.
TEST(FramerProperty, MutatedRequestsAreRefusedHoweverTheyCome) {
  EXPECT_TRUE(rc::check("what is refused in one piece is never taken byte by byte", [] {
    std::string text = *any_stream();
    for (int i = *rc::gen::inRange(1, 8); i > 0 && !text.empty(); --i) {
      text[*rc::gen::inRange<std::size_t>(0, text.size())] = *rc::gen::arbitrary<char>();
    }
    const Transcript at_once = whole(text);
    const Transcript slow = Feeder().feed(bytes_of(text));
    RC_ASSERT(slow.most_kept <= kLimits.max_header_bytes);
    RC_ASSERT(slow.refused == 0 || at_once.refused != 0);
    RC_ASSERT(slow.complete == at_once.complete);
    RC_ASSERT(slow.requests.size() == at_once.requests.size());
  }));
}

}  // namespace
}  // namespace thumb::http
