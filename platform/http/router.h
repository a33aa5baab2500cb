// Routes by method and path pattern. Matching is iterative over a bounded number of segments.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "platform/http/message.h"

namespace thumb::http {

struct Route {
  Method method;
  std::string pattern;  // "/v1/images/{id}/thumbnail": {x} takes one non-empty segment
  std::variant<Handler, OpenBody> target;
};

// Filled before the server starts, immutable afterwards; then thread-safe.
// GET routes answer HEAD too, unless there is a HEAD route. A literal segment goes before {x}.
// An unknown path is 404, a known one with another method 405 + Allow; OPTIONS is answered with
// 204 + Allow where no route takes it.
class Router {
 public:
  void add(Method method, std::string pattern, Handler handler);
  void add_upload(Method method, std::string pattern, OpenBody open_body);

  struct Match {
    const Route* route = nullptr;               // null: nothing matched
    std::vector<Method> allowed;                // then: methods that the path has, if any
    std::map<std::string, std::string> params;  // decoded
  };
  // `path` is still percent-encoded: its segments are decoded one by one, so that "%2F" stays
  // inside its segment.
  [[nodiscard]] Match match(Method method, std::string_view path) const;

 private:
  struct Segment {
    std::string text;  // the literal, or the parameter's name
    bool is_param = false;
  };
  void add_route(Method method, std::string pattern, std::variant<Handler, OpenBody> target);
  [[nodiscard]] static bool fits(const std::vector<Segment>& pattern,
                                 const std::vector<std::string>& segments);
  [[nodiscard]] static bool goes_before(const std::vector<Segment>& a,
                                        const std::vector<Segment>& b);
  [[nodiscard]] std::vector<Method> allowed(const std::vector<std::string>& segments) const;

  std::vector<Route> routes_;
  std::vector<std::vector<Segment>> patterns_;  // of routes_, in the same order
  std::size_t max_segments_ = 0;
};

}  // namespace thumb::http
