// SPDX-License-Identifier: Apache-2.0
// Policy files: groups, grants and the owner's own tests of them, in TOML. A file stands by itself:
// people, assets and machines are names in it, and no node is asked. docs/guide/lending.md has an
// example and every key.
#pragma once

#include <string>
#include <string_view>

#include "apps/hypermesh/failure.h"
#include "core/privacy/policy_document.h"

namespace hm::cli {

// Strict: an unknown key, a name that nothing in the file has, and a word that no grant can say are
// refused by name. `source` names the text in errors.
Answer<privacy::PolicyDocument> parse_policy(std::string_view text, std::string_view source);
Answer<privacy::PolicyDocument> read_policy(const std::string& path);

}  // namespace hm::cli
