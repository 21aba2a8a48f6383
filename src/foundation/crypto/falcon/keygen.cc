// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/keygen.h"

#include <cstddef>

#include "foundation/crypto/falcon/key_gaussian.h"
#include "foundation/crypto/falcon/key_norms.h"
#include "foundation/crypto/falcon/mod_q.h"
#include "foundation/crypto/falcon/ntru_solve.h"
#include "foundation/crypto/falcon/secret_buffer.h"
#include "foundation/crypto/wipe.h"

namespace hm::falcon {

// The solver's, and three polynomials for the norms.
template <RealBackEnd Real>
constexpr std::size_t kMemory = sizeof(NtruMemory<Real>) + 3 * kDegree * sizeof(Real);
static_assert(kMemory<EmulatedReal> <= kKeygenMemory && kMemory<HardwareReal> <= kKeygenMemory);

NtruKey::~NtruKey() {
  for (SmallPoly* secret : {&f, &g, &big_f, &big_g}) {
    crypto::wipe({reinterpret_cast<std::uint8_t*>(secret->data()), secret->size()});
  }
}

template <RealBackEnd Real>
NtruKey generate_key(keccak::Shake256& randomness) {
  SecretBuffer<NtruMemory<Real>> memory(1);
  NtruKey key;
  bool found = false;
  while (!found) {
    sample_key_polynomial(randomness, key.f);
    sample_key_polynomial(randomness, key.g);
    found = has_short_basis<Real>(key.f, key.g) && compute_public(key.h, key.f, key.g) &&
            solve_ntru(key.f, key.g, key.big_f, key.big_g, memory[0]);
  }
  return key;
}

template NtruKey generate_key<EmulatedReal>(keccak::Shake256&);
template NtruKey generate_key<HardwareReal>(keccak::Shake256&);

}  // namespace hm::falcon
