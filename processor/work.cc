#include "processor/work.h"

#include <type_traits>
#include <utility>

#include "platform/text.h"

namespace thumb {
namespace {

constexpr std::size_t kMaxMessageBytes = 512;

template <typename E>
constexpr bool kIsRequest =
    std::is_same_v<E, ImageUploaded> || std::is_same_v<E, ThumbnailRequested> ||
    std::is_same_v<E, ImageDeleted>;

// Null if the event is none of image-requests.
const EventBase* request_base(const Event& event) {
  return std::visit(
      [](const auto& e) -> const EventBase* {
        if constexpr (kIsRequest<std::decay_t<decltype(e)>>) return &e;
        return nullptr;
      },
      event);
}

}  // namespace

const EventBase& base_of(const Work& work) { return *request_base(work.decoded.event); }

bool is_deletion(const Work& work) {
  return std::holds_alternative<ImageDeleted>(work.decoded.event);
}

Result<Work> understand(const InRecord& record) {
  auto decoded = decode(record);
  if (!decoded) return Failure(decoded.error());
  const EventBase* base = request_base(decoded->event);
  if (base == nullptr) {
    return fail(ErrorKind::kCorrupt, "unexpected-event",
                "an event of this type does not belong on this topic");
  }
  const RequestKey request{base->request_id, redrive_attempt(record.headers)};
  return Work{std::move(*decoded), request, record.position, record.timestamp};
}

std::string_view to_string(Ending ending) {
  switch (ending) {
    case Ending::kCompleted:
      return "completed";
    case Ending::kFailed:
      return "failed";
    case Ending::kRepeat:
      return "repeat";
    case Ending::kDeleted:
      return "deleted";
    case Ending::kDeadLettered:
      return "dead_lettered";
  }
  return "";
}

OutRecord dead_letter(const InRecord& record, const Error& error, const TopicNames& names) {
  OutRecord out{names.of(Topic::kImageRequestsDlq), record.key, record.value, record.headers, {}};
  const std::string message = utf8_excerpt(error.message, kMaxMessageBytes);
  const std::string connect(kErrorHeaderPrefix);
  const Header added[] = {
      {connect + "topic", record.topic},
      {connect + "partition", std::to_string(record.position.partition)},
      {connect + "offset", std::to_string(record.position.offset)},
      {connect + "connector.name", "thumbstream-processor"},
      {connect + "task.id", std::to_string(record.position.partition)},
      {connect + "stage", "VALUE_CONVERTER"},
      {connect + "class.name", "thumbstream.processor"},
      {connect + "exception.class.name", error.code},
      {connect + "exception.message", message},
      {std::string(kOriginalTopicHeader), record.topic},
  };
  out.headers.insert(out.headers.end(), std::begin(added), std::end(added));
  return out;
}

bool leave_out_value(OutRecord& dead_letter) {
  const bool had_one = dead_letter.value.has_value();
  dead_letter.value.reset();
  return had_one;
}

bool leave_out_key_and_headers(OutRecord& dead_letter) {
  const bool had_key = !std::exchange(dead_letter.key, {}).empty();
  return std::erase_if(dead_letter.headers,
                       [](const Header& header) { return !is_about_failure(header.name); }) > 0 ||
         had_key;
}

}  // namespace thumb
