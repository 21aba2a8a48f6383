// SPDX-License-Identifier: Apache-2.0
// Manifests from outside. What decodes has one spelling and is sound; reading by it with shards
// that are none ends, gives no byte, and names each of them.
#include <algorithm>
#include <cstdint>

#include "core/storage/manifest.h"
#include "core/storage/object_decoder.h"
#include "foundation/base/check.h"

namespace {

using namespace hm;
using namespace hm::storage;

void read_without_shards(const Manifest& manifest) {
  auto decoder = ObjectDecoder::open(manifest, 0, manifest.size).value();
  const auto sink = [](ByteView) { HM_CHECK(false); };
  while (true) {
    const auto progress = decoder.read(sink);
    if (!progress) {
      HM_CHECK(manifest.segments.empty() ? progress.error().error == StorageError::WrongContent
                                         : !progress.error().to_string().empty());
      return;
    }
    if (*progress == ObjectDecoder::Progress::Done) {
      HM_CHECK(manifest.size == 0);
      return;
    }
    const auto wants = decoder.wants();
    HM_CHECK(!wants.empty() && wants.size() <= kStripesRead);
    for (const StripeWant& want : wants) {
      HM_CHECK(!want.ask.empty());
      for (const ShardIndex index : want.ask) {
        HM_CHECK(decoder.give(want.stripe, index, Bytes(7)) == ShardVerdict::WrongLength);
      }
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  const auto manifest = decode_manifest(input);
  if (!manifest) {
    HM_CHECK(!explain(manifest.error()).empty());
    return 0;
  }
  HM_CHECK(std::ranges::equal(encode(*manifest), input));
  read_without_shards(*manifest);
  return 0;
}
