// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/input_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "platform/linux/kernel_text.h"
#include "platform/linux/limits.h"

namespace hm::linux {
namespace {

using activity::Absence;
using std::chrono::milliseconds;

bool is_event_device(std::string_view name) {
  constexpr std::string_view kPrefix = "event";
  return name.starts_with(kPrefix) && parse_u64(name.substr(kPrefix.size()));
}

}  // namespace

InputWatch::InputWatch(KernelTree sys, KernelTree dev)
    : sys_(std::move(sys)), dev_(std::move(dev)) {}

InputWatch::~InputWatch() {
  if (inotify_ >= 0) ::close(inotify_);
}

std::optional<Absence> InputWatch::watch_all() {
  std::size_t devices = 0;
  for (const std::string& name : sys_.names("class/input")) {
    if (!is_event_device(name)) continue;
    if (++devices > kMaxInputDevices) return Absence::Malformed;
    if (inotify_ < 0) inotify_ = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (inotify_ < 0) return Absence::NotReadable;
    // Watching a file again gives the watch that there is.
    const std::string path = dev_.path("input/" + name);
    if (::inotify_add_watch(inotify_, path.c_str(), IN_ACCESS | IN_DONT_FOLLOW) < 0) {
      return Absence::NotReadable;
    }
  }
  if (devices == 0) return Absence::NoDevice;
  return std::nullopt;
}

bool InputWatch::drain() {
  bool seen = false;
  if (inotify_ < 0) return seen;
  alignas(inotify_event) std::array<char, 4096> buffer;
  for (int reads = 0; reads < kMaxEventReads; ++reads) {
    const ssize_t size = ::read(inotify_, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    std::size_t at = 0;
    while (at + sizeof(inotify_event) <= static_cast<std::size_t>(size)) {
      inotify_event event;
      std::memcpy(&event, buffer.data() + at, sizeof event);
      // An overflow hides what was lost, which may have been input.
      if ((event.mask & (IN_ACCESS | IN_Q_OVERFLOW)) != 0) seen = true;
      at += sizeof event + event.len;
    }
  }
  return seen;
}

activity::Measured<milliseconds> InputWatch::read(MonoTime now) {
  const auto absence = watch_all();
  if (drain()) last_input_ = now;
  if (absence) return *absence;
  if (!last_input_) return activity::kNoInputSeen;
  return std::chrono::duration_cast<milliseconds>(now - *last_input_);
}

}  // namespace hm::linux
