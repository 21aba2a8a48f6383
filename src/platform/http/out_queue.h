// SPDX-License-Identifier: Apache-2.0
// Bytes that wait to be written to a socket: large pieces are kept as they came, small ones are put
// together, and as many as the kernel takes at once are written together. Internal to
// platform/http.
#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <string_view>

namespace hm::http {

class OutQueue {
 public:
  void push(std::string bytes);
  // Copied.
  void push_small(std::string_view bytes);

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  void clear();

  // The oldest bytes. What they refer to stays in place until consume(), whatever is pushed.
  std::span<const boost::asio::const_buffer> front();
  // The first `count` bytes of front() are written.
  void consume(std::size_t count);

 private:
  static constexpr std::size_t kGathered = 16;
  // Below this a copy costs less than one more part of a write.
  static constexpr std::size_t kSmall = std::size_t{16} << 10;

  std::deque<std::string> parts_;
  std::size_t written_ = 0;    // of the first part
  std::size_t in_flight_ = 0;  // parts that front() refers to
  std::size_t size_ = 0;
  std::array<boost::asio::const_buffer, kGathered> gathered_;
};

}  // namespace hm::http
