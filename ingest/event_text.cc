// See event_text.h.
#include "ingest/event_text.h"

#include <algorithm>

#include "ingest/json_writer.h"
#include "ingest/resource_json.h"
#include "platform/text.h"

namespace thumb::ingest {

namespace {

constexpr std::size_t kMaxViewIdBytes = 64;

bool is_id_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

// The positions of image-requests, as records that are folded in.
std::string position_list(const Positions& positions) {
  std::string list;
  for (const auto& [place, next_offset] : positions) {
    if (place.topic != Topic::kImageRequests || next_offset <= 0) continue;
    if (!list.empty()) list += ", ";
    list += to_string(LogPosition{place.partition, next_offset - 1});
  }
  return list;
}

}  // namespace

std::string event_id(const FeedPlace& place) {
  return place.view_id + "-" + std::to_string(place.sequence);
}

Result<FeedPlace> parse_event_id(std::string_view text) {
  const auto dash = text.rfind('-');
  const auto view_id = text.substr(0, dash);
  const auto sequence =
      dash == std::string_view::npos ? std::nullopt : parse_u64(text.substr(dash + 1));
  const bool plausible = !view_id.empty() && view_id.size() <= kMaxViewIdBytes &&
                         std::ranges::all_of(view_id, is_id_character);
  if (!sequence || !plausible) {
    return fail(ErrorKind::kInvalid, "bad-last-event-id",
                "Last-Event-ID is not the id of an event of ours: <view id>-<number>.");
  }
  return FeedPlace{std::string(view_id), *sequence};
}

void append_event(std::string& out, std::string_view event, const FeedPlace& place,
                  std::string_view data) {
  out.append("event: ").append(event).append("\nid: ").append(event_id(place));
  out.append("\ndata: ").append(data).append("\n\n");
}

void append_place(std::string& out, const FeedPlace& place) {
  out.append("id: ").append(event_id(place)).append("\n\n");
}

void append_change(std::string& out, const std::string& view_id, const ViewChange& change) {
  std::string data;
  JsonWriter json(data);
  json.begin_object()
      .field("id", change.id.str())
      .field("state", to_string(change.state))
      .field("generation", change.generation)
      .field("at", to_rfc3339(change.at))
      .key("links")
      .begin_object()
      .field("self", image_path(change.id))
      .end_object()
      .end_object();
  append_event(out, "image", {view_id, change.sequence}, data);
}

ViewChange standing_of(const ImageRow& row) {
  return {0, row.id, row.state(), row.generation(), row.updated_at()};
}

std::string overview_json(const ViewStats& stats) {
  std::string data;
  JsonWriter json(data);
  json.begin_object().field("view_id", stats.view_id).key("images").begin_object();
  for (const auto state : kAllImageStates) {
    const auto found = stats.images.find(state);
    const auto count = found == stats.images.end() ? 0 : found->second;
    json.field(to_string(state), static_cast<std::uint64_t>(count));
  }
  json.end_object()
      .field("position", position_list(stats.positions))
      .key("links")
      .begin_object()
      .field("images", "/v1/images")
      .end_object()
      .end_object();
  return data;
}

}  // namespace thumb::ingest
