// The few facts about events that aren't plain data.
#include "schemas/events.h"

#include <type_traits>

namespace thumb {

std::vector<VariantSpec> default_variants() {
  return {VariantSpec{.name = "default", .width = 100, .height = 100, .fit = Fit::kInside}};
}

const ImageId& image_id_of(const Event& event) {
  return std::visit([](const auto& e) -> const ImageId& { return e.image_id; }, event);
}

std::string actor_of(const Event& event) {
  return std::visit(
      [](const auto& one) -> std::string {
        if constexpr (std::is_base_of_v<EventBase, std::decay_t<decltype(one)>>) return one.actor;
        return {};
      },
      event);
}

}  // namespace thumb
