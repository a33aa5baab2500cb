// Checkpoints: what is written comes back byte for byte, or not at all.
#include <gtest/gtest.h>

#include <fstream>

#include "platform/file_io.h"
#include "platform/fs_blob_store.h"
#include "state_projector/checkpointer.h"
#include "state_projector/view_queries.h"
#include "tests/support/fake_blob_store.h"
#include "tests/support/memory_store.h"
#include "tests/support/temp_dir.h"

namespace thumb::testing {
namespace {

constexpr const char* kView = "0190b3a0-0000-7000-8000-000000000001";
const std::string kShelf = checkpoint_shelf(2, "cluster-a");

CheckpointManifest manifest_at(std::int64_t ms) {
  return {
      2, "cluster-a",      kView,
      3, time_from_ms(ms), {{{Topic::kImageRequests, 0}, 12}, {{Topic::kThumbnailFailed, 2}, 7}},
      {}};
}

StoredCheckpoint stored(const std::string& name, bool finished) {
  return {kShelf + "/" + name, finished ? kShelf + "/" + name + "/manifest-x" : "", ""};
}

TEST(CheckpointManifestTest, ComesBackAsItWas) {
  auto manifest = manifest_at(1'700'000'000'123);
  manifest.files = {{"000012.sst", 5, std::string(64, 'a')}, {"CURRENT", 0, std::string(64, 'b')}};
  EXPECT_EQ(decode_manifest(encode_manifest(manifest)).value(), manifest);
}

TEST(CheckpointManifestTest, RefusesWhatIsNone) {
  auto manifest = manifest_at(1);
  manifest.files = {{"../../etc/passwd", 5, std::string(64, 'a')}};
  EXPECT_EQ(decode_manifest(encode_manifest(manifest)).error().code, "corrupt-checkpoint");
  const auto good = encode_manifest(manifest_at(1));
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(decode_manifest(std::string_view(good).substr(0, size)).has_value()) << size;
  }
  for (const auto* text : {"[]", "{}", "null", R"({"format":2})"}) {
    EXPECT_EQ(decode_manifest(text).error().code, "corrupt-checkpoint");
  }
}

TEST(CheckpointPlanTest, ListsTheNewestFirstAndKnowsTheUnfinished) {
  const auto sha = std::string(64, 'f');
  const auto found = stored_checkpoints(
      kShelf, {kShelf + "/20260101T000000000Z-a/CURRENT", kShelf + "/20260102T000000000Z-a/CURRENT",
               kShelf + "/20260102T000000000Z-a/manifest-" + sha, kShelf + "/stray",
               "checkpoints/1/cluster-a/20260103T000000000Z-a/CURRENT"});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].prefix, kShelf + "/20260102T000000000Z-a");
  EXPECT_EQ(found[0].manifest_sha256, sha);
  EXPECT_EQ(found[1].manifest_key, "");
}

TEST(CheckpointPlanTest, NeverCountsAnUnfinishedOneAsKept) {
  const std::vector<StoredCheckpoint> all{stored("6", false), stored("5", true),
                                          stored("4", false), stored("3", true),
                                          stored("2", true),  stored("1", false)};
  EXPECT_EQ(outdated_checkpoints(all, 2),
            (std::vector<StoredCheckpoint>{stored("2", true), stored("1", false)}));
  EXPECT_EQ(outdated_checkpoints(all, 9), std::vector<StoredCheckpoint>{});
}

class CheckpointStoreTest : public ::testing::Test {
 protected:
  // One whose only file says when it was made.
  std::string save(std::int64_t ms) {
    const auto folder = directory_.path() / "source";
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "000001.sst") << "rows " << ms << std::string(3'000'000, 'x');
    std::ofstream(folder / "CURRENT") << "MANIFEST-1\n";
    return checkpoints_.save(folder, manifest_at(ms), {}).value();
  }
  Result<std::optional<CheckpointManifest>> restore(const std::string& objected = "") {
    std::filesystem::remove_all(target_);
    return checkpoints_.restore(kShelf, [&](const CheckpointManifest&) { return objected; },
                                target_, {});
  }
  // When the restored one was made; 0: none was.
  std::int64_t restored() {
    const auto found = restore().value();
    if (!found) return 0;
    EXPECT_TRUE(read_file(target_ / "000001.sst")
                    .value()
                    .starts_with("rows " + std::to_string(to_ms(found->made_at)) + "x"));
    EXPECT_EQ(read_file(target_ / "CURRENT").value(), "MANIFEST-1\n");
    return to_ms(found->made_at);
  }
  void change(const std::string& key, const std::function<void(std::string&)>& edit) {
    auto bytes = blobs_.bytes_of(key);
    edit(bytes);
    blobs_.set(key, bytes);
  }
  std::string manifest_of(const std::string& prefix) {
    const auto keys = blobs_.list(prefix).value();
    for (const auto& key : keys) {
      if (key.starts_with(prefix + "/manifest-")) return key;
    }
    return {};
  }

  TempDir directory_;
  std::filesystem::path target_ = directory_.path() / "target";
  Log log_{"test", LogLevel::kError};
  FakeBlobStore blobs_;
  CheckpointStore checkpoints_{blobs_, blobs_, log_};
};

TEST_F(CheckpointStoreTest, TheNewestIsRestored) {
  EXPECT_EQ(restored(), 0);
  EXPECT_FALSE(std::filesystem::exists(target_));
  save(1'000);
  save(2'000);
  EXPECT_EQ(restored(), 2'000);
}

TEST_F(CheckpointStoreTest, ADamagedOneIsPassedOver) {
  save(1'000);
  const auto newest = save(2'000);
  const std::vector<std::pair<std::string, std::function<void(std::string&)>>> damages{
      {newest + "/000001.sst", [](std::string& bytes) { bytes[1'234'567] ^= 1; }},
      {newest + "/000001.sst", [](std::string& bytes) { bytes.pop_back(); }},
      {newest + "/000001.sst", [](std::string& bytes) { bytes += "more"; }},
      {newest + "/CURRENT", [](std::string& bytes) { bytes.clear(); }},
      {manifest_of(newest), [](std::string& bytes) { bytes.pop_back(); }},
      {manifest_of(newest), [](std::string& bytes) { bytes.replace(bytes.find("12"), 2, "13"); }},
  };
  for (const auto& [key, damage] : damages) {
    const auto good = blobs_.bytes_of(key);
    change(key, damage);
    EXPECT_EQ(restored(), 1'000) << key;
    blobs_.set(key, good);
    EXPECT_EQ(restored(), 2'000);
  }
}

TEST_F(CheckpointStoreTest, OneThatWasCutShortNeverWas) {
  save(1'000);
  const auto newest = save(2'000);
  ASSERT_TRUE(blobs_.remove_all(newest).has_value());
  blobs_.set(newest + "/000001.sst", "some of it");
  EXPECT_EQ(restored(), 1'000);
}

TEST_F(CheckpointStoreTest, AnUnwantedOneIsPassedOver) {
  save(1'000);
  EXPECT_FALSE(restore("of another cluster").value().has_value());
}

TEST_F(CheckpointStoreTest, TroubleWithTheStoreIsNoDamage) {
  save(1'000);
  blobs_.set_broken(true);
  EXPECT_EQ(restore().error().code, "io-error");
}

TEST_F(CheckpointStoreTest, OldOnesAreRemoved) {
  for (const int ms : {1'000, 2'000, 3'000, 4'000}) save(ms);
  ASSERT_TRUE(checkpoints_.prune(kShelf, 2).has_value());
  EXPECT_EQ(stored_checkpoints(kShelf, blobs_.list(kShelf).value()).size(), 2U);
  EXPECT_EQ(restored(), 4'000);
}

// One of a version that this program can't read is for the program that could, should it come back.
TEST_F(CheckpointStoreTest, OfOlderRowVersionsTheNewestOneStays) {
  const auto put = [&](const std::string& version, const std::string& name, bool finished) {
    const auto prefix = "checkpoints/" + version + "/" + name;
    blobs_.set(prefix + "/CURRENT", "x");
    if (finished) blobs_.set(prefix + "/manifest-" + std::string(64, 'a'), "x");
  };
  put("5", "cluster-a/20260101T000000000Z-v", true);
  put("4", "cluster-a/20260104T000000000Z-v", false);  // the older program may be at it
  put("4", "cluster-a/20260103T000000000Z-v", true);
  put("4", "cluster-a/20260102T000000000Z-v", true);
  put("3", "cluster-a/20260105T000000000Z-v", true);
  put("2", "cluster-a/20260105T000000000Z-v", false);
  put("4", "cluster-b/20260101T000000000Z-v", true);
  const auto left = [&] {
    std::vector<std::string> found;
    for (const auto* shelf :
         {"5/cluster-a", "4/cluster-a", "3/cluster-a", "2/cluster-a", "4/cluster-b"}) {
      const auto path = std::string("checkpoints/") + shelf;
      for (const auto& stored : stored_checkpoints(path, blobs_.list(path).value())) {
        found.push_back(stored.prefix.substr(std::string("checkpoints/").size(), 20));
      }
    }
    return found;
  };
  ASSERT_TRUE(checkpoints_.prune_older_versions(5, "cluster-a").has_value());
  EXPECT_EQ(left(), (std::vector<std::string>{"5/cluster-a/20260101", "4/cluster-a/20260104",
                                              "4/cluster-a/20260103", "4/cluster-b/20260101"}));
  ASSERT_TRUE(blobs_.remove_all("checkpoints/4/cluster-a").has_value());
  put("3", "cluster-a/20260105T000000000Z-v", true);
  ASSERT_TRUE(checkpoints_.prune_older_versions(5, "cluster-a").has_value());
  EXPECT_EQ(left(), (std::vector<std::string>{"5/cluster-a/20260101", "3/cluster-a/20260105",
                                              "4/cluster-b/20260101"}));
}

TEST_F(CheckpointStoreTest, AStopGivesUp) {
  std::stop_source stop;
  stop.request_stop();
  std::filesystem::create_directories(directory_.path() / "source");
  std::ofstream(directory_.path() / "source" / "CURRENT") << "x";
  EXPECT_EQ(checkpoints_.save(directory_.path() / "source", manifest_at(1), stop.get_token())
                .error()
                .code,
            "stopped");
  EXPECT_EQ(restored(), 0);
}

// One that was due by the clock has nobody who asked for it.
TEST_F(CheckpointStoreTest, OneThatCantBeBegunIsCountedToo) {
  const ViewFolder folder(directory_.path());
  Metrics metrics;
  Checkpointer checkpointer(checkpoints_, folder, {}, log_, metrics);
  OpenView view{"v", std::make_shared<MemoryStore>(), nullptr};  // which can't be copied
  ASSERT_TRUE(view.store->write(encode_meta({kRowVersion, "cluster-a", "v", 1})).has_value());
  std::string code;
  checkpointer.begin(view, [&](const Result<void>& stored) { code = stored.error().code; });
  EXPECT_EQ(code, "unsupported");
  EXPECT_NE(metrics.expose().find("thumb_view_checkpoint_failures_total 1"), std::string::npos);
}

TEST(FsBlobStoreListTest, ListsTheKeysBelowAPrefix) {
  TempDir directory;
  const auto blobs = FsBlobStore::open_root(directory.path()).value();
  EXPECT_TRUE(blobs->list("checkpoints/2/none").value().empty());
  for (const auto* key : {"checkpoints/2/c/b/CURRENT", "checkpoints/2/c/a/x.sst", "images/2/y"}) {
    ASSERT_TRUE(put(*blobs, key, as_bytes("1")).has_value());
  }
  EXPECT_EQ(blobs->list("checkpoints/2/c").value(),
            (std::vector<std::string>{"checkpoints/2/c/a/x.sst", "checkpoints/2/c/b/CURRENT"}));
  EXPECT_FALSE(blobs->list("checkpoints/../x").has_value());
}

}  // namespace
}  // namespace thumb::testing
