// Runs a property with at least 1,000 random cases and reports a counterexample as a test failure.
#pragma once

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/detail/Configuration.h>
#include <rapidcheck/detail/TestMetadata.h>

#include <sstream>
#include <utility>

namespace thumb::testing {

inline constexpr int kPropertyCases = 1'000;

template <typename Property>
void check_property(Property&& property, int cases = kPropertyCases) {
  auto params = rc::detail::configuration().testParams;
  params.maxSuccess = cases;
  const auto result = rc::detail::checkTestable(std::forward<Property>(property),
                                                rc::detail::TestMetadata(), params);
  std::ostringstream report;
  rc::detail::printResultMessage(result, report);
  EXPECT_TRUE(result.template is<rc::detail::SuccessResult>()) << report.str();
}

}  // namespace thumb::testing
