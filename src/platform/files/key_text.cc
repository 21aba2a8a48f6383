// SPDX-License-Identifier: Apache-2.0
#include "platform/files/key_text.h"

#include <fmt/format.h>

#include "foundation/base/result.h"

namespace hm::files {

std::unexpected<Error> unusable_key(const std::string& path, std::string_view why) {
  return fail(ErrorCode::Corrupt, fmt::format("{} is not a usable key file: {}", path, why),
              "restore it from a copy; a lost key cannot be recreated");
}

std::optional<std::string_view> take_line(std::string_view& text, std::string_view name) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  if (!line.starts_with(name)) return std::nullopt;
  line.remove_prefix(name.size());
  return line;
}

}  // namespace hm::files
