// The thread: takes letters, follows the feed, gives those behind a page each in turn.
#include "ingest/change_hub.h"

#include <algorithm>
#include <utility>

#include "ingest/change_listener.h"
#include "ingest/resource_json.h"

namespace thumb::ingest {

namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t kLivePage = 500;
constexpr std::size_t kPage = 200;
// Written at once. A stream holds four of them (http::StreamBody::max_buffered).
constexpr std::size_t kBlockBytes = std::size_t{16} * 1024;
constexpr std::size_t kServeRoom = 2 * kBlockBytes;
// The feed is no index: to find what happened to one image since long ago, everybody's changes
// would have to be read. Past this many the image's state says as much.
constexpr std::uint64_t kMaxImageScan = 5'000;
// Another instance may be ahead of this one by moments; by this many changes no feed of the view
// is.
constexpr std::uint64_t kMaxAhead = 100'000;
constexpr std::chrono::seconds kWaitForChange{30};
constexpr std::string_view kKeepAlive = ": keep-alive\n";

bool can_go_on(const FeedPlace& place, bool one_image, const ChangePage& page) {
  if (place.view_id != page.view_id) return false;
  if (place.sequence > page.newest) return place.sequence - page.newest <= kMaxAhead;
  if (one_image && page.newest - place.sequence > kMaxImageScan) return false;
  return place.sequence == page.newest || (page.oldest != 0 && place.sequence + 1 >= page.oldest);
}

// Clients come back after this time, spread so that those of a restarted server don't come all at
// once. Without an empty line: it travels with the first event.
std::string retry_line(std::uint64_t number) {
  return "retry: " + std::to_string(1'500 + number * 379 % 1'000) + "\n";
}

}  // namespace

// Changes in a row, in words.
struct ChangeHub::Block {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::string text;
};

ChangeHub::ChangeHub(ViewReader& view, const Clock& clock, Metrics& metrics,
                     const ChangeHubOptions& options)
    : view_(view),
      clock_(clock),
      options_(options),
      all_gauge_(metrics.gauge("thumb_events_listeners", "Streams of changes being followed.",
                               {{"of", "all"}})),
      image_gauge_(metrics.gauge("thumb_events_listeners", "Streams of changes being followed.",
                                 {{"of", "image"}})),
      sent_(metrics.counter("thumb_events_sent_total", "Changes handed to listeners.")),
      resyncs_(metrics.counter("thumb_events_resyncs_total",
                               "Listeners that had to begin anew from the current state.")),
      delay_(metrics.duration_seconds("thumb_events_delay_seconds",
                                      "From a change's log time to its handing to listeners.")),
      mail_(std::make_shared<Mail>()),
      next_keep_alive_(Steady::now() + options_.keep_alive),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

ChangeHub::~ChangeHub() = default;

std::shared_ptr<http::StreamSource> ChangeHub::subscribe(Subscription subscription) {
  return std::make_shared<Listener>(mail_, std::move(subscription));
}

void ChangeHub::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const Letters letters = wait_for_mail(stop);
    for (const auto& listener : letters.opened) join(listener);
    for (const auto& listener : letters.closed) leave(listener);
    for (const auto& listener : letters.drained) push(listener);
    if (listeners_.empty()) {
      edge_.reset();
      behind_.clear();
      continue;
    }
    const bool again = ask_again_ && Steady::now() >= *ask_again_;
    if (again) ask_again_.reset();
    if (letters.changed || again || !edge_) follow_feed();
    serve_those_behind();
    if (Steady::now() >= next_keep_alive_) keep_alive();
  }
}

ChangeHub::Letters ChangeHub::wait_for_mail(const std::stop_token& stop) {
  std::unique_lock lock(mail_->mutex);
  const auto any = [this] { return mail_->any; };
  if (listeners_.empty()) {
    mail_->came.wait(lock, stop, any);
  } else if (behind_.empty() || ask_again_) {
    const auto until = std::min(next_keep_alive_, ask_again_.value_or(Deadline::max()));
    mail_->came.wait_until(lock, stop, until, any);
  }
  mail_->any = false;
  return std::exchange(mail_->letters, {});
}

// --- Who listens ------------------------------------------------------------------------------

void ChangeHub::join(const ListenerPtr& listener) {
  if (listeners_.empty()) next_keep_alive_ = Steady::now() + options_.keep_alive;
  listeners_.insert(listener);
  if (listener->wanted.image) {
    by_image_[*listener->wanted.image].insert(listener);
    image_gauge_.Increment();
  } else {
    of_all_.insert(listener);
    all_gauge_.Increment();
  }
  listener->writer->write(retry_line(joined_++));
  push(listener);
}

void ChangeHub::leave(const ListenerPtr& listener) {
  if (listeners_.erase(listener) == 0) return;
  if (!listener->wanted.image) {
    of_all_.erase(listener);
    return all_gauge_.Decrement();
  }
  const auto others = by_image_.find(*listener->wanted.image);
  others->second.erase(listener);
  if (others->second.empty()) by_image_.erase(others);
  image_gauge_.Decrement();
}

void ChangeHub::push(const ListenerPtr& listener) { behind_.push_back(listener); }

// --- The edge of the feed ---------------------------------------------------------------------

// Reads all there is. The view is asked to tell of more before the last look, so that nothing, not
// even another view, comes between.
void ChangeHub::follow_feed() {
  do {
    while (read_live_page()) {
    }
  } while (arm());
}

// False if it was armed already.
bool ChangeHub::arm() {
  if (!edge_) return false;
  {
    const std::lock_guard lock(mail_->mutex);
    if (std::exchange(mail_->armed, true)) return false;
  }
  view_.wait_for_change(edge_->sequence, Steady::now() + kWaitForChange, [mail = mail_](bool) {
    mail->post([&](Letters& letters) {
      letters.changed = true;
      mail->armed = false;
    });
  });
  return true;
}

// True if there may be more.
bool ChangeHub::read_live_page() {
  const auto page = view_.changes(edge_ ? edge_->sequence : 0, edge_ ? kLivePage : 0);
  if (!page) {
    ask_again_ = Steady::now() + options_.retry;
    return false;
  }
  if (edge_ && can_go_on(*edge_, false, *page)) {
    if (page->changes.empty()) return false;
    fan_out(*page);
    edge_->sequence = page->changes.back().sequence;
    return true;
  }
  // The first look, or another view: each goes on from its own place, if that can be.
  edge_ = FeedPlace{page->view_id, page->newest};
  for (const auto& listener : listeners_) {
    if (!std::exchange(listener->behind, true)) push(listener);
  }
  return false;
}

void ChangeHub::fan_out(const ChangePage& page) {
  std::vector<Block> blocks;
  for (const auto& change : page.changes) {
    std::string text;
    append_change(text, page.view_id, change);
    delay_.Observe(std::chrono::duration<double>(clock_.now() - change.at).count());
    if (const auto found = by_image_.find(change.id); found != by_image_.end()) {
      for (const auto& listener : found->second) write_change(*listener, change, text);
    }
    if (blocks.empty() || blocks.back().text.size() + text.size() > kBlockBytes) {
      blocks.push_back({change.sequence, 0, {}});
    }
    blocks.back().last = change.sequence;
    blocks.back().text += text;
  }
  for (const auto& listener : of_all_) write_blocks(*listener, blocks);
}

void ChangeHub::write_blocks(Listener& listener, const std::vector<Block>& blocks) {
  for (const auto& block : blocks) {
    auto& place = listener.wanted.place.sequence;
    if (listener.behind) return;
    if (place >= block.last) continue;
    const bool whole = place < block.first;
    if (!whole || listener.writer->room() < block.text.size()) {
      return fall_behind(listener, block.first - 1);
    }
    listener.writer->write(block.text);
    sent_.Increment(static_cast<double>(block.last - block.first + 1));
    place = block.last;
  }
}

void ChangeHub::write_change(Listener& listener, const ViewChange& change,
                             const std::string& text) {
  if (listener.behind || listener.wanted.place.sequence >= change.sequence) return;
  if (listener.writer->room() < text.size()) return fall_behind(listener, change.sequence - 1);
  listener.wanted.place.sequence = change.sequence;
  if (!listener.wants(change)) return;
  listener.writer->write(text);
  sent_.Increment();
  if (change.state == ImageState::kDeleted) listener.writer->end();
}

// From now on it is served from the feed, as it has room.
void ChangeHub::fall_behind(Listener& listener, std::uint64_t sequence) {
  listener.behind = true;
  auto& place = listener.wanted.place.sequence;
  place = std::max(place, sequence);
  push(listener.shared_from_this());
}

// --- Those behind it --------------------------------------------------------------------------

// One page each; who needs more is behind the others again.
void ChangeHub::serve_those_behind() {
  if (ask_again_) return;
  for (auto turn = behind_.size(); turn > 0 && !ask_again_; --turn) {
    const auto listener = std::move(behind_.front());
    behind_.pop_front();
    serve(listener);
  }
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
  if (!can_go_on(place, listener->wanted.image.has_value(), page)) {
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
  ask_again_ = Steady::now() + options_.retry;
}

void ChangeHub::keep_alive() {
  next_keep_alive_ = Steady::now() + options_.keep_alive;
  for (const auto& listener : listeners_) {
    if (listener->writer->room() >= kKeepAlive.size()) listener->writer->write(kKeepAlive);
  }
}

}  // namespace thumb::ingest
