// SPDX-License-Identifier: Apache-2.0
#include "platform/container_runtime/monitor/launch.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "platform/container_runtime/monitor_protocol.h"

namespace hm::container_runtime {
namespace {

// The longest that the OCI runtime may take between connecting and handing the terminal over.
constexpr timeval kConsolePatience{.tv_sec = 10, .tv_usec = 0};

struct Pipe {
  Descriptor read;
  Descriptor write;
};

Pipe make_pipe() {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  return {.read = Descriptor(ends[0]), .write = Descriptor(ends[1])};
}

void set_non_blocking(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK); }

// In the current folder, which is the state folder: a full path may be too long for a socket.
Descriptor listen_for_console() {
  ::unlink(kConsoleSocket);
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, kConsoleSocket, sizeof(address.sun_path) - 1);
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
      ::listen(socket.get(), 1) != 0) {
    return {};
  }
  return socket;
}

[[noreturn]] void give_up(const std::string& what) {
  const std::string text = what + ": " + std::strerror(errno) + "\n";
  if (::write(STDERR_FILENO, text.data(), text.size()) < 0) ::_exit(126);
  ::_exit(127);
}

// Mounts of the host that come and go later are followed, but nothing done here reaches it.
bool hide(const std::string& mount) {
  return ::unshare(CLONE_NEWNS) == 0 &&
         ::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) == 0 &&
         ::umount2(mount.c_str(), MNT_DETACH) == 0;
}

[[noreturn]] void become(const LaunchOrder& order, std::array<int, 3> standard, pid_t monitor) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != monitor) ::_exit(127);
  // Above what is about to be overwritten.
  for (int& fd : standard) fd = ::fcntl(fd, F_DUPFD_CLOEXEC, 16);
  for (int i = 0; i < 3; ++i) ::dup2(standard[static_cast<std::size_t>(i)], i);
  if (::setns(order.network, CLONE_NEWNET) != 0) give_up("network namespace");
  if (!order.hidden_mount.empty() && !hide(order.hidden_mount)) give_up("mount namespace");
  ::syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  // By way of the monitor's descriptor: the folder's own path may be too long for an address.
  std::string console = "/proc/" + std::to_string(monitor) + "/fd/" + std::to_string(order.folder) +
                        "/" + kConsoleSocket;
  std::vector<char*> pointers;
  for (const std::string& argument : order.command) {
    pointers.push_back(argument == kConsolePlace ? console.data()
                                                 : const_cast<char*>(argument.c_str()));
  }
  pointers.push_back(nullptr);
  ::execv(pointers[0], pointers.data());
  give_up(order.command[0]);
}

}  // namespace

Launch launch(const LaunchOrder& order) {
  const Console console = order.console;
  Launch launch;
  Pipe errors = make_pipe();
  Pipe input;
  Pipe output;
  Descriptor null;
  std::array<int, 3> standard{};
  if (console == Console::Pty) {
    null = Descriptor(::open("/dev/null", O_RDWR | O_CLOEXEC));
    launch.streams.console = listen_for_console();
    standard = {null.get(), null.get(), errors.write.get()};
  } else {
    input = make_pipe();
    output = make_pipe();
    standard = {input.read.get(), output.write.get(), errors.write.get()};
  }
  const bool is_ready =
      console == Console::Pty ? bool(launch.streams.console) && null : input.read && output.read;
  if (!is_ready || !errors.read) {
    launch.reason = std::string("no pipes: ") + std::strerror(errno);
    return launch;
  }
  const pid_t monitor = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) become(order, standard, monitor);
  if (child < 0) launch.reason = std::string("fork: ") + std::strerror(errno);
  launch.pid = child;
  launch.streams.input = std::move(input.write);
  launch.streams.output = std::move(output.read);
  launch.streams.errors = std::move(errors.read);
  for (const Descriptor* end :
       {&launch.streams.input, &launch.streams.output, &launch.streams.errors}) {
    if (*end) set_non_blocking(end->get());
  }
  return launch;
}

Terminal accept_terminal(int console) {
  Terminal terminal;
  const Descriptor peer(::accept4(console, nullptr, nullptr, SOCK_CLOEXEC));
  if (!peer) return terminal;
  ::setsockopt(peer.get(), SOL_SOCKET, SO_RCVTIMEO, &kConsolePatience, sizeof(kConsolePatience));
  std::array<char, 256> name{};  // of the terminal; of no use here
  iovec part{name.data(), name.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (::recvmsg(peer.get(), &message, MSG_CMSG_CLOEXEC) < 0) return terminal;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS ||
      header->cmsg_len < CMSG_LEN(sizeof(int))) {
    return terminal;
  }
  int master = -1;
  std::memcpy(&master, CMSG_DATA(header), sizeof(master));
  terminal.master = Descriptor(master);
  terminal.slave = Descriptor(::ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  set_non_blocking(master);
  return terminal;
}

}  // namespace hm::container_runtime
