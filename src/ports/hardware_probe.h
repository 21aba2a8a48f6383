// SPDX-License-Identifier: Apache-2.0
// What hardware this machine has, as measured, and when that changes.
//
// Promises: nothing is guessed. A field that the machine does not tell is absent from the map, a
// quantity that it does not tell is empty. Items carry a key that stays the same for as long as the
// hardware does. It says nothing about owners, offers or leases; node/ maps items to assets.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "foundation/base/result.h"

namespace hm::ports {

enum class HardwareKind : std::uint8_t { Cpu, Memory, Storage, Network, Gpu };
inline constexpr std::size_t kHardwareKindCount = 5;

// The unit of a quantity; unit_of() gives the one of each kind.
enum class HardwareUnit : std::uint8_t { Millicores, Bytes, BitsPerSecond, Devices };

// "cpu", "memory", "storage", "network", "gpu".
std::string_view name_of(HardwareKind kind);
// "millicores", "bytes", "bits_per_second", "devices".
std::string_view name_of(HardwareUnit unit);
HardwareUnit unit_of(HardwareKind kind);

using HardwareValue = std::variant<std::uint64_t, bool, std::string, std::vector<std::string>>;
// Field name to value, e.g. "logical_cores" → 8. docs/guide/hardware.md lists the names.
using HardwareFields = std::map<std::string, HardwareValue, std::less<>>;

// Bounds on what a snapshot may hold, whatever the kernel or a driver says.
inline constexpr std::size_t kMaxHardwareItems = 512;        // links of a busy container host
inline constexpr std::size_t kMaxHardwareFields = 64;        // the widest item uses about 25
inline constexpr std::size_t kMaxHardwareText = 256;         // longest brand string or path kept
inline constexpr std::size_t kMaxHardwareListEntries = 128;  // CPU features, addresses of a link

struct HardwareItem {
  HardwareKind kind = HardwareKind::Cpu;
  // Stable and unique within the kind on this machine: "package:0", "memory", "filesystem:8:1",
  // "disk:nvme0n1", "link:eth0:02:fc:00:00:00:01", "GPU-8f3c…".
  std::string key;
  // All of it, in unit_of(kind).
  std::optional<std::uint64_t> detected;
  // What limits on this process (affinity, cgroup, read-only mount) leave of it; empty if no limit
  // applies. Never more than `detected`.
  std::optional<std::uint64_t> usable;
  // False for what exists but is not for lending: virtual links, links that are down, disks other
  // than the one under the data directory.
  bool offerable = false;
  // What the thing is. Changes only when hardware or its configuration does.
  HardwareFields descriptor;
  // Momentary readings (free bytes, frequencies, temperatures) and what is nobody else's business
  // (paths). Never a reason for a change event, never on the ledger.
  HardwareFields readings;

  bool operator==(const HardwareItem&) const = default;
};

// Why a kind of hardware is missing or known only in part: "no NVIDIA driver".
struct HardwareNote {
  HardwareKind kind = HardwareKind::Cpu;
  std::string text;

  bool operator==(const HardwareNote&) const = default;
};

struct HardwareSnapshot {
  std::vector<HardwareItem> items;  // sorted by kind, then key; no key twice within a kind
  std::vector<HardwareNote> notes;  // sorted

  bool operator==(const HardwareSnapshot&) const = default;
};

// Sorts, drops second items with the same kind and key, cuts to the bounds above and makes all text
// printable UTF-8; every implementation of HardwareProbe ends with it.
void normalise(HardwareSnapshot& snapshot);

// The item with this kind and key, or null. `snapshot` is normalised.
const HardwareItem* find_item(const HardwareSnapshot& snapshot, HardwareKind kind,
                              std::string_view key);

// The value of a field if it is there with that type.
template <class T>
const T* field(const HardwareFields& fields, std::string_view name) {
  auto found = fields.find(name);
  return found == fields.end() ? nullptr : std::get_if<T>(&found->second);
}

struct HardwareChanges {
  std::vector<HardwareItem> appeared;
  std::vector<HardwareItem> changed;   // new state; readings alone do not count
  std::vector<HardwareItem> vanished;  // last known state

  bool empty() const { return appeared.empty() && changed.empty() && vanished.empty(); }
};

// What leads from `before` to `after`, both normalised.
HardwareChanges compare(const HardwareSnapshot& before, const HardwareSnapshot& after);

class HardwareProbe {
 public:
  virtual ~HardwareProbe() = default;
  // Reads the machine now. Blocks for some milliseconds, so it belongs on a worker; calls must not
  // overlap. Fails only when nothing at all can be read; parts that cannot become notes.
  virtual Result<HardwareSnapshot> snapshot() = 0;
};

class HardwareListener {
 public:
  virtual ~HardwareListener() = default;
  // On the event loop. `now` is valid during the call only. The first call comes from start() and
  // reports everything as appeared; later ones only when something did change.
  virtual void on_hardware_changed(const HardwareSnapshot& now, const HardwareChanges& changes) = 0;
  // A probe failed; the last snapshot stays in force and the next event or reconcile tries again.
  virtual void on_hardware_probe_failed(const Error& error) = 0;
};

class HardwareMonitor {
 public:
  virtual ~HardwareMonitor() = default;
  // Starts listening to the kernel and takes the first snapshot. `listener` outlives the monitor or
  // stop(). A machine without event sockets is not an error: the slow reconcile still runs.
  virtual Result<void> start(HardwareListener& listener) = 0;
  // No call of the listener after it returns.
  virtual void stop() = 0;
  // The last snapshot; empty before the first one.
  virtual const HardwareSnapshot& current() const = 0;
};

}  // namespace hm::ports
