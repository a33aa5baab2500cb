// The thread: takes letters, and follows the feed. Those behind it are served in
// change_hub_behind.cc.
#include "ingest/change_hub.h"

#include <algorithm>
#include <utility>

#include "ingest/change_listener.h"

namespace thumb::ingest {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t kLivePage = 500;
constexpr std::chrono::seconds kWaitForChange{30};
// Answers in a row that bring nothing. One may: of another view that was seen before it was told
// of.
constexpr int kInVain = 1;
constexpr std::string_view kKeepAlive = ": keep-alive\n";

// Clients come back after this time, spread so that those of a restarted server don't come all at
// once. Without an empty line: it travels with the first event.
std::string retry_line(std::uint64_t number) {
  return "retry: " + std::to_string(1'500 + number * 379 % 1'000) + "\n";
}

bool is_due(const std::optional<Deadline>& time) { return time && Steady::now() >= *time; }

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

ChangeHub::~ChangeHub() {
  thread_.request_stop();
  thread_.join();
  mail_->close();
}

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
      ahead_.clear();
      armed_at_.reset();
      arm_again_.reset();
      continue;
    }
    const bool again = is_due(ask_again_);
    if (again) ask_again_.reset();
    const bool look_again = is_due(arm_again_);
    if (look_again) {
      armed_at_.reset();
      arm_again_.reset();
    }
    if (letters.changed || again || look_again || !edge_) follow_feed();
    recall_those_ahead();
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
    auto until = std::min({next_keep_alive_, ask_again_.value_or(Deadline::max()),
                           arm_again_.value_or(Deadline::max())});
    if (!ahead_.empty()) until = std::min(until, *ahead_.front()->ahead_until);
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
  auto beginning = retry_line(joined_++);
  if (listener->wanted.tell_place) append_place(beginning, listener->wanted.place);
  listener->writer->write(beginning);
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

// False if it was armed already, or is not to be for a while.
bool ChangeHub::arm() {
  if (!edge_ || arm_again_) return false;
  {
    const std::lock_guard lock(mail_->mutex);
    if (mail_->armed) return false;
    in_vain_ = was_answered_in_vain() ? in_vain_ + 1 : 0;
    if (in_vain_ > kInVain) {
      arm_again_ = Steady::now() + options_.retry;
      return false;
    }
    mail_->armed = true;
  }
  armed_at_ = edge_;
  armed_until_ = Steady::now() + kWaitForChange;
  view_.wait_for_change(edge_->sequence, armed_until_, [mail = mail_](bool) {
    mail->post([&](Letters& letters) {
      letters.changed = true;
      mail->armed = false;
    });
  });
  return true;
}

// The last question was answered before its time, and there is nothing new: too many wait for the
// view already (it says so at once), or it takes another view's changes for this one's. To ask
// again at once would be to ask without end.
bool ChangeHub::was_answered_in_vain() const {
  return armed_at_ && armed_at_->view_id == edge_->view_id &&
         armed_at_->sequence == edge_->sequence && Steady::now() < armed_until_;
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

void ChangeHub::keep_alive() {
  next_keep_alive_ = Steady::now() + options_.keep_alive;
  for (const auto& listener : listeners_) {
    if (listener->writer->room() >= kKeepAlive.size()) listener->writer->write(kKeepAlive);
  }
}

}  // namespace thumb::ingest
