// SPDX-License-Identifier: Apache-2.0
#include "foundation/blake3/blake3.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "foundation/base/check.h"
#include "foundation/blake3/subtree.h"
#include "foundation/crypto/wipe.h"

namespace hm::blake3 {
namespace {

template <class T>
void wipe_object(T& object) {
  crypto::wipe({reinterpret_cast<std::uint8_t*>(&object), sizeof object});
}

}  // namespace

Hasher::Hasher(const Mode& mode, crypto::Backend backend)
    : mode_(mode), chunk_(mode, 0), backend_(backend) {}

Hasher::Hasher(crypto::Backend backend) : Hasher(kHashMode, backend) {}

Hasher Hasher::keyed(const Key& key, crypto::Backend backend) {
  const crypto::Wiped<Mode> mode([&] { return mode_of_key(key, kKeyedHash); });
  return {*mode, backend};
}

Hasher Hasher::deriving(std::string_view context, crypto::Backend backend) {
  Hasher hasher(kContextMode, backend);
  hasher.update(as_bytes(context));
  return {mode_of_key(hasher.digest().bytes, kDeriveKeyMaterial), backend};
}

Hasher::~Hasher() {
  if (mode_.flags == 0) return;
  wipe_object(mode_);
  wipe_object(chunk_);
  wipe_object(stack_);
}

// The stack holds complete subtrees, from the left and ever smaller: one for each bit of chunks_.
// Two that are of one size are joined as late as possible, when more input comes, since the parent
// of what the input ends with is the root.
void Hasher::join() {
  while (height_ > static_cast<std::size_t>(std::popcount(chunks_))) {
    --height_;
    stack_[height_ - 1] = parent_node(mode_, stack_[height_ - 1], stack_[height_]).value();
  }
}

void Hasher::push(const Value& value, std::uint64_t chunks) {
  join();
  stack_[height_++] = value;
  chunks_ += chunks;
}

// Its two halves, and not their parent, which may be the root.
void Hasher::take_subtree(ByteView bytes) {
  const Children children = children_of(mode_, bytes, chunks_, backend_);
  const std::uint64_t half = bytes.size() / kChunkSize / 2;
  push(children.left, half);
  push(children.right, half);
}

void Hasher::update(ByteView piece) {
  while (!piece.empty()) {
    if (chunk_.size() == kChunkSize) {
      push(chunk_.node().value(), 1);
      chunk_ = Chunk(mode_, chunks_);
    }
    if (chunk_.size() == 0 && piece.size() >= 2 * kChunkSize) {
      // The largest subtree that begins here.
      std::uint64_t chunks =
          std::bit_floor(std::min<std::uint64_t>(piece.size() / kChunkSize, kBatchChunks));
      if (chunks_ != 0) chunks = std::min(chunks, chunks_ & (~chunks_ + 1));
      if (chunks > 1) {
        const std::size_t size = static_cast<std::size_t>(chunks) * kChunkSize;
        take_subtree(piece.first(size));
        chunk_ = Chunk(mode_, chunks_);
        piece = piece.subspan(size);
        continue;
      }
    }
    join();
    const std::size_t take = std::min(kChunkSize - chunk_.size(), piece.size());
    chunk_.append(piece.first(take));
    piece = piece.subspan(take);
  }
}

Node Hasher::root() const {
  std::size_t left = height_;
  Node node = chunk_.node();
  if (chunk_.size() == 0 && height_ > 0) {
    // Whole subtrees are pushed in pairs, so that there are two to join.
    left = height_ - 2;
    node = parent_node(mode_, stack_[left], stack_[left + 1]);
  }
  while (left > 0) node = parent_node(mode_, stack_[--left], node.value());
  return node;
}

crypto::Digest Hasher::digest() const {
  crypto::Digest digest;
  extended_output(0, digest.bytes);
  return digest;
}

void Hasher::extended_output(std::uint64_t position, std::span<std::uint8_t> out) const {
  HM_CHECK(out.size() <= std::numeric_limits<std::uint64_t>::max() - position);
  const Node node = root();
  while (!out.empty()) {
    const Block block = node.root_output(position / kBlockSize);
    const std::size_t from = position % kBlockSize;
    const std::size_t take = std::min(kBlockSize - from, out.size());
    std::copy_n(block.begin() + static_cast<std::ptrdiff_t>(from), take, out.begin());
    position += take;
    out = out.subspan(take);
  }
}

crypto::Digest hash(ByteView input, crypto::Backend backend) {
  Hasher hasher(backend);
  hasher.update(input);
  return hasher.digest();
}

crypto::Digest keyed_hash(const Key& key, ByteView input, crypto::Backend backend) {
  Hasher hasher = Hasher::keyed(key, backend);
  hasher.update(input);
  return hasher.digest();
}

Key derive_key(std::string_view context, ByteView material, crypto::Backend backend) {
  Hasher hasher = Hasher::deriving(context, backend);
  hasher.update(material);
  Key key;
  hasher.extended_output(0, key);
  return key;
}

}  // namespace hm::blake3
