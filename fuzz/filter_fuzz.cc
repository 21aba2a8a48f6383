// SPDX-License-Identifier: Apache-2.0
// What a person, or a program for one, demands of a lease. Nothing may crash; what is read is
// within its limits and has one text; what is refused points into the text.
#include <cstdint>

#include "core/scheduling/filter.h"
#include "foundation/base/bytes.h"
#include "foundation/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hm::scheduling;
  const std::string_view text = hm::as_text({data, size});
  const auto filter = parse_filter(text);
  if (!filter) {
    const FilterFault& fault = filter.error();
    HM_CHECK(fault.position <= text.size() && fault.length <= text.size() - fault.position);
    HM_CHECK(!explain(fault, text).empty());
    return 0;
  }
  HM_CHECK(filter->requirements.size() <= kMaxFilterParts);
  HM_CHECK(filter->quantity > 0 && filter->duration_ms > 0);
  HM_CHECK(filter->least_trust <= kMaxTrust);
  HM_CHECK(filter->choices >= 1 && filter->choices <= kMaxChoices);
  const std::string spelled = to_string(*filter);
  if (spelled.size() > kMaxFilterText) return 0;
  // The text says up to nine keys that the input may have left to their defaults.
  if (const auto again = parse_filter(spelled)) {
    HM_CHECK(*again == *filter && to_string(*again) == spelled);
  } else {
    HM_CHECK(again.error().error == FilterError::TooManyParts);
  }
  const hm::assets::Descriptor descriptor = {{"model", "AMD EPYC 7763"},
                                             {"logical_cores", std::uint64_t{128}},
                                             {"virtual", false},
                                             {"features", std::vector<std::string>{"avx2"}}};
  for (const Requirement& requirement : filter->requirements) {
    HM_CHECK(!holds(requirement, nullptr) || requirement.comparison == Comparison::NotEqual);
    (void)holds(requirement, &descriptor);
  }
  return 0;
}
