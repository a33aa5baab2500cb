#include "schemas/history.h"

#include <tuple>

#include "schemas/byte_codec.h"
#include "schemas/row_join.h"

namespace thumb {
namespace {

// What stands behind the other fields.
Result<ImageRow> decode_rest(const ImageId& id, const ByteReader& in) {
  if (in.ok()) {
    if (auto part = decode_row(id, in.rest())) return part;
  }
  return fail(ErrorKind::kCorrupt, "corrupt-history", "the stored history is damaged",
              "image " + id.str());
}

}  // namespace

bool happened_before(const HistoryEntry& a, const HistoryEntry& b) {
  return std::tie(a.at, a.topic, a.position) < std::tie(b.at, b.topic, b.position);
}

ImageRow row_as_of(const ImageId& id, std::span<const HistoryEntry> history, TimeMs at) {
  ImageRow row;
  row.id = id;
  for (const auto& entry : history) {
    if (entry.at <= at) join(row, entry.part);
  }
  return row;
}

std::string encode_history(const HistoryEntry& entry) {
  ByteWriter out;
  out.time(entry.at);
  out.text(entry.event);
  out.text(entry.actor);
  out.text(entry.traceparent.value_or(std::string()));
  out.raw(encode_row(entry.part));
  return out.take();
}

Result<HistoryEntry> decode_history(const ImageId& id, Topic topic, const LogPosition& position,
                                    std::string_view bytes) {
  ByteReader in(bytes);
  HistoryEntry entry;
  entry.topic = topic;
  entry.position = position;
  entry.at = in.time();
  entry.event = in.text();
  entry.actor = in.text();
  if (auto traceparent = in.text(); !traceparent.empty())
    entry.traceparent = std::move(traceparent);
  auto part = decode_rest(id, in);
  if (!part) return Failure(std::move(part.error()));
  entry.part = std::move(*part);
  return entry;
}

Result<ImageRow> decode_history_part(const ImageId& id, std::string_view bytes) {
  ByteReader in(bytes);
  std::ignore = in.time();
  for (int texts = 0; texts < 3; ++texts) std::ignore = in.raw(in.number());
  return decode_rest(id, in);
}

}  // namespace thumb
