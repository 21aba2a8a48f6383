// SPDX-License-Identifier: Apache-2.0
// Keeps a daemon's own log file bounded: when it is full it becomes `log.1`, which replaces the one
// before, and a new one begins. Does nothing where standard error is not that file.
#pragma once

#include <cstdint>
#include <string>

namespace hm::cli {

// Weeks of a quiet node; a flood of warnings costs twice this and no more.
inline constexpr std::uint64_t kMaxLogBytes = std::uint64_t{32} << 20;

// True if the log was rotated.
bool rotate_log_if_full(const std::string& path, std::uint64_t max_bytes);

}  // namespace hm::cli
