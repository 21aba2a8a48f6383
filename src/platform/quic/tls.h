// SPDX-License-Identifier: Apache-2.0
// TLS 1.3 for STOQ through GnuTLS: the node's own certificate, and sessions that ask the owner of
// the connection, not a list of authorities, whether the peer's certificate will do.
#pragma once

#include <ngtcp2/ngtcp2_crypto.h>

#include <memory>
#include <optional>
#include <type_traits>

#include "core/identity/ids.h"
#include "core/stoq/incident.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/base/time.h"
#include "foundation/crypto/ed25519.h"
#include "foundation/crypto/hash.h"

struct gnutls_session_int;
struct gnutls_certificate_credentials_st;

namespace hm::quic {

inline constexpr std::string_view kAlpn = "stoq/1.0";

// A node certificate with its key, as GnuTLS wants it. Shared by the connections that use it.
class Credentials {
 public:
  // Self-signed: subject and issuer are the node id in hex, valid from `now` for `lifetime`.
  static Result<std::shared_ptr<const Credentials>> issue(const crypto::SigningKey& key,
                                                          const identity::NodeId& node,
                                                          UnixMillis now,
                                                          std::chrono::seconds lifetime);
  // Any certificate with any key, for tests of the refusals.
  static Result<std::shared_ptr<const Credentials>> from_der(const crypto::SigningKey& key,
                                                             ByteView certificate);

  gnutls_certificate_credentials_st* native() const { return native_.get(); }

 private:
  struct Free {
    void operator()(gnutls_certificate_credentials_st* credentials) const;
  };
  std::unique_ptr<gnutls_certificate_credentials_st, Free> native_;
};

// What a peer's certificate proves: who it is, once the handshake completes.
struct PeerCertificate {
  identity::NodeId node;
  crypto::Digest fingerprint;  // SHA-256 of the DER bytes
};

// The rules of docs/protocols/stoq.md §3 that need no knowledge of the mesh.
Result<PeerCertificate, stoq::Incident> judge_certificate(ByteView der, UnixMillis now);

// Who decides about the peer during a handshake.
class HandshakeJudge {
 public:
  virtual ~HandshakeJudge() = default;
  // The peer's certificate as DER; an incident refuses it.
  virtual std::optional<stoq::Incident> judge_peer(ByteView certificate) = 0;
  // Something else about the peer is wrong: no certificate, no common protocol.
  virtual void refuse_peer(stoq::Incident incident) = 0;
};

class TlsSession {
 public:
  enum class Role : std::uint8_t { Client, Server };

  // `reference` names the QUIC connection for ngtcp2's crypto library; its user_data is a
  // HandshakeJudge*. Both outlive the session.
  static Result<TlsSession> open(Role role, std::shared_ptr<const Credentials> credentials,
                                 ngtcp2_crypto_conn_ref& reference, std::string_view alpn);

  gnutls_session_int* native() const { return native_.get(); }

 private:
  struct Free {
    void operator()(gnutls_session_int* session) const;
  };
  std::shared_ptr<const Credentials> credentials_;
  std::unique_ptr<gnutls_session_int, Free> native_;
};

// Unpredictable bytes from the TLS library's generator.
void fill_random(std::span<std::uint8_t> out);

// The TLS alert that tells the peer about a refusal (RFC 8446 §6.2).
std::uint8_t alert_of(stoq::Incident incident);

}  // namespace hm::quic
