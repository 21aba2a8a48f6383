// SPDX-License-Identifier: Apache-2.0
#include "platform/quic/udp_socket.h"

#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "foundation/base/log.h"

namespace hm::quic {
namespace {

constexpr int kSocketBuffer = 8 << 20;  // 5 ms of a 10 Gbit/s burst

void set_int(int fd, int level, int option, int value) {
  // Every option set through here is an improvement, not a requirement.
  (void)setsockopt(fd, level, option, &value, sizeof value);
}

std::string text_of(int error) { return std::strerror(error); }

template <class T>
void put_cmsg(msghdr& message, std::size_t& used, int level, int type, const T& value) {
  auto* header = reinterpret_cast<cmsghdr*>(static_cast<char*>(message.msg_control) + used);
  header->cmsg_level = level;
  header->cmsg_type = type;
  header->cmsg_len = CMSG_LEN(sizeof value);
  std::memcpy(CMSG_DATA(header), &value, sizeof value);
  used += CMSG_SPACE(sizeof value);
}

struct ControlIn {
  std::size_t segment = 0;
  std::optional<in6_addr> to;
};

ControlIn read_control(msghdr& message) {
  ControlIn in;
  for (auto* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) {
      int size = 0;
      std::memcpy(&size, CMSG_DATA(c), sizeof size);
      in.segment = static_cast<std::size_t>(std::max(size, 0));
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(c), sizeof info);
      in.to = info.ipi6_addr;
    }
  }
  return in;
}

}  // namespace

sockaddr_in6 to_sockaddr(const stoq::Address& address) {
  sockaddr_in6 out{};
  out.sin6_family = AF_INET6;
  out.sin6_port = htons(address.port);
  std::memcpy(&out.sin6_addr, address.ip.data(), address.ip.size());
  return out;
}

stoq::Address from_sockaddr(const sockaddr_in6& address) {
  stoq::Address out;
  std::memcpy(out.ip.data(), &address.sin6_addr, out.ip.size());
  out.port = ntohs(address.sin6_port);
  return out;
}

Result<UdpSocket> UdpSocket::open(const stoq::Address& bind) {
  if (bind.is_ipv4_mapped()) {
    return fail(ErrorCode::InvalidArgument,
                "STOQ cannot listen on " + bind.to_string() + ": an IPv4-mapped address",
                "HyperMesh speaks IPv6 only; use an IPv6 address such as [::1] or [::]");
  }
  if (bind.is_multicast()) {
    return fail(ErrorCode::InvalidArgument,
                "STOQ cannot listen on " + bind.to_string() + ": a multicast address");
  }
  UdpSocket out;
  out.fd_ = ::socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
  if (out.fd_ < 0) {
    return fail(ErrorCode::Unsupported, "no IPv6 UDP socket: " + text_of(errno),
                "is IPv6 disabled in the kernel?");
  }
  const int on = 1;
  if (setsockopt(out.fd_, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0) {
    return fail(ErrorCode::Unsupported, "the socket cannot be made IPv6 only: " + text_of(errno));
  }
  out.set_options(bind);
  const auto address = to_sockaddr(bind);
  if (::bind(out.fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const bool in_use = errno == EADDRINUSE;
    return fail(in_use ? ErrorCode::AlreadyExists : ErrorCode::Unavailable,
                "STOQ cannot listen on " + bind.to_string() + ": " + text_of(errno),
                in_use ? "another process has this UDP port; choose another one or stop it"
                       : "is this an address of this machine?");
  }
  socklen_t size = sizeof out.local_;
  if (::getsockname(out.fd_, reinterpret_cast<sockaddr*>(&out.local_), &size) != 0) {
    return fail(ErrorCode::Io, "the bound address is unknown: " + text_of(errno));
  }
  // Not cleared: only the pages that datagrams reach are ever touched.
  out.arena_ = std::make_unique_for_overwrite<std::uint8_t[]>(kBatch * kReceiveBuffer);
  return out;
}

void UdpSocket::set_options(const stoq::Address& bind) {
  // The FORCE variants need CAP_NET_ADMIN and go beyond net.core.?mem_max.
  for (const auto& [forced, plain] :
       {std::pair(SO_RCVBUFFORCE, SO_RCVBUF), std::pair(SO_SNDBUFFORCE, SO_SNDBUF)}) {
    const int size = kSocketBuffer;
    if (setsockopt(fd_, SOL_SOCKET, forced, &size, sizeof size) != 0) {
      set_int(fd_, SOL_SOCKET, plain, size);
    }
  }
  // Never fragment: QUIC finds the path MTU with its own probes (RFC 9000 §14).
  set_int(fd_, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
  set_int(fd_, IPPROTO_IPV6, IPV6_DONTFRAG, 1);
  set_int(fd_, IPPROTO_IPV6, IPV6_RECVERR, 1);
  if (bind.is_unspecified()) set_int(fd_, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  const int on = 1;
  gro_ = setsockopt(fd_, SOL_UDP, UDP_GRO, &on, sizeof on) == 0;
  int segment = 0;
  socklen_t size = sizeof segment;
  gso_ = getsockopt(fd_, SOL_UDP, UDP_SEGMENT, &segment, &size) == 0;
}

UdpSocket::UdpSocket(UdpSocket&& other) noexcept { *this = std::move(other); }

UdpSocket& UdpSocket::operator=(UdpSocket&& other) noexcept {
  std::swap(fd_, other.fd_);
  local_ = other.local_;
  gso_ = other.gso_;
  gro_ = other.gro_;
  send_calls_ = other.send_calls_;
  receive_calls_ = other.receive_calls_;
  arena_ = std::move(other.arena_);
  return *this;
}

UdpSocket::~UdpSocket() {
  if (fd_ >= 0) ::close(fd_);
}

bool UdpSocket::receive(const std::function<void(const Datagram&)>& visit) {
  std::array<mmsghdr, kBatch> messages{};
  std::array<iovec, kBatch> vectors{};
  std::array<sockaddr_in6, kBatch> sources{};
  struct alignas(cmsghdr) Control {
    std::array<char, CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(in6_pktinfo))> bytes;
  };
  std::array<Control, kBatch> controls{};
  for (std::size_t i = 0; i < kBatch; ++i) {
    vectors[i] = {arena_.get() + i * kReceiveBuffer, kReceiveBuffer};
    auto& header = messages[i].msg_hdr;
    header.msg_name = &sources[i];
    header.msg_namelen = sizeof sources[i];
    header.msg_iov = &vectors[i];
    header.msg_iovlen = 1;
    header.msg_control = controls[i].bytes.data();
    header.msg_controllen = controls[i].bytes.size();
  }
  ++receive_calls_;
  const int count = ::recvmmsg(fd_, messages.data(), kBatch, MSG_DONTWAIT, nullptr);
  // An error is either "nothing there" or a report that take_unreachable() reads.
  if (count <= 0) return true;
  for (int i = 0; i < count; ++i) {
    auto& message = messages[static_cast<std::size_t>(i)];
    const auto& source = sources[static_cast<std::size_t>(i)];
    if (message.msg_hdr.msg_namelen != sizeof source || source.sin6_family != AF_INET6) continue;
    const auto control = read_control(message.msg_hdr);
    ByteView bytes(arena_.get() + static_cast<std::size_t>(i) * kReceiveBuffer, message.msg_len);
    const auto segment = control.segment == 0 ? bytes.size() : control.segment;
    while (!bytes.empty()) {
      const auto piece = bytes.first(std::min(segment, bytes.size()));
      bytes = bytes.subspan(piece.size());
      visit({piece, source, control.to});
    }
  }
  return static_cast<std::size_t>(count) < kBatch;
}

UdpSocket::Sent UdpSocket::send(const sockaddr_in6& to, const std::optional<in6_addr>& from,
                                ByteView run, std::size_t segment) {
  if (gso_ || run.size() <= segment) {
    const bool with_gso = run.size() > segment;
    const auto sent = send_one(to, from, run, segment);
    // EIO and EINVAL: a device on the path cannot segment. Once is enough to stop trying.
    if (sent != Sent::Failed || !with_gso || (errno != EIO && errno != EINVAL)) return sent;
    gso_ = false;
    log::info("stoq", "segmentation offload does not work here; sending packets one by one");
  }
  bool first = true;
  while (!run.empty()) {
    const auto piece = run.first(std::min(segment, run.size()));
    const auto sent = send_one(to, from, piece, segment);
    // In the middle of a run a full socket loses the rest, as the network might.
    if (sent != Sent::Yes) return first ? sent : Sent::Yes;
    first = false;
    run = run.subspan(piece.size());
  }
  return Sent::Yes;
}

UdpSocket::Sent UdpSocket::send_one(const sockaddr_in6& to, const std::optional<in6_addr>& from,
                                    ByteView run, std::size_t segment) {
  alignas(cmsghdr)
      std::array<char, CMSG_SPACE(sizeof(std::uint16_t)) + CMSG_SPACE(sizeof(in6_pktinfo))>
          control{};
  iovec vector{const_cast<std::uint8_t*>(run.data()), run.size()};
  msghdr message{};
  auto address = to;
  message.msg_name = &address;
  message.msg_namelen = sizeof address;
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  std::size_t used = 0;
  if (run.size() > segment) {
    put_cmsg(message, used, SOL_UDP, UDP_SEGMENT, static_cast<std::uint16_t>(segment));
  }
  if (from) {
    in6_pktinfo info{};
    info.ipi6_addr = *from;
    put_cmsg(message, used, IPPROTO_IPV6, IPV6_PKTINFO, info);
  }
  message.msg_controllen = used;
  if (used == 0) message.msg_control = nullptr;
  // A pending report about any destination is returned by the next call, whomever it is for; it
  // was not this datagram's fault, so try again a few times.
  for (int attempt = 0; attempt < 4; ++attempt) {
    ++send_calls_;
    if (::sendmsg(fd_, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return Sent::Yes;
    if (errno == EINTR || errno == ECONNREFUSED) continue;
    if (errno == EHOSTUNREACH || errno == ENETUNREACH) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) return Sent::Blocked;
    if (errno == EMSGSIZE) return Sent::TooLarge;
    return Sent::Failed;
  }
  return Sent::Failed;
}

void UdpSocket::take_unreachable(const std::function<void(const sockaddr_in6&)>& visit) {
  // Bounded per call; what is left makes the socket readable again.
  for (int i = 0; i < 64; ++i) {
    std::array<std::uint8_t, 64> payload{};
    alignas(cmsghdr) std::array<char, 512> control{};
    sockaddr_in6 destination{};
    iovec vector{payload.data(), payload.size()};
    msghdr message{};
    message.msg_name = &destination;
    message.msg_namelen = sizeof destination;
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    if (::recvmsg(fd_, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return;
    for (auto* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
      if (c->cmsg_level != IPPROTO_IPV6 || c->cmsg_type != IPV6_RECVERR) continue;
      sock_extended_err report{};
      std::memcpy(&report, CMSG_DATA(c), sizeof report);
      const bool unreachable = report.ee_errno == ECONNREFUSED || report.ee_errno == EHOSTUNREACH ||
                               report.ee_errno == ENETUNREACH;
      if (unreachable && destination.sin6_family == AF_INET6) visit(destination);
    }
  }
}

}  // namespace hm::quic
