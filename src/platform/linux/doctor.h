// SPDX-License-Identifier: Apache-2.0
// What this machine can and cannot do for containers, storage, memory and QoS, found by trying.
//
// Promises: every verdict comes from an attempt or a kernel statement made during the call; nothing
// is left behind (no file, mount, link, cgroup or process); each check is bounded in time and one
// that runs out of time is `Unknown`. It does not change the machine and does not install anything.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/time.h"

namespace hm::linux {

enum class DoctorVerdict : std::uint8_t {
  Ok,
  Limited,  // works in part; `costs` says what is lost
  No,       // does not work; `costs` says what is lost and `remedy` what to do
  Unknown,  // could not be found out; `found` says why
};
// "ok", "limited", "no", "unknown".
std::string_view name_of(DoctorVerdict verdict);

struct DoctorCheck {
  std::string name;   // stable, dotted: "containers.cgroups", "storage.flush"
  std::string title;  // for people: "Control groups"
  DoctorVerdict verdict = DoctorVerdict::Unknown;
  std::string found;   // what was seen or measured
  std::string costs;   // what will not work, or work worse; empty when all is well
  std::string remedy;  // what to do about it; empty when all is well

  bool operator==(const DoctorCheck&) const = default;
};

struct DoctorOptions {
  std::string data_directory;       // flush latency is measured here; empty: check says Unknown
  std::string proc_root = "/proc";  // tests plant trees
  std::string sys_root = "/sys";
  std::string dev_root = "/dev";
  std::string run_root = "/run";
  // Folders searched for runc, crun, nft and tc; empty means PATH and the sbin folders.
  std::vector<std::string> program_folders;
  Duration per_check = std::chrono::seconds(3);
};

// All checks, in a fixed order. Takes about a second; forks short-lived children, so call it from a
// program that has no other threads holding locks, or from the CLI.
std::vector<DoctorCheck> run_doctor(const DoctorOptions& options);

}  // namespace hm::linux
