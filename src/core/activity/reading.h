// SPDX-License-Identifier: Apache-2.0
// What one look at a machine tells about its owner's use of it.
//
// Promises: a signal that was not measured is absent and says by name why; nothing stands for it.
// What a signal means is the matter of ActivityPolicy and ActivityJudge.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace hm::activity {

// Why a signal is absent.
enum class Absence : std::uint8_t {
  NotMeasured,    // nobody has looked
  NeedsInterval,  // it is a difference, and this is the first look
  NotOffered,     // the kernel or the system has no such source
  NoDevice,       // the source is there and lists no device
  NotReadable,    // the source is there and this process may not read it
  Malformed,      // the source says what it should not
};
// "not_measured", "needs_interval", "not_offered", "no_device", "not_readable", "malformed".
std::string_view name_of(Absence absence);
// As the end of a sentence: "this process may not read it".
std::string_view explain(Absence absence);

// A value, or why there is none.
template <class T>
class Measured {
 public:
  constexpr Measured() = default;
  template <std::convertible_to<T> U>
  constexpr Measured(U value) : value_(std::move(value)) {}
  constexpr Measured(Absence absence) : absence_(absence) {}

  constexpr explicit operator bool() const { return value_.has_value(); }
  // Requires: there is a value.
  constexpr const T& operator*() const { return *value_; }
  constexpr const T* operator->() const { return &*value_; }
  // Requires: there is no value.
  constexpr Absence absence() const { return absence_; }

  constexpr bool operator==(const Measured&) const = default;

 private:
  std::optional<T> value_;
  Absence absence_ = Absence::NotMeasured;
};

// Thousandths of all processors over the interval since the last look.
using Permille = std::uint32_t;
inline constexpr Permille kWholeMachine = 1000;

// Pressure stall information of one resource (Documentation/accounting/psi.rst): the share of the
// last 10 seconds, in hundredths of a percent, in which some or all tasks waited for it.
struct Pressure {
  std::uint32_t some = 0;
  std::optional<std::uint32_t> full;  // kernels before 5.13 have none for the processor

  bool operator==(const Pressure&) const = default;
};
inline constexpr std::uint32_t kWholePressure = 10'000;

// Open sessions of people, as the session manager lists them.
struct Sessions {
  std::uint32_t interactive = 0;       // all of them, terminals and remote shells included
  std::uint32_t local_graphical = 0;   // of those, on a screen of this machine
  std::uint32_t remote_graphical = 0;  // of those, on a screen elsewhere

  bool operator==(const Sessions&) const = default;
};

// An input source that was watched and has shown nothing since the watch began.
inline constexpr std::chrono::milliseconds kNoInputSeen = std::chrono::milliseconds::max();

enum class PowerSource : std::uint8_t { Mains, Battery };

struct ActivityReading {
  Measured<Permille> load;  // use of the processors less `lent`
  Measured<Permille> lent;  // use by the groups in which leases run
  Measured<Pressure> cpu;   // of the whole machine, leases included, as are the next two
  Measured<Pressure> io;
  Measured<Pressure> memory;
  // Time since somebody last typed at a text terminal, local or remote; or kNoInputSeen.
  Measured<std::chrono::milliseconds> terminal_input;
  // Time since something last came from a keyboard, pointer or other input device; or kNoInputSeen.
  Measured<std::chrono::milliseconds> device_input;
  Measured<Sessions> sessions;
  Measured<PowerSource> power;

  bool operator==(const ActivityReading&) const = default;
};

// Time since the last input of any kind, or kNoInputSeen. Absent if input could have gone unseen:
// - terminals could not be looked at;
// - input devices could not, unless there are none, or the session manager says that no screen of
//   this machine has a session (what is typed at a text console is input of its terminal);
// - a graphical session is open on a screen elsewhere: its input passes by both.
Measured<std::chrono::milliseconds> since_input(const ActivityReading& reading);

}  // namespace hm::activity
