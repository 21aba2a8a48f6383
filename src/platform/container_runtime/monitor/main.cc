// SPDX-License-Identifier: Apache-2.0
// hypermesh-monitor: one small process beside each container, and beside each further process in
// one, so that it outlives the daemon.
//   hypermesh-monitor run|exec pipes|pty FOLDER NETWORK [--group PATH]… [--hide MOUNT]
//                     -- RUNTIME ARGUMENT…
// Descriptor 3 is the first client's socket. It is started by the daemon only, and says what went
// wrong to that client.
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <string_view>

#include "platform/container_runtime/monitor/supervisor.h"

namespace {

using hm::container_runtime::Console;
using hm::container_runtime::Descriptor;
using hm::container_runtime::Mode;
using hm::container_runtime::MonitorOptions;

constexpr int kUsage = 2;
constexpr int kNoFolder = 3;

bool parse(int argc, char** argv, MonitorOptions& options) {
  if (argc < 7) return false;
  const std::string_view mode = argv[1];
  const std::string_view console = argv[2];
  if ((mode != "run" && mode != "exec") || (console != "pipes" && console != "pty")) return false;
  options.mode = mode == "run" ? Mode::Run : Mode::Exec;
  options.console = console == "pty" ? Console::Pty : Console::Pipes;
  options.network = argv[4];
  int at = 5;
  while (at + 1 < argc && std::string_view(argv[at]) == "--group") {
    options.groups.emplace_back(argv[at + 1]);
    at += 2;
  }
  if (at + 1 < argc && std::string_view(argv[at]) == "--hide") {
    options.hidden_mount = argv[at + 1];
    at += 2;
  }
  if (at >= argc || std::string_view(argv[at]) != "--") return false;
  options.runtime.assign(argv + at + 1, argv + argc);
  return !options.runtime.empty();
}

}  // namespace

int main(int argc, char** argv) {
  MonitorOptions options;
  if (!parse(argc, argv, options)) return kUsage;
  ::setsid();
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  ::umask(077);
  // Nothing but what ends every process ends this one: it goes when its container does.
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  using hm::container_runtime::kClientDescriptor;
  ::syscall(SYS_close_range, kClientDescriptor + 1, ~0U, 0);
  ::fcntl(kClientDescriptor, F_SETFD, FD_CLOEXEC);
  if (::chdir(argv[3]) != 0) return kNoFolder;
  const Descriptor folder(::open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  sigset_t children;
  ::sigemptyset(&children);
  ::sigaddset(&children, SIGCHLD);
  const Descriptor signals(::signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!folder || !signals) return kNoFolder;
  hm::container_runtime::Supervisor(std::move(options), folder.get(), signals.get(),
                                    Descriptor(kClientDescriptor))
      .run();
  return 0;
}
