// Follows the view's change feed once, for all who listen: each change is read and put into words
// one time, and handed to every stream that wants it. Whoever takes less than comes keeps nothing
// here but a number: it is given pages of the feed at its own pace until it has caught up.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "ingest/event_text.h"
#include "platform/clock.h"
#include "platform/http/stream.h"
#include "platform/metrics.h"
#include "state_projector/view_reader.h"

namespace thumb::ingest {

// What a listener wants.
struct Subscription {
  std::optional<ImageId> image;  // empty: all
  std::int32_t partition = 0;    // of the image, for its resource
  FeedPlace place;               // the changes behind this
  bool tell_state = false;       // of an image: first an event with the state it is in now
  // First the place, without an event: a client that is cut off before one comes has it to go on
  // from.
  bool tell_place = false;
};

struct ChangeHubOptions {
  std::chrono::milliseconds keep_alive{15'000};  // a comment that often, so that proxies see life
  // Before a view that can't be read is asked again, or one that tells of changes and has none.
  std::chrono::milliseconds retry{1'000};
  // A listener that comes from another instance may be ahead of this one for a moment. Past this
  // time its place was never ours: the feed has lost it (in a power cut), or somebody made it up.
  std::chrono::milliseconds ahead{5'000};
};

// Owns a thread, which sleeps while nobody listens. REQUIRES: view, clock and metrics outlive it,
// and it outlives the server whose streams it writes.
//
// Every listener gets each change behind its place once, in order. Where the feed can't go on from
// its place (another view serves, the feed has forgotten so much, or never came so far) it gets one
// `resync` with the current state, and goes on from there. A single image's stream ends with its
// deletion.
class ChangeHub {
 public:
  ChangeHub(ViewReader& view, const Clock& clock, Metrics& metrics,
            const ChangeHubOptions& options = {});
  ~ChangeHub();
  ChangeHub(const ChangeHub&) = delete;
  ChangeHub& operator=(const ChangeHub&) = delete;

  // Thread-safe. Begins when the stream opens.
  [[nodiscard]] std::shared_ptr<http::StreamSource> subscribe(Subscription subscription);

 private:
  class Listener;
  struct Mail;
  struct Letters;
  struct Block;
  using ListenerPtr = std::shared_ptr<Listener>;

  void run(const std::stop_token& stop);
  [[nodiscard]] Letters wait_for_mail(const std::stop_token& stop);
  void join(const ListenerPtr& listener);
  void leave(const ListenerPtr& listener);
  void push(const ListenerPtr& listener);

  void follow_feed();
  [[nodiscard]] bool arm();
  [[nodiscard]] bool was_answered_in_vain() const;
  [[nodiscard]] bool read_live_page();
  void fan_out(const ChangePage& page);
  void write_blocks(Listener& listener, const std::vector<Block>& blocks);
  void write_change(Listener& listener, const ViewChange& change, const std::string& text);
  void fall_behind(Listener& listener, std::uint64_t sequence);
  void keep_alive();

  // change_hub_behind.cc
  void serve_those_behind();
  void serve(const ListenerPtr& listener);
  [[nodiscard]] bool tell_state(Listener& listener, std::string& text);
  [[nodiscard]] bool resync(Listener& listener, const ChangePage& page, std::string& text);
  void recall_those_ahead();
  [[nodiscard]] bool is_ahead_in_vain(const ListenerPtr& listener, const ChangePage& page);
  void give_page(const ListenerPtr& listener, const ChangePage& page, std::string text);
  static void finish(Listener& listener, const std::string& text);
  void ask_again_later(const ListenerPtr& listener);

  ViewReader& view_;
  const Clock& clock_;
  const ChangeHubOptions options_;
  prometheus::Gauge& all_gauge_;
  prometheus::Gauge& image_gauge_;
  prometheus::Counter& sent_;
  prometheus::Counter& resyncs_;
  prometheus::Histogram& delay_;
  // Shared with streams, and with a callback that the view may hold for longer than this lives.
  const std::shared_ptr<Mail> mail_;

  // Of the thread alone. Whoever is not behind has been given everything up to the edge.
  std::set<ListenerPtr> listeners_;
  std::map<ImageId, std::set<ListenerPtr>> by_image_;
  std::set<ListenerPtr> of_all_;
  std::optional<FeedPlace> edge_;
  std::deque<ListenerPtr> behind_;  // with room for more
  std::deque<ListenerPtr> ahead_;   // of the edge when they came, by the time that they are given
  std::optional<Deadline> ask_again_;
  std::optional<FeedPlace> armed_at_;  // the edge when the view was last asked to tell of more
  Deadline armed_until_;
  int in_vain_ = 0;                    // answers in a row before their time, with nothing new
  std::optional<Deadline> arm_again_;  // not before
  Deadline next_keep_alive_;
  std::uint64_t joined_ = 0;
  std::jthread thread_;  // last: starts when all else is there
};

}  // namespace thumb::ingest
