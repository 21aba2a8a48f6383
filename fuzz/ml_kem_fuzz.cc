// SPDX-License-Identifier: Apache-2.0
// Keys and ciphertexts of ML-KEM from outside. The first byte says what the rest is, and whether it
// is taken as it is or stretched to the right length, so that mutations also get past the lengths.
// What is accepted has one spelling; any accepted key and any ciphertext can be worked with, with
// the same result on every back end.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "foundation/base/check.h"
#include "foundation/crypto/ml_kem/ml_kem.h"

namespace {

using namespace hm;
using namespace hm::ml_kem;
using crypto::Backend;

constexpr std::array<std::uint8_t, kWordSize> kMessage{1};

template <ParameterSet P>
const DecapsulationKey<P>& known_key() {
  static const auto key =
      DecapsulationKey<P>::from_seed(std::array<std::uint8_t, kSeedSize>{2}, Backend::Portable);
  return key;
}

// The same secret on every back end.
template <ParameterSet P>
SharedSecret decapsulated(const DecapsulationKey<P>& key, const Ciphertext<P>& ciphertext) {
  SharedSecret secret = key.decapsulate(ciphertext, Backend::Portable);
  for (const Backend backend : crypto::supported_backends()) {
    HM_CHECK(key.decapsulate(ciphertext, backend) == secret);
  }
  return secret;
}

template <ParameterSet P>
void try_encapsulation_key(ByteView bytes) {
  const auto key = EncapsulationKey<P>::parse(bytes);
  if (!key) return;
  HM_CHECK(std::ranges::equal(key->bytes(), bytes));
  const auto made = encapsulate(*key, kMessage, Backend::Portable);
  for (const Backend backend : crypto::supported_backends()) {
    const auto again = encapsulate(*key, kMessage, backend);
    HM_CHECK(again.ciphertext == made.ciphertext && again.secret == made.secret);
  }
}

template <ParameterSet P>
void try_expanded_key(ByteView bytes) {
  const auto key = DecapsulationKey<P>::parse_expanded(bytes);
  if (!key) return;
  HM_CHECK(std::ranges::equal(key->expanded(), bytes) && !key->seed());
  decapsulated(*key, encapsulate(key->encapsulation_key(), kMessage).ciphertext);
}

template <ParameterSet P>
void try_ciphertext(ByteView bytes) {
  const auto ciphertext = Ciphertext<P>::parse(bytes);
  if (!ciphertext) return;
  HM_CHECK(std::ranges::equal(ciphertext->bytes, bytes));
  const auto honest = encapsulate(known_key<P>().encapsulation_key(), kMessage);
  const bool is_honest = *ciphertext == honest.ciphertext;
  HM_CHECK((decapsulated(known_key<P>(), *ciphertext) == honest.secret) == is_honest);
}

struct Kind {
  std::size_t size;
  void (*run)(ByteView bytes);
};
constexpr std::array kKinds = {
    Kind{EncapsulationKey<MlKem768>::kSize, try_encapsulation_key<MlKem768>},
    Kind{EncapsulationKey<MlKem1024>::kSize, try_encapsulation_key<MlKem1024>},
    Kind{DecapsulationKey<MlKem768>::kSize, try_expanded_key<MlKem768>},
    Kind{DecapsulationKey<MlKem1024>::kSize, try_expanded_key<MlKem1024>},
    Kind{Ciphertext<MlKem768>::kSize, try_ciphertext<MlKem768>},
    Kind{Ciphertext<MlKem1024>::kSize, try_ciphertext<MlKem1024>},
};
constexpr std::uint8_t kStretched = 0x80;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Kind& kind = kKinds[(data[0] & ~kStretched) % kKinds.size()];
  Bytes bytes(data + 1, data + size);
  if ((data[0] & kStretched) != 0) bytes.resize(kind.size);
  kind.run(bytes);
  return 0;
}
