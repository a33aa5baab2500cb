// What follows from a row's parts: states, the newest requests, the time of the last change.
#include "schemas/row.h"

#include <algorithm>
#include <array>
#include <utility>

namespace thumb {
namespace {

constexpr std::array<std::pair<ImageState, std::string_view>, 5> kStateNames = {{
    {ImageState::kAccepted, "accepted"},
    {ImageState::kProcessing, "processing"},
    {ImageState::kFailed, "failed"},
    {ImageState::kCompleted, "completed"},
    {ImageState::kDeleted, "deleted"},
}};

}  // namespace

std::string_view to_string(ImageState state) {
  for (const auto& [known, name] : kStateNames) {
    if (known == state) return name;
  }
  return "unknown";
}

std::optional<ImageState> parse_image_state(std::string_view text) {
  for (const auto& [state, name] : kStateNames) {
    if (name == text) return state;
  }
  return std::nullopt;
}

ImageState RequestRow::state() const {
  if (completed) return ImageState::kCompleted;
  if (failed) return ImageState::kFailed;
  return started_at ? ImageState::kProcessing : ImageState::kAccepted;
}

ImageState ImageRow::state() const {
  if (deleted) return ImageState::kDeleted;
  const auto* request = newest();
  return request == nullptr ? ImageState::kAccepted : request->state();
}

const RequestRow* ImageRow::newest() const {
  // Those not asked yet stand last, so the newest asked one is the first met from behind.
  const auto found = std::find_if(requests.rbegin(), requests.rend(),
                                  [](const RequestRow& r) { return r.asked.has_value(); });
  return found == requests.rend() ? nullptr : &*found;
}

const RequestRow* ImageRow::newest_completed() const {
  const auto found = std::find_if(requests.rbegin(), requests.rend(), [](const RequestRow& r) {
    return r.asked.has_value() && r.completed.has_value();
  });
  return found == requests.rend() ? nullptr : &*found;
}

std::size_t ImageRow::generation() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(requests, [](const RequestRow& r) { return r.asked.has_value(); }));
}

TimeMs ImageRow::updated_at() const {
  if (deleted) return deleted->at;
  TimeMs newest_time = upload ? upload->at : TimeMs::min();
  const auto take = [&newest_time](TimeMs time) { newest_time = std::max(newest_time, time); };
  for (const auto& request : requests) {
    if (!request.asked) continue;  // an answer whose question was not seen yet shows nowhere
    take(request.asked->at);
    if (request.started_at) take(*request.started_at);
    if (request.completed) take(request.completed->at);
    if (request.failed) take(request.failed->at);
  }
  return newest_time;
}

}  // namespace thumb
