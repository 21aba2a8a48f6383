// SPDX-License-Identifier: Apache-2.0
// Links and IPv6 addresses of the network namespace of the calling thread, by rtnetlink dump
// (RFC 3549; rtnetlink(7)). Parsing is separate from asking, so that hostile bytes can be tried.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

namespace hm::linux {

struct Ipv6Address {
  std::array<std::uint8_t, 16> bytes{};
  std::uint8_t prefix_length = 0;
  bool settled = true;     // false while duplicate address detection runs or after it failed
  bool temporary = false;  // RFC 8981 privacy address
};

struct Link {
  std::uint32_t index = 0;
  std::string name;
  std::string mac;   // "02:fc:00:00:00:01"; empty where the link has none
  std::string kind;  // "veth", "bridge"; empty for hardware
  std::optional<std::uint32_t> mtu;
  bool is_loopback = false;
  bool is_up = false;  // administratively up and, where the driver knows, with a carrier
  std::vector<Ipv6Address> addresses;
};

using LinkTable = std::map<std::uint32_t, Link>;  // by interface index

struct DumpState {
  bool done = false;         // the answer is complete
  bool interrupted = false;  // something changed meanwhile: the answer may be inconsistent
  bool failed = false;       // malformed, or the kernel answered with an error
};

// Adds the links or addresses of one buffer of an answer to `links`. Addresses of unknown links are
// dropped. Stops at the
// first message that does not fit.
DumpState parse_netlink(ByteView buffer, LinkTable& links);

Result<LinkTable> dump_links();

// "2001:db8::1"
std::string to_text(const std::array<std::uint8_t, 16>& address);

}  // namespace hm::linux
