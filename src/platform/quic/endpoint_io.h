// SPDX-License-Identifier: Apache-2.0
// What an Endpoint holds of Asio: the socket's readiness, its timer, and the one run of datagrams
// that a full socket did not take.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>
#include <utility>

#include "platform/quic/endpoint.h"

namespace hm::quic {

struct Endpoint::Io {
  Io(boost::asio::io_context& loop, UdpSocket opened)
      : socket(std::move(opened)), descriptor(loop, socket.fd()), timer(loop) {}
  // The descriptor is borrowed from the socket, which closes it.
  ~Io() { descriptor.release(); }
  Io(const Io&) = delete;
  Io& operator=(const Io&) = delete;

  bool blocked() const { return kept.has_value(); }
  void keep(const sockaddr_in6& to, const std::optional<in6_addr>& from, ByteView run,
            std::size_t segment) {
    kept = Kept{to, from, to_bytes(run), segment};
  }
  // True when nothing is kept any more.
  bool send_kept() {
    if (!kept) return true;
    const auto sent = socket.send(kept->to, kept->from, kept->run, kept->segment);
    if (sent == UdpSocket::Sent::Blocked) return false;
    kept = std::nullopt;
    return true;
  }

  struct Kept {
    sockaddr_in6 to;
    std::optional<in6_addr> from;
    Bytes run;
    std::size_t segment;
  };

  UdpSocket socket;
  boost::asio::posix::stream_descriptor descriptor;
  boost::asio::steady_timer timer;
  std::optional<Kept> kept;
};

}  // namespace hm::quic
