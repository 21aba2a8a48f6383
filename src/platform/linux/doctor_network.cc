// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "foundation/base/bytes.h"
#include "platform/linux/doctor_checks.h"
#include "platform/linux/kernel_text.h"
#include "platform/linux/kernel_tree.h"

namespace hm::linux {
namespace {

#ifndef UDP_SEGMENT
constexpr int UDP_SEGMENT = 103;
#endif
#ifndef UDP_GRO
constexpr int UDP_GRO = 104;
#endif

// Two packets of this size are sent as one; small enough for every loopback MTU.
constexpr std::uint16_t kSegmentBytes = 1000;
constexpr timeval kReceiveTime{.tv_sec = 1, .tv_usec = 0};
// What QUIC stacks recommend so that a burst at 1 Gbit/s survives one late wake-up.
constexpr std::uint64_t kWantedSocketBuffer = 2'500'000;

// ---- netlink messages ----

void append(Bytes& out, const void* data, std::size_t size) {
  const auto* bytes = static_cast<const std::uint8_t*>(data);
  out.insert(out.end(), bytes, bytes + size);
  while (out.size() % 4 != 0) out.push_back(0);
}

void append_attribute(Bytes& out, std::uint16_t type, ByteView payload) {
  const rtattr header{.rta_len = static_cast<std::uint16_t>(sizeof(rtattr) + payload.size()),
                      .rta_type = type};
  append(out, &header, sizeof header);
  append(out, payload.data(), payload.size());
}

ByteView zero_ended(const char* text) {
  return {reinterpret_cast<const std::uint8_t*>(text), std::strlen(text) + 1};
}

void append_message(Bytes& out, std::uint16_t type, std::uint16_t flags, ByteView body) {
  nlmsghdr header{};
  header.nlmsg_len = static_cast<std::uint32_t>(sizeof header + body.size());
  header.nlmsg_type = type;
  header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  header.nlmsg_seq = 1;
  append(out, &header, sizeof header);
  append(out, body.data(), body.size());
}

// Sends and waits for the acknowledgement; 0, or the error that the kernel answered with.
int exchange(int protocol, const Bytes& messages) {
  const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
  if (fd < 0) return errno;
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kReceiveTime, sizeof kReceiveTime);
  if (::send(fd, messages.data(), messages.size(), 0) < 0) return errno;
  alignas(nlmsghdr) std::array<char, 8192> buffer;
  while (true) {
    const ssize_t size = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (size < static_cast<ssize_t>(sizeof(nlmsghdr) + sizeof(nlmsgerr))) {
      return size < 0 ? errno : EBADMSG;
    }
    nlmsghdr header{};
    std::memcpy(&header, buffer.data(), sizeof header);
    if (header.nlmsg_type != NLMSG_ERROR) continue;
    nlmsgerr answer{};
    std::memcpy(&answer, buffer.data() + sizeof header, sizeof answer);
    ::close(fd);
    return -answer.error;
  }
}

Attempt answered(int error, const char* what) {
  if (error == 0) return works();
  errno = error;
  return fails(what);
}

// ---- checks ----

struct UdpPair {
  int receiver = -1;
  int sender = -1;
};

// Two sockets on ::1, the sender connected to the receiver.
Attempt open_pair(UdpPair& pair) {
  pair.receiver = ::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  pair.sender = ::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (pair.receiver < 0 || pair.sender < 0) return fails("socket");
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(pair.receiver, generic, size) != 0) return fails("bind to ::1");
  if (::getsockname(pair.receiver, generic, &size) != 0) return fails("getsockname");
  if (::connect(pair.sender, generic, size) != 0) return fails("connect to ::1");
  ::setsockopt(pair.receiver, SOL_SOCKET, SO_RCVTIMEO, &kReceiveTime, sizeof kReceiveTime);
  return works();
}

Attempt try_loopback() {
  UdpPair pair;
  if (Attempt opened = open_pair(pair); opened.outcome != Outcome::Works) return opened;
  char byte = 'h';
  if (::send(pair.sender, &byte, 1, 0) != 1) return fails("send");
  if (::recv(pair.receiver, &byte, 1, 0) != 1) return fails("receive");
  return works("a packet came back over ::1");
}

Attempt try_offload() {
  UdpPair pair;
  if (Attempt opened = open_pair(pair); opened.outcome != Outcome::Works) return opened;
  const int segment = kSegmentBytes;
  if (::setsockopt(pair.sender, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment) != 0) {
    return fails("segmentation (GSO)");
  }
  const int on = 1;
  const bool has_gro = ::setsockopt(pair.receiver, IPPROTO_UDP, UDP_GRO, &on, sizeof on) == 0;
  if (!has_gro) return fails("sending in batches works, receiving (GRO) does not");
  const std::array<char, 2 * kSegmentBytes> data{};
  if (::send(pair.sender, data.data(), data.size(), 0) != static_cast<ssize_t>(data.size())) {
    return fails("send of two packets at once");
  }
  std::array<char, 4 * kSegmentBytes> received;
  std::size_t total = 0;
  while (total < data.size()) {
    const ssize_t count = ::recv(pair.receiver, received.data(), received.size(), 0);
    if (count <= 0) return fails("receive");
    total += static_cast<std::size_t>(count);
  }
  return works("two packets went through in one call each way");
}

Attempt try_tun(const std::string& device) {
  const int fd = ::open(device.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return fails(device);
  if (auto why = enter_namespaces(CLONE_NEWNET)) return {Outcome::Fails, *why};
  ifreq request{};
  std::strncpy(request.ifr_name, "hmdoctor%d", sizeof request.ifr_name - 1);
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  // The descriptor belongs to the namespace that it was opened in, so it is opened again inside.
  const int inside = ::open(device.c_str(), O_RDWR | O_CLOEXEC);
  if (inside < 0) return fails(device);
  if (::ioctl(inside, TUNSETIFF, &request) != 0) return fails("TUNSETIFF");
  return works("made one");
}

// Puts a queueing discipline on the loopback link of a fresh network namespace.
int add_qdisc(const char* kind, ByteView options) {
  tcmsg body{};
  body.tcm_family = AF_UNSPEC;
  body.tcm_ifindex = 1;
  body.tcm_handle = 1U << 16U;
  body.tcm_parent = TC_H_ROOT;
  Bytes payload;
  append(payload, &body, sizeof body);
  append_attribute(payload, TCA_KIND, zero_ended(kind));
  if (!options.empty()) append_attribute(payload, TCA_OPTIONS, options);
  Bytes message;
  append_message(message, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE | NLM_F_ACK, payload);
  return exchange(NETLINK_ROUTE, message);
}

Attempt try_htb() {
  if (auto why = enter_namespaces(CLONE_NEWNET)) return {Outcome::Fails, *why};
  tc_htb_glob global{};
  global.version = 3;
  global.rate2quantum = 10;
  Bytes htb;
  append_attribute(htb, TCA_HTB_INIT,
                   {reinterpret_cast<const std::uint8_t*>(&global), sizeof global});
  Attempt attempt = answered(add_qdisc("htb", htb), "HTB");
  if (attempt.outcome != Outcome::Works) return attempt;
  std::string others;
  std::string missing;
  for (const char* kind : {"fq", "fq_codel"}) {
    (add_qdisc(kind, {}) == 0 ? others : missing) += std::string(" ") + kind;
  }
  attempt.text = "HTB works";
  if (!others.empty()) attempt.text += "; also" + others;
  if (!missing.empty()) attempt.text += "; not in this kernel:" + missing;
  return attempt;
}

// A table of nftables in a fresh network namespace, as one batch (nfnetlink).
Attempt try_nftables() {
  if (auto why = enter_namespaces(CLONE_NEWNET)) return {Outcome::Fails, *why};
  const nfgenmsg limits{
      .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES)};
  const ByteView limits_bytes(reinterpret_cast<const std::uint8_t*>(&limits), sizeof limits);
  const nfgenmsg family{.nfgen_family = 1 /* NFPROTO_INET */, .version = NFNETLINK_V0, .res_id = 0};
  Bytes table;
  append(table, &family, sizeof family);
  append_attribute(table, NFTA_TABLE_NAME, zero_ended("hypermesh"));
  Bytes batch;
  append_message(batch, NFNL_MSG_BATCH_BEGIN, 0, limits_bytes);
  append_message(batch, (NFNL_SUBSYS_NFTABLES << 8U) | NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_ACK,
                 table);
  append_message(batch, NFNL_MSG_BATCH_END, 0, limits_bytes);
  return answered(exchange(NETLINK_NETFILTER, batch), "a table cannot be made");
}

DoctorCheck check_nftables(const DoctorOptions& options) {
  const Attempt kernel = run_in_child(try_nftables, options.per_check);
  const auto program = find_program("nft", options.program_folders);
  const Consequence consequence = {
      .costs =
          "no packet filter, no translation and no byte counts per container, so containers "
          "get no network of their own",
      .remedy =
          "apt install nftables; in the kernel, modprobe nf_tables; as an ordinary user it "
          "works only inside a user namespace"};
  if (kernel.outcome != Outcome::Works) {
    return judge("network.nftables", "Packet filter (nftables)", kernel, consequence);
  }
  return judge("network.nftables", "Packet filter (nftables)",
               program ? DoctorVerdict::Ok : DoctorVerdict::Limited,
               program ? "the kernel makes tables, nft is " + *program
                       : "the kernel makes tables, but the program nft is missing",
               consequence);
}

DoctorCheck check_buffers(const DoctorOptions& options) {
  const KernelTree proc(options.proc_root);
  const auto receive = proc.number("sys/net/core/rmem_max");
  const auto send = proc.number("sys/net/core/wmem_max");
  const Consequence consequence = {
      .costs = "bursts at 1 Gbit/s and above lose packets, so transfers over fast links are slower",
      .remedy = "sysctl -w net.core.rmem_max=7500000 net.core.wmem_max=7500000"};
  if (!receive || !send) {
    return judge("network.buffers", "Socket buffers", DoctorVerdict::Unknown,
                 "the limits cannot be read in this network namespace", consequence);
  }
  const bool enough = *receive >= kWantedSocketBuffer && *send >= kWantedSocketBuffer;
  return judge(
      "network.buffers", "Socket buffers", enough ? DoctorVerdict::Ok : DoctorVerdict::Limited,
      "receive up to " + std::to_string(*receive) + " bytes, send up to " + std::to_string(*send),
      consequence);
}

}  // namespace

void check_network(const DoctorOptions& options, Checks& checks) {
  checks.push_back(judge("network.ipv6_loopback", "IPv6 loopback",
                         run_in_child(try_loopback, options.per_check),
                         {.costs = "nothing works: the mesh speaks IPv6 only",
                          .remedy = "sysctl net.ipv6.conf.all.disable_ipv6=0 "
                                    "net.ipv6.conf.lo.disable_ipv6=0; ip link set lo up"}));
  checks.push_back(judge("network.udp_offload", "UDP batches (GSO and GRO)",
                         run_in_child(try_offload, options.per_check),
                         {.costs = "one system call per packet: a fraction of the throughput",
                          .remedy = "use a kernel of 5.0 or later"}));
  checks.push_back(check_buffers(options));
  const std::string tun = options.dev_root + "/net/tun";
  checks.push_back(judge("network.tun", "Tunnel device (TUN)",
                         run_in_child([&tun] { return try_tun(tun); }, options.per_check),
                         {.costs = "no mesh addresses for programs that are not aware of the mesh",
                          .remedy = "modprobe tun, and run with CAP_NET_ADMIN"}));
  checks.push_back(judge("network.shaping", "Traffic shaping (HTB)",
                         run_in_child(try_htb, options.per_check),
                         {.costs = "bandwidth is shared without guarantees; leases of bandwidth "
                                   "are shown as not enforced",
                          .remedy = "modprobe sch_htb, and run with CAP_NET_ADMIN"}));
  checks.push_back(check_nftables(options));
}

}  // namespace hm::linux
