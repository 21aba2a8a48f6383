// SPDX-License-Identifier: Apache-2.0
// Answers of an Endpoint that leave no state behind, all under one rate limit.
#include <ngtcp2/ngtcp2_crypto.h>

#include <array>

#include "platform/quic/endpoint.h"
#include "platform/quic/endpoint_io.h"

namespace hm::quic {

using stoq::Incident;

namespace {

// RFC 9000 §10.3: a reset looks like a short packet and is smaller than what caused it, so that
// two hosts that forgot each other fall silent.
constexpr std::size_t kResetSize = 43;
// RFC 9000 §14.1: smaller datagrams cannot begin a connection.
constexpr std::size_t kMinInitialDatagram = 1200;

ngtcp2_tstamp stamp(MonoTime time) {
  return static_cast<ngtcp2_tstamp>(time.time_since_epoch().count());
}

const ngtcp2_sockaddr* address_of(const Datagram& datagram) {
  return reinterpret_cast<const ngtcp2_sockaddr*>(&datagram.from);
}

}  // namespace

bool Endpoint::may_answer(MonoTime now) { return stateless_.take(now); }

void Endpoint::answer(const Datagram& datagram, ByteView packet) {
  // A full socket loses such an answer; whoever needs it asks again.
  if (io_->blocked()) return;
  ++stats_.datagrams_sent;
  stats_.bytes_sent += packet.size();
  (void)io_->socket.send(datagram.from, datagram.to, packet, packet.size());
}

void Endpoint::send_version_negotiation(const Datagram& datagram, const ngtcp2_version_cid& ids,
                                        MonoTime now) {
  count(Incident::RefusedVersion);
  if (datagram.bytes.size() < kMinInitialDatagram || !may_answer(now)) return;
  constexpr std::array<std::uint32_t, 1> kVersions = {NGTCP2_PROTO_VER_V1};
  std::array<std::uint8_t, NGTCP2_MAX_UDP_PAYLOAD_SIZE> packet{};
  std::array<std::uint8_t, 1> noise{};
  fill_random(noise);
  const auto size = ngtcp2_pkt_write_version_negotiation(
      packet.data(), packet.size(), noise[0], ids.scid, ids.scidlen, ids.dcid, ids.dcidlen,
      kVersions.data(), kVersions.size());
  if (size > 0) answer(datagram, ByteView(packet).first(static_cast<std::size_t>(size)));
}

void Endpoint::send_stateless_reset(const Datagram& datagram, const ngtcp2_version_cid& ids,
                                    MonoTime now) {
  count(Incident::MalformedPacket);
  if (datagram.bytes.size() <= kResetSize || ids.dcidlen != kCidSize || !may_answer(now)) return;
  ngtcp2_cid cid{};
  ngtcp2_cid_init(&cid, ids.dcid, ids.dcidlen);
  std::array<std::uint8_t, NGTCP2_STATELESS_RESET_TOKENLEN> token{};
  const auto secret = stateless_reset_secret();
  if (ngtcp2_crypto_generate_stateless_reset_token(token.data(), secret.data(), secret.size(),
                                                   &cid) != 0) {
    return;
  }
  std::array<std::uint8_t, kResetSize - NGTCP2_STATELESS_RESET_TOKENLEN> noise{};
  fill_random(noise);
  std::array<std::uint8_t, kResetSize> packet{};
  const auto size = ngtcp2_pkt_write_stateless_reset(packet.data(), packet.size(), token.data(),
                                                     noise.data(), noise.size());
  if (size <= 0) return;
  count(Incident::StatelessResetSent);
  answer(datagram, ByteView(packet).first(static_cast<std::size_t>(size)));
}

void Endpoint::send_retry(const Datagram& datagram, const ngtcp2_pkt_hd& initial, MonoTime now) {
  if (!may_answer(now)) return count(Incident::HandshakeRateLimit);
  ngtcp2_cid scid{};
  scid.datalen = kCidSize;
  fill_random(std::span(scid.data).first(kCidSize));
  std::array<std::uint8_t, NGTCP2_CRYPTO_MAX_RETRY_TOKENLEN2> token{};
  const auto token_size = ngtcp2_crypto_generate_retry_token2(
      token.data(), token_secret_.data(), token_secret_.size(), initial.version,
      address_of(datagram), sizeof datagram.from, &scid, &initial.dcid, stamp(now));
  if (token_size <= 0) return;
  std::array<std::uint8_t, NGTCP2_MAX_UDP_PAYLOAD_SIZE> packet{};
  const auto size =
      ngtcp2_crypto_write_retry(packet.data(), packet.size(), initial.version, &initial.scid, &scid,
                                &initial.dcid, token.data(), static_cast<std::size_t>(token_size));
  if (size <= 0) return;
  count(Incident::RetrySent);
  answer(datagram, ByteView(packet).first(static_cast<std::size_t>(size)));
}

Endpoint::TokenState Endpoint::check_token(const Datagram& datagram, const ngtcp2_pkt_hd& initial,
                                           ngtcp2_cid& original, MonoTime now) const {
  if (initial.tokenlen == 0) return TokenState::None;
  const int rc = ngtcp2_crypto_verify_retry_token2(
      &original, initial.token, initial.tokenlen, token_secret_.data(), token_secret_.size(),
      initial.version, address_of(datagram), sizeof datagram.from, &initial.dcid,
      static_cast<ngtcp2_duration>(Duration(stoq::kRetryTokenLifetime).count()), stamp(now));
  return rc == 0 ? TokenState::Valid : TokenState::Invalid;
}

// RFC 9000 §8.1.2: the client will not accept a second Retry, so its attempt ends here.
void Endpoint::refuse_token(const Datagram& datagram, const ngtcp2_pkt_hd& initial, MonoTime now) {
  count(Incident::RefusedToken);
  if (!may_answer(now)) return;
  std::array<std::uint8_t, NGTCP2_MAX_UDP_PAYLOAD_SIZE> packet{};
  const auto size = ngtcp2_crypto_write_connection_close(
      packet.data(), packet.size(), initial.version, &initial.scid, &initial.dcid,
      NGTCP2_INVALID_TOKEN, nullptr, 0);
  if (size > 0) answer(datagram, ByteView(packet).first(static_cast<std::size_t>(size)));
}

}  // namespace hm::quic
