// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/netlink.h"

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "platform/linux/limits.h"

namespace hm::linux {
namespace {

// IF_OPER_* of RFC 2863 as in <linux/if.h>, which cannot stand beside <net/if.h>.
constexpr std::uint8_t kOperUnknown = 0;
constexpr std::uint8_t kOperUp = 6;
// Longest link-layer address worth showing: 20 bytes of InfiniBand.
constexpr std::size_t kMaxMacBytes = 20;
// A dump that the kernel marks as interrupted by a change is asked for again this often.
constexpr int kDumpAttempts = 5;

template <class T>
bool read_as(ByteView bytes, T& out) {
  if (bytes.size() < sizeof(T)) return false;
  std::memcpy(&out, bytes.data(), sizeof(T));
  return true;
}

constexpr std::size_t aligned(std::size_t size) { return (size + 3U) & ~std::size_t{3}; }

// Calls visit(type, payload) for each attribute; false if one does not fit.
template <class Visit>
bool for_each_attribute(ByteView bytes, Visit visit) {
  while (!bytes.empty()) {
    rtattr header{};
    if (!read_as(bytes, header)) return false;
    if (header.rta_len < sizeof(rtattr) || header.rta_len > bytes.size()) return false;
    visit(header.rta_type & NLA_TYPE_MASK,
          bytes.subspan(sizeof(rtattr), header.rta_len - sizeof(rtattr)));
    bytes = bytes.subspan(std::min(aligned(header.rta_len), bytes.size()));
  }
  return true;
}

std::string attribute_text(ByteView payload) {
  const auto end = std::ranges::find(payload, std::uint8_t{0});
  std::string text(payload.begin(), end);
  for (char& c : text) {
    if (c <= ' ' || c > '~') c = '?';
  }
  return text;
}

std::string mac_text(ByteView payload) {
  if (payload.size() > kMaxMacBytes) return {};
  if (std::ranges::all_of(payload, [](std::uint8_t b) { return b == 0; })) return {};
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : payload) {
    if (!text.empty()) text += ':';
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 0xFU];
  }
  return text;
}

bool parse_link(ByteView body, LinkTable& links) {
  ifinfomsg info{};
  if (!read_as(body, info) || info.ifi_index <= 0) return false;
  Link link;
  link.index = static_cast<std::uint32_t>(info.ifi_index);
  link.is_loopback = (info.ifi_flags & IFF_LOOPBACK) != 0;
  std::uint8_t oper_state = kOperUnknown;
  const bool fits =
      for_each_attribute(body.subspan(std::min(aligned(sizeof(ifinfomsg)), body.size())),
                         [&](int type, ByteView payload) {
                           if (type == IFLA_IFNAME) link.name = attribute_text(payload);
                           if (type == IFLA_ADDRESS) link.mac = mac_text(payload);
                           if (type == IFLA_OPERSTATE && !payload.empty()) oper_state = payload[0];
                           std::uint32_t mtu = 0;
                           if (type == IFLA_MTU && read_as(payload, mtu)) link.mtu = mtu;
                           if (type == IFLA_LINKINFO) {
                             for_each_attribute(payload, [&](int inner, ByteView value) {
                               if (inner == IFLA_INFO_KIND) link.kind = attribute_text(value);
                             });
                           }
                         });
  if (!fits || link.name.empty()) return false;
  const bool admin_up = (info.ifi_flags & IFF_UP) != 0;
  link.is_up = admin_up && (oper_state == kOperUp || oper_state == kOperUnknown);
  links[link.index] = std::move(link);
  return true;
}

bool parse_address(ByteView body, LinkTable& links) {
  ifaddrmsg info{};
  if (!read_as(body, info)) return false;
  if (info.ifa_family != AF_INET6) return true;
  Ipv6Address address;
  address.prefix_length = info.ifa_prefixlen;
  std::uint32_t flags = info.ifa_flags;
  bool has_address = false;
  bool has_local = false;
  const bool fits =
      for_each_attribute(body.subspan(std::min(aligned(sizeof(ifaddrmsg)), body.size())),
                         [&](int type, ByteView payload) {
                           // On a point-to-point link IFA_ADDRESS is the peer and IFA_LOCAL the
                           // link's own.
                           if (type == IFA_LOCAL) has_local = read_as(payload, address.bytes);
                           if (type == IFA_ADDRESS && !has_local)
                             has_address = read_as(payload, address.bytes);
                           if (type == IFA_FLAGS) read_as(payload, flags);
                         });
  if (!fits || address.prefix_length > 128) return false;
  if (!has_address && !has_local) return true;
  address.settled = (flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) == 0;
  address.temporary = (flags & IFA_F_TEMPORARY) != 0;
  const auto link = links.find(info.ifa_index);
  if (link != links.end()) link->second.addresses.push_back(address);
  return true;
}

class Socket {
 public:
  Socket() : fd_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)) {
    // The kernel answers from memory; a limit all the same, so that a worker is never lost here.
    const timeval limit{.tv_sec = 2, .tv_usec = 0};
    if (fd_ >= 0) ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

Error system_error(std::string what) {
  return Error{ErrorCode::Io, std::move(what), std::system_category().message(errno)};
}

template <class Body>
bool send_dump(int fd, std::uint16_t type, const Body& body) {
  struct {
    nlmsghdr header;
    Body body;
  } request{};
  request.header.nlmsg_len = NLMSG_LENGTH(sizeof(Body));
  request.header.nlmsg_type = type;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.body = body;
  return ::send(fd, &request, request.header.nlmsg_len, 0) ==
         static_cast<ssize_t>(request.header.nlmsg_len);
}

Result<DumpState> read_dump(int fd, LinkTable& links) {
  std::vector<std::uint8_t> buffer(kNetlinkBufferBytes);
  DumpState whole;
  for (int reads = 0; reads < kMaxNetlinkReads; ++reads) {
    const ssize_t size = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return fail(system_error("cannot read the kernel's list of links"));
    const DumpState state =
        parse_netlink(ByteView(buffer).first(static_cast<std::size_t>(size)), links);
    if (state.failed) {
      return fail(ErrorCode::Io, "the kernel refused to list links, or the list is malformed");
    }
    whole.interrupted = whole.interrupted || state.interrupted;
    whole.done = state.done;
    if (whole.done) return whole;
  }
  return fail(ErrorCode::Io, "the kernel's list of links does not end");
}

Result<DumpState> dump_once(LinkTable& links) {
  const Socket socket;
  if (socket.fd() < 0) return fail(system_error("cannot open a netlink socket"));
  ifinfomsg every_link{};
  every_link.ifi_family = AF_UNSPEC;
  if (!send_dump(socket.fd(), RTM_GETLINK, every_link)) {
    return fail(system_error("cannot ask the kernel for links"));
  }
  HM_TRY(const DumpState first, read_dump(socket.fd(), links));
  ifaddrmsg every_address{};
  every_address.ifa_family = AF_INET6;
  if (!send_dump(socket.fd(), RTM_GETADDR, every_address)) {
    return fail(system_error("cannot ask the kernel for addresses"));
  }
  HM_TRY(const DumpState second, read_dump(socket.fd(), links));
  return DumpState{.done = true, .interrupted = first.interrupted || second.interrupted};
}

}  // namespace

DumpState parse_netlink(ByteView buffer, LinkTable& links) {
  DumpState state;
  const auto failed = [&state] {
    state.failed = true;
    return state;
  };
  while (!buffer.empty()) {
    nlmsghdr header{};
    if (!read_as(buffer, header)) return failed();
    if (header.nlmsg_len < sizeof(nlmsghdr) || header.nlmsg_len > buffer.size()) {
      return failed();
    }
    const ByteView body = buffer.subspan(sizeof(nlmsghdr), header.nlmsg_len - sizeof(nlmsghdr));
    if ((header.nlmsg_flags & NLM_F_DUMP_INTR) != 0) state.interrupted = true;
    switch (header.nlmsg_type) {
      case NLMSG_DONE: state.done = true; return state;
      case NLMSG_ERROR: return failed();
      case RTM_NEWLINK:
        if (!parse_link(body, links)) return failed();
        break;
      case RTM_NEWADDR:
        if (!parse_address(body, links)) return failed();
        break;
      default: break;
    }
    buffer = buffer.subspan(std::min(aligned(header.nlmsg_len), buffer.size()));
  }
  return state;
}

Result<LinkTable> dump_links() {
  for (int attempt = 0; attempt < kDumpAttempts; ++attempt) {
    LinkTable links;
    HM_TRY(const DumpState state, dump_once(links));
    if (!state.interrupted) return links;
  }
  return fail(ErrorCode::Busy, "links change faster than they can be listed");
}

std::string to_text(const std::array<std::uint8_t, 16>& address) {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  ::inet_ntop(AF_INET6, address.data(), buffer.data(), buffer.size());
  return buffer.data();
}

}  // namespace hm::linux
