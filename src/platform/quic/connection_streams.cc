// SPDX-License-Identifier: Apache-2.0
// The part of a Connection that ngtcp2 calls back: handshake decisions and stream data.
#include <ngtcp2/ngtcp2_crypto.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "platform/quic/connection.h"
#include "platform/quic/connection_callbacks.h"
#include "platform/quic/packet_keys.h"

namespace hm::quic {

using stoq::Incident;

namespace {

// TLS alerts that this side raises (RFC 8446 §6).
constexpr std::uint8_t kNoApplicationProtocol = 120;
constexpr std::uint8_t kCertificateRequired = 116;

}  // namespace

Incident incident_of_alert(std::uint8_t alert) {
  switch (alert) {
    case kNoApplicationProtocol: return Incident::RefusedWrongAlpn;
    case kCertificateRequired: return Incident::RefusedCertificate;
    default: return Incident::HandshakeFailed;
  }
}

std::optional<Incident> Connection::judge_peer(ByteView certificate) {
  const auto peer = judge_certificate(certificate, host_.wall());
  if (!peer) {
    refusal_ = peer.error();
    return refusal_;
  }
  if (expected_ && peer->node != *expected_) {
    refusal_ = Incident::RefusedUnexpectedPeer;
    return refusal_;
  }
  refusal_ = host_.judge_identity(*this, *peer);
  if (!refusal_) peer_ = *peer;
  return refusal_;
}

void Connection::refuse_peer(Incident incident) {
  if (!refusal_) refusal_ = incident;
}

// At the end of the handshake, before any message can come and be answered. False: the peer does
// not allow what the protocol demands.
bool Connection::open_streams() {
  for (std::size_t channel = 0; channel < stoq::kChannels; ++channel) {
    if (ngtcp2_conn_open_uni_stream(conn_.get(), &out_[channel].id, nullptr) != 0) {
      out_[channel].id = -1;
      refuse_peer(Incident::ProtocolViolation);
      return false;
    }
    stoq::StreamHeader header;
    header.channel = static_cast<std::uint8_t>(channel);
    header.chain = setup_.chain;
    header.incarnation = setup_.incarnation;
    out_[channel].queue.push_header(header, now_);
  }
  return true;
}

Connection::Incoming* Connection::incoming(std::int64_t id) {
  for (auto& in : in_) {
    if (in.id == id) return &in;
  }
  for (auto& in : in_) {
    if (in.id >= 0) continue;
    in.id = id;
    return &in;
  }
  return nullptr;
}

Connection::Outgoing* Connection::outgoing(std::int64_t id) {
  const auto found = std::ranges::find(out_, id, &Outgoing::id);
  return found == out_.end() ? nullptr : &*found;
}

// False ends the connection; refusal_ says why.
bool Connection::take_header(Incoming& in, const stoq::StreamHeader& header) {
  if (header.chain != setup_.chain) {
    refusal_ = Incident::RefusedWrongChain;
    return false;
  }
  const bool taken = std::ranges::any_of(
      in_, [&](const Incoming& other) { return other.channel == header.channel; });
  if (taken) {
    refusal_ = Incident::UnexpectedStream;
    return false;
  }
  in.channel = header.channel;
  if (ready_) {
    if (header.incarnation == peer_incarnation_) return true;
    refusal_ = Incident::MalformedFrame;
    return false;
  }
  if (out_[0].id < 0) {
    // A peer that allows no streams at all.
    refusal_ = Incident::ProtocolViolation;
    return false;
  }
  peer_incarnation_ = header.incarnation;
  refusal_ = host_.handle_ready(*this);
  ready_ = !refusal_;
  return ready_;
}

bool Connection::take_stream_data(std::int64_t id, ByteView data) {
  auto* in = incoming(id);
  if (in == nullptr) {
    refusal_ = Incident::UnexpectedStream;
    return false;
  }
  while (!ending_) {
    const auto item = in->reader.next(data);
    if (!item) {
      switch (item.error()) {
        case stoq::FrameError::Oversized: refusal_ = Incident::OversizedFrame; break;
        case stoq::FrameError::BadChannel: refusal_ = Incident::UnexpectedStream; break;
        default: refusal_ = Incident::MalformedFrame; break;
      }
      return false;
    }
    if (!*item) return true;
    const auto& found = **item;
    if (found.header) {
      if (!take_header(*in, *found.header)) return false;
    } else {
      host_.handle_frame(*this, *in->channel, found.frame);
    }
  }
  return true;
}

// ngtcp2's callbacks; user_data is the Connection.
struct Connection::Callbacks {
  static Connection& self(void* user_data) { return *static_cast<Connection*>(user_data); }

  static int handshake_completed(ngtcp2_conn* conn, void* user_data) {
    auto& connection = self(user_data);
    if (!connection.peer_) {
      // Cannot happen while GnuTLS demands a certificate; never run without an identity.
      connection.refuse_peer(Incident::RefusedCertificate);
      return NGTCP2_ERR_CALLBACK_FAILURE;
    }
    connection.handshake_done_ = true;
    // A server's handshake is confirmed as soon as it is complete.
    if (!connection.dialled_) connection.confirmed_ = true;
    ngtcp2_conn_set_keep_alive_timeout(
        conn, static_cast<ngtcp2_duration>(Duration(stoq::kKeepAlive).count()));
    return 0;
  }

  // Called for the first time as the handshake completes, before any stream data is handed over.
  static int extend_max_streams(ngtcp2_conn*, std::uint64_t most, void* user_data) {
    auto& connection = self(user_data);
    if (connection.out_[0].id >= 0) return 0;
    if (most >= stoq::kChannels && connection.open_streams()) return 0;
    connection.refuse_peer(Incident::ProtocolViolation);
    return NGTCP2_ERR_CALLBACK_FAILURE;
  }

  static int handshake_confirmed(ngtcp2_conn*, void* user_data) {
    self(user_data).confirmed_ = true;
    return 0;
  }

  static int recv_crypto_data(ngtcp2_conn* conn, ngtcp2_encryption_level level,
                              std::uint64_t offset, const std::uint8_t* data, std::size_t size,
                              void* user_data) {
    // Tickets and the like: we neither ask for them nor send them.
    if (self(user_data).confirmed_) return NGTCP2_ERR_CRYPTO;
    return ngtcp2_crypto_recv_crypto_data_cb(conn, level, offset, data, size, user_data);
  }

  static int recv_stream_data(ngtcp2_conn* conn, std::uint32_t flags, std::int64_t id,
                              std::uint64_t, const std::uint8_t* data, std::size_t size,
                              void* user_data, void*) {
    auto& connection = self(user_data);
    if (!connection.take_stream_data(id, {data, size})) {
      return NGTCP2_ERR_CALLBACK_FAILURE;
    }
    if ((flags & NGTCP2_STREAM_DATA_FLAG_FIN) != 0) {
      // A channel lasts as long as the connection.
      connection.refuse_peer(Incident::MalformedFrame);
      return NGTCP2_ERR_CALLBACK_FAILURE;
    }
    if (ngtcp2_conn_extend_max_stream_offset(conn, id, size) != 0) {
      return NGTCP2_ERR_CALLBACK_FAILURE;
    }
    ngtcp2_conn_extend_max_offset(conn, size);
    return 0;
  }

  static int acked_stream_data(ngtcp2_conn*, std::int64_t id, std::uint64_t offset,
                               std::uint64_t size, void* user_data, void*) {
    auto& connection = self(user_data);
    if (auto* out = connection.outgoing(id)) {
      out->queue.handle_acked(offset + size, connection.now_);
    }
    return 0;
  }

  static int extend_max_stream_data(ngtcp2_conn*, std::int64_t id, std::uint64_t, void* user_data,
                                    void*) {
    if (auto* out = self(user_data).outgoing(id)) out->blocked = false;
    return 0;
  }

  static int stream_reset(ngtcp2_conn*, std::int64_t, std::uint64_t, std::uint64_t, void* user_data,
                          void*) {
    self(user_data).refuse_peer(Incident::MalformedFrame);
    return NGTCP2_ERR_CALLBACK_FAILURE;
  }

  static int stop_sending(ngtcp2_conn*, std::int64_t, std::uint64_t, void* user_data, void*) {
    self(user_data).refuse_peer(Incident::ProtocolViolation);
    return NGTCP2_ERR_CALLBACK_FAILURE;
  }

  static int stateless_reset(ngtcp2_conn*, const ngtcp2_pkt_stateless_reset*, void* user_data) {
    self(user_data).reset_ = true;
    return 0;
  }

  static void rand(std::uint8_t* out, std::size_t size, const ngtcp2_rand_ctx*) {
    fill_random({out, size});
  }

  static int new_connection_id(ngtcp2_conn*, ngtcp2_cid* cid, std::uint8_t* token, std::size_t size,
                               void* user_data) {
    if (size != kCidSize) return NGTCP2_ERR_CALLBACK_FAILURE;
    auto& connection = self(user_data);
    fill_random({cid->data, size});
    cid->datalen = size;
    const auto secret = connection.host_.stateless_reset_secret();
    if (ngtcp2_crypto_generate_stateless_reset_token(token, secret.data(), secret.size(), cid) !=
        0) {
      return NGTCP2_ERR_CALLBACK_FAILURE;
    }
    connection.host_.add_cid(local_cid(cid->data), connection);
    return 0;
  }

  static int remove_connection_id(ngtcp2_conn*, const ngtcp2_cid* cid, void* user_data) {
    if (cid->datalen == kCidSize) self(user_data).host_.remove_cid(local_cid(cid->data));
    return 0;
  }

  static ngtcp2_callbacks common() {
    ngtcp2_callbacks table{};
    table.recv_crypto_data = recv_crypto_data;
    set_packet_callbacks(table);
    table.get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb;
    table.version_negotiation = ngtcp2_crypto_version_negotiation_cb;
    table.handshake_completed = handshake_completed;
    table.handshake_confirmed = handshake_confirmed;
    table.extend_max_local_streams_uni = extend_max_streams;
    table.recv_stream_data = recv_stream_data;
    table.acked_stream_data_offset = acked_stream_data;
    table.extend_max_stream_data = extend_max_stream_data;
    table.stream_reset = stream_reset;
    table.stream_stop_sending = stop_sending;
    table.recv_stateless_reset = stateless_reset;
    table.rand = rand;
    table.get_new_connection_id = new_connection_id;
    table.remove_connection_id = remove_connection_id;
    return table;
  }

  static ngtcp2_callbacks client() {
    auto table = common();
    table.client_initial = ngtcp2_crypto_client_initial_cb;
    table.recv_retry = ngtcp2_crypto_recv_retry_cb;
    return table;
  }

  static ngtcp2_callbacks server() {
    auto table = common();
    table.recv_client_initial = ngtcp2_crypto_recv_client_initial_cb;
    return table;
  }
};

ngtcp2_callbacks client_callbacks() { return Connection::Callbacks::client(); }
ngtcp2_callbacks server_callbacks() { return Connection::Callbacks::server(); }

}  // namespace hm::quic
