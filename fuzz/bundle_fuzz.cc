// SPDX-License-Identifier: Apache-2.0
// A bundle of sealed manifests from any node: it decodes to what it was made of, or not at all.
#include <cstdlib>

#include "foundation/codec/writer.h"
#include "foundation/crypto/sealed_box/sealed_box.h"
#include "node/storing/bundle.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const hm::ByteView bytes(data, size);
  const auto bundle = hm::storing::decode_bundle(bytes);
  if (!bundle) return 0;
  if (hm::codec::encode(*bundle) != hm::to_bytes(bytes)) std::abort();
  for (const hm::storing::BundleEntry& entry : bundle->entries) {
    (void)hm::sealed_box::decode(entry.box);
  }
  return 0;
}
