#include "state_projector/fold.h"

#include <utility>

#include "schemas/row_join.h"

namespace thumb {
namespace {

// Fills an empty row with what one event says.
class PartMaker {
 public:
  PartMaker(ImageRow& row, const RecordPlace& place) : row_(row), place_(place) {}

  void operator()(const ImageUploaded& event) const {
    row_.upload = ImageRow::Upload{offset(),   place_.at,      event.tenant,        event.original,
                                   event.size, event.variants, event.private_offset};
    ask(event);
  }
  void operator()(const ThumbnailRequested& event) const { ask(event); }
  void operator()(const ImageDeleted& event) const {
    row_.deleted = ImageRow::Deletion{offset(), place_.at, event.tenant, event.actor};
  }
  void operator()(const ThumbnailStarted& event) const { request(event).started_at = place_.at; }
  void operator()(const ThumbnailCompleted& event) const {
    request(event).completed =
        RequestRow::Completed{offset(), place_.at, event.original_size, event.variants};
  }
  void operator()(const ThumbnailFailed& event) const {
    request(event).failed = RequestRow::Failed{offset(), place_.at, event.code, event.message};
  }
  void operator()(const ImagePrivate& event) const {
    row_.personal = ImageRow::Private{offset(), event.filename};
  }
  void operator()(const ImagePrivateErased& /*event*/) const {
    row_.personal = ImageRow::Private{offset(), {}};
  }

 private:
  [[nodiscard]] std::int64_t offset() const { return place_.position.offset; }
  void ask(const EventBase& event) const {
    request(event).asked = RequestRow::Asked{offset(), place_.at, event.actor};
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

ImageRow part_of(const Event& event, const RecordPlace& place) {
  ImageRow part = empty_row(image_id_of(event));
  std::visit(PartMaker(part, place), event);
  return part;
}

void fold(ImageRow& row, const Event& event, const RecordPlace& place) {
  join(row, part_of(event, place));
}

}  // namespace thumb
