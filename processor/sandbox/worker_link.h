// The processor's end of one worker: its channel and the memory shared with it.
#pragma once

#include <cstdint>
#include <memory>

#include "processor/sandbox/channel.h"
#include "processor/sandbox/shared_area.h"

namespace thumb {

struct WorkerLink {
  std::uint32_t id = 0;
  UniqueFd channel;
  SharedArea input;
  SharedArea output;
  unsigned jobs = 0;  // that it has taken
};

struct NewWorkerLink {
  std::unique_ptr<WorkerLink> link;
  // What the worker gets, besides link->output.fd().
  UniqueFd channel;
  UniqueFd input;
};

// kUnavailable/"io-error" when descriptors or memory run out.
[[nodiscard]] inline Result<NewWorkerLink> make_worker_link(std::uint32_t id,
                                                            std::uint64_t input_bytes,
                                                            std::uint64_t output_bytes) {
  using Access = SharedMapping::Access;
  auto channel = make_channel();
  if (!channel) return Failure(channel.error());
  auto input = SharedArea::create("original", input_bytes, Access::kReadWrite);
  if (!input) return Failure(input.error());
  auto output = SharedArea::create("thumbnails", output_bytes, Access::kRead);
  if (!output) return Failure(output.error());
  auto input_end = input->read_only_fd();
  if (!input_end) return Failure(input_end.error());
  auto link = std::make_unique<WorkerLink>(
      WorkerLink{id, std::move(channel->ours), std::move(*input), std::move(*output)});
  return NewWorkerLink{std::move(link), std::move(channel->theirs), std::move(*input_end)};
}

}  // namespace thumb
