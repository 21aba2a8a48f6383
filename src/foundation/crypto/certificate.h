// SPDX-License-Identifier: Apache-2.0
// X.509 certificates with Ed25519 keys (RFC 5280, RFC 8410): the short-lived certificates that
// nodes show in the STOQ handshake. Issues and parses DER; every signature goes through the one
// strict verifier of ed25519.h. Judges no clock and no trust by itself: the caller compares the
// validity with its time and the keys with what genesis or the ledger names.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/base/time.h"
#include "foundation/crypto/ed25519.h"

namespace hm::crypto {

// Ours have under 400 bytes; a foreign one that is larger is not looked at.
inline constexpr std::size_t kMaxCertificateSize = 2048;
// RFC 5280 ub-common-name; a node id in hex fills it exactly.
inline constexpr std::size_t kMaxCommonName = 64;

enum class CertificateError : std::uint8_t {
  TooLarge,            // more than kMaxCertificateSize bytes
  Malformed,           // not one DER certificate, or bytes after it
  UnsupportedVersion,  // not X.509 version 3
  ForeignKey,          // the subject key is not a valid Ed25519 key
  ForeignSignature,    // not signed with Ed25519
  BadName,             // subject or issuer is not exactly one common name of printable ASCII
  BadValidity,         // times that do not parse, or an end before the start
  UnknownCritical,     // a critical extension that we do not know
};
std::string_view name_of(CertificateError error);

struct CertificateSpec {
  std::string common_name;                // 1 to kMaxCommonName printable ASCII characters
  PublicKey subject_key;                  // equal to the issuer's key: self-signed
  UnixMillis not_before;                  // both cut to whole seconds
  UnixMillis not_after;                   // Requires: before the year 2250
  std::array<std::uint8_t, 16> serial{};  // unpredictable; the top bit is ignored
};

struct Certificate {
  std::string common_name;
  std::string issuer_name;
  PublicKey subject_key;
  UnixMillis not_before;
  UnixMillis not_after;

  // Both ends are inside, as in RFC 5280 §4.1.2.5.
  bool is_valid_at(UnixMillis now) const {
    return not_before <= now && now.value < not_after.value + 1000;
  }
};

// A certificate for `spec.subject_key`, signed by `issuer` under the name `issuer_name`, as DER.
// Requires: the limits stated in CertificateSpec.
Bytes issue_certificate(const CertificateSpec& spec, const SigningKey& issuer,
                        std::string_view issuer_name);

// Exactly one certificate. Does not verify the signature; see is_signed_by().
Result<Certificate, CertificateError> parse_certificate(ByteView der);

// True iff `der` is a certificate whose signature verifies strictly under `issuer`.
bool is_signed_by(ByteView der, const PublicKey& issuer);

// The key as PKCS#8 DER (RFC 8410 §7), for a TLS library. The caller wipes it (wipe.h).
Bytes to_pkcs8(const SigningKey& key);

}  // namespace hm::crypto
