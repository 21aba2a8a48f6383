// SPDX-License-Identifier: Apache-2.0
// UTF-8 well-formedness (RFC 3629).
#pragma once

#include <string_view>

namespace hm {

// True iff `text` is well-formed: shortest form, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text);

}  // namespace hm
