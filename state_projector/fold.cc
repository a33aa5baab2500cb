#include "state_projector/fold.h"

#include <utility>

#include "schemas/row_join.h"

namespace thumb {
namespace {

// Fills an empty row with what one event says, whose texts it takes.
class PartMaker {
 public:
  PartMaker(ImageRow& row, const RecordPlace& place) : row_(row), place_(place) {}

  void operator()(ImageUploaded& event) const {
    row_.upload = ImageRow::Upload{offset(),
                                   place_.at,
                                   std::move(event.tenant),
                                   std::move(event.original),
                                   event.size,
                                   std::move(event.variants),
                                   event.private_offset};
    ask(event);
  }
  void operator()(ThumbnailRequested& event) const { ask(event); }
  void operator()(ImageDeleted& event) const {
    row_.deleted =
        ImageRow::Deletion{offset(), place_.at, std::move(event.tenant), std::move(event.actor)};
  }
  void operator()(ThumbnailStarted& event) const { request(event).started_at = place_.at; }
  void operator()(ThumbnailCompleted& event) const {
    request(event).completed =
        RequestRow::Completed{offset(), place_.at, event.original_size, std::move(event.variants)};
  }
  void operator()(ThumbnailFailed& event) const {
    request(event).failed =
        RequestRow::Failed{offset(), place_.at, std::move(event.code), std::move(event.message)};
  }
  void operator()(ImagePrivate& event) const {
    row_.personal = ImageRow::Private{offset(), std::move(event.filename)};
  }
  void operator()(ImagePrivateErased& /*event*/) const {
    row_.personal = ImageRow::Private{offset(), {}};
  }

 private:
  [[nodiscard]] std::int64_t offset() const { return place_.position.offset; }
  void ask(EventBase& event) const {
    request(event).asked = RequestRow::Asked{offset(), place_.at, std::move(event.actor)};
  }
  [[nodiscard]] RequestRow& request(const EventBase& event) const {
    RequestRow& request = row_.requests.emplace_back();
    request.id = event.request_id;
    return request;
  }

  ImageRow& row_;
  const RecordPlace& place_;
};

}  // namespace

ImageRow empty_row(const ImageId& id) {
  ImageRow row;
  row.id = id;
  return row;
}

ImageRow part_of(Event event, const RecordPlace& place) {
  ImageRow part = empty_row(image_id_of(event));
  std::visit(PartMaker(part, place), event);
  return part;
}

void fold(ImageRow& row, const Event& event, const RecordPlace& place) {
  join(row, part_of(event, place));
}

}  // namespace thumb
