// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/keccak/permutation_x4.h"

#include "foundation/crypto/keccak/permutation.h"
#include "foundation/crypto/keccak/permutation_x4_simd.h"

namespace hm::keccak {

void permute_x4(StateX4& states, std::size_t count, crypto::Backend backend) {
#if defined(__x86_64__)
  if (backend == crypto::Backend::Avx512) return permute_x4_avx512(states.lanes);
  if (backend == crypto::Backend::Avx2) return permute_x4_avx2(states.lanes);
#endif
  static_cast<void>(backend);
  for (std::size_t s = 0; s < count; ++s) {
    State state;
    for (std::size_t i = 0; i < kLanes; ++i) state[i] = states.lanes[kStates * i + s];
    permute(state);
    for (std::size_t i = 0; i < kLanes; ++i) states.lanes[kStates * i + s] = state[i];
  }
}

}  // namespace hm::keccak
