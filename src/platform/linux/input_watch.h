// SPDX-License-Identifier: Apache-2.0
// When input devices last gave something to a program.
//
// The kernel tells by inotify that a program (the display server, as a rule) has read from a
// device. The device itself is never opened, so that no key ever comes into this process. A device
// that no program reads shows nothing; what is typed at a text console shows at its terminal.
#pragma once

#include <optional>

#include "core/activity/reading.h"
#include "foundation/base/time.h"
#include "platform/linux/kernel_tree.h"

namespace hm::linux {

class InputWatch {
 public:
  // `sys` says which devices there are, `dev` has them.
  InputWatch(KernelTree sys, KernelTree dev);
  ~InputWatch();
  InputWatch(const InputWatch&) = delete;
  InputWatch& operator=(const InputWatch&) = delete;

  // Takes up devices that are new, and what has happened since the last call. NoDevice if the
  // kernel lists none; NotReadable if one of them cannot be watched, since that may be the
  // keyboard.
  activity::Measured<std::chrono::milliseconds> read(MonoTime now);

 private:
  // Whether every device is watched, or why not.
  std::optional<activity::Absence> watch_all();
  bool drain();

  KernelTree sys_;
  KernelTree dev_;
  int inotify_ = -1;
  std::optional<MonoTime> last_input_;
};

}  // namespace hm::linux
