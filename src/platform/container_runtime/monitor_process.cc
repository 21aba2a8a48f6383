// SPDX-License-Identifier: Apache-2.0
#include "platform/container_runtime/monitor_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <system_error>

#include "platform/container_runtime/monitor_protocol.h"

namespace hm::container_runtime {
namespace {

std::unexpected<Error> failed(ErrorCode code, const std::string& what, int number) {
  return fail(code, what, std::generic_category().message(number));
}

int open_process(pid_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

}  // namespace

Result<MonitorProcess> start_monitor(const std::vector<std::string>& arguments,
                                     FirstClient first_client) {
  std::array<int, 2> ends{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) {
    return failed(ErrorCode::Io, "no socket for a monitor", errno);
  }
  MonitorProcess monitor{.socket = Descriptor(ends[0]), .process = {}};
  const Descriptor theirs(ends[1]);
  if (first_client == FirstClient::Attached) {
    const Frame attach = Frame(ToMonitor::Attach).put(kWhereItStopped);
    if (::send(ends[0], attach.view().data(), attach.view().size(), MSG_NOSIGNAL) < 0) {
      return failed(ErrorCode::Io, "cannot attach to a monitor", errno);
    }
  }
  std::vector<char*> pointers;
  for (const std::string& argument : arguments) {
    pointers.push_back(const_cast<char*>(argument.c_str()));
  }
  pointers.push_back(nullptr);
  // The OCI runtime needs no more, and what the daemon was given is not for it.
  std::string path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  const std::array<char*, 2> environment{path.data(), nullptr};

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  // First: the number may be one of those that are opened after it.
  posix_spawn_file_actions_adddup2(&actions, theirs.get(), kClientDescriptor);
  for (int standard = 0; standard < 3; ++standard) {
    posix_spawn_file_actions_addopen(&actions, standard, "/dev/null", O_RDWR, 0);
  }
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t every;
  ::sigfillset(&every);
  posix_spawnattr_setsigdefault(&attributes, &every);
  // Blocked until it has its own way with them, lest one that is meant for the daemon's group
  // ends it.
  posix_spawnattr_setsigmask(&attributes, &every);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  pid_t pid = -1;
  const int problem = ::posix_spawn(&pid, arguments[0].c_str(), &actions, &attributes,
                                    pointers.data(), environment.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (problem != 0) {
    return failed(ErrorCode::Unsupported, "cannot start " + arguments[0], problem);
  }
  monitor.process = Descriptor(open_process(pid));
  if (!monitor.process) return failed(ErrorCode::Io, "no handle of the monitor", errno);
  return monitor;
}

Result<MonitorProcess> find_monitor(const std::string& folder) {
  const Descriptor opened(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  MonitorProcess monitor;
  monitor.socket = Descriptor(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // By the descriptor: the folder's own path may be longer than an address has room for.
  std::snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", opened.get(),
                kAttachSocket);
  if (!opened || !monitor.socket ||
      ::connect(monitor.socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) !=
          0) {
    return failed(ErrorCode::Unavailable, "no monitor in " + folder, errno);
  }
  // Of the process that listens, at the time when it began to.
  ucred who{};
  socklen_t size = sizeof(who);
  if (::getsockopt(monitor.socket.get(), SOL_SOCKET, SO_PEERCRED, &who, &size) == 0) {
    monitor.process = Descriptor(open_process(who.pid));
  }
  if (!monitor.process) return failed(ErrorCode::Unavailable, "no monitor in " + folder, errno);
  return monitor;
}

}  // namespace hm::container_runtime
