// SPDX-License-Identifier: Apache-2.0
// What the tests of objects share: a mesh that holds every shard in memory and can lose or spoil
// them, and objects that go there and back.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/storage/code_choice.h"
#include "core/storage/object_decoder.h"
#include "core/storage/object_encoder.h"
#include "core/storage/test_segments.h"

namespace hm::storage::testing {

// Bytes that differ from draw to draw, the same for the same seed.
inline Randomness chance(std::uint64_t seed) {
  return [seed](std::span<std::uint8_t> out) mutable {
    std::ranges::copy(random_bytes(out.size(), seed), out.begin());
    seed = seed * 6364136223846793005U + 1442695040888963407U;
  };
}

inline identity::OwnerId owner(std::uint8_t first = 0x0a) {
  identity::OwnerId id;
  id.bytes.fill(first);
  return id;
}

inline Domain domain(std::uint8_t first = 1, std::uint8_t of = 0x0a) {
  DomainId id;
  id.bytes.fill(first);
  return Domain(owner(of), id, secret(first));
}

inline ObjectVersion version(std::uint64_t number = 1, std::string_view id = "object") {
  return {owner(), to_bytes(as_bytes(id)), number};
}

// The shards of stripes, by the stripe's roots.
class Shards {
 public:
  StripeSink sink() {
    return [this](const FinishedStripe& stripe) {
      auto& shards = shards_[stripe.stripe.roots];
      shards.clear();
      for (const SharedShard& each : stripe.shards) shards.push_back(*each);
      sizes_.push_back(stripe.stripe.shard_bytes);
    };
  }

  const Bytes& at(const Stripe& stripe, std::size_t index) const {
    return shards_.at(stripe.roots)[index];
  }
  Bytes& at(const Stripe& stripe, std::size_t index) { return shards_.at(stripe.roots)[index]; }
  const std::vector<std::uint32_t>& sizes() const { return sizes_; }
  std::size_t stripes() const { return shards_.size(); }

 private:
  std::map<std::vector<crypto::Digest>, std::vector<Bytes>> shards_;
  std::vector<std::uint32_t> sizes_;
};

inline Layout layout(std::uint8_t data, std::uint8_t parity) {
  return layout_for({data, parity}).value();
}

// 16 KiB of mean, so that little objects have many segments.
inline Profile small_profile() { return Profile::by_content(256, 1024, 4096).value(); }

inline ObjectPlan plan(const Domain* in = nullptr, std::uint64_t number = 1) {
  return {.what = version(number), .profile = small_profile(), .cut_by = key(), .domain = in};
}

inline Manifest store(ByteView object, const ObjectPlan& as, Shards& shards, const Layout& in,
                      std::uint64_t seed = 1, std::size_t piece = 100'000) {
  StripeWriter writer(in, chance(seed), shards.sink());
  const auto encoder = ObjectEncoder::start(as, writer, chance(seed + 1)).value();
  for (; !object.empty(); object = object.subspan(std::min(piece, object.size()))) {
    EXPECT_TRUE(encoder->push(object.first(std::min(piece, object.size()))));
  }
  EXPECT_TRUE(encoder->finish());
  writer.flush();
  return encoder->take_manifest().value();
}

// What happens to a shard on its way: nothing if it cannot be had.
using Fate = std::function<std::optional<Bytes>(std::uint32_t stripe, ShardIndex, const Bytes&)>;

struct ReadBack {
  Bytes plain;
  std::optional<ReadFailure> failure;
  std::map<std::pair<std::uint32_t, ShardIndex>, ShardVerdict> culprits;
  std::size_t asked = 0;
};

// Asks for what is wanted, all of `ask` in turn, until it is done or fails.
inline ReadBack read_back(const Manifest& manifest, const Shards& shards, std::uint64_t begin,
                          std::uint64_t end, const Fate& fate = {}) {
  ReadBack out;
  auto decoder = ObjectDecoder::open(manifest, begin, end).value();
  const auto take = [&](ByteView plain) { append(out.plain, plain); };
  while (true) {
    const auto progress = decoder.read(take);
    if (!progress) {
      out.failure = progress.error();
      return out;
    }
    if (*progress == ObjectDecoder::Progress::Done) return out;
    const auto wants = decoder.wants();
    if (wants.empty()) ADD_FAILURE() << "needs shards and wants none";
    if (wants.empty()) return out;
    for (const StripeWant& want : wants) {
      for (const ShardIndex index : want.ask) {
        ++out.asked;
        const Bytes& stored = shards.at(manifest.stripes[want.stripe], index);
        const auto shard = fate ? fate(want.stripe, index, stored) : std::optional(stored);
        if (!shard) {
          decoder.lose(want.stripe, index);
          continue;
        }
        const ShardVerdict verdict = decoder.give(want.stripe, index, *shard);
        if (verdict == ShardVerdict::WrongLength || verdict == ShardVerdict::WrongRoot) {
          out.culprits[{want.stripe, index}] = verdict;
        }
      }
    }
  }
}

inline ReadBack read_back(const Manifest& manifest, const Shards& shards, const Fate& fate = {}) {
  return read_back(manifest, shards, 0, manifest.size, fate);
}

}  // namespace hm::storage::testing
