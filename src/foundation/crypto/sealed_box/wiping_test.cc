// SPDX-License-Identifier: Apache-2.0
// What is left in memory after a box was sealed, opened or shared: on the stack, and in blocks that
// go back to the heap.
#include <gtest/gtest.h>
#include <malloc.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <new>
#include <tuple>
#include <vector>

#include "foundation/base/check.h"
#include "foundation/crypto/sealed_box/test_boxes.h"

namespace {

// What blocks are searched for when they go back to the heap, and how often it was found.
struct HeapSearch {
  std::atomic<bool> is_on = false;
  std::vector<hm::Bytes> pieces;
  int found = 0;
};
HeapSearch heap_search;

bool holds(hm::ByteView memory, const hm::Bytes& piece) {
  return !std::ranges::search(memory, piece).empty();
}

void look_into(void* block) {
  if (block == nullptr || !heap_search.is_on) return;
  const hm::ByteView memory(static_cast<const std::uint8_t*>(block), malloc_usable_size(block));
  for (const hm::Bytes& piece : heap_search.pieces) heap_search.found += holds(memory, piece);
}

}  // namespace

void* operator new(std::size_t size) {
  void* block = std::malloc(size);
  HM_CHECK(block != nullptr);
  return block;
}
void operator delete(void* block) noexcept {
  look_into(block);  // NOLINT(clang-analyzer-cplusplus.NewDelete): it is freed by the next line
  std::free(block);
}
void operator delete(void* block, std::size_t) noexcept {
  look_into(block);  // NOLINT(clang-analyzer-cplusplus.NewDelete): it is freed by the next line
  std::free(block);
}

namespace hm::sealed_box {
namespace {

// Registers spill to the stack in pieces of half a key.
constexpr std::size_t kPieceSize = 16;
constexpr std::size_t kStackSize = std::size_t{1} << 20;
// Between what is searched and what the end of the thread writes to its stack.
constexpr std::size_t kGapSize = std::size_t{1} << 16;

std::vector<Bytes> pieces_of(std::initializer_list<ByteView> secrets) {
  std::vector<Bytes> pieces;
  for (const ByteView secret : secrets) {
    for (std::size_t at = 0; at + kPieceSize <= secret.size(); at += kPieceSize) {
      pieces.push_back(to_bytes(secret.subspan(at, kPieceSize)));
    }
  }
  return pieces;
}

struct Found {
  int in_heap = 0;
  int on_stack = 0;
};

// Runs `work` on a stack of its own and tells how many of the pieces it leaves behind.
Found left_by(std::function<void()> work, const std::vector<Bytes>& pieces) {
  auto* stack = static_cast<std::uint8_t*>(std::aligned_alloc(4096, kStackSize));
  HM_CHECK(stack != nullptr);
  std::fill_n(stack, kStackSize, std::uint8_t{0});
  pthread_attr_t attributes;
  HM_CHECK(pthread_attr_init(&attributes) == 0 &&
           pthread_attr_setstack(&attributes, stack, kStackSize) == 0);
  heap_search.pieces = pieces;
  heap_search.found = 0;
  heap_search.is_on = true;
  pthread_t thread{};
  const auto run = [](void* argument) -> void* {
    std::array<std::uint8_t, kGapSize> gap;
    asm volatile("" : : "r"(gap.data()) : "memory");
    (*static_cast<std::function<void()>*>(argument))();
    asm volatile("" : : "r"(gap.data()) : "memory");
    return nullptr;
  };
  HM_CHECK(pthread_create(&thread, &attributes, run, &work) == 0 &&
           pthread_join(thread, nullptr) == 0);
  heap_search.is_on = false;
  pthread_attr_destroy(&attributes);
  Found found{.in_heap = heap_search.found};
  for (const Bytes& piece : pieces) found.on_stack += holds({stack, kStackSize}, piece);
  std::free(stack);
  return found;
}

class Wiping : public testing::Test {
 protected:
  static constexpr std::size_t kDrawSize = 32;

  Wiping() { bytes_of(5)(drawn_); }

  // Copies straight from the fixture, so that chance itself leaves nothing behind.
  Randomness chance() {
    return [this, at = std::size_t{0}](std::span<std::uint8_t> out) mutable {
      std::copy_n(drawn_.begin() + static_cast<std::ptrdiff_t>(at), out.size(), out.begin());
      at += out.size();
    };
  }
  ByteView draw(std::size_t number) const {
    return ByteView(drawn_).subspan(number * kDrawSize, kDrawSize);
  }
  Bytes shared_secret(std::size_t number) const {
    const auto made = ml_kem::encapsulate(readers_[0], draw(number).first<kDrawSize>());
    return {made.secret.view().begin(), made.secret.view().end()};
  }

  std::array<std::uint8_t, 3 * kDrawSize> drawn_;
  std::vector<DecapsulationKey> keys_ = keys_of(1, 2);
  std::vector<EncapsulationKey> readers_ = readers_of(keys_);
  std::span<const EncapsulationKey> one_ = std::span(readers_).first(1);
  Bytes content_ = Bytes(100, 0x5a);
};

TEST_F(Wiping, TheSearchFindsWhatIsLeft) {
  const Found found = left_by(
      [this] {
        std::array<std::uint8_t, kDrawSize> copy;
        std::ranges::copy(draw(0), copy.begin());
        asm volatile("" : : "r"(copy.data()) : "memory");
        const Bytes other = to_bytes(draw(0));
      },
      pieces_of({draw(0)}));
  EXPECT_EQ(found.in_heap, 2);
  EXPECT_EQ(found.on_stack, 2);
}

TEST_F(Wiping, SealingLeavesNoContentKeyNoMessageAndNoSharedSecret) {
  Result<Box, Refusal> box;
  const Found found = left_by([&] { box = seal(content_, one_, some_context(), chance()); },
                              pieces_of({draw(0), draw(1), shared_secret(1)}));
  EXPECT_EQ(open(*box, keys_[0], some_context()), content_);
  EXPECT_EQ(found.in_heap, 0);
  EXPECT_EQ(found.on_stack, 0);
}

TEST_F(Wiping, OpeningLeavesNoContentKeyNoMessageAndNoSharedSecret) {
  const Box box = seal(content_, one_, some_context(), chance()).value();
  Result<Bytes, Refusal> opened;
  const Found found = left_by([&] { opened = open(box, keys_[0], some_context()); },
                              pieces_of({draw(0), draw(1), shared_secret(1)}));
  EXPECT_EQ(opened, content_);
  EXPECT_EQ(found.in_heap, 0);
  EXPECT_EQ(found.on_stack, 0);
}

TEST_F(Wiping, WhatOpeningGivesIsTheOnlyCopyOfTheContent) {
  const Box box = seal(content_, one_, some_context(), chance()).value();
  Result<Bytes, Refusal> opened;
  const auto work = [&] { opened = open(box, keys_[0], some_context()); };
  EXPECT_EQ(left_by(work, pieces_of({content_})).in_heap, 0);
  EXPECT_EQ(opened, content_);
}

TEST_F(Wiping, OpeningWhatCannotBeOpenedLeavesNoContentKey) {
  Box box = seal(content_, one_, some_context(), chance()).value();
  box.content.front() ^= 1;
  const Found found = left_by([&] { std::ignore = open(box, keys_[0], some_context()); },
                              pieces_of({draw(0), draw(1), shared_secret(1)}));
  EXPECT_EQ(found.in_heap, 0);
  EXPECT_EQ(found.on_stack, 0);
}

TEST_F(Wiping, AddingAReaderLeavesNoContentKeyNoMessageAndNoSharedSecret) {
  const Box box = seal(content_, one_, some_context(), chance()).value();
  Result<Box, Refusal> shared;
  const Found found =
      left_by([&] { shared = add_reader(box, keys_[0], readers_[1], some_context(), chance()); },
              pieces_of({draw(0), draw(1), shared_secret(1)}));
  EXPECT_TRUE(shared.has_value());
  EXPECT_EQ(found.in_heap, 0);
  EXPECT_EQ(found.on_stack, 0);
}

}  // namespace
}  // namespace hm::sealed_box
