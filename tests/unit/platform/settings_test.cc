// One setting, three ways to give it; every mistake told at once.
#include "platform/settings.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <fstream>

#include "platform/common_settings.h"
#include "tests/support/temp_dir.h"

namespace thumb {
namespace {

using std::chrono::milliseconds;

struct Sample {
  std::string host = "127.0.0.1";
  std::int64_t port = 8080;
  bool open = false;
  milliseconds wait{500};

  std::optional<EarlyExit> parse(std::vector<const char*> args) {
    Settings settings("sample", "A sample");
    settings.text("--sample-host", host, "Where");
    settings.integer("--sample-port", port, 1, 65535, "Port");
    settings.flag("--sample-open", open, "Open");
    settings.duration_ms("--sample-wait-ms", wait, milliseconds(1), milliseconds(1000), "Wait");
    settings.check([this]() -> std::optional<std::string> {
      return host == "forbidden" ? std::optional<std::string>("--sample-host is forbidden")
                                 : std::nullopt;
    });
    args.insert(args.begin(), "sample");
    return settings.parse(static_cast<int>(args.size()), args.data());
  }
};

class SettingsTest : public ::testing::Test {
 protected:
  void TearDown() override {
    for (const auto* name : {"THUMB_SAMPLE_PORT", "THUMB_SAMPLE_HOST", "THUMB_SAMPLE_OPEN",
                             "THUMB_SAMPLE_WAIT_MS", "THUMB_CONFIG"}) {
      ::unsetenv(name);
    }
  }
};

TEST_F(SettingsTest, DefaultsStayWhereNothingIsGiven) {
  Sample sample;
  EXPECT_FALSE(sample.parse({}));
  EXPECT_EQ(sample.port, 8080);
  EXPECT_EQ(sample.wait, milliseconds(500));
}

TEST_F(SettingsTest, FlagBeatsEnvironmentBeatsFile) {
  const testing::TempDir dir;
  const auto file = dir.path() / "sample.toml";
  std::ofstream(file) << "sample-port = 1000\nsample-host = \"from-file\"\nsample-wait-ms = 7\n";
  ::setenv("THUMB_CONFIG", file.c_str(), 1);
  ::setenv("THUMB_SAMPLE_PORT", "2000", 1);
  ::setenv("THUMB_SAMPLE_HOST", "from-environment", 1);
  Sample sample;
  const auto exit = sample.parse({"--sample-port", "3000"});
  ASSERT_FALSE(exit) << exit->text;
  EXPECT_EQ(sample.port, 3000);
  EXPECT_EQ(sample.host, "from-environment");
  EXPECT_EQ(sample.wait, milliseconds(7));
}

TEST_F(SettingsTest, AFlagNeedsNoValueAndTakesOne) {
  Sample alone;
  EXPECT_FALSE(alone.parse({"--sample-open"}));
  EXPECT_TRUE(alone.open);
  Sample denied;
  EXPECT_FALSE(denied.parse({"--sample-open=false"}));
  EXPECT_FALSE(denied.open);
  ::setenv("THUMB_SAMPLE_OPEN", "true", 1);
  Sample by_variable;
  EXPECT_FALSE(by_variable.parse({}));
  EXPECT_TRUE(by_variable.open);
}

TEST_F(SettingsTest, AllMistakesAreToldAtOnceByFlagAndVariable) {
  ::setenv("THUMB_SAMPLE_PORT", "70000", 1);
  Sample sample;
  const auto exit =
      sample.parse({"--sample-wait-ms", "soon", "--sample-open=maybe", "--sample-host=forbidden"});
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->exit_code, kExitUsage);
  for (const auto* part : {"--sample-port (THUMB_SAMPLE_PORT)", "70000", "--sample-wait-ms", "soon",
                           "maybe", "forbidden"}) {
    EXPECT_NE(exit->text.find(part), std::string::npos) << part << " in\n" << exit->text;
  }
}

TEST_F(SettingsTest, AnUnknownFlagIsAMistake) {
  Sample sample;
  const auto exit = sample.parse({"--sample-prot", "1"});
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->exit_code, kExitUsage);
  EXPECT_NE(exit->text.find("--sample-prot"), std::string::npos) << exit->text;
}

TEST_F(SettingsTest, HelpNamesFlagVariableAndDefault) {
  Sample sample;
  const auto exit = sample.parse({"--help"});
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->exit_code, kExitClean);
  for (const auto* part : {"--sample-port", "THUMB_SAMPLE_PORT", "8080"}) {
    EXPECT_NE(exit->text.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(sample.parse({"--version"})->exit_code, kExitClean);
}

TEST(CommonSettings, BootstrapFollowsThePortUnlessGiven) {
  CommonSettings common;
  common.kafka_port = 19092;
  EXPECT_EQ(common.bootstrap(), "127.0.0.1:19092");
  common.kafka_bootstrap = "a:1,b:2";
  EXPECT_EQ(common.bootstrap(), "a:1,b:2");
}

TEST(CommonSettings, KafkaOptionsAreSplit) {
  CommonSettings common;
  common.kafka_options = "security.protocol=ssl;sasl.password=a=b;;";
  EXPECT_EQ(common.kafka_overrides(), (std::map<std::string, std::string>{
                                          {"security.protocol", "ssl"}, {"sasl.password", "a=b"}}));
}

TEST(CommonSettings, AKafkaOptionWithoutAValueIsAMistakeThatShowsNoSecret) {
  CommonSettings common;
  Settings settings("sample", "A sample");
  common.declare(settings);
  const std::array args = {"sample", "--kafka-options", "a=b;sasl.password:hunter2"};
  const auto exit = settings.parse(static_cast<int>(args.size()), args.data());
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->exit_code, kExitUsage);
  EXPECT_NE(exit->text.find("entry 2"), std::string::npos) << exit->text;
  EXPECT_EQ(exit->text.find("hunter2"), std::string::npos) << exit->text;
}

}  // namespace
}  // namespace thumb
