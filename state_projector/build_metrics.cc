#include "state_projector/build_metrics.h"

namespace thumb {

BuildMetrics::BuildMetrics(Metrics& metrics)
    : in_progress_(metrics.gauge("thumb_view_build_in_progress",
                                 "1 while a view is built that does not serve yet")),
      done_(metrics.gauge("thumb_view_build_done_records",
                          "Offsets that the newest build has come past, over all partitions")),
      target_(metrics.gauge("thumb_view_build_target_records",
                            "Offsets that it had to come past when it began")),
      rate_(metrics.gauge("thumb_view_build_records_per_second", "How fast it has read so far")),
      left_seconds_(metrics.gauge("thumb_view_build_left_seconds",
                                  "Until all is read, at that rate; writing the files of a view "
                                  "that is built at once comes after it")) {}

void BuildMetrics::show(const BuildReport& report) {
  const bool building = report.state == BuildReport::State::kBuilding;
  in_progress_.Set(building ? 1 : 0);
  target_.Set(static_cast<double>(report.total()));
  done_.Set(static_cast<double>(report.total() - report.left()));
  rate_.Set(report.records_per_second());
  left_seconds_.Set(building ? report.seconds_left().value_or(0) : 0);
}

}  // namespace thumb
