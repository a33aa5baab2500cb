// multipart/form-data as curl, browsers and the hostile write it.
#include "platform/http/multipart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <chrono>

namespace thumb::http {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kType = "multipart/form-data; boundary=B";

struct Part {
  std::string name;
  std::optional<std::string> filename;
  std::string content_type;
  std::string data;
  friend bool operator==(const Part&, const Part&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Part& part) {
    return out << "{" << part.name << ", " << part.filename.value_or("-") << ", "
               << part.content_type << ", " << part.data << "}";
  }
};

class Collector final : public PartHandler {
 public:
  Result<void> begin_part(PartHead head) override {
    EXPECT_FALSE(open_);
    open_ = true;
    parts.push_back({head.name, head.filename, head.content_type, ""});
    return {};
  }
  Result<void> part_data(ByteView bytes) override {
    EXPECT_TRUE(open_);
    EXPECT_FALSE(bytes.empty());
    if (refuse_data) return fail(ErrorKind::kTooLarge, "no-more", "x");
    parts.back().data += as_text(bytes);
    return {};
  }
  Result<void> end_part() override {
    EXPECT_TRUE(open_);
    open_ = false;
    return {};
  }
  std::vector<Part> parts;
  bool refuse_data = false;

 private:
  bool open_ = false;
};

struct Outcome {
  std::vector<Part> parts;
  std::string code;  // empty: no error
};

Outcome read(std::string_view body, std::string_view type = kType, std::size_t max_parts = 100) {
  Collector collector;
  const auto result = read_multipart(as_bytes(body), type, collector, {.max_parts = max_parts});
  if (!result) {
    EXPECT_EQ(result.error().retry, Retry::kNever);
    EXPECT_EQ(result.error().kind,
              result.error().code == "too-many-parts" ? ErrorKind::kLimit : ErrorKind::kInvalid);
  }
  return {collector.parts, result ? "" : result.error().code};
}

std::string part(std::string_view disposition, std::string_view data) {
  std::string text("--B\r\nContent-Disposition: form-data; ");
  return text.append(disposition).append("\r\n\r\n").append(data).append("\r\n");
}

std::optional<std::string> filename_of(std::string_view parameters) {
  const Outcome outcome = read(part("name=\"f\"; " + std::string(parameters), "x") + "--B--\r\n");
  EXPECT_EQ(outcome.code, "") << parameters;
  return outcome.parts.empty() ? std::nullopt : outcome.parts[0].filename;
}

TEST(Multipart, FieldsAndFiles) {
  const Outcome outcome = read(
      "preamble\r\n--B  \r\n"
      "Content-Disposition: form-data; name=\"width\"\r\n\r\n100\r\n"
      "--B\r\ncontent-type: image/png\r\nX-Other: y\r\n"
      "content-disposition: form-data; name=file; filename=\"a.png\"\r\n\r\n\x89PNG\r\n\r\n"
      "--B--\r\nepilogue");
  EXPECT_EQ(outcome.code, "");
  EXPECT_THAT(outcome.parts, ElementsAre(Part{"width", std::nullopt, "", "100"},
                                         Part{"file", "a.png", "image/png", "\x89PNG\r\n"}));
}

TEST(Multipart, BoundaryAsTokenOrQuoted) {
  EXPECT_EQ(read("--a b--\r\n", "multipart/form-data; boundary=\"a b\"").code, "");
  EXPECT_EQ(read("--B--", "Multipart/Form-Data;charset=utf-8;BOUNDARY=B").code, "");
  for (const char* type : {"multipart/form-data", "multipart/form-data; boundary=",
                           "multipart/form-data; boundary=\"", "multipart/mixed; boundary=B",
                           "text/plain; boundary=B", "", "multipart/form-data; xboundary=B"}) {
    EXPECT_EQ(read("--B--\r\n", type).code, "bad-multipart") << type;
  }
  const std::string longest(71, 'b');
  EXPECT_EQ(read("", "multipart/form-data; boundary=" + longest).code, "bad-multipart");
}

TEST(Multipart, QuotesInFileNames) {
  EXPECT_EQ(filename_of(R"(filename="a\"b\\c.jpg")"), R"(a"b\c.jpg)");      // curl
  EXPECT_EQ(filename_of(R"(filename="a%22b%0D%0a.jpg")"), "a\"b\r\n.jpg");  // browsers
  EXPECT_EQ(filename_of(R"(filename="100%25 \o/.jpg")"), R"(100%25 \o/.jpg)");
  EXPECT_EQ(filename_of(R"(filename="C:\dir\a.jpg")"), R"(C:\dir\a.jpg)");  // old browsers
  EXPECT_EQ(filename_of(R"(filename="a;name=b.jpg")"), "a;name=b.jpg");
  EXPECT_EQ(filename_of("filename=plain.jpg"), "plain.jpg");
  EXPECT_EQ(filename_of("filename=\"\""), "");
  EXPECT_EQ(filename_of("x=y"), std::nullopt);
  EXPECT_EQ(filename_of("filename=\"\xC3\xA9.jpg\""), "\xC3\xA9.jpg");
  EXPECT_EQ(filename_of("filename=\"../../etc/passwd\""), "../../etc/passwd");
}

TEST(Multipart, ExtendedFileNameIsPreferredIfItCanBeRead) {
  EXPECT_EQ(filename_of("filename=\"e.jpg\"; filename*=UTF-8''%c3%a9%20%E2%82%AC.jpg"),
            "\xC3\xA9 \xE2\x82\xAC.jpg");
  EXPECT_EQ(filename_of("filename*=utf-8'en'a.jpg; filename=\"e.jpg\""), "a.jpg");
  EXPECT_EQ(filename_of("filename=\"e.jpg\"; filename*=iso-8859-1''%E9.jpg"), "\xC3\xA9.jpg");
  for (const char* unreadable : {"UTF-8''%ff", "UTF-8''%4", "koi8-r''x", "plain", "UTF-8'x"}) {
    EXPECT_EQ(filename_of(std::string("filename=\"e.jpg\"; filename*=") + unreadable), "e.jpg");
  }
}

TEST(Multipart, LongFileNames) {
  const std::string name(3'000, 'n');
  EXPECT_EQ(filename_of("filename=\"" + name + "\""), name);
  const std::string huge(20'000, 'n');
  EXPECT_EQ(read(part("name=\"f\"; filename=\"" + huge + "\"", "x") + "--B--\r\n").code,
            "bad-multipart");
}

TEST(Multipart, EmptyFilesAreParts) {
  EXPECT_THAT(read(part("name=\"f\"; filename=\"e\"", "") + "--B--\r\n").parts,
              ElementsAre(Part{"f", "e", "", ""}));
  // The head's empty line may be the delimiter's CRLF as well.
  EXPECT_THAT(read("--B\r\nContent-Disposition: form-data; name=f\r\n\r\n--B--\r\n").parts,
              ElementsAre(Part{"f", std::nullopt, "", ""}));
  EXPECT_THAT(read("--B--").parts, IsEmpty());
  EXPECT_EQ(read("--B--").code, "");
}

TEST(Multipart, OnlyAWholeDelimiterLineEndsAPart) {
  for (const std::string data : {"\r\n--BB\r\n", "\n--B\r\n", "x--B--", "\r\n--", "\r\n--B x",
                                 "\r\n-\r\n--b\r\n", "\r\r\n"}) {
    const Outcome outcome = read(part("name=f", data) + "--B--\r\n");
    EXPECT_EQ(outcome.code, "") << data;
    EXPECT_THAT(outcome.parts, ElementsAre(Part{"f", std::nullopt, "", data}));
  }
}

TEST(Multipart, MissingClosingBoundaryIsTruncation) {
  const std::string whole = part("name=a", "1") + part("name=b", "22") + "--B--";
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_EQ(read(whole.substr(0, length)).code, "truncated-multipart") << length;
  }
  EXPECT_EQ(read(whole).code, "");
  EXPECT_THAT(read(part("name=a", "1") + part("name=b", "22")).parts, SizeIs(1));
}

TEST(Multipart, MalformedPartHeads) {
  for (const std::string head :
       {"", "Content-Type: image/png\r\n", "Content-Disposition: form-data\r\n",
        "Content-Disposition: form-data; filename=\"x\"\r\n",
        "Content-Disposition: attachment; name=\"x\"\r\n",
        "Content-Disposition: form-data; name=\"x\r\n",
        "Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b\r\n",
        "no colon here\r\nContent-Disposition: form-data; name=a\r\n",
        "Bad Name: x\r\nContent-Disposition: form-data; name=a\r\n"}) {
    EXPECT_EQ(read("--B\r\n" + head + "\r\nx\r\n--B--\r\n").code, "bad-multipart") << head;
  }
  EXPECT_EQ(read("--B\r\nX: " + std::string(100'000, 'x') + "\r\n--B--\r\n").code, "bad-multipart");
}

TEST(Multipart, FoldedPartHeadsAreJoined) {
  EXPECT_THAT(read("--B\r\nContent-Disposition: form-data;\r\n name=a\r\n\r\nx\r\n--B--\r\n").parts,
              ElementsAre(Part{"a", std::nullopt, "", "x"}));
}

TEST(Multipart, TooManyParts) {
  std::string many;
  for (int i = 0; i < 300'000; ++i) many += part("name=a", "");
  const Outcome outcome = read(many + "--B--\r\n");
  EXPECT_EQ(outcome.code, "too-many-parts");
  EXPECT_THAT(outcome.parts, SizeIs(100));
  const std::string three = part("name=a", "") + part("name=a", "") + part("name=a", "");
  EXPECT_EQ(read(three + "--B--", kType, 3).code, "");
  EXPECT_EQ(read(three + "--B--", kType, 2).code, "too-many-parts");
}

TEST(Multipart, TheHandlersErrorEndsTheWalk) {
  Collector collector;
  collector.refuse_data = true;
  const std::string body = part("name=a", "1") + part("name=b", "2") + "--B--";
  const auto result = read_multipart(as_bytes(body), kType, collector, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, "no-more");
  EXPECT_THAT(collector.parts, SizeIs(1));
}

TEST(MultipartProperty, WhatWasWrittenIsRead) {
  EXPECT_TRUE(rc::check("parts survive the round trip", [] {
    const auto datas = *rc::gen::container<std::vector<std::string>>(
        rc::gen::container<std::string>(rc::gen::element('\r', '\n', '-', 'B', 'x')));
    std::string body;
    for (const std::string& data : datas) {
      // A text that holds a delimiter can't be sent with this boundary.
      RC_PRE(("\r\n" + data + "\r\n").find("\r\n--B\r\n") == std::string::npos);
      RC_PRE(("\r\n" + data).find("\r\n--B--") == std::string::npos);
      RC_PRE(!data.ends_with("\r\n--B"));
      body += part("name=a", data);
    }
    RC_PRE(datas.size() <= 100U);
    const Outcome outcome = read(body + "--B--\r\n");
    RC_ASSERT(outcome.code.empty());
    RC_ASSERT(outcome.parts.size() == datas.size());
    for (std::size_t i = 0; i < datas.size(); ++i) RC_ASSERT(outcome.parts[i].data == datas[i]);
  }));
}

}  // namespace
}  // namespace thumb::http
