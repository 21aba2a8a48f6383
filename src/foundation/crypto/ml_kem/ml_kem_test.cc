// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/ml_kem/ml_kem.h"

#include <gtest/gtest.h>

#include "foundation/crypto/ml_kem/accumulated.h"

namespace hm::ml_kem {
namespace {

TEST(MlKem1024, HundredCasesGiveTheDigestOfAnotherImplementationOnEveryBackend) {
  for (const crypto::Backend backend : crypto::supported_backends()) {
    EXPECT_EQ(accumulated<MlKem1024>(100, backend), kAccumulated100) << name_of(backend);
  }
}

}  // namespace
}  // namespace hm::ml_kem
