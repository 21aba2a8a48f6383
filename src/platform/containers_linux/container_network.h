// SPDX-License-Identifier: Apache-2.0
// The network of containers: a namespace for each, owned by the host so that nothing inside can
// change it, IPv6 only.
//
//   none      only the loopback interface
//   mesh      an address of its own, and the mesh's prefix behind the host's address (NAT66)
//   internet  the same and everything beyond, but nothing of the host's own site: no unique local,
//             link-local or multicast address, no IPv4 in disguise, no prefix of the host's links
//
// No class reaches the host itself: what comes from a container's interface and is meant for any of
// the host's addresses is dropped without exception, because the link's neighbours are set by hand.
// Containers do not reach each other, nobody reaches a container from outside (connect_in() enters
// it), and a container sends from its own address only. The rules name interfaces by a pattern, so
// that a container comes and goes without a change of rules.
//
// Names of interfaces and of the nftables table carry the daemon's tag, so that leftovers are found
// and daemons on one machine do not meet. Giving out addresses turns on the machine's IPv6
// forwarding; where it was off, everything but containers stays unforwarded, and close() turns it
// off again.
//
// Calls block on the kernel and may come from any thread; all act on the network namespace of the
// calling thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/privacy/grant.h"
#include "foundation/base/result.h"
#include "platform/containers_linux/network_rules.h"

namespace hm::containers_linux {

struct NetworkSettings {
  std::string folder;                // where namespaces are bound: <folder>/<id>
  std::string tag;                   // [a-z0-9]{1,6}, unique among the daemons of this machine
  std::optional<Prefix> containers;  // /64 to /112; none: only class none is offered
  std::optional<Prefix> mesh;        // what class mesh reaches; none: no class mesh
};

struct NetworkCounters {
  std::uint64_t received_bytes = 0;  // by the container, with link headers
  std::uint64_t sent_bytes = 0;
};

struct ContainerAddress {
  std::string path;     // of the namespace, for linux.namespaces
  std::string address;  // "fd00:1::2"; empty for class none
};

class ContainerNetworks {
 public:
  // Never fails: what cannot be had is in missing() and is refused by create().
  static std::unique_ptr<ContainerNetworks> open(NetworkSettings settings);
  virtual ~ContainerNetworks() = default;

  virtual bool offers(privacy::NetworkClass network) const = 0;
  // Why a class that was asked for by the settings is not offered.
  virtual const std::vector<std::string>& missing() const = 0;

  // Again for the same id: what is there is taken apart first.
  virtual Result<ContainerAddress> create(const std::string& id, privacy::NetworkClass network) = 0;
  // NotFound for a container without an interface.
  virtual Result<NetworkCounters> counters(const std::string& id) = 0;
  // Everything that create() made. Fine if there is nothing.
  virtual Result<void> remove(const std::string& id) = 0;
  // Ids with a namespace or an interface, also those of an earlier run.
  virtual std::vector<std::string> list() = 0;
  // The rules and the forwarding too; after the last container.
  virtual void close() = 0;
};

// A TCP connection to [::1]:port, else to 127.0.0.1:port, inside a network namespace; a file
// descriptor in blocking mode, the caller's. Unavailable if nobody listens.
Result<int> connect_in(const std::string& namespace_path, std::uint16_t port);

}  // namespace hm::containers_linux
