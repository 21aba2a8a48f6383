// SPDX-License-Identifier: Apache-2.0
#include "foundation/blake3/page_tree.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <limits>
#include <string>

#include "foundation/blake3/blake3.h"
#include "foundation/blake3/test_bytes.h"

namespace hm::blake3 {
namespace {

using crypto::Backend;
using crypto::supported_backends;
using test::bytes_of;

constexpr std::uint64_t kSizes[] = {0,
                                    1,
                                    1'023,
                                    1'024,
                                    1'025,
                                    kPageSize - 1,
                                    kPageSize,
                                    kPageSize + 1,
                                    2 * kPageSize - 1'024,
                                    2 * kPageSize,
                                    3 * kPageSize + 1,
                                    5 * kPageSize - 1,
                                    7 * kPageSize + 63'000,
                                    17 * kPageSize + 1'025,
                                    64 * kPageSize - 1,
                                    64 * kPageSize};

struct Shard {
  explicit Shard(std::uint64_t size) : bytes(bytes_of(size, size)), tree(PageTree::of(bytes)) {}

  std::uint64_t size() const { return bytes.size(); }
  std::uint64_t pages() const { return page_count(size()); }
  Bytes page(std::uint64_t index) const {
    return to_bytes(ByteView(bytes).subspan(index * kPageSize, page_length(size(), index)));
  }
  bool accepts(std::uint64_t claimed_size, std::uint64_t index, ByteView page,
               const PageProof& proof) const {
    return verify_page(tree.root(), claimed_size, index, page, proof).has_value();
  }

  Bytes bytes;
  PageTree tree;
};

TEST(PageTree, TheRootIsThePlainHashOfTheShard) {
  for (const std::uint64_t size : kSizes) {
    const Bytes bytes = bytes_of(size, size);
    for (const Backend backend : supported_backends()) {
      const PageTree tree = PageTree::of(bytes, backend);
      EXPECT_EQ(tree.root(), hash(bytes)) << size;
      EXPECT_EQ(tree.shard_size(), size);
      EXPECT_EQ(tree.values().size(), size <= kPageSize ? 0 : page_count(size)) << size;
    }
  }
}

TEST(PageTree, ATreeAcceptsItsOwnPagesAndNoOthers) {
  for (const std::uint64_t size : kSizes) {
    const Shard shard(size);
    for (std::uint64_t index = 0; index < shard.pages(); ++index) {
      Bytes page = shard.page(index);
      for (const Backend backend : supported_backends()) {
        EXPECT_TRUE(shard.tree.verify(index, page, backend)) << size << " " << index;
      }
      page.push_back(0);
      EXPECT_EQ(shard.tree.verify(index, page).error(), PageRefusal::PageLength);
      page.pop_back();
      if (page.empty()) continue;
      page[page.size() / 2] ^= 1;
      EXPECT_EQ(shard.tree.verify(index, page).error(), PageRefusal::WrongRoot);
    }
    EXPECT_EQ(shard.tree.verify(shard.pages(), {}).error(), PageRefusal::NoSuchPage);
  }
  const Shard shard(3 * kPageSize);
  EXPECT_EQ(shard.tree.verify(0, shard.page(1)).error(), PageRefusal::WrongRoot);
}

TEST(PageTree, EveryPageOfAnyShardVerifies) {
  for (const std::uint64_t size : kSizes) {
    const Shard shard(size);
    for (std::uint64_t index = 0; index < shard.pages(); ++index) {
      const PageProof proof = shard.tree.prove(index);
      for (const Backend backend : supported_backends()) {
        EXPECT_TRUE(verify_page(shard.tree.root(), size, index, shard.page(index), proof, backend))
            << size << ", page " << index;
      }
    }
  }
}

TEST(PageTree, KeptValuesProveTheSamePages) {
  for (const std::uint64_t size : kSizes) {
    const Shard shard(size);
    const auto values = shard.tree.values();
    const auto kept =
        PageTree::from_values(shard.tree.root(), size, {values.begin(), values.end()});
    ASSERT_TRUE(kept.has_value()) << size;
    for (std::uint64_t index = 0; index < shard.pages(); ++index) {
      EXPECT_EQ(kept->prove(index), shard.tree.prove(index));
    }
  }
}

TEST(PageTree, ValuesThatRottedAreRefused) {
  const Shard shard(5 * kPageSize + 1);
  const auto values = shard.tree.values();
  const std::vector<ChainingValue> good(values.begin(), values.end());
  const auto refusal = [&](std::uint64_t size, std::vector<ChainingValue> kept) {
    return PageTree::from_values(shard.tree.root(), size, std::move(kept)).error();
  };
  for (std::size_t bit = 0; bit < 256 * good.size(); ++bit) {
    auto flipped = good;
    flipped[bit / 256].bytes[bit % 256 / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    EXPECT_EQ(refusal(shard.size(), flipped), PageRefusal::WrongRoot) << bit;
  }
  auto fewer = good;
  fewer.pop_back();
  auto more = good;
  more.push_back(good.back());
  EXPECT_EQ(refusal(shard.size(), fewer), PageRefusal::ValueCount);
  EXPECT_EQ(refusal(shard.size(), more), PageRefusal::ValueCount);
  EXPECT_EQ(refusal(kPageSize, {good.front()}), PageRefusal::ValueCount);
  EXPECT_EQ(refusal(std::numeric_limits<std::uint64_t>::max(), good), PageRefusal::ValueCount);
}

// Of a long page every 509th bit, of a short one every bit.
TEST(VerifyPage, AFlippedBitInThePageIsRefused) {
  for (const std::uint64_t size : {std::uint64_t{65}, 3 * kPageSize + 100}) {
    const Shard shard(size);
    for (std::uint64_t index = 0; index < shard.pages(); ++index) {
      const PageProof proof = shard.tree.prove(index);
      Bytes page = shard.page(index);
      for (std::size_t bit = 0; bit < 8 * page.size(); bit += page.size() < 200 ? 1 : 509) {
        const auto mask = static_cast<std::uint8_t>(1U << bit % 8);
        page[bit / 8] ^= mask;
        EXPECT_FALSE(shard.accepts(size, index, page, proof)) << index << ", bit " << bit;
        page[bit / 8] ^= mask;
      }
    }
  }
}

TEST(VerifyPage, AFlippedBitInProofRootOrIndexIsRefused) {
  const Shard shard(5 * kPageSize + 700);
  for (std::uint64_t index = 0; index < shard.pages(); ++index) {
    const Bytes page = shard.page(index);
    const PageProof proof = shard.tree.prove(index);
    for (std::size_t bit = 0; bit < 256 * proof.size(); ++bit) {
      PageProof flipped = proof;
      flipped[bit / 256].bytes[bit % 256 / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
      EXPECT_FALSE(shard.accepts(shard.size(), index, page, flipped)) << bit;
    }
    for (std::size_t bit = 0; bit < 256; ++bit) {
      crypto::Digest root = shard.tree.root();
      root.bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
      EXPECT_EQ(verify_page(root, shard.size(), index, page, proof).error(),
                PageRefusal::WrongRoot);
    }
    for (std::size_t bit = 0; bit < 64; ++bit) {
      EXPECT_FALSE(shard.accepts(shard.size(), index ^ (std::uint64_t{1} << bit), page, proof));
    }
  }
}

TEST(VerifyPage, TheLastPageRefusesEveryOtherSizeOfTheShard) {
  for (const std::uint64_t size : kSizes) {
    const Shard shard(size);
    const std::uint64_t last = shard.pages() - 1;
    const Bytes page = shard.page(last);
    const PageProof proof = shard.tree.prove(last);
    for (std::size_t bit = 0; bit < 64; ++bit) {
      EXPECT_FALSE(shard.accepts(size ^ (std::uint64_t{1} << bit), last, page, proof))
          << size << ", bit " << bit;
    }
  }
}

// A size that leaves length and path of a page as they are cannot be told from the right one.
TEST(VerifyPage, AnotherSizeIsRefusedWhereItChangesThePathAndElseThePageIsStillTheOneAsked) {
  const Shard shard(3 * kPageSize + 5);
  for (std::uint64_t index = 0; index < shard.pages(); ++index) {
    const Bytes page = shard.page(index);
    const PageProof proof = shard.tree.prove(index);
    for (std::uint64_t pages = 0; pages < 40; ++pages) {
      for (const std::uint64_t rest : {0U, 5U, 6U}) {
        const std::uint64_t claimed = pages * kPageSize + rest;
        const bool as_long =
            index < page_count(claimed) && page_length(claimed, index) == page.size();
        const bool same_depth = page_count(claimed) == shard.pages();
        EXPECT_EQ(shard.accepts(claimed, index, page, proof),
                  as_long && (same_depth || (index < 2 && page_count(claimed) == 3)))
            << index << ", claimed " << claimed;
      }
    }
  }
}

TEST(VerifyPage, EachBrokenLengthHasItsName) {
  const Shard shard(2 * kPageSize + 9);
  const Bytes page = shard.page(2);
  const PageProof proof = shard.tree.prove(2);
  const auto refusal = [&](std::uint64_t index, ByteView bytes, PageProof with) {
    return verify_page(shard.tree.root(), shard.size(), index, bytes, with).error();
  };
  Bytes longer = page;
  longer.push_back(0);
  EXPECT_EQ(refusal(3, page, proof), PageRefusal::NoSuchPage);
  EXPECT_EQ(refusal(std::numeric_limits<std::uint64_t>::max(), page, proof),
            PageRefusal::NoSuchPage);
  EXPECT_EQ(refusal(2, ByteView(page).first(8), proof), PageRefusal::PageLength);
  EXPECT_EQ(refusal(2, longer, proof), PageRefusal::PageLength);
  EXPECT_EQ(refusal(2, {}, proof), PageRefusal::PageLength);
  EXPECT_EQ(refusal(0, page, proof), PageRefusal::PageLength);
  EXPECT_EQ(refusal(2, page, {}), PageRefusal::ProofLength);
  EXPECT_EQ(refusal(2, page, {proof[0], proof[0]}), PageRefusal::ProofLength);
  EXPECT_EQ(name_of(PageRefusal::ProofLength), "proof_length");
}

TEST(VerifyPage, AShardOfOnePageNeedsTheBytesAlone) {
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{1}, kPageSize}) {
    const Shard shard(size);
    EXPECT_TRUE(shard.accepts(size, 0, shard.bytes, {}));
    EXPECT_EQ(verify_page(shard.tree.root(), size, 0, shard.bytes, PageProof(1)).error(),
              PageRefusal::ProofLength);
    EXPECT_EQ(verify_page({}, size, 0, shard.bytes, {}).error(), PageRefusal::WrongRoot);
  }
}

TEST(VerifyPage, TheTwoValuesBelowTheRootAreNotAShardOfItsOwn) {
  const Shard shard(2 * kPageSize);
  Bytes values;
  for (const ChainingValue& value : shard.tree.values()) {
    values.insert(values.end(), value.bytes.begin(), value.bytes.end());
  }
  EXPECT_FALSE(shard.accepts(values.size(), 0, values, {}));
}

TEST(VerifyPage, APageElsewhereOfTheSameBytesIsRefused) {
  const Bytes alike(4 * kPageSize, 7);
  const PageTree tree = PageTree::of(alike);
  const ByteView page = ByteView(alike).first(kPageSize);
  EXPECT_TRUE(verify_page(tree.root(), alike.size(), 1, page, tree.prove(1)));
  EXPECT_EQ(verify_page(tree.root(), alike.size(), 0, page, tree.prove(1)).error(),
            PageRefusal::WrongRoot);
}

TEST(VerifyPage, HoldsForAnySize) {
  EXPECT_TRUE(rc::check([] {
    const Shard shard(
        *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<std::uint64_t>(0, 12 * kPageSize)));
    const auto index = *rc::gen::inRange<std::uint64_t>(0, shard.pages());
    const Bytes page = shard.page(index);
    const PageProof proof = shard.tree.prove(index);
    RC_ASSERT(shard.tree.root() == hash(shard.bytes));
    RC_ASSERT(shard.accepts(shard.size(), index, page, proof));
    const auto other = *rc::gen::inRange<std::uint64_t>(0, shard.pages());
    RC_ASSERT(shard.accepts(shard.size(), other, page, proof) == (other == index));
  }));
}

TEST(PageTree, CountsPagesUpToTheLargestShard) {
  constexpr std::uint64_t kLargest = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(page_count(0), 1U);
  EXPECT_EQ(page_count(kPageSize), 1U);
  EXPECT_EQ(page_count(kPageSize + 1), 2U);
  EXPECT_EQ(page_count(kLargest), std::uint64_t{1} << kPageProofMax);
  EXPECT_EQ(page_length(kLargest, page_count(kLargest) - 1), kPageSize - 1);
  const Bytes page(kPageSize);
  EXPECT_EQ(verify_page({}, kLargest, 5, page, PageProof(kPageProofMax)).error(),
            PageRefusal::WrongRoot);
  EXPECT_EQ(verify_page({}, kLargest, 5, page, PageProof(kPageProofMax + 1)).error(),
            PageRefusal::ProofLength);
}

TEST(PageTreeDeathTest, ProvingAPageThatIsNotThereIsABug) {
  const PageTree tree = PageTree::of({});
  EXPECT_DEATH(tree.prove(1), "index");
}

}  // namespace
}  // namespace hm::blake3
