// SPDX-License-Identifier: Apache-2.0
// Shell completion scripts from the command table.
#pragma once

#include <string>

#include "apps/hypermesh/command_line.h"

namespace hm::cli {

std::string bash_completion(const CommandNode& root);
std::string zsh_completion(const CommandNode& root);
std::string fish_completion(const CommandNode& root);

}  // namespace hm::cli
