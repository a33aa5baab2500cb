#include "processor/sandbox/job_codec.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string_view>
#include <type_traits>

#include "platform/digest.h"

namespace thumb {
namespace {

constexpr std::size_t kMaxVariants = 64;  // as in the events
constexpr std::size_t kMaxMessageBytes = 300;
constexpr std::size_t kMaxDetailBytes = 1'000;

// What a worker may say of an image, and how grave it is. No retry: passing trouble is never told
// by a worker.
struct Fault {
  std::string_view code;
  ErrorKind kind;
};
constexpr std::array kFaults = {
    Fault{"corrupt-image", ErrorKind::kCorrupt},
    Fault{"unsupported-format", ErrorKind::kUnsupported},
    Fault{"too-many-pixels", ErrorKind::kLimit},
    Fault{"decode-timeout", ErrorKind::kLimit},
    Fault{"out-of-memory", ErrorKind::kLimit},
    Fault{"thumbnails-too-large", ErrorKind::kLimit},
    Fault{"internal", ErrorKind::kInternal},
};

class Writer {
 public:
  void number(std::uint64_t value) {
    char bytes[sizeof(value)];
    std::memcpy(bytes, &value, sizeof(value));
    out_.append(bytes, sizeof(value));
  }
  void text(std::string_view text) {
    number(text.size());
    out_.append(text);
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

// Reads past the end give zeros and are remembered.
class Reader {
 public:
  explicit Reader(ByteView bytes) : left_(bytes) {}

  std::uint64_t number() {
    std::uint64_t value = 0;
    if (left_.size() < sizeof(value)) {
      good_ = false;
      return 0;
    }
    std::memcpy(&value, left_.data(), sizeof(value));
    left_ = left_.subspan(sizeof(value));
    return value;
  }
  std::uint32_t number32() {
    const std::uint64_t value = number();
    if (value > UINT32_MAX) good_ = false;
    return static_cast<std::uint32_t>(value);
  }
  std::string text() {
    const std::uint64_t size = number();
    if (!good_ || size > left_.size()) {
      good_ = false;
      return {};
    }
    const auto bytes = left_.first(size);
    left_ = left_.subspan(size);
    return std::string(as_text(bytes));
  }
  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] bool ended_well() const { return good_ && left_.empty(); }

 private:
  ByteView left_;
  bool good_ = true;
};

Failure bad_message(std::string_view what) {
  return fail(ErrorKind::kCorrupt, "bad-message", "A message makes no sense.", what);
}

bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

// Details are for operators' logs; they quote what codecs say of the file.
std::string tamed(std::string_view text) {
  std::string tame(text.substr(0, kMaxDetailBytes));
  std::ranges::replace_if(
      tame, [](char c) { return c < ' ' || c > '~'; }, '?');
  return tame;
}

Result<Result<MadeThumbnails>> read_error(Reader& reader) {
  const std::string code = reader.text();
  const std::string message = reader.text();
  const std::string detail = reader.text();
  const auto* fault = std::ranges::find(kFaults, code, &Fault::code);
  if (!reader.ended_well() || fault == kFaults.end()) return bad_message("error");
  if (message.empty() || message.size() > kMaxMessageBytes || !is_plain(message)) {
    return bad_message("text of an error");
  }
  return Result<MadeThumbnails>(fail(fault->kind, code, message, tamed(detail)));
}

bool fits(PixelSize size, const VariantSpec& box) {
  return size.width > 0 && size.height > 0 && size.width <= box.width && size.height <= box.height;
}

std::optional<MadeThumbnail> read_thumbnail(Reader& reader, const VariantSpec& asked) {
  MadeThumbnail made;
  made.name = asked.name;
  made.size.width = reader.number32();
  made.size.height = reader.number32();
  made.bytes = reader.text();
  const auto format = sniff_image_format(as_bytes(made.bytes));
  if (!reader.good() || !format || !fits(made.size, asked)) return std::nullopt;
  made.format = *format;
  made.sha256 = sha256_hex(as_bytes(made.bytes));
  return made;
}

Result<Result<MadeThumbnails>> read_thumbnails(Reader& reader, const DecodeJob& job) {
  MadeThumbnails made;
  made.original_size.width = reader.number32();
  made.original_size.height = reader.number32();
  const std::uint64_t pixels = std::uint64_t{made.original_size.width} * made.original_size.height;
  if (!reader.good() || pixels == 0 || pixels > job.limits.max_pixels) {
    return bad_message("size of the original");
  }
  for (const auto& asked : job.variants) {
    auto one = read_thumbnail(reader, asked);
    if (!one) return bad_message("thumbnail");
    made.thumbnails.push_back(std::move(*one));
  }
  if (!reader.ended_well()) return bad_message("end of the answer");
  return Result<MadeThumbnails>(std::move(made));
}

}  // namespace

std::string encode_job(const DecodeJob& job) {
  Writer to;
  to.number(job.original_bytes);
  to.number(job.limits.max_pixels);
  to.number(static_cast<std::uint64_t>(job.limits.max_time.count()));
  to.number(job.variants.size());
  for (const auto& variant : job.variants) {
    to.text(variant.name);
    to.number(variant.width);
    to.number(variant.height);
    to.number(static_cast<std::uint64_t>(variant.fit));
  }
  return to.take();
}

Result<DecodeJob> decode_job(ByteView bytes) {
  Reader from(bytes);
  DecodeJob job;
  job.original_bytes = from.number();
  job.limits.max_pixels = from.number();
  job.limits.max_time = std::chrono::milliseconds(static_cast<std::int64_t>(from.number()));
  const std::uint64_t count = from.number();
  if (!from.good() || count > kMaxVariants) return bad_message("job");
  for (std::uint64_t i = 0; i < count; ++i) {
    VariantSpec variant;
    variant.name = from.text();
    variant.width = from.number32();
    variant.height = from.number32();
    variant.fit = static_cast<Fit>(from.number());
    job.variants.push_back(std::move(variant));
  }
  if (!from.ended_well()) return bad_message("job");
  return job;
}

std::string encode_answer(const Result<MadeThumbnails>& answer) {
  Writer to;
  to.number(answer ? 1 : 0);
  if (!answer) {
    to.text(answer.error().code);
    to.text(answer.error().message);
    to.text(answer.error().detail);
    return to.take();
  }
  to.number(answer->original_size.width);
  to.number(answer->original_size.height);
  for (const auto& one : answer->thumbnails) {
    to.number(one.size.width);
    to.number(one.size.height);
    to.text(one.bytes);
  }
  return to.take();
}

Result<Result<MadeThumbnails>> decode_answer(ByteView bytes, const DecodeJob& job) {
  Reader from(bytes);
  switch (from.number()) {
    case 0:
      return read_error(from);
    case 1:
      return read_thumbnails(from, job);
    default:
      return bad_message("kind of answer");
  }
}

}  // namespace thumb
