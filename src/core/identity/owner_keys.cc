// SPDX-License-Identifier: Apache-2.0
#include "core/identity/owner_keys.h"

#include <algorithm>

#include "foundation/base/check.h"
#include "foundation/codec/reader.h"
#include "foundation/codec/writer.h"
#include "foundation/crypto/wipe.h"

namespace hm::identity {
namespace {

// What a key file keeps. The Ed25519 seed stands first, at a fixed place.
struct SecretForm {
  std::array<std::uint8_t, crypto::SigningKey::kSeedSize> ed25519{};
  std::array<std::uint8_t, falcon::kSecretKeySize> falcon{};
  std::array<std::uint8_t, ml_kem::kSeedSize> ml_kem{};

  SecretForm() = default;
  SecretForm(const SecretForm&) = delete;
  SecretForm& operator=(const SecretForm&) = delete;
  ~SecretForm() {
    crypto::wipe(ed25519);
    crypto::wipe(falcon);
    crypto::wipe(ml_kem);
  }
  static constexpr auto fields(auto& self) {
    return std::tie(self.ed25519, self.falcon, self.ml_kem);
  }
};

KeyBundle bundle_of(const crypto::SigningKey& ed25519, const falcon::SigningKey& falcon_key,
                    const MlKemSecretKey& ml_kem_key) {
  return {{{kAlgorithmEd25519, to_bytes(ed25519.public_key().bytes)},
           {kAlgorithmFalcon1024, to_bytes(falcon_key.verifying_key().encode())},
           {kAlgorithmMlKem1024, to_bytes(ml_kem_key.encapsulation_key().bytes())}}};
}

}  // namespace

std::string_view name_of(OwnerKeysError error) {
  switch (error) {
    case OwnerKeysError::Malformed: return "the secret keys do not decode";
    case OwnerKeysError::InvalidFalcon: return "the secret Falcon key is not valid";
    case OwnerKeysError::WrongPublicKeys: return "the public keys are not those of the secret ones";
  }
  return "unknown";
}

OwnerSeeds::~OwnerSeeds() {
  crypto::wipe(ed25519);
  crypto::wipe(falcon);
  crypto::wipe(ml_kem);
}

struct OwnerKeys::Secrets {
  OwnerId owner;
  KeyBundle bundle;
  crypto::SigningKey ed25519;
  falcon::SigningKey falcon;
  MlKemSecretKey ml_kem;
};

OwnerKeys::OwnerKeys(std::unique_ptr<Secrets> secrets) : secrets_(std::move(secrets)) {}
OwnerKeys::OwnerKeys(OwnerKeys&&) noexcept = default;
OwnerKeys& OwnerKeys::operator=(OwnerKeys&&) noexcept = default;
OwnerKeys::~OwnerKeys() = default;

OwnerKeys OwnerKeys::generate(const OwnerSeeds& seeds, falcon::Arithmetic arithmetic) {
  auto ed25519 = crypto::SigningKey::from_seed(seeds.ed25519);
  auto falcon_key = falcon::SigningKey::generate(seeds.falcon, arithmetic);
  auto ml_kem_key = MlKemSecretKey::from_seed(seeds.ml_kem);
  KeyBundle bundle = bundle_of(ed25519, falcon_key, ml_kem_key);
  const OwnerId owner = owner_id_of(bundle);
  return OwnerKeys(std::make_unique<Secrets>(Secrets{
      owner, std::move(bundle), std::move(ed25519), std::move(falcon_key), std::move(ml_kem_key)}));
}

Result<OwnerKeys, OwnerKeysError> OwnerKeys::restore(const OwnerId& owner, const KeyBundle& bundle,
                                                     ByteView secret) {
  SecretForm form;
  codec::Reader reader(secret);
  if (!reader.read(form) || !reader.finish()) return fail(OwnerKeysError::Malformed);
  auto ed25519 = crypto::SigningKey::from_seed(form.ed25519);
  auto falcon_key = falcon::SigningKey::decode(form.falcon);
  if (!falcon_key) return fail(OwnerKeysError::InvalidFalcon);
  auto ml_kem_key = MlKemSecretKey::from_seed(form.ml_kem);
  if (bundle_of(ed25519, *falcon_key, ml_kem_key) != bundle) {
    return fail(OwnerKeysError::WrongPublicKeys);
  }
  return OwnerKeys(std::make_unique<Secrets>(
      Secrets{owner, bundle, std::move(ed25519), std::move(*falcon_key), std::move(ml_kem_key)}));
}

const OwnerId& OwnerKeys::id() const { return secrets_->owner; }
const KeyBundle& OwnerKeys::bundle() const { return secrets_->bundle; }
const crypto::SigningKey& OwnerKeys::ed25519() const { return secrets_->ed25519; }
const MlKemSecretKey& OwnerKeys::ml_kem() const { return secrets_->ml_kem; }

OwnerSignature OwnerKeys::sign(const crypto::Digest& statement,
                               const falcon::SigningRandomness& randomness) const {
  return {ed25519().sign(statement.view()), sign_falcon(statement, randomness)};
}

FalconSignature OwnerKeys::sign_falcon(const crypto::Digest& statement,
                                       const falcon::SigningRandomness& randomness) const {
  const Bytes bytes =
      secrets_->falcon.sign(statement.view(), randomness, falcon::SignatureFormat::Padded);
  FalconSignature signature;
  HM_CHECK(bytes.size() == signature.bytes.size());
  std::ranges::copy(bytes, signature.bytes.begin());
  return signature;
}

OwnerKeys OwnerKeys::as_owner(const OwnerId& owner) && {
  secrets_->owner = owner;
  return std::move(*this);
}

Bytes OwnerKeys::secret_bytes() const {
  SecretForm form;
  form.ed25519 = secrets_->ed25519.seed();
  std::ranges::copy(secrets_->falcon.encode(), form.falcon.begin());
  auto seed = secrets_->ml_kem.seed();
  form.ml_kem = seed.value();
  crypto::wipe(*seed);
  return codec::encode(form);
}

}  // namespace hm::identity
