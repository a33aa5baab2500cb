#include "bench/events/event_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "platform/text.h"
#include "schemas/blob_keys.h"
#include "schemas/codec.h"
#include "schemas/trace.h"

namespace thumb::bench {
namespace {

constexpr std::size_t kOpenImages = 5'000;  // about what a busy hour leaves in the queues

template <typename E>
E about(const EventBase& request, const char* actor) {
  E event;
  static_cast<EventBase&>(event) = request;
  event.actor = actor;
  return event;
}

}  // namespace

EventStream::EventStream(std::uint64_t seed, const TopicNames& names)
    : names_(names), random_(seed), now_(time_from_ms(1'769'847'330'000)) {}

OutRecord EventStream::next() {
  while (open_.size() < kOpenImages) open_.push_back(begin_life());
  auto& life = open_[below(open_.size())];
  const auto event = life.events.front();
  life.events.pop_front();
  if (life.events.empty()) {
    std::swap(life, open_.back());
    open_.pop_back();
  }
  now_ += std::chrono::milliseconds(below(3));
  auto record = to_record(event);
  return chance(1) ? spoiled(std::move(record)) : record;
}

EventStream::Life EventStream::begin_life() {
  Life life{ImageId{new_uuid()}, {}};
  const EventBase upload{life.id, upload_request_id(life.id), "default", "anonymous"};
  if (chance(700)) {
    life.events.emplace_back(
        ImagePrivate{life.id, "default", fmt::format("holiday {:04}.jpg", below(10'000))});
  }
  const ImageUploaded uploaded{
      upload, blob(life.id, ""), {4032, 3024}, default_variants(), std::nullopt};
  life.events.emplace_back(uploaded);
  if (chance(10)) life.events.emplace_back(uploaded);
  add_outcome(life, upload);
  if (chance(10)) life.events.push_back(life.events.back());
  if (chance(80)) {
    const EventBase again{life.id, RequestId{new_uuid()}, "default", "anonymous"};
    life.events.emplace_back(ThumbnailRequested{again, uploaded.original, default_variants()});
    add_outcome(life, again);
  }
  if (chance(30)) {
    const EventBase end{life.id, RequestId{new_uuid()}, "default", "anonymous"};
    life.events.emplace_back(ImageDeleted{end});
    life.events.emplace_back(ImagePrivateErased{life.id});
  }
  return life;
}

void EventStream::add_outcome(Life& life, const EventBase& request) {
  using std::chrono::milliseconds;
  const LogPosition cause{static_cast<std::int32_t>(below(12)),
                          static_cast<std::int64_t>(below(1'000'000))};
  auto started = about<ThumbnailStarted>(request, "service:processor");
  started.request = cause;
  life.events.emplace_back(started);
  if (chance(100)) {
    auto failed = about<ThumbnailFailed>(request, "service:processor");
    failed.request = cause;
    failed.started_at = now_;
    failed.code = "corrupt-image";
    failed.message = "The image can't be decoded.";
    life.events.emplace_back(std::move(failed));
    return;
  }
  auto completed = about<ThumbnailCompleted>(request, "service:processor");
  completed.request = cause;
  completed.started_at = now_;
  completed.stages = {milliseconds(below(40)), milliseconds(below(5)), milliseconds(below(30)),
                      milliseconds(below(6))};
  completed.original_size = {4032, 3024};
  completed.variants = {{"default", blob(life.id, "default"), {100, 75}}};
  life.events.emplace_back(std::move(completed));
}

OutRecord EventStream::to_record(const Event& event) {
  std::array<std::uint8_t, 24> bytes{};
  std::ranges::generate(bytes, [this] { return static_cast<std::uint8_t>(below(256)); });
  const auto topic = topic_of(event);
  const bool of_ingest = topic == Topic::kImageRequests || topic == Topic::kImagePrivate;
  const auto* source = of_ingest ? "/thumbstream/ingest" : "/thumbstream/processor";
  return encode(event, {now_, source, new_traceparent(bytes)}, names_);
}

OutRecord EventStream::spoiled(OutRecord record) {
  if (!record.value) return record;
  switch (below(3)) {
    case 0:
      record.value->pop_back();
      break;
    case 1:
      record.headers.clear();
      break;
    default:
      record.value = R"({"image_id":"none"})";
  }
  return record;
}

UuidBytes EventStream::new_uuid() {
  std::array<std::uint8_t, 10> bytes{};
  std::ranges::generate(bytes, [this] { return static_cast<std::uint8_t>(below(256)); });
  return make_uuid_v7(now_, bytes);
}

BlobRef EventStream::blob(const ImageId& id, std::string_view variant) {
  std::array<std::byte, 32> bytes{};
  std::ranges::generate(bytes, [this] { return static_cast<std::byte>(below(256)); });
  const auto sha256 = to_hex(bytes);
  if (variant.empty()) {
    return {original_blob_key(id, sha256), 100'000 + below(400'000), sha256, "image/jpeg"};
  }
  return {thumbnail_blob_key(id, std::string(variant), sha256), 2'000 + below(3'000), sha256,
          "image/jpeg"};
}

}  // namespace thumb::bench
