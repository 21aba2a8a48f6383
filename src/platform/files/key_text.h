// SPDX-License-Identifier: Apache-2.0
// What the two kinds of key files share: lines of a name and a value.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "foundation/base/error.h"

namespace hm::files {

std::unexpected<Error> unusable_key(const std::string& path, std::string_view why);

// Takes the next line off `text`; it must begin with `name`, and gives what follows.
std::optional<std::string_view> take_line(std::string_view& text, std::string_view name);

}  // namespace hm::files
