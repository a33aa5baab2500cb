// A real log and the real binary: topics of the test's own, events in, projector processes that can
// be stopped and killed.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "kafka_fixture.h"
#include "schemas/codec.h"
#include "state_projector/view_folder.h"
#include "tests/support/placed_events.h"
#include "tests/support/temp_dir.h"

namespace thumb::testing {

// A process of ours; killed with its owner.
class Child {
 public:
  // Runs the binary with stdout and stderr going to `output`.
  Child(const std::vector<std::string>& words, const std::filesystem::path& output);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void signal(int number) const;
  // The exit code (128 + signal if killed), or -1 if it still runs after `limit`.
  [[nodiscard]] int wait(std::chrono::milliseconds limit = std::chrono::seconds(30));

 private:
  pid_t pid_ = -1;
};

// What a command printed, and how it ended.
struct Outcome {
  int exit_code = 0;
  std::string output;
  [[nodiscard]] std::vector<std::string> lines() const;
};

class ProjectorKafkaTest : public kafka::KafkaTest {
 protected:
  static constexpr std::int32_t kPartitions = 3;

  void SetUp() override;

  // Where an image's events go.
  [[nodiscard]] static std::int32_t partition_of(const ImageId& id);
  // Many images that differ, unlike the ten of placed_events.h.
  [[nodiscard]] static ImageId image(int number);

  LogPosition append(const Event& event);
  // In one transaction, with its control records.
  void append_in_transaction(const std::vector<Event>& events);
  // Produced, then aborted.
  void append_and_abort(const std::vector<Event>& events);
  // Uploads, terminal events in transactions, hints, names, deletions, garbage: of `count` images.
  void fill(int first, int count);

  [[nodiscard]] std::unique_ptr<Child> start_projector(const std::string& data_dir = "data");
  [[nodiscard]] Outcome run(const std::string& command, const std::string& data_dir = "data");
  // True as soon as the view stands at the end of every topic.
  [[nodiscard]] bool caught_up(const std::string& data_dir = "data");
  [[nodiscard]] std::string digest(const std::string& data_dir = "data");
  [[nodiscard]] ViewFolder folder(const std::string& data_dir = "data") const;
  [[nodiscard]] std::string log_of(const std::string& data_dir = "data") const;

  // A projector that runs until it is caught up, then ends in order.
  void project(const std::string& data_dir = "data");

  TempDir directory_;
  TopicNames names_;
  std::unique_ptr<kafka::Admin> admin_;
  std::unique_ptr<kafka::Producer> producer_;

 private:
  [[nodiscard]] std::vector<std::string> words(const std::string& command,
                                               const std::string& data_dir) const;
  [[nodiscard]] OutRecord to_out(const Event& event) const;
};

}  // namespace thumb::testing
