// A ViewReader in memory, fed with events: for tests of whatever asks the view. It shares nothing
// with the real one but the fold, so that the conformance suite compares two implementations.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "platform/text.h"
#include "schemas/codec.h"
#include "state_projector/change_feed.h"
#include "state_projector/fold.h"
#include "state_projector/view_reader.h"

namespace thumb::testing {

// Thread-safe. Starts with an empty view; `set_available(false)` is the time before any view.
class FakeViewReader final : public ViewReader {
 public:
  FakeViewReader() : thread_([this](const std::stop_token& stop) { run(stop); }) {}
  ~FakeViewReader() override {
    thread_.request_stop();
    thread_.join();
    for (auto& waiter : waiters_) waiter.done(false);
  }

  // Folds one event as if it stood at this place of its topic, and moves the position past it.
  void put(const Event& event, LogPosition position, TimeMs at) {
    {
      const std::lock_guard lock(mutex_);
      auto& row = rows_[image_id_of(event)];
      const std::optional<ImageRow> before = row;
      row.id = image_id_of(event);
      fold(row, event, {position, at});
      remember(event, position, at);
      if (const auto change = change_between(before, row)) {
        feed_.push_back(*change);
        feed_.back().sequence = feed_.size();
      }
    }
    advance(topic_of(event), position.partition, position.offset + 1);
  }

  // Moves a position without an event, as a control record or an unreadable one does.
  void advance(Topic topic, std::int32_t partition, std::int64_t next_offset) {
    std::vector<Waiter> reached;
    {
      const std::lock_guard lock(mutex_);
      auto& position = positions_[{topic, partition}];
      position = std::max(position, next_offset);
      reached = take_waiters([&](const Waiter& w) { return is_reached(w); });
    }
    for (auto& waiter : reached) waiter.done(true);
  }

  void set_available(bool available) {
    const std::lock_guard lock(mutex_);
    available_ = available;
  }

  // As if a rebuilt view took the place of this one: the same rows, another feed.
  void swap_view(std::string view_id) {
    std::vector<Waiter> told;
    {
      const std::lock_guard lock(mutex_);
      view_id_ = std::move(view_id);
      feed_.clear();
      forgotten_ = 0;
      told = take_waiters([](const Waiter& w) { return w.place == kFeed; });
    }
    for (auto& waiter : told) waiter.done(true);
  }

  // As if the feed had room for no more than what is behind number `sequence`.
  void forget_changes(std::size_t sequence) {
    const std::lock_guard lock(mutex_);
    forgotten_ = sequence;
  }

  [[nodiscard]] std::size_t waiting() const {
    const std::lock_guard lock(mutex_);
    return waiters_.size();
  }

  [[nodiscard]] int asked_to_wait() const { return asked_to_wait_; }

  Result<std::optional<ImageRow>> get(const ImageId& id) override {
    const std::lock_guard lock(mutex_);
    if (!available_) return unavailable();
    const auto found = rows_.find(id);
    if (found == rows_.end() || !found->second.visible()) return std::nullopt;
    return found->second;
  }

  Result<ListPage> list(const ListQuery& query) override {
    const std::lock_guard lock(mutex_);
    if (!available_) return unavailable();
    auto rows = matching(query.state);
    if (!query.cursor.empty()) {
      const auto after = from_hex(query.cursor);
      if (!after || after->size() != 24 || to_hex(as_bytes(*after)) != query.cursor) {
        return fail(ErrorKind::kInvalid, "bad-cursor", "cursor is not one that a list gave");
      }
      std::erase_if(rows, [&](const ImageRow& row) { return place(row) <= *after; });
    }
    const auto limit = std::clamp<std::size_t>(query.limit, 1, kMaxListLimit);
    ListPage page;
    if (rows.size() > limit) {
      rows.resize(limit);
      page.next_cursor = to_hex(as_bytes(place(rows.back())));
    }
    page.rows = std::move(rows);
    return page;
  }

  // Called before each answer of history().
  std::function<void()> before_history = [] {};

  Result<std::vector<HistoryEntry>> history(const ImageId& id) override {
    before_history();
    const std::lock_guard lock(mutex_);
    if (!available_) return unavailable();
    const auto row = rows_.find(id);
    const bool shown = row != rows_.end() && row->second.visible() && !row->second.deleted;
    return shown ? history_[id] : std::vector<HistoryEntry>();
  }

  Result<ViewStats> stats() override {
    const std::lock_guard lock(mutex_);
    if (!available_) return unavailable();
    ViewStats stats{view_id_, {}, 0, feed_.size(), {}};
    for (const auto& [place, offset] : positions_) {
      stats.positions[{place.first, place.second}] = offset;
    }
    for (const auto& [id, row] : rows_) {
      if (row.visible()) ++stats.images[row.state()];
    }
    return stats;
  }

  Result<ChangePage> changes(std::uint64_t after, std::size_t limit) override {
    const std::lock_guard lock(mutex_);
    if (!available_) return unavailable();
    const bool any = forgotten_ < feed_.size();
    ChangePage page{view_id_, any ? forgotten_ + 1 : 0, feed_.size(), {}};
    for (std::size_t i = std::max<std::size_t>(after, forgotten_);
         i < feed_.size() && page.changes.size() < limit; ++i) {
      page.changes.push_back(feed_[i]);
    }
    return page;
  }

  Result<std::int64_t> position(Topic topic, std::int32_t partition) override {
    const std::lock_guard lock(mutex_);
    if (!available_) return unavailable();
    const auto found = positions_.find({topic, partition});
    return found == positions_.end() ? 0 : found->second;
  }

  void wait_for(Topic topic, std::int32_t partition, std::int64_t next_offset, Deadline deadline,
                std::function<void(bool)> done) override {
    wait({{topic, partition}, next_offset, deadline, std::move(done)});
  }

  void wait_for_change(std::uint64_t after, Deadline deadline,
                       std::function<void(bool)> done) override {
    wait({kFeed, static_cast<std::int64_t>(after) + 1, deadline, std::move(done)});
  }

 private:
  using Place = std::pair<Topic, std::int32_t>;
  static constexpr std::size_t kMaxWaiters = 10'000;
  static constexpr Place kFeed{};

  struct Waiter {
    Place place;
    std::int64_t next_offset = 0;
    Deadline deadline;
    std::function<void(bool)> done;
  };

  void wait(Waiter waiter) {
    bool reached = false;
    ++asked_to_wait_;
    {
      const std::lock_guard lock(mutex_);
      reached = available_ && is_reached(waiter);
      if (!reached && waiters_.size() < kMaxWaiters) {
        waiters_.push_back(std::move(waiter));
        wake_.notify_all();
        return;
      }
    }
    waiter.done(reached);
  }

  void remember(const Event& event, LogPosition position, TimeMs at) {
    const auto id = image_id_of(event);
    auto& entries = history_[id];
    const Topic topic = topic_of(event);
    const auto same = [&](const HistoryEntry& e) {
      return e.topic == topic && e.position == position;
    };
    if (std::ranges::any_of(entries, same)) return;
    if (std::holds_alternative<ImagePrivateErased>(event)) {
      std::erase_if(entries, [&](const HistoryEntry& e) { return e.topic == topic; });
    }
    entries.push_back({topic,
                       position,
                       at,
                       std::string(event_name(event)),
                       actor_of(event),
                       {},
                       part_of(event, {position, at})});
    std::ranges::sort(entries, happened_before);
  }

  static Failure unavailable() {
    return fail_transient(ErrorKind::kUnavailable, "view-unavailable", "there is no view yet");
  }

  // Sorts newest first: the complement of (time, id), big-endian.
  static std::string place(const ImageRow& row) {
    const auto at = row.deleted ? row.deleted->at : row.upload->at;
    const auto time = ~(static_cast<std::uint64_t>(to_ms(at)) ^ (std::uint64_t{1} << 63U));
    std::string key;
    for (int shift = 56; shift >= 0; shift -= 8) {
      key.push_back(static_cast<char>((time >> static_cast<unsigned>(shift)) & 0xFFU));
    }
    for (const auto b : row.id.bytes) key.push_back(static_cast<char>(~b));
    return key;
  }

  std::vector<ImageRow> matching(std::optional<ImageState> state) const {
    std::vector<ImageRow> rows;
    for (const auto& [id, row] : rows_) {
      if (!row.visible()) continue;
      if (state ? row.state() == *state : row.state() != ImageState::kDeleted) rows.push_back(row);
    }
    std::ranges::sort(rows, {}, place);
    return rows;
  }

  bool is_reached(const Waiter& waiter) const {
    if (waiter.place == kFeed) return std::ssize(feed_) >= waiter.next_offset;
    const auto found = positions_.find(waiter.place);
    return (found == positions_.end() ? 0 : found->second) >= waiter.next_offset;
  }

  template <typename Take>
  std::vector<Waiter> take_waiters(Take take) {
    const auto kept = std::stable_partition(waiters_.begin(), waiters_.end(),
                                            [&](const Waiter& w) { return !take(w); });
    std::vector<Waiter> taken(std::make_move_iterator(kept),
                              std::make_move_iterator(waiters_.end()));
    waiters_.erase(kept, waiters_.end());
    return taken;
  }

  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      std::vector<Waiter> expired;
      {
        std::unique_lock lock(mutex_);
        auto until = std::chrono::steady_clock::now() + std::chrono::hours(1);
        for (const auto& waiter : waiters_) until = std::min(until, waiter.deadline);
        wake_.wait_until(lock, stop, until,
                         [this, count = waiters_.size()] { return waiters_.size() != count; });
        const auto now = std::chrono::steady_clock::now();
        expired = take_waiters([&](const Waiter& w) { return w.deadline <= now; });
      }
      for (auto& waiter : expired) waiter.done(false);
    }
  }

  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  std::atomic<int> asked_to_wait_ = 0;
  bool available_ = true;
  std::map<ImageId, ImageRow> rows_;
  std::map<ImageId, std::vector<HistoryEntry>> history_;
  std::string view_id_ = "fake";
  std::vector<ViewChange> feed_;
  std::size_t forgotten_ = 0;  // of the feed's oldest entries
  std::map<Place, std::int64_t> positions_;
  std::vector<Waiter> waiters_;
  std::jthread thread_;  // last: starts when all else is there
};

}  // namespace thumb::testing
