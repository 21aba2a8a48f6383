// SPDX-License-Identifier: Apache-2.0
#include "core/stoq/incident.h"

namespace hm::stoq {

std::string_view name_of(Incident incident) {
  switch (incident) {
    case Incident::RefusedUnknownPeer: return "refused_unknown_peer";
    case Incident::RefusedUnexpectedPeer: return "refused_unexpected_peer";
    case Incident::RefusedWrongAlpn: return "refused_wrong_alpn";
    case Incident::RefusedCertificate: return "refused_certificate";
    case Incident::RefusedCertificateExpired: return "refused_certificate_expired";
    case Incident::RefusedCertificateNotYetValid: return "refused_certificate_not_yet_valid";
    case Incident::RefusedWrongChain: return "refused_wrong_chain";
    case Incident::RefusedDuplicate: return "refused_duplicate";
    case Incident::RefusedSelf: return "refused_self";
    case Incident::RefusedAddress: return "refused_address";
    case Incident::RefusedVersion: return "refused_version";
    case Incident::OversizedFrame: return "oversized_frame";
    case Incident::MalformedFrame: return "malformed_frame";
    case Incident::UnexpectedStream: return "unexpected_stream";
    case Incident::SlowReader: return "slow_reader";
    case Incident::QueueFull: return "queue_full";
    case Incident::HalfOpenLimit: return "half_open_limit";
    case Incident::HandshakeRateLimit: return "handshake_rate_limit";
    case Incident::RetrySent: return "retry_sent";
    case Incident::RefusedToken: return "refused_token";
    case Incident::HandshakeTimeout: return "handshake_timeout";
    case Incident::HandshakeFailed: return "handshake_failed";
    case Incident::DialFailed: return "dial_failed";
    case Incident::NoLongerAdmitted: return "no_longer_admitted";
    case Incident::MalformedPacket: return "malformed_packet";
    case Incident::StatelessResetSent: return "stateless_reset_sent";
    case Incident::StatelessResetReceived: return "stateless_reset_received";
    case Incident::PeerUnreachable: return "peer_unreachable";
    case Incident::PeerSilent: return "peer_silent";
    case Incident::IdleTimeout: return "idle_timeout";
    case Incident::ProtocolViolation: return "protocol_violation";
    case Incident::SendFailed: return "send_failed";
    case Incident::RefusedByPeer: return "refused_by_peer";
    case Incident::ClosedByPeer: return "closed_by_peer";
    case Incident::PeerRestarted: return "peer_restarted";
    case Incident::Superseded: return "superseded";
    case Incident::Stopped: return "stopped";
  }
  return "unknown";
}

}  // namespace hm::stoq
