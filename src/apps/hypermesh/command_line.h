// SPDX-License-Identifier: Apache-2.0
// Parses the command line. CLI11 is seen in command_line*.cc only.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "apps/hypermesh/command.h"
#include "apps/hypermesh/failure.h"

namespace hm::cli {

// --help: text for standard output.
struct HelpText {
  std::string text;
};

// `arguments` without the program's name. A usage failure names what was meant, if that can be
// guessed.
std::variant<Invocation, HelpText, Failure> parse_command_line(std::vector<std::string> arguments);

// Names and options of the commands, for shell completion. Hidden ones are left out.
struct CommandNode {
  std::string name;
  std::string description;
  std::vector<std::string> options;  // long names, with "--"
  std::vector<CommandNode> children;
};
CommandNode command_tree();

}  // namespace hm::cli
