// SPDX-License-Identifier: Apache-2.0
// Changes to links, addresses, routes and neighbours by rtnetlink(7), in the network namespace in
// which the socket was opened, whatever thread uses it later. Each call waits for the kernel's
// answer. Only what containers need.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/result.h"
#include "platform/containers_linux/file_descriptor.h"

namespace hm::containers_linux {

using MacAddress = std::array<std::uint8_t, 6>;
using Ipv6Bytes = std::array<std::uint8_t, 16>;

struct LinkState {
  std::uint32_t index = 0;
  std::string name;
  std::string alias;
  std::uint64_t received_bytes = 0;  // by this interface
  std::uint64_t sent_bytes = 0;
};

struct VethPair {
  std::string name;
  MacAddress mac{};
  std::string peer_name;
  MacAddress peer_mac{};
  int peer_namespace = -1;  // file descriptor of a network namespace
};

class RouteSocket {
 public:
  // In the namespace of the calling thread.
  static Result<RouteSocket> open();

  Result<std::vector<LinkState>> links();
  Result<LinkState> link(const std::string& name);  // NotFound
  Result<void> add_veth(const VethPair& pair);
  // Up, with no address of its own making. `alias` may be empty.
  Result<void> set_up(std::uint32_t index, const std::string& alias);
  Result<void> remove_link(std::uint32_t index);
  Result<void> add_address(std::uint32_t index, const Ipv6Bytes& address, std::uint8_t length);
  Result<void> add_route(std::uint32_t index, const Ipv6Bytes& prefix, std::uint8_t length,
                         const std::optional<Ipv6Bytes>& gateway);
  // Known for good: it is never asked for on the link.
  Result<void> add_neighbour(std::uint32_t index, const Ipv6Bytes& address, const MacAddress& mac);

 private:
  explicit RouteSocket(FileDescriptor fd) : fd_(std::move(fd)) {}
  // Sends, waits for the acknowledgement.
  Result<void> change(std::vector<std::uint8_t>& message, std::string_view what);

  FileDescriptor fd_;
  std::uint32_t sequence_ = 0;
};

}  // namespace hm::containers_linux
