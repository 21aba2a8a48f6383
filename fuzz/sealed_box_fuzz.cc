// SPDX-License-Identifier: Apache-2.0
// Sealed boxes from outside. What decodes has one spelling and can be opened or is refused by name.
// Sharing agrees with opening: who opens a box can add a reader, who then reads the same. Of the
// corpus, the boxes that open are sealed for the key of the seed 0, 1, 2, … in the empty context.
#include <algorithm>
#include <array>
#include <cstdint>

#include "foundation/base/check.h"
#include "foundation/crypto/sealed_box/sealed_box.h"

namespace {

using namespace hm;
using namespace hm::sealed_box;

DecapsulationKey key_from(std::uint8_t first) {
  std::array<std::uint8_t, ml_kem::kSeedSize> seed;
  for (std::size_t i = 0; i < seed.size(); ++i) seed[i] = static_cast<std::uint8_t>(first + i);
  return DecapsulationKey::from_seed(seed);
}

void share(const Box& box, const DecapsulationKey& own, const Result<Bytes, Refusal>& content) {
  static const DecapsulationKey other = key_from(0x80);
  const auto shared = add_reader(box, own, other.encapsulation_key(), {},
                                 [](std::span<std::uint8_t> out) { std::ranges::fill(out, 1); });
  if (!shared) {
    HM_CHECK(shared.error() == Refusal::DuplicateReader ||
             shared.error() == Refusal::TooManyReaders ||
             (!content && shared.error() == content.error()));
    return;
  }
  HM_CHECK(content || content.error() == Refusal::BadContent);
  HM_CHECK(decode(encode(*shared)).has_value() && shared->commitment == box.commitment);
  for (const DecapsulationKey* reader : {&own, &other}) {
    const auto again = open(*shared, *reader, {});
    HM_CHECK(content ? again.value() == *content : again.error() == Refusal::BadContent);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const DecapsulationKey own = key_from(0);
  const ByteView input(data, size);
  const auto box = decode(input);
  if (!box) return 0;
  HM_CHECK(std::ranges::equal(encode(*box), input));
  share(*box, own, open(*box, own, {}));
  return 0;
}
