// RFC 3339 in both directions, and the real clock.
#include "platform/clock.h"

#include <fmt/format.h>

#include <optional>

namespace thumb {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

Failure not_rfc3339(std::string_view text) {
  return fail(
      ErrorKind::kInvalid, "bad-time",
      fmt::format("'{}' is not an RFC 3339 time such as 2026-01-31T08:15:30Z", text.substr(0, 40)));
}

// Reads exactly `width` digits at `at`; -1 if they are not there.
int digits(std::string_view text, std::size_t at, std::size_t width) {
  if (at + width > text.size()) return -1;
  int value = 0;
  for (std::size_t i = at; i < at + width; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

// The fraction after the seconds, cut to milliseconds; moves `at` past it.
std::optional<milliseconds> fraction(std::string_view text, std::size_t& at) {
  if (at >= text.size() || text[at] != '.') return milliseconds(0);
  const std::size_t first = ++at;
  int ms = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
    if (at - first < 3) ms = ms * 10 + (text[at] - '0');
  }
  if (at == first) return std::nullopt;
  for (std::size_t have = at - first; have < 3; ++have) ms *= 10;
  return milliseconds(ms);
}

// "Z" or "+02:00" at the end of the text.
std::optional<minutes> zone(std::string_view text) {
  if (text == "Z" || text == "z") return minutes(0);
  if (text.size() != 6 || text[3] != ':' || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const int h = digits(text, 1, 2);
  const int m = digits(text, 4, 2);
  if (h < 0 || h > 23 || m < 0 || m > 59) return std::nullopt;
  const auto offset = hours(h) + minutes(m);
  return text[0] == '+' ? offset : -offset;
}

}  // namespace

std::string to_rfc3339(TimeMs time) {
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

Result<TimeMs> parse_rfc3339(std::string_view text) {
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || (text[10] | 0x20) != 't' ||
      text[13] != ':' || text[16] != ':') {
    return not_rfc3339(text);
  }
  const int year = digits(text, 0, 4);
  const int month = digits(text, 5, 2);
  const int day = digits(text, 8, 2);
  const int hour = digits(text, 11, 2);
  const int minute = digits(text, 14, 2);
  const int second = digits(text, 17, 2);
  if (year < 0 || month < 0 || day < 0 || hour < 0 || minute < 0 || second < 0) {
    return not_rfc3339(text);
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  // 60 is a leap second, which the Unix clock folds into the next minute.
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return not_rfc3339(text);
  std::size_t at = 19;
  const auto ms = fraction(text, at);
  const auto offset = ms ? zone(text.substr(at)) : std::nullopt;
  if (!ms || !offset) return not_rfc3339(text);
  return TimeMs(std::chrono::sys_days(date).time_since_epoch() + hours(hour) + minutes(minute) +
                seconds(second) + *ms - *offset);
}

TimeMs SystemClock::now() const {
  return std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
}

}  // namespace thumb
