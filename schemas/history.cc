#include "schemas/history.h"

#include <tuple>

#include "schemas/byte_codec.h"
#include "schemas/row_join.h"

namespace thumb {

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
  const auto row = in.rest();
  auto part = in.ok() ? decode_row(id, row)
                      : fail(ErrorKind::kCorrupt, "row-version", "the entry is cut short");
  if (!part) {
    return fail(ErrorKind::kCorrupt, "corrupt-history", "the stored history is damaged",
                "image " + id.str());
  }
  entry.part = std::move(*part);
  return entry;
}

}  // namespace thumb
