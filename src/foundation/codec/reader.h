// SPDX-License-Identifier: Apache-2.0
// Strict BCS reader for hostile input: every length is checked against the bytes that are left
// before anything is allocated, there is no second spelling (minimal ULEB128, booleans 0 or 1,
// sorted maps, strings in UTF-8), and decode() refuses trailing bytes. Whatever decodes re-encodes
// to the same bytes. Decoded containers are proportional to the input; callers bound the input
// (limits.h of each module) and, where less is allowed, check sizes after decoding.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/writer.h"

namespace hm::codec {

enum class DecodeError : std::uint8_t {
  Truncated,         // a field or length reaches past the end
  TrailingBytes,     // the value ends before the input does
  NonMinimalLength,  // ULEB128 with a redundant zero group, or above 2^31-1 (the BCS limit)
  BadBool,           // neither 0 nor 1
  BadVariant,        // unknown alternative
  UnsortedMap,       // keys out of order or repeated
  BadEnum,           // value outside a range declared with max_enum
  TooDeep,           // nested deeper than kMaxDepth
  BadText,           // a string that is not UTF-8
};

std::string_view name_of(DecodeError error);

// BCS refuses container nesting above 500; nothing of ours comes near.
inline constexpr int kMaxDepth = 64;
inline constexpr std::uint32_t kMaxLength = 0x7fffffff;

// Enumerations decode only if this is specialised: the largest valid value, values being
// contiguous from 0.  template <> inline constexpr auto hm::codec::kMaxEnum<Kind> = Kind::Last;
template <class T>
inline constexpr T kUndeclaredEnum =
    static_cast<T>(std::numeric_limits<std::underlying_type_t<T>>::max());
template <class T>
inline constexpr T kMaxEnum = kUndeclaredEnum<T>;

class Reader {
 public:
  // Looks at the input, which must outlive the reader and what it lent out.
  explicit Reader(ByteView input) : rest_(input) {}
  explicit Reader(Bytes&&) = delete;

  // Each read returns false after the first failure; error() then says why.
  bool read(bool& value);

  template <std::integral T>
    requires(!std::same_as<T, bool>)
  bool read(T& value) {
    if (rest_.size() < sizeof(T)) return failed(DecodeError::Truncated);
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) bits |= std::uint64_t{rest_[i]} << (8 * i);
    rest_ = rest_.subspan(sizeof(T));
    value = static_cast<T>(bits);
    return true;
  }

  template <class T>
    requires std::is_enum_v<T>
  bool read(T& value) {
    static_assert(kMaxEnum<T> != kUndeclaredEnum<T>, "specialise hm::codec::kMaxEnum");
    std::underlying_type_t<T> raw{};
    if (!read(raw)) return false;
    if (raw < 0 || raw > static_cast<std::underlying_type_t<T>>(kMaxEnum<T>)) {
      return failed(DecodeError::BadEnum);
    }
    value = static_cast<T>(raw);
    return true;
  }

  bool read(std::string& text);
  bool read(Bytes& bytes);

  template <std::size_t N>
  bool read(std::array<std::uint8_t, N>& bytes) {
    return read_raw(bytes);
  }

  template <class T, std::size_t N>
  bool read(std::array<T, N>& items) {
    for (T& item : items) {
      if (!read(item)) return false;
    }
    return true;
  }

  // Grows element by element, so that memory follows the bytes really present.
  template <class T>
  bool read(std::vector<T>& items) {
    std::size_t count = 0;
    if (!read_length(count)) return false;
    if (count > rest_.size()) return failed(DecodeError::Truncated);
    if (!enter()) return false;
    items.clear();
    for (std::size_t i = 0; i < count; ++i) {
      if (!read(items.emplace_back())) return false;
    }
    leave();
    return true;
  }

  template <class T>
  bool read(std::optional<T>& item) {
    bool present = false;
    if (!read(present)) return false;
    if (!present) {
      item.reset();
      return true;
    }
    return read(item.emplace());
  }

  template <class... Ts>
  bool read(std::variant<Ts...>& item) {
    std::size_t index = 0;
    if (!read_length(index)) return false;
    if (index >= sizeof...(Ts)) return failed(DecodeError::BadVariant);
    if (!enter()) return false;
    const bool ok = read_alternative(item, index, std::index_sequence_for<Ts...>{});
    leave();
    return ok;
  }

  template <class K, class V>
  bool read(std::map<K, V>& items) {
    std::size_t count = 0;
    if (!read_length(count)) return false;
    if (count > rest_.size()) return failed(DecodeError::Truncated);
    if (!enter()) return false;
    items.clear();
    ByteView previous;
    for (std::size_t i = 0; i < count; ++i) {
      const ByteView before = rest_;
      K key{};
      if (!read(key)) return false;
      const ByteView encoded = before.first(before.size() - rest_.size());
      if (i > 0 && !std::ranges::lexicographical_compare(previous, encoded)) {
        return failed(DecodeError::UnsortedMap);
      }
      previous = encoded;
      if (!read(items[key])) return false;
    }
    leave();
    return true;
  }

  bool read(std::monostate&) { return !failed_; }

  template <Fielded T>
  bool read(T& value) {
    if (!enter()) return false;
    const bool ok =
        std::apply([&](auto&... members) { return (read(members) && ...); }, T::fields(value));
    leave();
    return ok;
  }

  bool read_raw(std::span<std::uint8_t> out);

  // ULEB128, minimal, at most kMaxLength.
  bool read_length(std::size_t& length);

  // Fails unless everything was read.
  bool finish();

  ByteView rest() const { return rest_; }
  DecodeError error() const { return error_; }

  // Records the first failure; what is left is dropped, so that no later read goes on after it.
  bool failed(DecodeError error) {
    if (!failed_) error_ = error;
    failed_ = true;
    rest_ = {};
    return false;
  }

 private:
  template <class Variant, std::size_t... Is>
  bool read_alternative(Variant& item, std::size_t index, std::index_sequence<Is...>) {
    bool ok = false;
    (void)((Is == index && ((ok = read(item.template emplace<Is>())), true)) || ...);
    return ok;
  }

  bool enter() { return ++depth_ <= kMaxDepth || failed(DecodeError::TooDeep); }
  void leave() { --depth_; }

  ByteView rest_;
  int depth_ = 0;
  bool failed_ = false;
  DecodeError error_ = DecodeError::Truncated;
};

// Decodes exactly one value that fills `input`.
template <class T>
Result<T, DecodeError> decode(ByteView input) {
  Reader reader(input);
  T value{};
  if (!reader.read(value) || !reader.finish()) return fail(reader.error());
  return value;
}

}  // namespace hm::codec
