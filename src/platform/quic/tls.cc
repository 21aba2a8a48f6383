// SPDX-License-Identifier: Apache-2.0
#include "platform/quic/tls.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>

#include <array>
#include <string>
#include <utility>

#include "core/identity/key_bundle.h"
#include "core/stoq/limits.h"
#include "foundation/base/check.h"
#include "foundation/crypto/certificate.h"
#include "foundation/crypto/wipe.h"

namespace hm::quic {
namespace {

using stoq::Incident;

// One version, one group, one signature scheme: what the node certificates use. Two ciphers, for
// machines without AES instructions.
constexpr const char* kPriority =
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:+CHACHA20-POLY1305:"
    "-GROUP-ALL:+GROUP-X25519:-SIGN-ALL:+SIGN-EDDSA-ED25519:%DISABLE_TLS13_COMPAT_MODE";

HandshakeJudge& judge_of(gnutls_session_t session) {
  auto* reference = static_cast<ngtcp2_crypto_conn_ref*>(gnutls_session_get_ptr(session));
  return *static_cast<HandshakeJudge*>(reference->user_data);
}

// Replaces the library's own verification: there are no authorities here.
int verify_peer(gnutls_session_t session) {
  auto& judge = judge_of(session);
  unsigned count = 0;
  const auto* chain = gnutls_certificate_get_peers(session, &count);
  if (chain == nullptr || count != 1) {
    judge.refuse_peer(Incident::RefusedCertificate);
    return GNUTLS_E_CERTIFICATE_ERROR;
  }
  const auto incident = judge.judge_peer(ByteView(chain[0].data, chain[0].size));
  return incident ? GNUTLS_E_CERTIFICATE_ERROR : 0;
}

// A client that offers no ALPN at all is not stopped by GNUTLS_ALPN_MANDATORY.
int require_alpn(gnutls_session_t session, unsigned, unsigned, unsigned, const gnutls_datum_t*) {
  gnutls_datum_t selected{};
  if (gnutls_alpn_get_selected_protocol(session, &selected) == 0) return 0;
  judge_of(session).refuse_peer(Incident::RefusedWrongAlpn);
  return GNUTLS_E_NO_APPLICATION_PROTOCOL;
}

Error tls_error(std::string what, int code) {
  return Error{ErrorCode::Io, std::move(what) + ": " + gnutls_strerror(code), {}};
}

}  // namespace

void Credentials::Free::operator()(gnutls_certificate_credentials_st* credentials) const {
  gnutls_certificate_free_credentials(credentials);
}

void TlsSession::Free::operator()(gnutls_session_int* session) const { gnutls_deinit(session); }

Result<std::shared_ptr<const Credentials>> Credentials::issue(const crypto::SigningKey& key,
                                                              const identity::NodeId& node,
                                                              UnixMillis now,
                                                              std::chrono::seconds lifetime) {
  crypto::CertificateSpec spec;
  spec.common_name = node.to_string();
  spec.subject_key = key.public_key();
  spec.not_before = now;
  const auto millis = std::chrono::milliseconds(lifetime).count();
  spec.not_after = UnixMillis(now.value + static_cast<std::uint64_t>(millis));
  fill_random(spec.serial);
  return from_der(key, crypto::issue_certificate(spec, key, spec.common_name));
}

Result<std::shared_ptr<const Credentials>> Credentials::from_der(const crypto::SigningKey& key,
                                                                 ByteView certificate) {
  auto out = std::make_shared<Credentials>();
  gnutls_certificate_credentials_t native = nullptr;
  if (const int rc = gnutls_certificate_allocate_credentials(&native); rc != 0) {
    return fail(tls_error("no TLS credentials", rc));
  }
  out->native_.reset(native);
  auto secret = crypto::to_pkcs8(key);
  const gnutls_datum_t certificate_datum{const_cast<std::uint8_t*>(certificate.data()),
                                         static_cast<unsigned>(certificate.size())};
  const gnutls_datum_t key_datum{secret.data(), static_cast<unsigned>(secret.size())};
  // The flag: certificates are checked by the receiver, and tests need ones that do not match.
  const int rc = gnutls_certificate_set_x509_key_mem2(native, &certificate_datum, &key_datum,
                                                      GNUTLS_X509_FMT_DER, nullptr, 0);
  crypto::wipe(secret);
  if (rc != 0) return fail(tls_error("the TLS library refuses the node certificate", rc));
  gnutls_certificate_set_verify_function(native, verify_peer);
  return std::shared_ptr<const Credentials>(std::move(out));
}

Result<PeerCertificate, Incident> judge_certificate(ByteView der, UnixMillis now) {
  const auto certificate = crypto::parse_certificate(der);
  if (!certificate) return fail(Incident::RefusedCertificate);
  const auto node = identity::node_id_of(certificate->subject_key);
  const auto name = node.to_string();
  if (certificate->common_name != name || certificate->issuer_name != name ||
      !crypto::is_signed_by(der, certificate->subject_key)) {
    return fail(Incident::RefusedCertificate);
  }
  const auto skew = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(stoq::kClockSkew).count());
  if (now.value + skew < certificate->not_before.value) {
    return fail(Incident::RefusedCertificateNotYetValid);
  }
  if (now.value >= certificate->not_after.value + skew) {
    return fail(Incident::RefusedCertificateExpired);
  }
  return PeerCertificate{node, crypto::sha256(der)};
}

Result<TlsSession> TlsSession::open(Role role, std::shared_ptr<const Credentials> credentials,
                                    ngtcp2_crypto_conn_ref& reference, std::string_view alpn) {
  // No tickets: a resumed session would skip the certificate.
  const unsigned flags = GNUTLS_NO_END_OF_EARLY_DATA | GNUTLS_NO_TICKETS |
                         GNUTLS_NO_AUTO_SEND_TICKET |
                         (role == Role::Client ? GNUTLS_CLIENT : GNUTLS_SERVER);
  gnutls_session_t native = nullptr;
  if (const int rc = gnutls_init(&native, flags); rc != 0) {
    return fail(tls_error("no TLS session", rc));
  }
  TlsSession out;
  out.native_.reset(native);
  out.credentials_ = std::move(credentials);
  // Parsed once per process.
  static gnutls_priority_t priority = [] {
    gnutls_priority_t parsed = nullptr;
    HM_CHECK(gnutls_priority_init(&parsed, kPriority, nullptr) == 0);
    return parsed;
  }();
  if (const int rc = gnutls_priority_set(native, priority); rc != 0) {
    return fail(tls_error("TLS priorities", rc));
  }
  gnutls_session_set_ptr(native, &reference);
  const int configured = role == Role::Client
                             ? ngtcp2_crypto_gnutls_configure_client_session(native)
                             : ngtcp2_crypto_gnutls_configure_server_session(native);
  if (configured != 0) return fail(ErrorCode::Io, "the TLS session cannot carry QUIC");
  if (const int rc =
          gnutls_credentials_set(native, GNUTLS_CRD_CERTIFICATE, out.credentials_->native());
      rc != 0) {
    return fail(tls_error("TLS credentials", rc));
  }
  const gnutls_datum_t protocol{reinterpret_cast<unsigned char*>(const_cast<char*>(alpn.data())),
                                static_cast<unsigned>(alpn.size())};
  if (const int rc = gnutls_alpn_set_protocols(native, &protocol, 1, GNUTLS_ALPN_MANDATORY);
      rc != 0) {
    return fail(tls_error("ALPN", rc));
  }
  if (role == Role::Server) {
    gnutls_certificate_server_set_request(native, GNUTLS_CERT_REQUIRE);
    gnutls_handshake_set_hook_function(native, GNUTLS_HANDSHAKE_CLIENT_HELLO, GNUTLS_HOOK_POST,
                                       require_alpn);
  }
  return out;
}

void fill_random(std::span<std::uint8_t> out) {
  HM_CHECK(gnutls_rnd(GNUTLS_RND_RANDOM, out.data(), out.size()) == 0);
}

std::uint8_t alert_of(Incident incident) {
  switch (incident) {
    case Incident::RefusedWrongAlpn: return GNUTLS_A_NO_APPLICATION_PROTOCOL;
    case Incident::RefusedUnknownPeer:
    case Incident::RefusedUnexpectedPeer:
    case Incident::RefusedSelf: return GNUTLS_A_ACCESS_DENIED;
    case Incident::RefusedCertificateExpired: return GNUTLS_A_CERTIFICATE_EXPIRED;
    case Incident::RefusedCertificateNotYetValid: return GNUTLS_A_CERTIFICATE_UNKNOWN;
    default: return GNUTLS_A_BAD_CERTIFICATE;
  }
}

}  // namespace hm::quic
