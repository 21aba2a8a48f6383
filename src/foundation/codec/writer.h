// SPDX-License-Identifier: Apache-2.0
// BCS writer (Binary Canonical Serialization): little-endian fixed integers, ULEB128 lengths and
// variant tags, no padding, no field names. One value has one encoding.
//
// A struct becomes encodable by listing its members in order:
//   static constexpr auto fields(auto& self) { return std::tie(self.a, self.b); }
// Enumerations are written as their underlying integer, std::variant as ULEB128 index then value,
// std::optional as 0/1 then value, std::map sorted by the bytes of its keys.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "foundation/base/bytes.h"

namespace hm::codec {

template <class T>
concept Fielded = requires(const T& t) { T::fields(t); };

class Writer {
 public:
  void write(bool value) { out_.push_back(value ? 1 : 0); }

  template <std::integral T>
    requires(!std::same_as<T, bool>)
  void write(T value) {
    auto bits = static_cast<std::make_unsigned_t<T>>(value);
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      out_.push_back(static_cast<std::uint8_t>(bits & 0xff));
      if constexpr (sizeof(T) > 1) bits = static_cast<decltype(bits)>(bits >> 8);
    }
  }

  template <class T>
    requires std::is_enum_v<T>
  void write(T value) {
    write(static_cast<std::underlying_type_t<T>>(value));
  }

  void write(std::string_view text) {
    write_length(text.size());
    write_raw(as_bytes(text));
  }
  void write(const std::string& text) { write(std::string_view(text)); }

  template <std::size_t N>
  void write(const std::array<std::uint8_t, N>& bytes) {
    write_raw(bytes);
  }

  template <class T, std::size_t N>
  void write(const std::array<T, N>& items) {
    for (const T& item : items) write(item);
  }

  template <class T>
  void write(const std::vector<T>& items) {
    write_length(items.size());
    if constexpr (std::same_as<T, std::uint8_t>) {
      write_raw(items);
    } else {
      for (const T& item : items) write(item);
    }
  }

  template <class T>
  void write(const std::optional<T>& item) {
    write(item.has_value());
    if (item) write(*item);
  }

  template <class... Ts>
  void write(const std::variant<Ts...>& item) {
    write_length(item.index());
    std::visit([this](const auto& value) { write(value); }, item);
  }

  template <class K, class V>
  void write(const std::map<K, V>& items) {
    std::vector<std::pair<Bytes, const V*>> entries;
    entries.reserve(items.size());
    for (const auto& [key, value] : items) {
      Writer key_writer;
      key_writer.write(key);
      entries.emplace_back(std::move(key_writer).take(), &value);
    }
    std::ranges::sort(entries, {}, &std::pair<Bytes, const V*>::first);
    write_length(entries.size());
    for (const auto& [key, value] : entries) {
      write_raw(key);
      write(*value);
    }
  }

  void write(std::monostate) {}

  template <Fielded T>
  void write(const T& value) {
    std::apply([&](const auto&... members) { (write(members), ...); }, T::fields(value));
  }

  // Appends bytes as they are, without a length.
  void write_raw(ByteView bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }

  // ULEB128.
  void write_length(std::size_t length) {
    while (length >= 0x80) {
      out_.push_back(static_cast<std::uint8_t>(length | 0x80));
      length >>= 7;
    }
    out_.push_back(static_cast<std::uint8_t>(length));
  }

  const Bytes& bytes() const& { return out_; }
  Bytes take() && { return std::move(out_); }

 private:
  Bytes out_;
};

// The BCS encoding of `value`.
template <class T>
Bytes encode(const T& value) {
  Writer writer;
  writer.write(value);
  return std::move(writer).take();
}

}  // namespace hm::codec
