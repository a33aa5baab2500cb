#include "state_projector/change_feed.h"

#include <algorithm>

#include "schemas/byte_codec.h"

namespace thumb {

std::optional<ViewChange> change_between(const std::optional<ImageRow>& before,
                                         const ImageRow& after) {
  if (!after.visible()) return std::nullopt;
  const bool known = before && before->visible();
  if (known && before->state() == after.state() && before->generation() == after.generation()) {
    return std::nullopt;
  }
  return ViewChange{0, after.id, after.state(), after.generation(), after.updated_at()};
}

std::string encode_change(const ViewChange& change) {
  ByteWriter out;
  out.uuid(change.id.bytes);
  out.byte(static_cast<std::uint8_t>(change.state));
  out.number(change.generation);
  out.time(change.at);
  return out.take();
}

Result<ViewChange> decode_change(std::uint64_t sequence, std::string_view bytes) {
  ByteReader in(bytes);
  ViewChange change;
  change.sequence = sequence;
  change.id = ImageId{in.uuid()};
  change.state = static_cast<ImageState>(in.byte());
  change.generation = in.number();
  change.at = in.time();
  const bool known = std::ranges::find(kAllImageStates, change.state) != std::end(kAllImageStates);
  if (!in.ok() || !in.at_end() || !known) {
    return fail(ErrorKind::kCorrupt, "view-corrupt", "an entry of the change feed is damaged");
  }
  return change;
}

}  // namespace thumb
