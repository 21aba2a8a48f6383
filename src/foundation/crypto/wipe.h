// SPDX-License-Identifier: Apache-2.0
// Overwriting secrets, and comparing them in constant time.
#pragma once

#include <concepts>
#include <cstdint>
#include <span>
#include <type_traits>

#include "foundation/base/bytes.h"

namespace hm::crypto {

// Overwrites with zeros in a way that the compiler keeps.
void wipe(std::span<std::uint8_t> secret);

// A value that is overwritten when its scope ends. What a function makes is made in place, so that
// no copy of it stays behind.
template <class T>
  requires std::is_trivially_copyable_v<T>
struct Wiped {
  T value{};

  Wiped() = default;
  explicit Wiped(std::invocable auto make) : value(make()) {}
  Wiped(const Wiped&) = delete;
  Wiped& operator=(const Wiped&) = delete;
  ~Wiped() { wipe({reinterpret_cast<std::uint8_t*>(&value), sizeof value}); }

  T& operator*() { return value; }
  const T& operator*() const { return value; }
  T* operator->() { return &value; }
};

// Overwrites a container of bytes or characters, as it is then, when the scope ends.
template <class Container>
class WipeLater {
 public:
  explicit WipeLater(Container& secret) : secret_(secret) {}
  WipeLater(const WipeLater&) = delete;
  WipeLater& operator=(const WipeLater&) = delete;
  ~WipeLater() {
    static_assert(sizeof(*secret_.data()) == 1);
    wipe({reinterpret_cast<std::uint8_t*>(secret_.data()), secret_.size()});
  }

 private:
  Container& secret_;
};

// True iff both have the same length and bytes. The time depends on the lengths only.
bool equal_in_constant_time(ByteView a, ByteView b);

}  // namespace hm::crypto
