// SPDX-License-Identifier: Apache-2.0
// Pages and proofs from outside. The input chooses a shard and a page, and then says what is
// changed of an honest proof: page, proof, root, index, size, and their lengths. What is verified
// is the page that the shard has there; an honest proof is verified; every back end says the same.
#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "foundation/base/check.h"
#include "foundation/blake3/page_tree.h"

namespace {

using namespace hm;
using namespace hm::blake3;

struct Shard {
  explicit Shard(std::uint64_t size) : bytes(size), tree(PageTree::of({})) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] = static_cast<std::uint8_t>(i % 251 + i / kPageSize);
    }
    tree = PageTree::of(bytes);
  }
  ByteView page(std::uint64_t index) const {
    return ByteView(bytes).subspan(index * kPageSize, page_length(bytes.size(), index));
  }

  Bytes bytes;
  PageTree tree;
};

const std::vector<Shard>& shards() {
  static const std::vector<Shard> all = [] {
    std::vector<Shard> made;
    for (const std::uint64_t size :
         {std::uint64_t{0}, std::uint64_t{40}, kPageSize, kPageSize + 1, 3 * kPageSize + 900}) {
      made.emplace_back(size);
    }
    return made;
  }();
  return all;
}

// The next bytes of the input as a number; zero when there are none.
class Script {
 public:
  explicit Script(ByteView bytes) : rest_(bytes) {}
  bool ended() const { return rest_.empty(); }
  std::uint64_t number(std::size_t size) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size && !rest_.empty(); ++i) {
      value |= std::uint64_t{rest_.front()} << (8 * i);
      rest_ = rest_.subspan(1);
    }
    return value;
  }

 private:
  ByteView rest_;
};

struct Claim {
  crypto::Digest root;
  std::uint64_t size;
  std::uint64_t index;
  Bytes page;
  PageProof proof;
  bool operator==(const Claim&) const = default;
};

void flip(std::span<std::uint8_t> bytes, std::uint64_t at, std::uint64_t with) {
  if (!bytes.empty()) bytes[at % bytes.size()] ^= static_cast<std::uint8_t>(with);
}

void change(Claim& claim, Script& script) {
  constexpr std::uint64_t kKinds = 7;
  switch (script.number(1) % kKinds) {
    case 0: return flip(claim.root.bytes, script.number(1), script.number(1));
    case 1: claim.size += script.number(8); return;
    case 2: claim.index += script.number(8); return;
    case 3: {
      const std::uint64_t at = script.number(2);
      return flip(claim.page, at, script.number(1));
    }
    case 4: claim.page.resize(script.number(3) % (2 * kPageSize)); return;
    case 5: claim.proof.resize(script.number(1) % (kPageProofMax + 2)); return;
    default: {
      if (claim.proof.empty()) return;
      ChainingValue& value = claim.proof[script.number(1) % claim.proof.size()];
      const std::uint64_t at = script.number(1);
      return flip(value.bytes, at, script.number(1));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Script script({data, size});
  const Shard& shard = shards()[script.number(1) % shards().size()];
  const std::uint64_t index = script.number(1) % page_count(shard.bytes.size());
  const Claim honest{shard.tree.root(), shard.bytes.size(), index, to_bytes(shard.page(index)),
                     shard.tree.prove(index)};
  Claim claim = honest;
  while (!script.ended()) change(claim, script);
  const auto verdict = verify_page(claim.root, claim.size, claim.index, claim.page, claim.proof);
  for (const crypto::Backend backend : crypto::supported_backends()) {
    const auto same =
        verify_page(claim.root, claim.size, claim.index, claim.page, claim.proof, backend);
    HM_CHECK(same.has_value() == verdict.has_value());
    HM_CHECK(verdict || same.error() == verdict.error());
  }
  if (claim == honest) HM_CHECK(verdict.has_value());
  if (!verdict) return 0;
  // Only the size may be another.
  claim.size = honest.size;
  HM_CHECK(claim == honest);
  return 0;
}
