// SPDX-License-Identifier: Apache-2.0
// The one program: parses the command line and carries out the command.
#include <csignal>
#include <string>
#include <variant>
#include <vector>

#include "apps/hypermesh/command_line.h"
#include "apps/hypermesh/context.h"
#include "foundation/base/log.h"
#include "platform/linux/allocation.h"

namespace {

using namespace hm::cli;

int finish(const Terminal& terminal, const Outcome& outcome) {
  if (outcome) return static_cast<int>(ExitCode::Success);
  // The daemon tells its own in its log.
  if (!outcome.error().what.empty()) terminal.fail(outcome.error());
  return static_cast<int>(outcome.error().exit);
}

}  // namespace

int main(int argc, char** argv) {
  // A reader that goes away ends a write with an error, not the process without a word.
  std::signal(SIGPIPE, SIG_IGN);
  hm::linux::keep_large_buffers();
  const Terminal terminal = Terminal::from_environment();
  const auto parsed = parse_command_line({argv + 1, argv + argc});
  if (const auto* help = std::get_if<HelpText>(&parsed)) {
    terminal.data(help->text);
    return static_cast<int>(ExitCode::Success);
  }
  if (const auto* failure = std::get_if<Failure>(&parsed)) {
    return finish(terminal, std::unexpected(*failure));
  }
  const auto& invocation = std::get<Invocation>(parsed);
  const Context context{invocation.globals, terminal};
  return finish(terminal, std::visit([&](const auto& options) { return run(options, context); },
                                     invocation.command));
}
