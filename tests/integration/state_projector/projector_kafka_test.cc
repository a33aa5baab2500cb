// The projector as operators run it: the binary, a real broker, kills at any moment.
#include <csignal>
#include <future>
#include <nlohmann/json.hpp>

#include "platform/text.h"
#include "projector_fixture.h"
#include "state_projector/local_view_reader.h"
#include "state_projector/rocks/rocks_store.h"
#include "state_projector/view_keys.h"
#include "state_projector/view_queries.h"
#include "tests/support/wait_until.h"

namespace thumb::testing {
namespace {

using namespace placed;  // NOLINT(google-build-using-namespace)
using namespace std::chrono_literals;

bool wait_for(ViewReader& reader, const ImageId& id, LogPosition position,
              std::chrono::milliseconds limit = 30s) {
  std::promise<bool> answer;
  reader.wait_for(Topic::kImageRequests, position.partition, position.offset + 1,
                  std::chrono::steady_clock::now() + limit,
                  [&answer](bool reached) { answer.set_value(reached); });
  return answer.get_future().get() && reader.get(id).value().has_value();
}

TEST_F(ProjectorKafkaTest, FoldsWhatWasCommittedAndNothingElse) {
  append(uploaded(image(1)));
  append(uploaded(image(2)));
  append_in_transaction({completed(image(1))});
  append_and_abort({completed(image(2)), failed(image(2))});
  project();
  const auto dump = run("dump");
  ASSERT_EQ(dump.exit_code, 0) << dump.output;
  const auto lines = dump.lines();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(nlohmann::json::parse(lines[0])["state"], "completed");
  EXPECT_EQ(nlohmann::json::parse(lines[1])["state"], "accepted");
  EXPECT_NE(log_of().find("caught up"), std::string::npos);
  // It wrote nothing: the aborted records are still all there is beyond.
  EXPECT_EQ(run("verify").exit_code, 0);
}

TEST_F(ProjectorKafkaTest, TheViewIsTheSameAfterKillsAndAfterItsFolderWasDeleted) {
  for (int round = 0; round < 4; ++round) {
    fill(round * 100, 100);
    const auto projector = start_projector();
    // Killed while it folds: at the latest a moment after its view is there.
    ASSERT_TRUE(wait_until([&] {
      return folder().next().value().has_value() || folder().current().value().has_value();
    }));
    projector->signal(SIGKILL);
    EXPECT_EQ(projector->wait(), 128 + SIGKILL);
  }
  project();
  project("undisturbed");
  const auto after_kills = digest();
  EXPECT_EQ(after_kills.size(), 64U);
  EXPECT_EQ(digest("undisturbed"), after_kills);
  const auto rows = run("dump").output;
  EXPECT_EQ(run("dump", "undisturbed").output, rows);

  std::filesystem::remove_all(folder().root());
  project();
  EXPECT_EQ(digest(), after_kills);
  EXPECT_EQ(run("dump").output, rows);
  const auto status = nlohmann::json::parse(run("status --json").output);
  EXPECT_EQ(status["unreadable_records"], 4);
}

TEST_F(ProjectorKafkaTest, CommandsWorkWhileTheProjectorRuns) {
  fill(0, 50);
  const auto projector = start_projector();
  ASSERT_TRUE(caught_up());
  EXPECT_EQ(run("dump").lines().size(), 50U);
  EXPECT_EQ(run("status").exit_code, 0);
  const auto verified = run("verify");
  EXPECT_EQ(verified.exit_code, 0) << verified.output;
  const auto refused = run("rebuild");
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_NE(refused.output.find("stop it first"), std::string::npos) << refused.output;
  const auto second = run("run");
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_NE(second.output.find("view-in-use"), std::string::npos) << second.output;
}

TEST_F(ProjectorKafkaTest, VerifyFindsATamperedRow) {
  fill(0, 20);
  project();
  {
    auto store = RocksStore::open(folder().path_of(folder().current().value().value())).value();
    auto row = read_row(*store, image(4)).value().value();
    row.upload->size.height += 1;
    const KeyChange change{view_keys::row(image(4)), encode_row(row)};
    ASSERT_TRUE(store->write({&change, 1}).has_value());
  }
  const auto differs = run("verify");
  EXPECT_EQ(differs.exit_code, 1);
  EXPECT_NE(differs.output.find(image(4).str()), std::string::npos) << differs.output;
  const auto lines = differs.lines();
  const auto shown = std::ranges::find_if(
      lines, [](const std::string& line) { return line.starts_with(R"({"what":"row")"); });
  ASSERT_NE(shown, lines.end()) << differs.output;
  const auto row = nlohmann::json::parse(*shown);
  EXPECT_EQ(row["where"], image(4).str());
  EXPECT_NE(row["view"]["upload"]["size"], row["replay"]["upload"]["size"]);
}

TEST_F(ProjectorKafkaTest, AnotherRowVersionIsBuiltAnewByItself) {
  fill(0, 20);
  project();
  const auto before = digest();
  const auto old_id = folder().current().value().value();
  {
    auto store = RocksStore::open(folder().path_of(old_id)).value();
    auto meta = read_meta(*store).value();
    meta.row_version = kRowVersion - 1;
    ASSERT_TRUE(store->write(encode_meta(meta)).has_value());
  }
  LocalViewReader reader({.view_dir = folder().root()}, log_);
  EXPECT_EQ(reader.get(image(1)).error().code, "view-unavailable");
  project();
  EXPECT_NE(folder().current().value(), old_id);
  EXPECT_EQ(folder().previous().value(), old_id);
  EXPECT_EQ(digest(), before);
  EXPECT_TRUE(wait_until([&] { return reader.get(image(1)).has_value(); }));
}

TEST_F(ProjectorKafkaTest, RebuildEndsWithBothDigests) {
  fill(0, 60);
  project();
  const auto before = digest();
  const auto rebuilt = run("rebuild");
  ASSERT_EQ(rebuilt.exit_code, 0) << rebuilt.output;
  const auto lines = rebuilt.lines();
  ASSERT_GE(lines.size(), 2U);
  EXPECT_EQ(lines[lines.size() - 2], "before " + before);
  EXPECT_EQ(lines[lines.size() - 1], "after  " + before);
  EXPECT_EQ(digest(), before);
  project();  // and it is gone on with
  EXPECT_EQ(digest(), before);
}

TEST_F(ProjectorKafkaTest, AReaderSeesWhatAnotherProcessFolds) {
  LocalViewReader reader({.view_dir = folder().root()}, log_);
  EXPECT_EQ(reader.get(image(1)).error().code, "view-unavailable");
  auto projector = start_projector();
  EXPECT_TRUE(wait_for(reader, image(1), append(uploaded(image(1)))));
  for (int i = 2; i < 30; ++i) EXPECT_TRUE(wait_for(reader, image(i), append(uploaded(image(i)))));

  // While the projector is away the last state is served, and nothing newer is claimed.
  projector->signal(SIGKILL);
  ASSERT_EQ(projector->wait(), 128 + SIGKILL);
  const auto missed = append(uploaded(image(30)));
  EXPECT_FALSE(wait_for(reader, image(30), missed, 50ms));
  EXPECT_TRUE(reader.get(image(5)).value().has_value());
  projector = start_projector();
  EXPECT_TRUE(wait_for(reader, image(30), missed));

  // A rebuild in its place is followed too.
  projector->signal(SIGTERM);
  ASSERT_EQ(projector->wait(), 0) << log_of();
  ASSERT_EQ(run("rebuild").exit_code, 0);
  projector = start_projector();
  EXPECT_TRUE(wait_for(reader, image(31), append(uploaded(image(31)))));
  EXPECT_EQ(reader.list({.limit = 100}).value().rows.size(), 31U);
}

TEST_F(ProjectorKafkaTest, StopsInOrderWhileTheBrokerIsAway) {
  bootstrap_ = kafka::kNobody;
  const auto projector = start_projector();
  ASSERT_TRUE(
      wait_until([this] { return log_of().find("waiting for Kafka") != std::string::npos; }));
  projector->signal(SIGTERM);
  EXPECT_EQ(projector->wait(), 0) << log_of();
}

}  // namespace
}  // namespace thumb::testing
