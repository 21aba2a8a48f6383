// SPDX-License-Identifier: Apache-2.0
// A tenant's /etc/passwd and /etc/group: three parts of the input, separated by a zero byte, are
// passwd, group and the user that is asked for. Every id found is one that the container has.
#include <algorithm>
#include <cstdint>

#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "platform/containers_linux/user_lookup.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = hm::as_text(hm::ByteView(data, size));
  const std::size_t first = std::min(text.find('\0'), text.size());
  const std::string_view rest = text.substr(std::min(first + 1, text.size()));
  const std::size_t second = std::min(rest.find('\0'), rest.size());
  const std::string_view user = rest.substr(std::min(second + 1, rest.size()));
  const auto ids =
      hm::containers_linux::resolve_user_in(text.substr(0, first), rest.substr(0, second), user);
  if (!ids) return 0;
  HM_CHECK(ids->user < hm::containers::kMappedIds);
  HM_CHECK(ids->group < hm::containers::kMappedIds);
  HM_CHECK(ids->home.starts_with('/'));
  for (const std::uint32_t group : ids->groups) HM_CHECK(group < hm::containers::kMappedIds);
  return 0;
}
