// SPDX-License-Identifier: Apache-2.0
// Everything that the transport refuses, drops or gives up, by name: the names of the counters in
// the metrics, of the fields in the log, and of the reasons given to TransportListener.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace hm::stoq {

enum class Incident : std::uint8_t {
  RefusedUnknownPeer,     // the certificate's key is not an admitted node
  RefusedUnexpectedPeer,  // an admitted node, but not the one that was dialled
  RefusedWrongAlpn,       // no "stoq/1.0" offered
  RefusedCertificate,     // absent, not Ed25519, not self-signed, wrong name or form
  RefusedCertificateExpired,
  RefusedCertificateNotYetValid,
  RefusedWrongChain,   // a stream header names another chain
  RefusedDuplicate,    // a second connection to the same peer lost the tie-break
  RefusedSelf,         // a connection to or from this very node
  RefusedAddress,      // an IPv4 or IPv4-mapped address
  RefusedVersion,      // a QUIC version other than 1
  OversizedFrame,      // a frame beyond the limit of its channel
  MalformedFrame,      // bad stream header, empty frame, stream ended inside a frame
  UnexpectedStream,    // a second stream for a channel, or an unknown channel
  SlowReader,          // the peer took nothing from a full queue for too long
  QueueFull,           // a message refused because the queue to that peer was full
  HalfOpenLimit,       // too many unfinished handshakes; an initial packet was dropped
  HandshakeRateLimit,  // too many new handshakes per second from unknown addresses
  RetrySent,           // a client was asked to prove its address first
  RefusedToken,        // a Retry token that is forged, expired or from another address
  HandshakeTimeout,
  HandshakeFailed,   // any other failure inside the handshake
  DialFailed,        // an own attempt that did not become a connection
  NoLongerAdmitted,  // the ledger dropped the node while it was connected
  MalformedPacket,   // not QUIC, or QUIC for nobody
  StatelessResetSent,
  StatelessResetReceived,
  PeerUnreachable,  // port or host unreachable, confirmed by silence
  PeerSilent,       // no answer while data was outstanding
  IdleTimeout,
  ProtocolViolation,  // the peer broke QUIC itself
  SendFailed,         // the kernel refused a datagram for good
  RefusedByPeer,      // the peer ended the handshake; its reason is in the log
  ClosedByPeer,       // the peer ended a live connection; its reason is in the log
  PeerRestarted,      // the peer came back as a new process before its end was noticed
  Superseded,         // both dialled at once; the other connection is kept
  Stopped,            // this node closed the connection because it stops
};
inline constexpr std::size_t kIncidentCount = static_cast<std::size_t>(Incident::Stopped) + 1;

// Lower-case name with underscores, e.g. "refused_unknown_peer".
std::string_view name_of(Incident incident);

// How often each incident happened.
class IncidentCounters {
 public:
  void add(Incident incident) { ++counts_[static_cast<std::size_t>(incident)]; }
  std::uint64_t operator[](Incident incident) const {
    return counts_[static_cast<std::size_t>(incident)];
  }

 private:
  std::array<std::uint64_t, kIncidentCount> counts_{};
};

}  // namespace hm::stoq
