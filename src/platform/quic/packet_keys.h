// SPDX-License-Identifier: Apache-2.0
// The keys under which ngtcp2 protects packets (RFC 9001 §5.3): GnuTLS has those of the handshake;
// those of all that follows it are crypto::Aes128Gcm where the processor and the agreed cipher
// allow that, since GnuTLS would take longer for a packet than all the rest of its way. The packets
// are the same.
#pragma once

#include <ngtcp2/ngtcp2.h>

#include <cstdint>

struct gnutls_session_int;

namespace hm::quic {

// Once, before the handshake of a session whose connection uses the functions below.
void choose_packet_keys(gnutls_session_int* session);

// The members of ngtcp2_callbacks that deal with such keys.
void set_packet_callbacks(ngtcp2_callbacks& table);

// Packets that decrypted on this thread so far. ngtcp2 drops what does not, without a word; the
// difference tells a sign of life from noise.
std::uint64_t authentic_packets();

}  // namespace hm::quic
