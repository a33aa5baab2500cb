// A view folder with a writer in this process, for tests of what reads beside it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "state_projector/rocks/rocks_store.h"
#include "state_projector/view_folder.h"
#include "state_projector/view_keys.h"
#include "state_projector/view_queries.h"
#include "state_projector/view_writer.h"
#include "tests/support/placed_events.h"
#include "tests/support/record_views.h"
#include "tests/support/temp_dir.h"

namespace thumb::testing {

inline void must(const Result<void>& done) {
  ASSERT_TRUE(done.has_value()) << done.error().message << done.error().detail;
}

class ViewOnDisk {
 public:
  static constexpr std::uint64_t kFeedLimit = 1'000;

  ViewOnDisk() { std::filesystem::create_directories(folder_.root()); }

  [[nodiscard]] const ViewFolder& folder() const { return folder_; }
  [[nodiscard]] RocksStore& store() { return static_cast<RocksStore&>(*store_); }
  [[nodiscard]] const std::string& view_id() const { return view_id_; }

  // Makes a new, empty view and, unless told otherwise, lets it serve. The last one is closed.
  void make(bool publish = true) {
    writer_.reset();
    store_.reset();
    view_id_ = make_view_id();
    store_ = RocksStore::open(folder_.path_of(view_id_)).value();
    must(store_->write(encode_meta({kRowVersion, "cluster-a", view_id_, 2})));
    writer_ = ViewWriter::open(*store_, names_, {kFeedLimit}).value();
    if (publish) must(folder_.publish(view_id_));
  }

  // As after a restart of the projector.
  void reopen() {
    writer_.reset();
    store_.reset();
    store_ = RocksStore::open(folder_.path_of(view_id_)).value();
    writer_ = ViewWriter::open(*store_, names_, {kFeedLimit}).value();
  }

  void put(const Event& event, const RecordPlace& place) {
    const std::vector<InRecord> records{placed::to_record({event, place}, names_)};
    writer_->apply(views_of(records), {}).value();
  }
  void advance(Topic topic, std::int32_t partition, std::int64_t next_offset) {
    writer_->apply({}, {{{topic, partition}, next_offset}}).value();
  }

 private:
  TempDir directory_;
  ViewFolder folder_{directory_.path() / "view"};
  TopicNames names_;
  std::string view_id_;
  std::unique_ptr<KeyValueStore> store_;
  std::unique_ptr<ViewWriter> writer_;
};

}  // namespace thumb::testing
