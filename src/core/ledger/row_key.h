// SPDX-License-Identifier: Apache-2.0
// The key of a record in the ordered key-value state, both ways: one byte for the table and the
// row. docs/protocols/ledger.md §5 lists the rows.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <optional>
#include <utility>

#include "core/ledger/records.h"
#include "foundation/base/bytes.h"

namespace hm::ledger {

// A table's byte and two identifiers.
inline constexpr std::size_t kMaxRowKey = 1 + 2 * 32;

// An identifier, a digest or an address.
template <class K>
concept FixedBytes = requires(K key) {
  { key.bytes.size() } -> std::convertible_to<std::size_t>;
  { key.bytes.data() } -> std::convertible_to<const std::uint8_t*>;
};

// Big-endian, so that the store's order is the order of heights.
constexpr std::array<std::uint8_t, 8> height_row(std::uint64_t height) {
  std::array<std::uint8_t, 8> row{};
  for (std::size_t i = 0; i < row.size(); ++i) {
    row[i] = static_cast<std::uint8_t>(height >> (8 * (row.size() - 1 - i)));
  }
  return row;
}

template <FixedBytes K>
void append_row(Bytes& key, const K& row) {
  key.insert(key.end(), row.bytes.begin(), row.bytes.end());
}
inline void append_row(Bytes& key, std::uint64_t height) {
  const auto row = height_row(height);
  key.insert(key.end(), row.begin(), row.end());
}
template <FixedBytes A, FixedBytes B>
void append_row(Bytes& key, const std::pair<A, B>& row) {
  append_row(key, row.first);
  append_row(key, row.second);
}

// Of a record that stands alone in its table.
inline Bytes row_key(Table table) { return Bytes(1, static_cast<std::uint8_t>(table)); }

template <class K>
Bytes row_key(Table table, const K& row) {
  Bytes key;
  key.reserve(kMaxRowKey);
  key.push_back(static_cast<std::uint8_t>(table));
  append_row(key, row);
  return key;
}

// The row that these bytes, a key without its first, stand for. Empty if they have another length.
template <class K>
struct RowReader;

template <>
struct RowReader<std::uint64_t> {
  static std::optional<std::uint64_t> read(ByteView row) {
    if (row.size() != 8) return std::nullopt;
    std::uint64_t height = 0;
    for (const std::uint8_t byte : row) height = (height << 8) | byte;
    return height;
  }
};

template <FixedBytes K>
struct RowReader<K> {
  static std::optional<K> read(ByteView row) {
    K key;
    if (row.size() != key.bytes.size()) return std::nullopt;
    std::ranges::copy(row, key.bytes.begin());
    return key;
  }
};

template <FixedBytes A, FixedBytes B>
struct RowReader<std::pair<A, B>> {
  static std::optional<std::pair<A, B>> read(ByteView row) {
    std::pair<A, B> key;
    const std::size_t split = key.first.bytes.size();
    if (row.size() != split + key.second.bytes.size()) return std::nullopt;
    std::ranges::copy(row.first(split), key.first.bytes.begin());
    std::ranges::copy(row.subspan(split), key.second.bytes.begin());
    return key;
  }
};

}  // namespace hm::ledger
