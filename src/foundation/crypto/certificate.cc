// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/certificate.h"

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <optional>

#include "foundation/base/check.h"
#include "foundation/crypto/wipe.h"

namespace hm::crypto {
namespace {

template <auto Free>
struct Deleter {
  void operator()(auto* p) const { Free(p); }
};
using X509Ptr = std::unique_ptr<X509, Deleter<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using ContextPtr = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;
using BignumPtr = std::unique_ptr<BIGNUM, Deleter<BN_free>>;

bool is_printable_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxCommonName &&
         std::ranges::all_of(name, [](char c) { return c >= 0x20 && c < 0x7f; });
}

void set_name(X509_NAME* name, std::string_view text) {
  HM_CHECK(is_printable_name(text));
  HM_CHECK(X509_NAME_add_entry_by_NID(name, NID_commonName, V_ASN1_UTF8STRING,
                                      reinterpret_cast<const unsigned char*>(text.data()),
                                      static_cast<int>(text.size()), -1, 0) == 1);
}

void set_time(ASN1_TIME* field, UnixMillis time) {
  HM_CHECK(ASN1_TIME_set(field, static_cast<std::time_t>(time.value / 1000)) != nullptr);
}

void add_extension(X509* certificate, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  HM_CHECK(extension != nullptr);
  HM_CHECK(X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

void set_serial(X509* certificate, std::array<std::uint8_t, 16> serial) {
  serial[0] = static_cast<std::uint8_t>((serial[0] & 0x7f) | 0x40);  // positive, fixed length
  const BignumPtr number(BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr));
  HM_CHECK(number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)));
}

// The one common name of a subject or issuer.
std::optional<std::string> read_name(const X509_NAME* name) {
  if (X509_NAME_entry_count(name) != 1) return std::nullopt;
  const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name, 0);
  if (OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)) != NID_commonName) return std::nullopt;
  const ASN1_STRING* data = X509_NAME_ENTRY_get_data(entry);
  const int type = ASN1_STRING_type(data);
  if (type != V_ASN1_UTF8STRING && type != V_ASN1_PRINTABLESTRING) return std::nullopt;
  std::string text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(data)),
                   static_cast<std::size_t>(ASN1_STRING_length(data)));
  if (!is_printable_name(text)) return std::nullopt;
  return text;
}

std::optional<UnixMillis> read_time(const ASN1_TIME* field) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(field, &parts) != 1) return std::nullopt;
  const std::time_t seconds = timegm(&parts);
  if (seconds < 0) return std::nullopt;
  return UnixMillis(static_cast<std::uint64_t>(seconds) * 1000);
}

std::optional<PublicKey> read_key(const X509* certificate) {
  EVP_PKEY* key = X509_get0_pubkey(certificate);
  if (key == nullptr || EVP_PKEY_id(key) != EVP_PKEY_ED25519) return std::nullopt;
  PublicKey raw;
  std::size_t size = raw.bytes.size();
  if (EVP_PKEY_get_raw_public_key(key, raw.bytes.data(), &size) != 1 || size != raw.bytes.size()) {
    return std::nullopt;
  }
  if (!is_valid_key(raw)) return std::nullopt;
  return raw;
}

bool has_unknown_critical_extension(const X509* certificate) {
  for (int i = 0; i < X509_get_ext_count(certificate); ++i) {
    X509_EXTENSION* extension = X509_get_ext(certificate, i);
    const int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
    const bool known = nid == NID_basic_constraints || nid == NID_key_usage ||
                       nid == NID_ext_key_usage || nid == NID_subject_alt_name;
    if (!known && X509_EXTENSION_get_critical(extension) == 1) return true;
  }
  return false;
}

X509Ptr read_der(ByteView der) {
  const unsigned char* cursor = der.data();
  X509Ptr certificate(d2i_X509(nullptr, &cursor, static_cast<long>(der.size())));
  if (!certificate || cursor != der.data() + der.size()) return nullptr;
  return certificate;
}

// The signed part of a certificate, as it stands in `der`: what follows the outer header, whole.
std::optional<ByteView> signed_part(ByteView der) {
  const unsigned char* cursor = der.data();
  long length = 0;
  int tag = 0;
  int kind = 0;
  const auto enter = [&] {
    const long rest = static_cast<long>(der.data() + der.size() - cursor);
    return (ASN1_get_object(&cursor, &length, &tag, &kind, rest) & 0x80) == 0 &&
           tag == V_ASN1_SEQUENCE;
  };
  if (!enter()) return std::nullopt;
  const unsigned char* start = cursor;
  if (!enter()) return std::nullopt;
  return ByteView(start, static_cast<std::size_t>(cursor - start + length));
}

}  // namespace

std::string_view name_of(CertificateError error) {
  switch (error) {
    case CertificateError::TooLarge: return "certificate too large";
    case CertificateError::Malformed: return "malformed certificate";
    case CertificateError::UnsupportedVersion: return "not an X.509 v3 certificate";
    case CertificateError::ForeignKey: return "subject key is not a valid Ed25519 key";
    case CertificateError::ForeignSignature: return "not signed with Ed25519";
    case CertificateError::BadName: return "name is not one printable common name";
    case CertificateError::BadValidity: return "bad validity times";
    case CertificateError::UnknownCritical: return "unknown critical extension";
  }
  return "unknown";
}

Bytes issue_certificate(const CertificateSpec& spec, const SigningKey& issuer,
                        std::string_view issuer_name) {
  HM_CHECK(spec.not_before <= spec.not_after);
  const X509Ptr certificate(X509_new());
  HM_CHECK(certificate != nullptr);
  X509_set_version(certificate.get(), X509_VERSION_3);
  set_serial(certificate.get(), spec.serial);
  set_name(X509_get_subject_name(certificate.get()), spec.common_name);
  set_name(X509_get_issuer_name(certificate.get()), issuer_name);
  set_time(X509_getm_notBefore(certificate.get()), spec.not_before);
  set_time(X509_getm_notAfter(certificate.get()), spec.not_after);

  const KeyPtr subject(EVP_PKEY_new_raw_public_key(
      EVP_PKEY_ED25519, nullptr, spec.subject_key.bytes.data(), spec.subject_key.bytes.size()));
  HM_CHECK(subject && X509_set_pubkey(certificate.get(), subject.get()) == 1);
  add_extension(certificate.get(), NID_basic_constraints, "critical,CA:FALSE");
  add_extension(certificate.get(), NID_key_usage, "critical,digitalSignature");
  add_extension(certificate.get(), NID_ext_key_usage, "serverAuth,clientAuth");

  auto seed = issuer.seed();
  const KeyPtr signer(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()));
  wipe(seed);
  const ContextPtr context(EVP_MD_CTX_new());
  HM_CHECK(signer && context &&
           EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, signer.get()) == 1 &&
           X509_sign_ctx(certificate.get(), context.get()) > 0);

  Bytes der(static_cast<std::size_t>(i2d_X509(certificate.get(), nullptr)));
  unsigned char* out = der.data();
  i2d_X509(certificate.get(), &out);
  HM_CHECK(der.size() <= kMaxCertificateSize);
  return der;
}

Result<Certificate, CertificateError> parse_certificate(ByteView der) {
  if (der.size() > kMaxCertificateSize) return fail(CertificateError::TooLarge);
  const X509Ptr certificate = read_der(der);
  if (!certificate) return fail(CertificateError::Malformed);
  if (X509_get_version(certificate.get()) != X509_VERSION_3) {
    return fail(CertificateError::UnsupportedVersion);
  }
  if (X509_get_signature_nid(certificate.get()) != NID_ED25519) {
    return fail(CertificateError::ForeignSignature);
  }
  if (has_unknown_critical_extension(certificate.get())) {
    return fail(CertificateError::UnknownCritical);
  }
  auto key = read_key(certificate.get());
  if (!key) return fail(CertificateError::ForeignKey);
  auto subject = read_name(X509_get_subject_name(certificate.get()));
  auto issuer = read_name(X509_get_issuer_name(certificate.get()));
  if (!subject || !issuer) return fail(CertificateError::BadName);
  const auto not_before = read_time(X509_get0_notBefore(certificate.get()));
  const auto not_after = read_time(X509_get0_notAfter(certificate.get()));
  if (!not_before || !not_after || *not_after < *not_before) {
    return fail(CertificateError::BadValidity);
  }
  return Certificate{std::move(*subject), std::move(*issuer), *key, *not_before, *not_after};
}

bool is_signed_by(ByteView der, const PublicKey& issuer) {
  if (der.size() > kMaxCertificateSize) return false;
  const X509Ptr certificate = read_der(der);
  if (!certificate || X509_get_signature_nid(certificate.get()) != NID_ED25519) return false;
  const ASN1_BIT_STRING* bits = nullptr;
  X509_get0_signature(&bits, nullptr, certificate.get());
  Signature signature;
  if (ASN1_STRING_length(bits) != static_cast<int>(signature.bytes.size())) return false;
  std::copy_n(ASN1_STRING_get0_data(bits), signature.bytes.size(), signature.bytes.begin());
  const auto part = signed_part(der);
  return part && verify(issuer, *part, signature);
}

Bytes to_pkcs8(const SigningKey& key) {
  // RFC 8410 §7: version 0, algorithm 1.3.101.112, the seed as a doubly wrapped octet string.
  static constexpr std::uint8_t kPrefix[] = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
                                             0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};
  Bytes der(std::begin(kPrefix), std::end(kPrefix));
  auto seed = key.seed();
  der.insert(der.end(), seed.begin(), seed.end());
  wipe(seed);
  return der;
}

}  // namespace hm::crypto
