// SPDX-License-Identifier: Apache-2.0
#include "core/storage/zip_walk.h"

#include "foundation/crypto/little_endian.h"

namespace hm::storage {
namespace {

constexpr std::uint64_t kLocalHeader = 0x04034b50;
constexpr std::uint64_t kSizesFollow = 1U << 3;   // §4.4.4: a data descriptor
constexpr std::uint64_t kMasked = 1U << 13;       // §4.4.4: fields of the header are hidden
constexpr std::uint64_t kIn64Bits = 0xffff'ffff;  // §4.4.8: in the ZIP64 field

}  // namespace

std::optional<ArchiveEntry> ZipWalk::read_header(ByteView header) {
  const auto field = [&](std::size_t offset, std::size_t size) {
    return crypto::load_little_endian(header.data() + offset, size);
  };
  const std::uint64_t compressed = field(18, 4);
  if (field(0, 4) != kLocalHeader || (field(6, 2) & (kSizesFollow | kMasked)) != 0 ||
      compressed == kIn64Bits) {
    return std::nullopt;
  }
  const std::uint64_t name = field(26, 2);
  const std::uint64_t extra = field(28, 2);
  return ArchiveEntry{.body = name + extra + compressed, .ends_member = true};
}

}  // namespace hm::storage
