#include "schemas/dead_letters.h"

#include <algorithm>
#include <limits>

#include "platform/text.h"

namespace thumb {

bool is_about_failure(std::string_view name) {
  return name.starts_with(kErrorHeaderPrefix) || name == kOriginalTopicHeader ||
         name == kRedriveAttemptHeader || name == kRedriveOfHeader || name == kRedriveCauseHeader;
}

std::optional<std::string_view> last_header(const std::vector<Header>& headers,
                                            std::string_view name) {
  const auto found = std::find_if(headers.rbegin(), headers.rend(),
                                  [&](const Header& header) { return header.name == name; });
  return found == headers.rend() ? std::nullopt : std::optional<std::string_view>(found->value);
}

std::uint32_t redrive_attempt(const std::vector<Header>& headers) {
  const auto text = last_header(headers, kRedriveAttemptHeader).value_or("0");
  const auto attempt = parse_u64(text).value_or(0);
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(attempt, std::numeric_limits<std::uint32_t>::max()));
}

std::optional<LogPosition> redrive_of(const std::vector<Header>& headers) {
  const auto text = last_header(headers, kRedriveOfHeader);
  if (!text) return std::nullopt;
  const auto position = parse_log_position(*text);
  return position ? std::optional(*position) : std::nullopt;
}

Result<DeadLetterOrigin> origin_of(const std::vector<Header>& headers) {
  const auto topic = error_header(headers, "topic");
  const auto position = parse_log_position(std::string(error_header(headers, "partition")) + ":" +
                                           std::string(error_header(headers, "offset")));
  if (topic.empty() || !position) {
    return fail(ErrorKind::kCorrupt, "no-origin",
                "the headers do not say which record the dead letter was");
  }
  return DeadLetterOrigin{std::string(topic), *position};
}

std::string_view error_header(const std::vector<Header>& headers, std::string_view name) {
  return last_header(headers, std::string(kErrorHeaderPrefix) + std::string(name)).value_or("");
}

}  // namespace thumb
