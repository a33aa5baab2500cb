// Events with their place in the log, and random sets of them: the raw material of the fold's
// tests.
#pragma once

#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "platform/log_position.h"
#include "schemas/blob_keys.h"
#include "schemas/codec.h"
#include "state_projector/fold.h"

namespace thumb::testing::placed {

struct PlacedEvent {
  Event event;
  RecordPlace place;
};

inline ImageId image_id(int number) {
  return ImageId::parse("0190b3a0-0000-7000-8000-00000000000" + std::to_string(number % 10))
      .value();
}

// Number 0 is the upload's own request.
inline RequestId request_id(const ImageId& image, int number) {
  auto id = upload_request_id(image);
  if (number > 0) id.bytes[0] = static_cast<std::uint8_t>(0xA0 + number);
  return id;
}

inline BlobRef blob(const ImageId& id, const std::string& kind, char digit) {
  const std::string sha(64, digit);
  return {"images/" + id.str() + "/" + kind + "-" + sha, 12'345, sha, "image/jpeg"};
}

template <typename E>
E about(const ImageId& image, int request, const std::string& actor = "anonymous") {
  E event;
  event.image_id = image;
  event.request_id = request_id(image, request);
  event.actor = actor;
  return event;
}

inline ImageUploaded uploaded(const ImageId& id, char digit = 'a', int request = 0) {
  auto event = about<ImageUploaded>(id, request);
  event.original = blob(id, "original", digit);
  event.size = {4000, 3000};
  event.variants = default_variants();
  return event;
}

inline ThumbnailRequested requested(const ImageId& id, int request) {
  auto event = about<ThumbnailRequested>(id, request, "service:test");
  event.original = blob(id, "original", 'a');
  event.variants = default_variants();
  return event;
}

inline ThumbnailCompleted completed(const ImageId& id, int request = 0, char digit = 'c') {
  auto event = about<ThumbnailCompleted>(id, request, "service:processor");
  event.started_at = time_from_ms(1);
  event.original_size = {4000, 3000};
  event.variants = {{"default", blob(id, "thumbnail-default", digit), {100, 75}}};
  return event;
}

inline ThumbnailFailed failed(const ImageId& id, int request = 0,
                              const std::string& code = "corrupt-image") {
  auto event = about<ThumbnailFailed>(id, request, "service:processor");
  event.started_at = time_from_ms(1);
  event.code = code;
  event.message = "The image can't be decoded.";
  return event;
}

inline ImagePrivate named(const ImageId& id, const std::string& filename) {
  ImagePrivate event;
  event.image_id = id;
  event.filename = filename;
  return event;
}

inline RecordPlace at(std::int64_t offset, std::int64_t ms, std::int32_t partition = 0) {
  return {{partition, offset}, time_from_ms(ms)};
}

inline ImageRow folded(const ImageId& id, const std::vector<PlacedEvent>& events) {
  auto row = empty_row(id);
  for (const auto& [event, place] : events) {
    if (image_id_of(event) == id) fold(row, event, place);
  }
  return row;
}

// The record that the log would hold.
inline InRecord to_record(const PlacedEvent& placed, const TopicNames& names) {
  auto out = encode(placed.event, {placed.place.at, "/thumbstream/test", std::nullopt}, names);
  return {out.topic, placed.place.position, placed.place.at, out.key, out.value, out.headers};
}

inline rc::Gen<Event> any_event(int images) {
  return rc::gen::exec([images]() -> Event {
    const auto id = image_id(*rc::gen::inRange(0, images));
    const auto request = *rc::gen::inRange(0, 4);
    const auto digit = *rc::gen::element('0', '5', 'a', 'f');
    // Deletions are rare, or every row would end as one.
    switch (*rc::gen::weightedElement<int>(
        {{6, 0}, {4, 1}, {1, 2}, {4, 3}, {5, 4}, {4, 5}, {3, 6}, {1, 7}})) {
      case 0: {
        auto event = uploaded(id, digit, *rc::gen::weightedElement<int>({{5, 0}, {1, 3}}));
        if (*rc::gen::arbitrary<bool>()) event.private_offset = *rc::gen::inRange(0, 9);
        return event;
      }
      case 1:
        return requested(id, request);
      case 2:
        return about<ImageDeleted>(id, 9, *rc::gen::element<std::string>("ann", "bob"));
      case 3:
        return about<ThumbnailStarted>(id, request);
      case 4:
        return completed(id, request, digit);
      case 5:
        return failed(id, request,
                      *rc::gen::element<std::string>("corrupt-image", "original-gone"));
      case 6:
        return named(id, *rc::gen::element<std::string>("a.jpg", "b.png", "\xC3\xA4 \"x\".gif"));
      default:
        return ImagePrivateErased{id};
    }
  });
}

// Events of several images, at most one per place, as a log has them. With two partitions, events
// of one image stand on either, as a producer with a foreign partitioner would put them.
inline rc::Gen<std::vector<PlacedEvent>> any_log(int images, std::int32_t partitions) {
  return rc::gen::exec([images, partitions] {
    using Place = std::tuple<Topic, std::int32_t, std::int64_t>;
    std::map<Place, PlacedEvent> log;
    const auto count = *rc::gen::inRange(0, 40);
    for (int i = 0; i < count; ++i) {
      auto event = *any_event(images);
      const auto partition = *rc::gen::inRange<std::int32_t>(0, partitions);
      const auto offset = *rc::gen::inRange<std::int64_t>(0, 25);
      const auto ms = 1'700'000'000'000 + *rc::gen::inRange<std::int64_t>(0, 50);
      const Place place{topic_of(event), partition, offset};
      log.try_emplace(place, PlacedEvent{std::move(event), at(offset, ms, partition)});
    }
    std::vector<PlacedEvent> events;
    for (auto& [place, event] : log) events.push_back(std::move(event));
    return events;
  });
}

// The same events in another order, some of them several times.
inline rc::Gen<std::vector<PlacedEvent>> any_retelling(const std::vector<PlacedEvent>& events) {
  return rc::gen::exec([events] {
    auto told = events;
    if (!events.empty()) {
      const auto repeats = *rc::gen::inRange<std::size_t>(0, events.size() + 1);
      for (std::size_t i = 0; i < repeats; ++i) {
        told.push_back(events[*rc::gen::inRange<std::size_t>(0, events.size())]);
      }
    }
    for (std::size_t left = told.size(); left > 1; --left) {
      std::swap(told[left - 1], told[*rc::gen::inRange<std::size_t>(0, left)]);
    }
    return told;
  });
}

}  // namespace thumb::testing::placed
