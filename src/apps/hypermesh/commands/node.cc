// SPDX-License-Identifier: Apache-2.0
// `hypermesh node --config FILE`: the daemon itself, in the foreground. `dev`, `up` and service
// managers start it.
#include <unistd.h>

#include <cstdlib>

#include "apps/hypermesh/context.h"
#include "apps/hypermesh/daemon.h"
#include "foundation/base/log.h"

namespace hm::cli {

Outcome run(const NodeDaemon& options, const Context&) {
  const char* filter = std::getenv("HYPERMESH_LOG");
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  HM_CLI_TRY_VOID(log::configure(filter == nullptr ? "" : filter,
                                 terminal ? log::Format::Human : log::Format::Json));
  const auto ended = run_daemon(options.config);
  if (ended) return {};
  if (terminal) return std::unexpected(failure_of(ended.error()));
  log::error("node", ended.error().message, {{"why", ended.error().detail}});
  return std::unexpected(Failure{exit_code_of(ended.error().code), "", "", ""});
}

}  // namespace hm::cli
