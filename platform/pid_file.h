// <data dir>/pids/<name>.pid: how scripts find a running part. Removed when the process ends in order.
#pragma once

#include <filesystem>
#include <string>

#include "platform/result.h"

namespace thumb {

class PidFile {
 public:
  // Creates the folder. "already-running" (kConflict) if the file names a live process that holds its
  // lock: two processes never share a data folder.
  [[nodiscard]] static Result<PidFile> claim(const std::filesystem::path& data_dir,
                                             const std::string& name);
  ~PidFile();
  PidFile(PidFile&& other) noexcept;
  PidFile& operator=(PidFile&&) = delete;

 private:
  PidFile(std::filesystem::path path, int fd) : path_(std::move(path)), fd_(fd) {}
  std::filesystem::path path_;
  int fd_ = -1;
};

}  // namespace thumb
