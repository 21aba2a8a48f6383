// SPDX-License-Identifier: Apache-2.0
// Which pairs f, g make a key: those whose basis is short enough to sign with (Falcon specification
// §3.8.2, Algorithm 5 lines 9 and 10). What signing draws under a longer one is beyond the norm
// bound again and again. In constant time but for the answer.
#pragma once

#include "foundation/crypto/falcon/polynomial.h"
#include "foundation/crypto/falcon/real.h"

namespace hm::falcon {

// Whether the coefficients of f and g fit a secret key, and (g, -f) and the second vector of the
// orthogonalised basis are no longer than 1.17·sqrt(q). The same on either back end.
template <RealBackEnd Real>
bool has_short_basis(SmallView f, SmallView g);

extern template bool has_short_basis<EmulatedReal>(SmallView, SmallView);
extern template bool has_short_basis<HardwareReal>(SmallView, SmallView);

}  // namespace hm::falcon
