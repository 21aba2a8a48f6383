// SPDX-License-Identifier: Apache-2.0
// Framed, authenticated messages between nodes. A transport only ever names peers that proved in
// the handshake that they hold the node key which genesis or the ledger names.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/identity/ids.h"
#include "foundation/base/bytes.h"

namespace hm::ports {

// Each channel is a stream of its own per peer, so that a long transfer never delays a vote.
// Limits per channel are in core/stoq/limits.h.
enum class Channel : std::uint8_t {
  Consensus,   // proposals, votes, certificates
  Gossip,      // operations on their way to the leader
  Sync,        // final blocks for a node that lags
  Leases,      // readings, between the two sides of a lease
  Containers,  // streams to what a tenant runs, and images on their way there
  Storage,     // shards, and questions about them
};
inline constexpr std::size_t kChannelCount = 6;

enum class SendResult : std::uint8_t { Queued, NotConnected, QueueFull };

// A payload shared by all the peers that it is sent to.
using SharedBytes = std::shared_ptr<const Bytes>;

class TransportListener {
 public:
  virtual ~TransportListener() = default;
  virtual void on_peer_up(const identity::NodeId& peer) = 0;
  virtual void on_peer_down(const identity::NodeId& peer, const std::string& reason) = 0;
  // `payload` is valid during the call only.
  virtual void on_message(const identity::NodeId& from, Channel channel, ByteView payload) = 0;
};

class Transport {
 public:
  virtual ~Transport() = default;
  // Messages to one peer on one channel arrive in order or, when the connection is lost, not at
  // all; nothing is retransmitted across connections. Never blocks.
  virtual SendResult send(const identity::NodeId& peer, Channel channel, SharedBytes payload) = 0;
  // One message of two parts, the second of which is not copied where the transport can send them
  // as they lie.
  virtual SendResult send_joined(const identity::NodeId& peer, Channel channel, SharedBytes head,
                                 SharedBytes rest) {
    Bytes whole(*head);
    whole.insert(whole.end(), rest->begin(), rest->end());
    return send(peer, channel, std::make_shared<const Bytes>(std::move(whole)));
  }
  virtual std::vector<identity::NodeId> connected_peers() const = 0;
};

}  // namespace hm::ports
