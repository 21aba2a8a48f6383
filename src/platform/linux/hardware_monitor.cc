// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/hardware_monitor.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "foundation/base/log.h"
#include "platform/linux/limits.h"
#include "platform/linux/uevent.h"

namespace hm::linux {
namespace {

namespace asio = boost::asio;
using Descriptor = asio::posix::stream_descriptor;

constexpr char kComponent[] = "hardware";
constexpr std::uint32_t kKernelUevents = 1;  // group 2 is what udevd passes on

// A non-blocking netlink socket that hears `groups`; −1 with errno if there can be none.
int open_events(int protocol, std::uint32_t groups) {
  const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
  if (fd < 0) return -1;
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = groups;
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  const int error = errno;
  ::close(fd);
  errno = error;
  return -1;
}

// Reads what has queued up; true if any of it can mean changed hardware.
bool drain(int fd, int protocol) {
  std::array<char, kMaxUeventBytes> buffer;
  bool relevant = false;
  for (int reads = 0; reads < kMaxEventReads; ++reads) {
    sockaddr_nl sender{};
    socklen_t size = sizeof sender;
    const ssize_t count = ::recvfrom(fd, buffer.data(), buffer.size(), 0,
                                     reinterpret_cast<sockaddr*>(&sender), &size);
    if (count < 0 && errno == EINTR) continue;
    // ENOBUFS: events were lost, so anything may have changed.
    if (count < 0 && errno == ENOBUFS) return true;
    if (count < 0) return relevant;
    if (sender.nl_pid != 0) continue;  // only the kernel is believed
    if (protocol == NETLINK_ROUTE) {
      relevant = true;
    } else if (is_hardware_event({buffer.data(), static_cast<std::size_t>(count)})) {
      relevant = true;
    }
  }
  return relevant;
}

class Monitor final : public ports::HardwareMonitor {
 public:
  Monitor(asio::io_context& loop, ports::Workers& workers, ports::HardwareProbe& probe,
          HardwareMonitorOptions options)
      : state_(std::make_shared<State>(loop, workers, probe, options)) {}
  ~Monitor() override { state_->stop(); }

  Result<void> start(ports::HardwareListener& listener) override {
    if (state_->listener != nullptr) {
      return fail(ErrorCode::FailedPrecondition, "the hardware monitor runs already");
    }
    state_->listener = &listener;
    state_->watch(NETLINK_KOBJECT_UEVENT, kKernelUevents, state_->uevents, "kernel uevents");
    state_->watch(NETLINK_ROUTE, RTMGRP_LINK | RTMGRP_IPV6_IFADDR, state_->routes, "rtnetlink");
    state_->read_machine();
    return {};
  }

  void stop() override { state_->stop(); }
  const ports::HardwareSnapshot& current() const override { return state_->current; }

 private:
  // Outlives the monitor for as long as a worker or a queued handler still refers to it.
  struct State : std::enable_shared_from_this<State> {
    State(asio::io_context& l, ports::Workers& w, ports::HardwareProbe& p, HardwareMonitorOptions o)
        : loop(l),
          workers(w),
          probe(p),
          options(o),
          uevents(l),
          routes(l),
          debounce(l),
          reconcile(l) {}

    void watch(int protocol, std::uint32_t groups, Descriptor& descriptor, const char* name) {
      const int fd = open_events(protocol, groups);
      boost::system::error_code error;
      if (fd >= 0) descriptor.assign(fd, error);
      if (fd < 0 || error) {
        const int reason = errno;
        if (fd >= 0) ::close(fd);
        log::warning(kComponent, "no events from the kernel; changes are seen by slow reading only",
                     {{"source", name}, {"reason", std::strerror(reason)}});
        return;
      }
      wait(descriptor, protocol);
    }

    void wait(Descriptor& descriptor, int protocol) {
      descriptor.async_wait(Descriptor::wait_read, [self = shared_from_this(), &descriptor,
                                                    protocol](boost::system::error_code error) {
        if (error || self->listener == nullptr) return;
        if (drain(descriptor.native_handle(), protocol)) self->note_event();
        self->wait(descriptor, protocol);
      });
    }

    // Counts from the first event of a burst, so that a steady stream cannot put it off.
    void note_event() {
      if (waiting) return;
      waiting = true;
      debounce.expires_after(options.debounce);
      debounce.async_wait([self = shared_from_this()](boost::system::error_code error) {
        self->waiting = false;
        if (!error && self->listener != nullptr) self->read_machine();
      });
    }

    void read_machine() {
      if (reading) {
        stale = true;
        return;
      }
      reading = true;
      stale = false;
      reconcile.cancel();
      auto answer = std::make_shared<Result<ports::HardwareSnapshot>>();
      workers.submit([answer, &source = probe] { *answer = source.snapshot(); },
                     [self = shared_from_this(), answer] { self->handle_answer(*answer); });
    }

    void handle_answer(Result<ports::HardwareSnapshot>& answer) {
      reading = false;
      if (listener == nullptr) return;
      reconcile.expires_after(options.reconcile);
      reconcile.async_wait([self = shared_from_this()](boost::system::error_code error) {
        if (!error && self->listener != nullptr) self->read_machine();
      });
      // Something happened while the machine was being read: the answer may be half old.
      if (stale) note_event();
      if (!answer) {
        listener->on_hardware_probe_failed(answer.error());
        return;
      }
      const ports::HardwareChanges changes = compare(current, *answer);
      const bool first = !delivered;
      const bool notes_changed = current.notes != answer->notes;
      current = *std::move(answer);
      if (!first && changes.empty() && !notes_changed) return;
      delivered = true;
      listener->on_hardware_changed(current, changes);
    }

    void stop() {
      listener = nullptr;
      boost::system::error_code ignored;
      uevents.close(ignored);
      routes.close(ignored);
      debounce.cancel();
      reconcile.cancel();
    }

    asio::io_context& loop;
    ports::Workers& workers;
    ports::HardwareProbe& probe;
    HardwareMonitorOptions options;
    Descriptor uevents;
    Descriptor routes;
    asio::steady_timer debounce;
    asio::steady_timer reconcile;
    ports::HardwareListener* listener = nullptr;
    ports::HardwareSnapshot current;
    bool waiting = false;    // the debounce timer runs
    bool reading = false;    // a worker reads the machine
    bool stale = false;      // an event came while it did
    bool delivered = false;  // the listener has heard of the first snapshot
  };

  std::shared_ptr<State> state_;
};

}  // namespace

std::unique_ptr<ports::HardwareMonitor> make_hardware_monitor(asio::io_context& loop,
                                                              ports::Workers& workers,
                                                              ports::HardwareProbe& probe,
                                                              HardwareMonitorOptions options) {
  return std::make_unique<Monitor>(loop, workers, probe, options);
}

}  // namespace hm::linux
