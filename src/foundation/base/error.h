// SPDX-License-Identifier: Apache-2.0
// The error of ports and above: a code from a closed list, what happened, and what to do.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hm {

enum class ErrorCode : std::uint8_t {
  InvalidArgument,     // the request itself is wrong, whatever the state
  NotFound,            // the named thing does not exist
  AlreadyExists,       // the named thing exists
  FailedPrecondition,  // right request, wrong state
  PermissionDenied,    // the caller may not
  Unauthenticated,     // the caller did not prove who it is
  Busy,                // overloaded; retry after a while
  NoCapacity,          // the resource is used up
  Unavailable,         // a peer, daemon or device cannot be reached
  Corrupt,             // stored or received data fails its checks
  Unsupported,         // this machine or build cannot do it
  Io,                  // the operating system reported an error
};

// Stable lower-case name, e.g. "failed_precondition"; used by the API and the log.
std::string_view name_of(ErrorCode code);

struct Error {
  ErrorCode code;
  std::string message;  // what happened, for an operator, with ids
  std::string detail;   // why, and what to do about it; may be empty

  bool operator==(const Error&) const = default;
};

}  // namespace hm
