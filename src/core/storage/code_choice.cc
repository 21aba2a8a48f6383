// SPDX-License-Identifier: Apache-2.0
#include "core/storage/code_choice.h"

#include <algorithm>

#include "core/storage/limits.h"

namespace hm::storage {
namespace {

constexpr erasure::Code kWidest{10, 4};
constexpr erasure::Code kSmall{4, 2};
constexpr erasure::Code kCopies{1, 2};

erasure::Code code_for(std::uint64_t object_size) {
  if (object_size <= kCopiedObject) return kCopies;
  return object_size <= kSmallObject ? kSmall : kWidest;
}

// Parity first: as many as the wanted code has where a third of the shards or fewer are that, and
// two as soon as there are three owners.
erasure::Code fit(erasure::Code wanted, std::size_t owners) {
  if (owners >= wanted.shards()) return wanted;
  const std::size_t third = std::max<std::size_t>(owners / 3, 2);
  const std::size_t parity = std::min<std::size_t>({wanted.parity, third, owners - 1});
  const std::size_t data = std::min<std::size_t>(wanted.data, owners - parity);
  return {static_cast<std::uint8_t>(data), static_cast<std::uint8_t>(parity)};
}

std::string count(std::size_t n, std::string_view one, std::string_view many) {
  return std::to_string(n) + " " + std::string(n == 1 ? one : many);
}

std::string words_for(erasure::Code code, erasure::Code wanted) {
  const std::size_t hundredths = (code.shards() * 100 + code.data - 1) / code.data;
  std::string words = code.data == 1
                          ? count(code.shards(), "copy", "copies") + " with as many owners"
                          : code.to_string() + ": " + std::to_string(code.shards()) +
                                " owners hold a shard each, and any " + std::to_string(code.data) +
                                " of them give the object back";
  words += code.parity == 0 ? "; nothing bears a loss"
                            : "; bears the loss of any " + std::to_string(code.parity);
  words += ", and takes " + std::to_string(hundredths / 100) + "." +
           std::to_string(hundredths / 10 % 10) + std::to_string(hundredths % 10) +
           " times the size.";
  if (code != wanted) {
    words += " With " + std::to_string(wanted.shards()) + " owners it would be " +
             wanted.to_string() + ", which bears the loss of any " + std::to_string(wanted.parity) +
             ".";
  }
  return words;
}

}  // namespace

Result<CodeChoice, StorageError> choose_code(std::uint64_t object_size, std::size_t owners) {
  if (owners == 0) return fail(StorageError::NoOwners);
  const erasure::Code wanted = code_for(object_size);
  const erasure::Code code = fit(wanted, owners);
  HM_TRY(const Layout layout, layout_for(code));
  return CodeChoice{layout, code.parity, words_for(code, wanted)};
}

Result<Layout, StorageError> layout_for(erasure::Code code) {
  if (!code.is_valid()) return fail(StorageError::BadLayout);
  // A power of two, so that shards are whole pages.
  std::size_t shard = kDefaultShardBytes;
  while (shard * code.data < kMaxSegment && shard < kMaxShardBytes) shard *= 2;
  const Layout layout{code, static_cast<std::uint32_t>(shard)};
  if (!layout.is_valid()) return fail(StorageError::BadLayout);
  return layout;
}

}  // namespace hm::storage
