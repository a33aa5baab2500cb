// Routes by method and path pattern. Matching is iterative over a bounded number of segments.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "platform/http/message.h"

namespace thumb::http {

struct Route {
  Method method;
  std::string pattern;  // "/v1/images/{id}/thumbnail": {x} takes one non-empty segment
  std::variant<Handler, OpenBody> target;
};

// Filled before the server starts, immutable afterwards; then thread-safe.
// GET routes answer HEAD too. An unknown path is 404, a known one with another method 405 + Allow.
class Router {
 public:
  void add(Method method, std::string pattern, Handler handler);
  void add_upload(Method method, std::string pattern, OpenBody open_body);

  struct Match {
    const Route* route = nullptr;                // null: nothing matched
    std::vector<Method> allowed;                 // then: methods that the path has, if any
    std::map<std::string, std::string> params;
  };
  [[nodiscard]] Match match(Method method, std::string_view path) const;

 private:
  std::vector<Route> routes_;
};

}  // namespace thumb::http
