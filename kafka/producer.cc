// The waiting form of produce(): a promise that the delivery report fulfils.
#include "kafka/producer.h"

#include <future>

namespace thumb::kafka {

Result<LogPosition> Producer::produce_and_wait(OutRecord record) {
  std::promise<Result<LogPosition>> outcome;
  auto waiter = outcome.get_future();
  produce(std::move(record),
          [&outcome](Result<LogPosition> result) { outcome.set_value(std::move(result)); });
  return waiter.get();  // bounded by the delivery time-out, within which `done` is always called
}

}  // namespace thumb::kafka
