// SPDX-License-Identifier: Apache-2.0
#include "storage_pipeline.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "core/storage/code_choice.h"
#include "core/storage/object_decoder.h"
#include "core/storage/object_encoder.h"
#include "foundation/base/check.h"
#include "foundation/blake3/blake3.h"
#include "foundation/erasure/coder.h"

namespace {

using namespace hm;
using namespace hm::storage;

constexpr std::size_t kPiece = std::size_t{1} << 20;
constexpr std::size_t kDecoded = std::size_t{256} << 20;
constexpr double kBarOfSegments = 1.5;
constexpr double kBarOfWhole = 2.5;

const SegmentKey& segment_key() {
  static const SegmentKey kKey(std::array<std::uint8_t, kSegmentKeySize>{1});
  return kKey;
}

const Domain& domain() {
  static const Domain kDomain({}, {}, std::array<std::uint8_t, kDomainSecretSize>{1});
  return kDomain;
}

Randomness chance() {
  return [n = std::uint64_t{0}](std::span<std::uint8_t> out) mutable {
    blake3::Hasher().extended_output(n++ << 32, out);
  };
}

Manifest encode(ByteView object, const Profile& profile, const Domain* in, const StripeSink& sink) {
  StripeWriter writer(layout_for({10, 4}).value(), chance(), sink);
  const auto encoder = ObjectEncoder::start({.profile = profile,
                                             .compression = Compression::Never,
                                             .cut_by = segment_key(),
                                             .domain = in},
                                            writer, chance())
                           .value();
  for (; !object.empty(); object = object.subspan(std::min(kPiece, object.size()))) {
    HM_CHECK(encoder->push(object.first(std::min(kPiece, object.size()))));
  }
  HM_CHECK(encoder->finish());
  writer.flush();
  return encoder->take_manifest().value();
}

struct Stored {
  Manifest manifest;
  std::vector<std::vector<Bytes>> stripes;

  explicit Stored(ByteView object) {
    manifest = encode(object, Profile::standard(), nullptr, [&](const FinishedStripe& stripe) {
      auto& shards = stripes.emplace_back();
      for (const ByteView each : stripe.shards) shards.push_back(to_bytes(each));
    });
  }
};

// The first `lost` shards of each stripe cannot be had.
std::size_t decode(const Stored& stored, std::size_t lost) {
  auto decoder = ObjectDecoder::open(stored.manifest, 0, stored.manifest.size).value();
  std::size_t taken = 0;
  while (decoder.read([](ByteView) {}).value() == ObjectDecoder::Progress::NeedsShards) {
    const StripeWant want = decoder.wants().front();
    for (const ShardIndex index : want.ask) {
      if (index < lost) {
        decoder.lose(want.stripe, index);
      } else {
        taken += decoder.give(want.stripe, index, stored.stripes[want.stripe][index]) ==
                 ShardVerdict::Taken;
      }
    }
  }
  return taken;
}

// A stripe's own work: parity and roots, without segments.
std::size_t code_and_hash(ByteView object) {
  const erasure::Coder coder({10, 4});
  constexpr std::size_t kShard = std::size_t{1} << 20;
  Bytes parity(4 * kShard);
  std::array<erasure::ShardSpace, 4> into{};
  for (std::size_t i = 0; i < into.size(); ++i) into[i] = parity.data() + i * kShard;
  std::size_t stripes = 0;
  for (; object.size() >= 10 * kShard; object = object.subspan(10 * kShard), ++stripes) {
    std::array<erasure::ShardBytes, 10> data{};
    for (std::size_t i = 0; i < data.size(); ++i) data[i] = object.data() + i * kShard;
    coder.encode(data, into, kShard);
    for (const auto* shard : data) (void)blake3::hash({shard, kShard});
    for (const auto* shard : into) (void)blake3::hash({shard, kShard});
  }
  return stripes;
}

std::size_t hash_whole(ByteView object) {
  blake3::Hasher hasher;
  hasher.update(object);
  (void)hasher.digest();
  return 1;
}

std::size_t seal_segments(ByteView object) {
  SegmentSealer sealer;
  Bytes sealed;
  std::size_t count = 0;
  for (; !object.empty(); ++count) {
    const ByteView segment = object.first(std::min(std::size_t{64} << 10, object.size()));
    sealed.resize(segment.size() + kSealOverhead);
    sealer.seal({}, ObjectBinding{.number = count}, 0, segment, sealed);
    object = object.subspan(segment.size());
  }
  return count;
}

}  // namespace

std::vector<PipelineCase> pipeline_cases(ByteView object) {
  std::vector<PipelineCase> cases;
  const auto encoding = [&](std::string name, const Profile& profile, const Domain* in,
                            double bar = 0) {
    cases.push_back({std::move(name), object.size(),
                     [object, profile, in] {
                       std::size_t stripes = 0;
                       encode(object, profile, in, [&](const FinishedStripe&) { ++stripes; });
                       return stripes;
                     },
                     bar});
  };
  encoding("encode, standard, own secret", Profile::standard(), nullptr, kBarOfSegments);
  encoding("encode, standard, in a domain", Profile::standard(), &domain());
  encoding("encode, whole, own secret", Profile::whole(), nullptr, kBarOfWhole);
  encoding("encode, whole, in a domain", Profile::whole(), &domain());
  const ByteView part = object.first(std::min(kDecoded, object.size()));
  const auto step = [&](std::string name, std::size_t (*run)(ByteView)) {
    cases.push_back({std::move(name), part.size(), [part, run] { return run(part); }});
  };
  step("step: hash of the whole", hash_whole);
  step("step: seal 64 KiB", seal_segments);
  step("step: parity and roots, 10+4", code_and_hash);
  const auto stored = std::make_shared<const Stored>(part);
  for (const std::size_t lost : {0, 1, 4}) {
    cases.push_back({"decode, " + std::to_string(lost) + " of 14 lost", part.size(),
                     [stored, lost] { return decode(*stored, lost); }});
  }
  return cases;
}
