// SPDX-License-Identifier: Apache-2.0
// An array on the heap whose memory is overwritten before it is given back. What is computed from a
// Falcon secret key lives in one, or in a crypto::Wiped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

#include "foundation/crypto/wipe.h"

namespace hm::falcon {

// Moves only; a buffer that was moved from is empty. The elements start as zeros.
template <class T>
class SecretBuffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  SecretBuffer() = default;
  explicit SecretBuffer(std::size_t size) : elements_(std::make_unique<T[]>(size)), size_(size) {}
  SecretBuffer(SecretBuffer&& other) noexcept
      : elements_(std::move(other.elements_)), size_(std::exchange(other.size_, 0)) {}
  SecretBuffer& operator=(SecretBuffer&& other) noexcept {
    if (this != &other) {
      wipe();
      elements_ = std::move(other.elements_);
      size_ = std::exchange(other.size_, 0);
    }
    return *this;
  }
  SecretBuffer(const SecretBuffer&) = delete;
  SecretBuffer& operator=(const SecretBuffer&) = delete;
  ~SecretBuffer() { wipe(); }

  T* data() { return elements_.get(); }
  const T* data() const { return elements_.get(); }
  std::size_t size() const { return size_; }
  T* begin() { return data(); }
  T* end() { return data() + size_; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size_; }
  T& operator[](std::size_t i) { return elements_[i]; }
  const T& operator[](std::size_t i) const { return elements_[i]; }

 private:
  void wipe() {
    if (size_ != 0) {
      crypto::wipe({reinterpret_cast<std::uint8_t*>(elements_.get()), size_ * sizeof(T)});
    }
  }

  std::unique_ptr<T[]> elements_;
  std::size_t size_ = 0;
};

}  // namespace hm::falcon
