// SPDX-License-Identifier: Apache-2.0
// STOQ over QUIC (docs/protocols/stoq.md): ports::Transport on one UDP socket, ngtcp2 and GnuTLS,
// on the caller's single event-loop thread. It dials the peers that it is given, accepts those
// that the oracle admits, and keeps one connection per peer. Everybody else is refused in the
// handshake. It does not decide who belongs to the mesh and does not interpret payloads.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/identity/ids.h"
#include "core/stoq/address.h"
#include "core/stoq/incident.h"
#include "foundation/base/result.h"
#include "foundation/base/time.h"
#include "foundation/crypto/ed25519.h"
#include "foundation/crypto/hash.h"
#include "ports/clock.h"
#include "ports/transport.h"

namespace boost::asio {
class io_context;
}

namespace hm::quic {

// A peer to keep a connection with, and where it may be reached; tried in turn. Without an address
// the peer is only waited for.
struct PeerEntry {
  identity::NodeId node;
  std::vector<stoq::Address> addresses;
};

struct TransportConfig {
  // Port 0 lets the kernel choose. [::] listens on every address.
  stoq::Address bind = stoq::Address::loopback(0);
  identity::ChainId chain;
  // Lifetime of a node certificate; a new one is issued at two thirds of it.
  std::chrono::seconds certificate_lifetime = std::chrono::hours(24);
  // A peer that takes nothing from a non-empty queue for this long is dropped.
  Duration slow_reader_limit = std::chrono::seconds(10);
  // Does genesis or the ledger name this node? Asked in each handshake, and again for the live
  // connections by refresh_admission(). Must not call back into the transport.
  std::function<bool(const identity::NodeId&)> is_admitted;
};

// What the transport did since start(), for the metrics.
struct TransportStats {
  stoq::IncidentCounters incidents;
  std::uint64_t handshakes_completed = 0;
  std::uint64_t datagrams_sent = 0;
  std::uint64_t datagrams_received = 0;
  std::uint64_t bytes_sent = 0;      // UDP payload
  std::uint64_t bytes_received = 0;  // UDP payload
  std::uint64_t send_calls = 0;      // system calls; fewer than datagrams where GSO works
  std::uint64_t receive_calls = 0;
  std::uint64_t messages_sent = 0;
  std::uint64_t messages_received = 0;
  std::uint64_t certificates_issued = 0;
  std::size_t connected_peers = 0;
  std::size_t half_open = 0;  // handshakes of others that are not finished
  bool segmentation_offload = false;
  bool receive_offload = false;
};

struct PeerStatus {
  identity::NodeId node;
  stoq::Address address;  // where it is now
  Duration smoothed_rtt{};
  std::size_t queued_bytes = 0;  // queued or not yet acknowledged, all channels
  crypto::Digest certificate;    // SHA-256 of the certificate that the peer showed
};

class QuicTransport final : public ports::Transport {
 public:
  // `key` is the node key: the certificate's key and the proof of who this node is. `loop`,
  // `listener` and `clock` outlive the transport. `clock` is read for wall time only. All calls,
  // and those to the listener, are on the thread that runs `loop`.
  QuicTransport(boost::asio::io_context& loop, TransportConfig config,
                const crypto::SigningKey& key, ports::TransportListener& listener,
                const ports::Clock& clock);
  ~QuicTransport() override;
  QuicTransport(const QuicTransport&) = delete;
  QuicTransport& operator=(const QuicTransport&) = delete;

  // Binds the socket and starts dialling. A port in use, or an IPv4-mapped address, is refused.
  Result<void> start();
  // Tells every peer that this node leaves and closes the socket. The listener hears nothing more.
  void stop();

  // The port bound by start().
  std::uint16_t local_port() const;
  const identity::NodeId& local_node() const;

  // Replaces the peers to dial. A live connection to a peer that is no longer named stays while
  // the oracle admits it.
  void set_peers(std::vector<PeerEntry> peers);
  // Asks the oracle again about every live connection, and closes those it no longer admits.
  void refresh_admission();
  // Issues a new certificate for the handshakes that follow; live connections keep theirs.
  Result<void> renew_certificate();

  TransportStats stats() const;
  std::vector<PeerStatus> peer_status() const;

  ports::SendResult send(const identity::NodeId& peer, ports::Channel channel,
                         ports::SharedBytes payload) override;
  ports::SendResult send_joined(const identity::NodeId& peer, ports::Channel channel,
                                ports::SharedBytes head, ports::SharedBytes rest) override;
  std::vector<identity::NodeId> connected_peers() const override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hm::quic
