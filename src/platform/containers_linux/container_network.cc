// SPDX-License-Identifier: Apache-2.0
#include "platform/containers_linux/container_network.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <system_error>

#include "platform/containers_linux/file_descriptor.h"
#include "platform/containers_linux/forwarding.h"
#include "platform/containers_linux/network_namespace.h"
#include "platform/containers_linux/rtnetlink.h"
#include "platform/linux/doctor_trial.h"
#include "platform/linux/netlink.h"

namespace hm::containers_linux {
namespace {

using privacy::NetworkClass;
using namespace std::chrono_literals;

constexpr Duration kNftDeadline = 30s;
constexpr int kConnectMs = 5000;
constexpr std::uint16_t kFirstNumber = 2;
constexpr std::uint16_t kLastNumber = 0xFFFE;
constexpr std::uint8_t kMinPrefix = 64;
constexpr std::uint8_t kMaxPrefix = 112;  // 16 bits for the number of a container
constexpr std::uint32_t kLoopbackIndex = 1;
constexpr const char* kInside = "eth0";
// The host's end of every link, as the container sees it.
constexpr Ipv6Bytes kGateway = {0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

// Locally administered addresses; the last bytes tell the ends of a link apart.
MacAddress mac_of(std::uint16_t number, std::uint8_t end) {
  return {0x02,
          0x48,
          0x4D,
          static_cast<std::uint8_t>(number >> 8U),
          static_cast<std::uint8_t>(number & 0xFFU),
          end};
}

void write_setting(const char* path, std::string_view value) {
  const FileDescriptor fd(::open(path, O_WRONLY | O_CLOEXEC));
  if (fd) (void)!::write(fd.get(), value.data(), value.size());
}

// In the container's namespace, before it has an interface.
void settle_namespace(bool has_interface) {
  // Nothing else listens in this namespace: any port is the container's own.
  write_setting("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
  if (!has_interface) return;
  write_setting("/proc/sys/net/ipv6/conf/default/disable_ipv6", "0");
  write_setting("/proc/sys/net/ipv6/conf/default/accept_ra", "0");
  write_setting("/proc/sys/net/ipv6/conf/default/autoconf", "0");
  write_setting("/proc/sys/net/ipv6/conf/default/accept_redirects", "0");
}

Result<void> run_nft(const std::string& folder, const std::string& text) {
  const auto program = linux::find_program("nft", {});
  if (!program) {
    return fail(ErrorCode::Unsupported, "the program nft is missing", "apt-get install nftables");
  }
  const std::string file = folder + "/.rules." + std::to_string(::gettid());
  {
    const FileDescriptor fd(
        ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd || ::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
      return fail(system_error("cannot write " + file));
    }
  }
  const linux::ProgramRun ran = linux::run_program({*program, "-f", file}, kNftDeadline);
  ::unlink(file.c_str());
  if (ran.outcome == linux::Outcome::Works) return {};
  return fail(ErrorCode::Unsupported, "nft does not take the rules of containers", ran.output);
}

// Prefixes on the machine's own links: its site, whatever kind of address they are.
std::vector<Prefix> site_prefixes(std::string_view tag) {
  std::vector<Prefix> all;
  const auto links = linux::dump_links();
  if (!links) return all;
  for (const auto& [index, link] : *links) {
    if (link.is_loopback || interface_number(tag, link.name)) continue;
    for (const linux::Ipv6Address& address : link.addresses) {
      all.push_back(prefix_of(address.bytes, address.prefix_length));
    }
  }
  return all;
}

class Networks : public ContainerNetworks {
 public:
  explicit Networks(NetworkSettings settings) : settings_(std::move(settings)) {
    std::error_code ignored;
    std::filesystem::create_directories(settings_.folder, ignored);
    if (!settings_.containers) return;
    find_existing();
    if (auto ready = prepare(); !ready) {
      missing_.push_back("no network but class none: " + ready.error().message +
                         (ready.error().detail.empty() ? "" : " (" + ready.error().detail + ")"));
    } else {
      has_addresses_ = true;
    }
  }

  bool offers(NetworkClass network) const override {
    if (network == NetworkClass::None) return true;
    return has_addresses_ && (network == NetworkClass::Internet || settings_.mesh.has_value());
  }
  const std::vector<std::string>& missing() const override { return missing_; }

  Result<ContainerAddress> create(const std::string& id, NetworkClass network) override;
  Result<NetworkCounters> counters(const std::string& id) override;
  Result<void> remove(const std::string& id) override;
  std::vector<std::string> list() override;
  void close() override;

 private:
  std::string path_of(const std::string& id) const { return settings_.folder + "/" + id; }
  std::string marker() const { return settings_.folder + "/.forwarding"; }
  void find_existing();
  Result<void> prepare();
  Result<void> load_rules();
  Result<std::uint16_t> take_number(const std::string& id, NetworkClass network);
  Result<void> connect_to_host(RouteSocket& host, RouteSocket& inside, const std::string& name,
                               std::uint16_t number, const std::string& id) const;

  const NetworkSettings settings_;
  std::vector<std::string> missing_;
  bool has_addresses_ = false;
  std::mutex mutex_;                                            // of what follows
  std::map<std::string, std::string, std::less<>> interfaces_;  // id to name
  std::set<std::uint16_t> numbers_;
  std::optional<Rules> loaded_;
};

void Networks::find_existing() {
  auto socket = RouteSocket::open();
  if (!socket) return;
  const auto links = socket->links();
  if (!links) return;
  for (const LinkState& link : *links) {
    const auto number = interface_number(settings_.tag, link.name);
    if (!number) continue;
    numbers_.insert(*number);
    // One without its alias was interrupted while it was made.
    if (link.alias.empty()) {
      if (socket->remove_link(link.index)) numbers_.erase(*number);
    } else {
      interfaces_[link.alias] = link.name;
    }
  }
}

Result<void> Networks::prepare() {
  const Prefix& prefix = *settings_.containers;
  if (prefix.length < kMinPrefix || prefix.length > kMaxPrefix) {
    return fail(ErrorCode::InvalidArgument, "the containers' prefix is not /64 to /112");
  }
  HM_TRY_VOID(load_rules());
  return start_forwarding(marker());
}

// The rules stand before the first packet can be forwarded.
Result<void> Networks::load_rules() {
  Rules rules{.tag = settings_.tag,
              .containers = *settings_.containers,
              .mesh = settings_.mesh,
              .site = site_prefixes(settings_.tag),
              .others = is_forwarding_ours(marker()) ? OtherForwarding::Dropped
                                                     : OtherForwarding::Untouched};
  if (loaded_ == rules) return {};
  HM_TRY_VOID(run_nft(settings_.folder, rules_text(rules)));
  loaded_ = std::move(rules);
  return {};
}

Result<std::uint16_t> Networks::take_number(const std::string& id, NetworkClass network) {
  const std::lock_guard lock(mutex_);
  // The site may have changed its prefixes since the rules were made.
  if (network == NetworkClass::Internet) HM_TRY_VOID(load_rules());
  for (std::uint16_t number = kFirstNumber; number <= kLastNumber; ++number) {
    if (!numbers_.insert(number).second) continue;
    interfaces_[id] = interface_name(settings_.tag, network, number);
    return number;
  }
  return fail(ErrorCode::NoCapacity, "no container address is left");
}

Result<void> Networks::connect_to_host(RouteSocket& host, RouteSocket& inside,
                                       const std::string& name, std::uint16_t number,
                                       const std::string& id) const {
  const FileDescriptor own(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!own) return fail(system_error("cannot open a network namespace"));
  const MacAddress outer_mac = mac_of(number, 1);
  const MacAddress inner_mac = mac_of(number, 2);
  const Ipv6Bytes address = address_in(*settings_.containers, number);
  HM_TRY_VOID(host.add_veth({.name = name,
                             .mac = outer_mac,
                             .peer_name = kInside,
                             .peer_mac = inner_mac,
                             .peer_namespace = own.get()}));
  HM_TRY(const LinkState outer, host.link(name));
  HM_TRY(const LinkState inner, inside.link(kInside));
  HM_TRY_VOID(host.set_up(outer.index, id));
  HM_TRY_VOID(inside.set_up(inner.index, {}));
  HM_TRY_VOID(inside.add_address(inner.index, address, 128));
  HM_TRY_VOID(inside.add_neighbour(inner.index, kGateway, outer_mac));
  HM_TRY_VOID(inside.add_route(inner.index, {}, 0, kGateway));
  HM_TRY_VOID(host.add_address(outer.index, kGateway, 128));
  HM_TRY_VOID(host.add_route(outer.index, address, 128, std::nullopt));
  return host.add_neighbour(outer.index, address, inner_mac);
}

Result<ContainerAddress> Networks::create(const std::string& id, NetworkClass network) {
  if (!offers(network)) {
    return fail(ErrorCode::Unsupported,
                "network class " + std::string(privacy::name_of(network)) + " is not offered here");
  }
  HM_TRY_VOID(remove(id));
  ContainerAddress made{.path = path_of(id)};
  std::uint16_t number = 0;
  if (network != NetworkClass::None) {
    HM_TRY(number, take_number(id, network));
    made.address = linux::to_text(address_in(*settings_.containers, number));
  }
  // Opened here, it stays in this namespace.
  HM_TRY(RouteSocket host, RouteSocket::open());
  auto done = make_network_namespace(made.path, [&]() -> Result<void> {
    settle_namespace(number != 0);
    HM_TRY(RouteSocket inside, RouteSocket::open());
    HM_TRY_VOID(inside.set_up(kLoopbackIndex, {}));
    if (number == 0) return {};
    return connect_to_host(host, inside, interface_name(settings_.tag, network, number), number,
                           id);
  });
  if (!done) {
    (void)remove(id);
    return fail(std::move(done).error());
  }
  return made;
}

Result<NetworkCounters> Networks::counters(const std::string& id) {
  std::string name;
  {
    const std::lock_guard lock(mutex_);
    const auto found = interfaces_.find(id);
    if (found == interfaces_.end()) {
      return fail(ErrorCode::NotFound, "container " + id + " has no network interface");
    }
    name = found->second;
  }
  HM_TRY(RouteSocket socket, RouteSocket::open());
  HM_TRY(const LinkState link, socket.link(name));
  // What the host's end sends is what the container receives.
  return NetworkCounters{.received_bytes = link.sent_bytes, .sent_bytes = link.received_bytes};
}

Result<void> Networks::remove(const std::string& id) {
  std::string name;
  {
    const std::lock_guard lock(mutex_);
    const auto found = interfaces_.find(id);
    if (found != interfaces_.end()) name = found->second;
  }
  if (!name.empty()) {
    HM_TRY(RouteSocket socket, RouteSocket::open());
    const auto link = socket.link(name);
    if (link) HM_TRY_VOID(socket.remove_link(link->index));
    if (!link && link.error().code != ErrorCode::NotFound) return fail(link.error());
    const std::lock_guard lock(mutex_);
    interfaces_.erase(id);
    if (const auto number = interface_number(settings_.tag, name)) numbers_.erase(*number);
  }
  return remove_network_namespace(path_of(id));
}

std::vector<std::string> Networks::list() {
  std::set<std::string> all;
  std::error_code problem;
  for (const auto& entry : std::filesystem::directory_iterator(settings_.folder, problem)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with('.')) all.insert(name);
  }
  const std::lock_guard lock(mutex_);
  for (const auto& [id, name] : interfaces_) all.insert(id);
  return {all.begin(), all.end()};
}

void Networks::close() {
  if (!has_addresses_) return;
  has_addresses_ = false;
  stop_forwarding(marker());
  (void)run_nft(settings_.folder, no_rules_text(settings_.tag));
}

// Connects within a limit: a full queue of a listener would otherwise hold the thread for minutes.
Result<FileDescriptor> connect_to(const sockaddr* address, socklen_t size) {
  FileDescriptor fd(
      ::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP));
  if (!fd) return fail(system_error("cannot open a socket"));
  if (::connect(fd.get(), address, size) != 0) {
    if (errno != EINPROGRESS) return fail(system_error("cannot connect"));
    pollfd wanted{.fd = fd.get(), .events = POLLOUT, .revents = 0};
    if (::poll(&wanted, 1, kConnectMs) != 1) return fail(ErrorCode::Unavailable, "no answer");
    int problem = 0;
    socklen_t length = sizeof problem;
    ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &problem, &length);
    errno = problem;
    if (problem != 0) return fail(system_error("cannot connect"));
  }
  const int flags = ::fcntl(fd.get(), F_GETFL);
  ::fcntl(fd.get(), F_SETFL, flags & ~O_NONBLOCK);
  return fd;
}

}  // namespace

std::unique_ptr<ContainerNetworks> ContainerNetworks::open(NetworkSettings settings) {
  return std::make_unique<Networks>(std::move(settings));
}

Result<int> connect_in(const std::string& namespace_path, std::uint16_t port) {
  FileDescriptor connected;
  HM_TRY_VOID(run_in_network_namespace(namespace_path, [&]() -> Result<void> {
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    six.sin6_addr = in6addr_loopback;
    auto first = connect_to(reinterpret_cast<const sockaddr*>(&six), sizeof six);
    if (first) {
      connected = std::move(*first);
      return {};
    }
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto second = connect_to(reinterpret_cast<const sockaddr*>(&four), sizeof four);
    if (!second) {
      return fail(ErrorCode::Unavailable,
                  "nothing in the container listens on port " + std::to_string(port),
                  first.error().detail);
    }
    connected = std::move(*second);
    return {};
  }));
  return connected.release();
}

}  // namespace hm::containers_linux
