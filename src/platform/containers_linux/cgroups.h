// SPDX-License-Identifier: Apache-2.0
// Control groups of containers, under version 1, version 2 or both: what this machine can limit,
// where a container's groups lie, how much it used, and the end of everything in it.
//
// The OCI runtime makes the groups and writes the limits; this reads, kills and removes. All
// containers of one daemon lie under one parent, so that a daemon sees its own only. Calls block
// on the kernel (kill() until the last process is gone) and may come from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/containers/runtime_config.h"
#include "foundation/base/result.h"
#include "ports/container_runtime.h"

namespace hm::containers_linux {

class Cgroups {
 public:
  // From this process's mounts. `parent` is one folder name, e.g. "hypermesh"; under version 2 it
  // is made, with its controllers. Unsupported if a controller without which a container cannot be
  // confined is missing.
  static Result<Cgroups> probe(std::string parent);

  containers::CgroupLayout layout() const { return layout_; }
  bool has_swap_limit() const { return has_swap_limit_; }
  bool has_io_limit() const { return has_io_limit_; }
  bool has_cpuset() const { return has_cpuset_; }
  // What this layout cannot limit or measure, as sentences for RuntimeFacts::missing.
  std::vector<std::string> missing() const;

  // As linux.cgroupsPath wants it: "/<parent>/<id>".
  std::string path_of(std::string_view id) const;
  bool exists(std::string_view id) const;
  // Containers that have a group in any hierarchy.
  std::vector<std::string> list() const;

  // Ends every process in the container and below; when it returns there is none. Fine if there is
  // no such group.
  Result<void> kill(std::string_view id) const;
  // Removes the groups of a container without processes, with everything below. Fine if there are
  // none.
  Result<void> remove(std::string_view id) const;
  // The parent's folders, if no container is left in them.
  void remove_parent() const;

  // The folder that counts the processor time of all containers below `parent`, those that are gone
  // included, also before it is there. Makes nothing. Empty if no control groups are mounted.
  static std::string time_folder(std::string parent);

  // NotFound if there is no such group. Network and disk fields stay empty.
  Result<ports::ContainerUsage> usage(std::string_view id) const;
  // Processes in it that the kernel has ended for lack of memory.
  std::uint64_t oom_kills(std::string_view id) const;

 private:
  explicit Cgroups(std::string parent) : parent_(std::move(parent)) {}
  void find_mounts();
  Result<void> settle_v1();
  Result<void> settle_v2();
  // The container's folder in the hierarchy of a controller; empty if there is none.
  std::string folder(std::string_view controller, std::string_view id) const;
  std::vector<std::string> folders(std::string_view id) const;
  Result<void> end_members(std::string_view id) const;

  std::string parent_;
  containers::CgroupLayout layout_ = containers::CgroupLayout::V2;
  std::map<std::string, std::string, std::less<>> v1_;  // controller or "name=x" to mount point
  std::string v2_;                                      // mount point; empty: not mounted
  bool has_swap_limit_ = false;
  bool has_io_limit_ = false;
  bool has_cpuset_ = false;
};

}  // namespace hm::containers_linux
