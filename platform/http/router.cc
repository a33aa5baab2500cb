#include "platform/http/router.h"

#include <algorithm>
#include <optional>

#include "platform/http/target.h"

namespace thumb::http {
namespace {

// "/a//b" -> "a", "", "b"; "/" -> "". Empty if there are more than `limit`.
std::vector<std::string_view> split(std::string_view path, std::size_t limit) {
  std::vector<std::string_view> segments;
  segments.reserve(8);
  if (path.starts_with('/')) path.remove_prefix(1);
  for (;;) {
    if (segments.size() == limit) return {};
    const std::size_t slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

std::optional<std::vector<std::string>> decode(const std::vector<std::string_view>& raw) {
  std::vector<std::string> segments;
  segments.reserve(raw.size());
  for (const std::string_view text : raw) {
    if (text.find('%') == std::string_view::npos) {
      segments.emplace_back(text);
      continue;
    }
    auto decoded = percent_decode(text, false);
    if (!decoded) return std::nullopt;
    segments.push_back(std::move(*decoded));
  }
  return segments;
}

void insert(std::vector<Method>& methods, Method method) {
  if (std::find(methods.begin(), methods.end(), method) == methods.end()) {
    methods.push_back(method);
  }
}

}  // namespace

void Router::add(Method method, std::string pattern, Handler handler) {
  add_route(method, std::move(pattern), std::move(handler));
}

void Router::add_upload(Method method, std::string pattern, OpenBody open_body) {
  add_route(method, std::move(pattern), std::move(open_body));
}

void Router::add_route(Method method, std::string pattern, std::variant<Handler, OpenBody> target) {
  std::vector<Segment> segments;
  const std::vector<std::string_view> texts = split(pattern, pattern.size() + 1);
  for (const std::string_view text : texts) {
    const bool is_param = text.size() > 2 && text.front() == '{' && text.back() == '}';
    segments.push_back({std::string(is_param ? text.substr(1, text.size() - 2) : text), is_param});
  }
  max_segments_ = std::max(max_segments_, segments.size());
  patterns_.push_back(std::move(segments));
  routes_.push_back({method, std::move(pattern), std::move(target)});
}

bool Router::fits(const std::vector<Segment>& pattern, const std::vector<std::string>& segments) {
  return std::equal(pattern.begin(), pattern.end(), segments.begin(), segments.end(),
                    [](const Segment& wanted, const std::string& given) {
                      return wanted.is_param ? !given.empty() : wanted.text == given;
                    });
}

// REQUIRES: both fit one path.
bool Router::goes_before(const std::vector<Segment>& a, const std::vector<Segment>& b) {
  return std::lexicographical_compare(
      a.begin(), a.end(), b.begin(), b.end(),
      [](const Segment& x, const Segment& y) { return !x.is_param && y.is_param; });
}

std::vector<Method> Router::allowed(const std::vector<std::string>& segments) const {
  std::vector<Method> methods;
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    if (!fits(patterns_[i], segments)) continue;
    insert(methods, routes_[i].method);
    if (routes_[i].method == Method::kGet) insert(methods, Method::kHead);
  }
  if (!methods.empty()) insert(methods, Method::kOptions);
  return methods;
}

Router::Match Router::match(Method method, std::string_view path) const {
  Match match;
  const std::vector<std::string_view> raw = split(path, max_segments_);
  const auto segments = decode(raw);
  if (raw.empty() || !segments) return match;
  const std::vector<Segment>* best = nullptr;
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    const bool exact = routes_[i].method == method;
    if (!exact && !(method == Method::kHead && routes_[i].method == Method::kGet)) continue;
    if (!fits(patterns_[i], *segments)) continue;
    // A HEAD route beats the GET route of the same pattern, whatever their order.
    if (best == nullptr || goes_before(patterns_[i], *best) ||
        (exact && match.route->method != method && !goes_before(*best, patterns_[i]))) {
      best = &patterns_[i];
      match.route = &routes_[i];
    }
  }
  if (best == nullptr) {
    match.allowed = allowed(*segments);
    return match;
  }
  for (std::size_t i = 0; i < best->size(); ++i) {
    if ((*best)[i].is_param) match.params.emplace((*best)[i].text, (*segments)[i]);
  }
  return match;
}

}  // namespace thumb::http
