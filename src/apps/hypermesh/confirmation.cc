// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/confirmation.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <string>

#include "core/privacy/level.h"

namespace hm::cli {

Outcome confirm_level(const Terminal& terminal, assets::PrivacyLevel level, AskFirst ask) {
  const std::string name(assets::name_of(level));
  terminal.talk(fmt::format("At the level {}:", name));
  for (const std::string_view line : privacy::discloses(level)) {
    terminal.talk(fmt::format("  {}", line));
  }
  if (ask == AskFirst::No) return {};
  if (::isatty(STDIN_FILENO) != 1) {
    return failed(ExitCode::Usage, fmt::format("nobody said yes to the level {}", name),
                  "it discloses what is said above, for good, and there is no terminal to ask on",
                  "-y says yes; nothing has been changed");
  }
  terminal.talk(fmt::format("This cannot be taken back. Type {} to go on:", name));
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == name) return {};
  return failed(ExitCode::Failure, fmt::format("the level {} was not confirmed", name),
                "something else was typed; nothing has been changed",
                "type the level's name, or leave --level out");
}

}  // namespace hm::cli
