// The decoder agrees with the JSON Schemas: it takes every valid example and refuses every invalid
// one. (tests/contract checks the schemas themselves with a validator of another language.)
#include <gtest/gtest.h>

#include <filesystem>

#include "platform/file_io.h"
#include "schemas/event_json.h"

namespace thumb {
namespace {

namespace fs = std::filesystem;

TEST(Examples, DecoderAndSchemasAgree) {
  std::size_t valid = 0;
  std::size_t invalid = 0;
  for (const auto& folder : fs::directory_iterator(THUMB_SOURCE_DIR "/schemas/examples")) {
    for (const auto& file : fs::directory_iterator(folder)) {
      const auto event =
          event_from_json(folder.path().filename().string(), read_file(file.path()).value());
      const bool should_be_valid = file.path().filename().string().starts_with("valid-");
      (should_be_valid ? valid : invalid) += 1;
      EXPECT_EQ(event.has_value(), should_be_valid)
          << file.path() << ": " << (event ? "taken" : event.error().message);
    }
  }
  EXPECT_GE(valid, 7U);
  EXPECT_GE(invalid, 20U);
}

TEST(Examples, WhatIsWrittenIsReadBack) {
  const auto text =
      read_file(THUMB_SOURCE_DIR "/schemas/examples/thumbnail-completed/valid-1.json");
  const auto event = event_from_json("thumbnail-completed", text.value()).value();
  EXPECT_EQ(event_from_json("thumbnail-completed", event_to_json(event)).value(), event);
}

}  // namespace
}  // namespace thumb
