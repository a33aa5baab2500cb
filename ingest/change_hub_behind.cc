// Those who are behind the feed's edge: each gets a page in turn, as it has room.
#include <algorithm>
#include <chrono>
#include <utility>

#include "ingest/change_hub.h"
#include "ingest/change_listener.h"
#include "ingest/resource_json.h"

namespace thumb::ingest {
namespace {

constexpr std::size_t kPage = 200;
constexpr std::size_t kServeRoom = 2 * kBlockBytes;
// The feed is no index: to find what happened to one image since long ago, everybody's changes
// would have to be read. Past this many the image's state says as much.
constexpr std::uint64_t kMaxImageScan = 5'000;
// Another instance may be ahead of this one by moments; by this many changes no feed of the view
// is.
constexpr std::uint64_t kMaxAhead = 100'000;

}  // namespace

bool can_go_on(const FeedPlace& place, bool one_image, const ChangePage& page) {
  if (place.view_id != page.view_id) return false;
  if (place.sequence > page.newest) return place.sequence - page.newest <= kMaxAhead;
  if (one_image && page.newest - place.sequence > kMaxImageScan) return false;
  return place.sequence == page.newest || (page.oldest != 0 && place.sequence + 1 >= page.oldest);
}

// One page each; who needs more is behind the others again.
void ChangeHub::serve_those_behind() {
  if (ask_again_) return;
  for (auto turn = behind_.size(); turn > 0 && !ask_again_; --turn) {
    const auto listener = std::move(behind_.front());
    behind_.pop_front();
    serve(listener);
  }
}

// Their time is over: the feed tells whether they are still ahead of it.
void ChangeHub::recall_those_ahead() {
  const auto now = std::chrono::steady_clock::now();
  while (!ahead_.empty() && *ahead_.front()->ahead_until <= now) {
    if (!std::exchange(ahead_.front()->behind, true)) push(ahead_.front());
    ahead_.pop_front();
  }
}

// Whether its place was past the end of the feed for too long.
bool ChangeHub::is_ahead_in_vain(const ListenerPtr& listener, const ChangePage& page) {
  const auto& place = listener->wanted.place;
  if (place.view_id != page.view_id || place.sequence <= page.newest) return false;
  const auto now = std::chrono::steady_clock::now();
  if (listener->ahead_until) return *listener->ahead_until <= now;
  listener->ahead_until = now + options_.ahead;
  ahead_.push_back(listener);
  return false;
}

void ChangeHub::serve(const ListenerPtr& listener) {
  if (!listener->behind || !listeners_.contains(listener) || !listener->writer->is_open()) return;
  if (listener->writer->room() < kServeRoom) {
    listener->wants_room = true;
    // It may have got room just before it was to tell of it.
    if (listener->writer->room() >= kServeRoom && listener->wants_room.exchange(false)) {
      push(listener);
    }
    return;
  }
  std::string text;
  // Without a row there is nothing to tell: its client comes back and is answered as any request
  // is.
  if (listener->wanted.tell_state && !tell_state(*listener, text)) return listener->writer->end();
  if (listener->is_told_of_the_end()) return finish(*listener, text);
  const auto page = view_.changes(listener->wanted.place.sequence, kPage);
  if (!page) return ask_again_later(listener);
  if (page->view_id != edge_->view_id) {  // it came between: look at the edge first
    push(listener);
    return follow_feed();
  }
  give_page(listener, *page, std::move(text));
}

void ChangeHub::give_page(const ListenerPtr& listener, const ChangePage& page, std::string text) {
  auto& place = listener->wanted.place;
  bool over = false;
  if (is_ahead_in_vain(listener, page) ||
      !can_go_on(place, listener->wanted.image.has_value(), page)) {
    if (!resync(*listener, page, text)) {
      return listener->wanted.image ? listener->writer->end() : ask_again_later(listener);
    }
    over = listener->is_told_of_the_end();
  } else {
    for (const auto& change : page.changes) {
      if (over || text.size() >= kBlockBytes) break;
      place.sequence = change.sequence;
      if (!listener->wants(change)) continue;
      append_change(text, page.view_id, change);
      sent_.Increment();
      over = listener->wanted.image && change.state == ImageState::kDeleted;
    }
  }
  if (over) return finish(*listener, text);
  if (!text.empty()) listener->writer->write(text);
  if (place.sequence >= page.newest) {
    listener->behind = false;  // the edge was read before this page
  } else {
    push(listener);
  }
}

// The place was taken before the row is read, so the row is at least as new.
bool ChangeHub::tell_state(Listener& listener, std::string& text) {
  const auto row = view_.get(*listener.wanted.image);
  if (!row || !*row) return false;
  listener.wanted.tell_state = false;
  listener.told = standing_of(**row);
  listener.told->sequence = listener.wanted.place.sequence;
  append_change(text, listener.wanted.place.view_id, *listener.told);
  return true;
}

bool ChangeHub::resync(Listener& listener, const ChangePage& page, std::string& text) {
  const FeedPlace place{page.view_id, page.newest};
  if (listener.wanted.image) {
    const auto row = view_.get(*listener.wanted.image);
    if (!row || !*row) return false;
    listener.told = standing_of(**row);
    append_event(text, "resync", place, resource_json(**row, listener.wanted.partition));
  } else {
    const auto stats = view_.stats();
    if (!stats || stats->view_id != page.view_id) return false;
    append_event(text, "resync", place, overview_json(*stats));
  }
  listener.wanted.place = place;
  resyncs_.Increment();
  return true;
}

void ChangeHub::finish(Listener& listener, const std::string& text) {
  listener.writer->write(text);
  listener.writer->end();
}

void ChangeHub::ask_again_later(const ListenerPtr& listener) {
  push(listener);
  ask_again_ = std::chrono::steady_clock::now() + options_.retry;
}

}  // namespace thumb::ingest
