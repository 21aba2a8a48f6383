// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/certificate.h"

#include <gtest/gtest.h>

#include <string>

namespace hm::crypto {
namespace {

SigningKey key_of(std::uint8_t fill) {
  std::array<std::uint8_t, SigningKey::kSeedSize> seed{};
  seed.fill(fill);
  return SigningKey::from_seed(seed);
}

CertificateSpec spec_for(const SigningKey& subject) {
  CertificateSpec spec;
  spec.common_name = std::string(64, 'a');
  spec.subject_key = subject.public_key();
  spec.not_before = UnixMillis(1'700'000'000'000);
  spec.not_after = UnixMillis(1'700'003'600'000);
  spec.serial.fill(0xff);
  return spec;
}

TEST(Certificate, SelfSignedOneParsesBackAndVerifies) {
  const SigningKey key = key_of(1);
  const Bytes der = issue_certificate(spec_for(key), key, std::string(64, 'a'));
  const auto parsed = parse_certificate(der);
  ASSERT_TRUE(parsed) << name_of(parsed.error());
  EXPECT_EQ(parsed->common_name, std::string(64, 'a'));
  EXPECT_EQ(parsed->issuer_name, std::string(64, 'a'));
  EXPECT_EQ(parsed->subject_key, key.public_key());
  EXPECT_EQ(parsed->not_before, UnixMillis(1'700'000'000'000));
  EXPECT_EQ(parsed->not_after, UnixMillis(1'700'003'600'000));
  EXPECT_TRUE(is_signed_by(der, key.public_key()));
}

TEST(Certificate, IssuedOneVerifiesUnderTheIssuerOnly) {
  const SigningKey node = key_of(1);
  const SigningKey session = key_of(2);
  const Bytes der = issue_certificate(spec_for(session), node, "node");
  ASSERT_TRUE(parse_certificate(der));
  EXPECT_EQ(parse_certificate(der)->subject_key, session.public_key());
  EXPECT_TRUE(is_signed_by(der, node.public_key()));
  EXPECT_FALSE(is_signed_by(der, session.public_key()));
}

TEST(Certificate, ValidityIncludesBothEnds) {
  const SigningKey key = key_of(1);
  const auto parsed = parse_certificate(issue_certificate(spec_for(key), key, "n"));
  ASSERT_TRUE(parsed);
  EXPECT_FALSE(parsed->is_valid_at(UnixMillis(1'699'999'999'999)));
  EXPECT_TRUE(parsed->is_valid_at(UnixMillis(1'700'000'000'000)));
  EXPECT_TRUE(parsed->is_valid_at(UnixMillis(1'700'003'600'999)));
  EXPECT_FALSE(parsed->is_valid_at(UnixMillis(1'700'003'601'000)));
}

TEST(Certificate, EveryFlippedBitIsRefusedByParserOrVerifier) {
  const SigningKey key = key_of(1);
  const Bytes der = issue_certificate(spec_for(key), key, "n");
  for (std::size_t i = 0; i < der.size(); ++i) {
    Bytes bad = der;
    bad[i] ^= 0x01;
    EXPECT_FALSE(is_signed_by(bad, key.public_key())) << "byte " << i;
  }
}

TEST(Certificate, RefusesTruncatedExtendedAndOversizedInput) {
  const SigningKey key = key_of(1);
  const Bytes der = issue_certificate(spec_for(key), key, "n");
  for (std::size_t n = 0; n < der.size(); ++n) {
    EXPECT_EQ(parse_certificate(ByteView(der).first(n)).error(), CertificateError::Malformed);
  }
  Bytes longer = der;
  longer.push_back(0);
  EXPECT_EQ(parse_certificate(longer).error(), CertificateError::Malformed);
  EXPECT_EQ(parse_certificate(Bytes(kMaxCertificateSize + 1)).error(), CertificateError::TooLarge);
}

TEST(Certificate, RefusesASubjectKeyOfSmallOrder) {
  const SigningKey key = key_of(1);
  CertificateSpec spec = spec_for(key);
  spec.subject_key = PublicKey{};
  spec.subject_key.bytes[0] = 1;  // the neutral element
  EXPECT_EQ(parse_certificate(issue_certificate(spec, key, "n")).error(),
            CertificateError::ForeignKey);
}

}  // namespace
}  // namespace hm::crypto
