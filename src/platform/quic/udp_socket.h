// SPDX-License-Identifier: Apache-2.0
// One non-blocking IPv6-only UDP socket with what QUIC wants of it: batches, GSO and GRO where the
// kernel has them, no fragmentation, and the kernel's "port unreachable" reports.
#pragma once

#include <netinet/in.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/stoq/address.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

namespace hm::quic {

// Conversions at the edge of the module; inside it, addresses are those of the kernel, because
// link-local ones carry a scope.
sockaddr_in6 to_sockaddr(const stoq::Address& address);
stoq::Address from_sockaddr(const sockaddr_in6& address);

struct Datagram {
  ByteView bytes;
  sockaddr_in6 from;
  std::optional<in6_addr> to;  // our address, when the socket has several
};

class UdpSocket {
 public:
  // Largest run of segments in one send: the kernel's limits on UDP_SEGMENT.
  static constexpr std::size_t kMaxSegments = 64;
  static constexpr std::size_t kMaxRun = 65'487;

  // A port in use, an IPv4-mapped or a multicast address are refused by name.
  static Result<UdpSocket> open(const stoq::Address& bind);
  UdpSocket(UdpSocket&& other) noexcept;
  UdpSocket& operator=(UdpSocket&& other) noexcept;
  ~UdpSocket();

  int fd() const { return fd_; }
  const sockaddr_in6& local() const { return local_; }
  bool segments() const { return gso_; }
  bool coalesces() const { return gro_; }
  std::uint64_t send_calls() const { return send_calls_; }
  std::uint64_t receive_calls() const { return receive_calls_; }

  // Reads what is there, up to one batch, and calls `visit` for each datagram. False when the
  // socket may hold more.
  bool receive(const std::function<void(const Datagram&)>& visit);

  enum class Sent : std::uint8_t { Yes, Blocked, TooLarge, Failed };
  // Sends `run` as datagrams of `segment` bytes, the last one possibly shorter, from `from` if
  // given. Blocked: nothing was sent, try again when the socket is writable.
  Sent send(const sockaddr_in6& to, const std::optional<in6_addr>& from, ByteView run,
            std::size_t segment);

  // Calls `visit` with each destination that the network reported unreachable since the last call.
  void take_unreachable(const std::function<void(const sockaddr_in6&)>& visit);

 private:
  static constexpr std::size_t kBatch = 16;
  static constexpr std::size_t kReceiveBuffer = std::size_t{64} << 10;  // GRO hands out up to this

  UdpSocket() = default;
  Sent send_one(const sockaddr_in6& to, const std::optional<in6_addr>& from, ByteView run,
                std::size_t segment);
  void set_options(const stoq::Address& bind);

  int fd_ = -1;
  sockaddr_in6 local_{};
  bool gso_ = false;
  bool gro_ = false;
  std::uint64_t send_calls_ = 0;
  std::uint64_t receive_calls_ = 0;
  std::unique_ptr<std::uint8_t[]> arena_;
};

}  // namespace hm::quic
