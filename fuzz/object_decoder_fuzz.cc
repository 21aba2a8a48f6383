// SPDX-License-Identifier: Apache-2.0
// Nodes that send what they like: reading an object from right, lost, altered, swapped and
// unexpected shards gives its bytes or a failure, never other bytes. The first four bytes choose
// the range, each further one what comes for a shard that is asked for.
#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "core/storage/code_choice.h"
#include "core/storage/object_decoder.h"
#include "core/storage/object_encoder.h"
#include "foundation/base/check.h"
#include "foundation/blake3/blake3.h"

namespace {

using namespace hm;
using namespace hm::storage;

constexpr std::size_t kObject = 60'000;

struct Stored {
  Bytes object = Bytes(kObject);
  Manifest manifest;
  std::vector<std::vector<Bytes>> stripes;

  Stored() {
    blake3::Hasher().extended_output(0, object);
    const SegmentKey key(std::array<std::uint8_t, kSegmentKeySize>{1});
    const auto chance = [n = std::uint64_t{0}](std::span<std::uint8_t> out) mutable {
      blake3::Hasher().extended_output(4096 * ++n, out);
    };
    StripeWriter writer(layout_for({4, 2}).value(), chance, [&](const FinishedStripe& stripe) {
      auto& shards = stripes.emplace_back();
      for (const SharedShard& each : stripe.shards) shards.push_back(*each);
    });
    const auto encoder =
        ObjectEncoder::start({.profile = Profile::fixed(7000).value(), .cut_by = key}, writer,
                             chance)
            .value();
    HM_CHECK(encoder->push(ByteView(object).first(kObject / 2)));
    writer.flush();  // so that there are two stripes
    HM_CHECK(encoder->push(ByteView(object).subspan(kObject / 2)));
    HM_CHECK(encoder->finish());
    writer.flush();
    manifest = encoder->take_manifest().value();
    HM_CHECK(manifest.stripes.size() == 2);
  }
};

class Mesh {
 public:
  Mesh(const Stored& stored, ByteView choices) : stored_(stored), choices_(choices) {}

  void answer(ObjectDecoder& decoder, std::uint32_t stripe, ShardIndex index) {
    const std::uint8_t choice = choices_.empty() ? 0 : choices_[0];
    if (!choices_.empty()) choices_ = choices_.subspan(1);
    const auto& shards = stored_.stripes[stripe];
    Bytes shard = shards[index];
    switch (choice % 6) {
      case 1: decoder.lose(stripe, index); return;
      case 2: shard[choice * std::size_t{61} % shard.size()] ^= 1; break;
      case 3: shard.resize(choice * std::size_t{17} % shard.size()); break;
      case 4: shard = shards[(index + choice / 6U) % shards.size()]; break;
      case 5: {
        const auto other = static_cast<ShardIndex>(choice / 6U % shards.size());
        (void)decoder.give(1 - stripe, other, stored_.stripes[1 - stripe][other]);
        break;
      }
      default: break;
    }
    const bool is_right = shard == shards[index];
    const ShardVerdict verdict = decoder.give(stripe, index, std::move(shard));
    HM_CHECK(verdict == ShardVerdict::NotWanted || (verdict == ShardVerdict::Taken) == is_right);
  }

 private:
  const Stored& stored_;
  ByteView choices_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Stored stored;
  if (size < 4) return 0;
  const std::uint64_t first = (data[0] | unsigned{data[1]} << 8) % (kObject + 1);
  const std::uint64_t second = (data[2] | unsigned{data[3]} << 8) % (kObject + 1);
  const std::uint64_t begin = std::min(first, second);
  const std::uint64_t end = std::max(first, second);
  auto decoder = ObjectDecoder::open(stored.manifest, begin, end).value();
  Mesh mesh(stored, {data + 4, size - 4});
  std::uint64_t at = begin;
  const auto sink = [&](ByteView plain) {
    HM_CHECK(std::ranges::equal(plain, ByteView(stored.object).subspan(at, plain.size())));
    at += plain.size();
  };
  while (true) {
    const auto progress = decoder.read(sink);
    if (!progress) {
      const ReadFailure& failure = progress.error();
      HM_CHECK(failure.error == StorageError::TooFewShards &&
               failure.missing.size() + failure.altered.size() > 2);
      return 0;
    }
    if (*progress == ObjectDecoder::Progress::Done) break;
    const auto wants = decoder.wants();
    HM_CHECK(!wants.empty());
    for (const StripeWant& want : wants) {
      for (const ShardIndex index : want.ask) mesh.answer(decoder, want.stripe, index);
    }
  }
  HM_CHECK(at == end);
  return 0;
}
