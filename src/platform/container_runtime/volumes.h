// SPDX-License-Identifier: Apache-2.0
// What is kept of tenants' volumes: a file each, <folder>/<tenant>/<name>, whose time of change is
// that of its last use. A volume outlives its containers so that the next one finds it, but not for
// ever: nobody pays for it meanwhile.
//
// All of it blocks. Calls for one folder are the caller's to keep apart.
#pragma once

#include <chrono>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>

#include "foundation/base/result.h"

namespace hm::container_runtime {

std::string volume_file(std::string_view folder, std::string_view tenant, std::string_view name);

// It is about to be mounted. NoCapacity: it would be a new one, and its tenant has
// kMaxVolumesPerTenant.
Result<void> take_volume(const std::string& file);

// Those in `used` count as used at `now`; of the others those are removed that were not used for
// kKeepVolume. Gives how many.
std::size_t sweep_volumes(const std::string& folder, const std::set<std::string>& used,
                          std::chrono::system_clock::time_point now);

}  // namespace hm::container_runtime
