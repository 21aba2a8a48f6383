// SPDX-License-Identifier: Apache-2.0
#include "core/storage/tar_walk.h"

#include <algorithm>
#include <string_view>

#include "core/storage/limits.h"

namespace hm::storage {
namespace {

using namespace std::string_view_literals;

struct Field {
  std::size_t offset;
  std::size_t size;
};
constexpr Field kSize{124, 12};
constexpr Field kChecksum{148, 8};
constexpr std::size_t kType = 156;
constexpr Field kMagic{257, 8};                // with the version
constexpr std::size_t kSparseContinues = 482;  // in a header of type 'S'
constexpr std::size_t kMapContinues = 504;     // in a block of its map

ByteView of(ByteView header, Field field) { return header.subspan(field.offset, field.size); }

// Octal digits, perhaps behind spaces, up to the end of the field or a space or NUL.
std::optional<std::uint64_t> read_octal(ByteView field) {
  std::size_t at = 0;
  while (at < field.size() && field[at] == ' ') ++at;
  const std::size_t start = at;
  std::uint64_t value = 0;
  for (; at < field.size() && field[at] >= '0' && field[at] <= '7'; ++at) {
    value = value * 8 + (field[at] - std::uint64_t{'0'});  // 12 digits at most
  }
  const auto is_end = [](std::uint8_t c) { return c == ' ' || c == 0; };
  if (at == start || !std::ranges::all_of(field.subspan(at), is_end)) return std::nullopt;
  return value;
}

// Octal, or base 256 where the first byte is 0x80 (GNU manual, "Extensions to the tar Archive
// Format"). A first byte of 0xff is a negative number, which no size is.
std::optional<std::uint64_t> read_size(ByteView header) {
  const ByteView field = of(header, kSize);
  if ((field[0] & 0x80) == 0) return read_octal(field);
  if (field[0] != 0x80) return std::nullopt;
  std::uint64_t value = 0;
  for (const std::uint8_t byte : field.subspan(1)) {
    if (value > (kMaxMember >> 8)) return std::nullopt;
    value = value << 8 | byte;
  }
  return value;
}

// The sum of all bytes, those of the checksum itself taken as spaces.
bool has_checksum(ByteView header) {
  std::uint64_t sum = kChecksum.size * std::uint64_t{' '};
  for (const std::uint8_t byte : header) sum += byte;
  for (const std::uint8_t byte : of(header, kChecksum)) sum -= byte;
  return read_octal(of(header, kChecksum)) == sum;
}

bool has_body(std::uint8_t type) {
  constexpr std::string_view kWithout = "23456";  // links, devices, folders, pipes
  return kWithout.find(static_cast<char>(type)) == std::string_view::npos;
}

// pax headers, GNU long names and long links, and Sun's form of the first.
bool describes_next(std::uint8_t type) {
  return "xgLKX"sv.find(static_cast<char>(type)) != std::string_view::npos;
}

std::uint64_t padded(std::uint64_t size) { return (size + kTarBlock - 1) / kTarBlock * kTarBlock; }

}  // namespace

bool is_tar_header(ByteView head) {
  if (head.size() < kTarBlock) return false;
  const ByteView header = head.first(kTarBlock);
  const std::string_view magic = as_text(of(header, kMagic));
  return (magic == "ustar\00000"sv || magic == "ustar  \0"sv) && has_checksum(header);
}

std::optional<ArchiveEntry> TarWalk::read_header(ByteView header) {
  if (sparse_) return read_sparse_map(header);
  if (!pax_.is_between_records()) return std::nullopt;
  if (std::ranges::all_of(header, [](std::uint8_t byte) { return byte == 0; })) {
    return ArchiveEntry{};
  }
  if (!is_tar_header(header)) return std::nullopt;
  return read_entry(header);
}

std::optional<ArchiveEntry> TarWalk::read_entry(ByteView header) {
  const std::optional<std::uint64_t> stated = read_size(header);
  if (!stated) return std::nullopt;
  const std::uint8_t type = header[kType];
  if (describes_next(type)) {
    if (type == 'x') pax_left_ = *stated;
    if (*stated > kMaxMember) return std::nullopt;
    return ArchiveEntry{.body = padded(*stated), .ends_member = false};
  }
  const std::uint64_t size = pax_.take().value_or(*stated);
  if (size > kMaxMember) return std::nullopt;
  const std::uint64_t body = has_body(type) ? padded(size) : 0;
  if (type == 'S' && header[kSparseContinues] != 0) {
    sparse_ = body;
    return ArchiveEntry{};
  }
  return ArchiveEntry{.body = body, .ends_member = true};
}

ArchiveEntry TarWalk::read_sparse_map(ByteView block) {
  if (block[kMapContinues] != 0) return {};
  const std::uint64_t body = *sparse_;
  sparse_.reset();
  return {.body = body, .ends_member = true};
}

void TarWalk::read_body(ByteView piece) {
  if (pax_left_ == 0) return;
  const auto records = static_cast<std::size_t>(std::min<std::uint64_t>(pax_left_, piece.size()));
  pax_.read(piece.first(records));
  pax_left_ -= records;
}

}  // namespace hm::storage
