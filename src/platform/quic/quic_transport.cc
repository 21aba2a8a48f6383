// SPDX-License-Identifier: Apache-2.0
#include "platform/quic/quic_transport.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "core/identity/key_bundle.h"
#include "core/stoq/limits.h"
#include "core/stoq/peer_policy.h"
#include "foundation/base/check.h"
#include "foundation/base/log.h"
#include "foundation/crypto/hkdf.h"
#include "foundation/crypto/wipe.h"
#include "platform/quic/endpoint.h"

namespace hm::quic {

using identity::NodeId;
using stoq::Incident;

namespace {

static_assert(ports::kChannelCount == stoq::kChannels);

constexpr std::string_view kLog = "stoq";
// Between two explanations of refused handshakes in the log.
constexpr Duration kExplainEvery = std::chrono::seconds(10);

std::uint64_t random_u64() {
  std::array<std::uint8_t, 8> bytes{};
  fill_random(bytes);
  std::uint64_t value = 0;
  for (const auto byte : bytes) value = (value << 8) | byte;
  return value;
}

// The same after a restart, so that peers learn from the new process that the old one is gone.
crypto::Digest reset_secret_of(const crypto::SigningKey& key) {
  auto seed = key.seed();
  crypto::Digest out;
  crypto::hkdf_sha256(seed, {}, as_bytes("hm.stoq.reset.v1"), out.bytes);
  crypto::wipe(seed);
  return out;
}

crypto::SigningKey copy_of(const crypto::SigningKey& key) {
  auto seed = key.seed();
  auto out = crypto::SigningKey::from_seed(seed);
  crypto::wipe(seed);
  return out;
}

}  // namespace

class QuicTransport::Impl final : private EndpointOwner {
 public:
  Impl(boost::asio::io_context& loop, TransportConfig config, const crypto::SigningKey& key,
       ports::TransportListener& listener, const ports::Clock& clock)
      : config_(std::move(config)),
        key_(copy_of(key)),
        self_(identity::node_id_of(key.public_key())),
        listener_(listener),
        clock_(clock),
        endpoint_(loop, clock, *this,
                  {config_.chain, random_u64(), reset_secret_of(key), config_.slow_reader_limit},
                  stats_) {}

  Result<void> start();
  void stop();
  void set_peers(std::vector<PeerEntry> entries);
  void refresh_admission();
  Result<void> renew_certificate();
  ports::SendResult send(const NodeId& peer, ports::Channel channel, ports::SharedBytes payload,
                         ports::SharedBytes rest);
  TransportStats stats() const;
  std::vector<PeerStatus> peer_status() const;
  std::vector<NodeId> connected_peers() const;
  std::uint16_t port() const { return port_; }
  const NodeId& self() const { return self_; }

 private:
  struct Peer {
    std::vector<stoq::Address> addresses;
    std::size_t next_address = 0;
    stoq::DialSchedule schedule;
    Connection* current = nullptr;
    Connection* dialling = nullptr;
    std::optional<std::multimap<MonoTime, NodeId>::iterator> due;
  };
  using Peers = std::map<NodeId, Peer>;

  std::optional<Incident> judge_identity(Connection& connection,
                                         const PeerCertificate& peer) override;
  std::optional<Incident> handle_ready(Connection& connection) override;
  void handle_frame(Connection& connection, std::size_t channel, ByteView payload) override;
  void handle_ended(Connection& connection, const Ending& ending) override;
  bool is_known_address(const stoq::Address& address) const override;
  std::shared_ptr<const Credentials> credentials() const override { return credentials_; }
  void handle_wakeup(MonoTime now) override;
  std::optional<MonoTime> deadline() const override;

  void dial_due(MonoTime now);
  void dial(const NodeId& node, Peer& peer, MonoTime now);
  void file_deadline(const NodeId& node, Peer& peer);
  void detach(const NodeId& node, Peer& peer, Incident incident, const std::string& reason);
  void drop_if_unused(Peers::iterator at);
  void explain_refusal(const Connection& connection, const Ending& ending);
  bool is_admitted(const NodeId& node) const {
    return config_.is_admitted && config_.is_admitted(node);
  }

  TransportConfig config_;
  const crypto::SigningKey key_;
  const NodeId self_;
  ports::TransportListener& listener_;
  const ports::Clock& clock_;
  std::shared_ptr<const Credentials> credentials_;
  TransportStats stats_;
  Endpoint endpoint_;
  Peers peers_;
  std::set<stoq::Address> known_;
  std::multimap<MonoTime, NodeId> due_;  // who is to be dialled when
  std::optional<MonoTime> renew_at_;
  std::size_t dialling_ = 0;
  std::size_t connected_ = 0;
  std::uint16_t port_ = 0;
  stoq::TokenBucket refusal_log_{1, 5};
  MonoTime next_explanation_{};
  bool stopped_ = false;
};

Result<void> QuicTransport::Impl::start() {
  HM_TRY_VOID(renew_certificate());
  HM_TRY_VOID(endpoint_.open(config_.bind));
  port_ = endpoint_.port();
  dial_due(mono_now());
  endpoint_.reschedule();
  return {};
}

void QuicTransport::Impl::stop() {
  stopped_ = true;
  for (auto& [node, peer] : peers_) {
    peer.schedule.stop();
    file_deadline(node, peer);
  }
  endpoint_.close();
}

Result<void> QuicTransport::Impl::renew_certificate() {
  HM_TRY(credentials_,
         Credentials::issue(key_, self_, clock_.wall(), config_.certificate_lifetime));
  ++stats_.certificates_issued;
  // At two thirds, less up to a tenth, so that a mesh that started together does not renew
  // together.
  const auto lifetime = Duration(config_.certificate_lifetime).count();
  const auto early = static_cast<Duration::rep>(
      random_u64() % static_cast<std::uint64_t>(std::max<Duration::rep>(lifetime / 10, 1)));
  renew_at_ = mono_now() + Duration(lifetime / 3 * 2 - early);
  return {};
}

void QuicTransport::Impl::set_peers(std::vector<PeerEntry> entries) {
  if (stopped_) return;
  const auto now = mono_now();
  std::map<NodeId, std::vector<stoq::Address>> wanted;
  for (auto& entry : entries) {
    if (entry.node == self_) continue;
    auto& addresses = wanted[entry.node];
    for (const auto& address : entry.addresses) {
      if (address.is_ipv4_mapped()) {
        stats_.incidents.add(Incident::RefusedAddress);
        log::warning(kLog, "refused an IPv4-mapped address",
                     {{"peer", entry.node.to_string()}, {"address", address.to_string()}});
      } else {
        addresses.push_back(address);
      }
    }
  }
  for (auto at = peers_.begin(); at != peers_.end();) {
    const auto next = std::next(at);
    if (!wanted.contains(at->first)) {
      at->second.addresses.clear();
      at->second.schedule.stop();
      file_deadline(at->first, at->second);
      drop_if_unused(at);
    }
    at = next;
  }
  known_.clear();
  for (auto& [node, addresses] : wanted) {
    known_.insert(addresses.begin(), addresses.end());
    auto& peer = peers_[node];
    const bool changed = peer.addresses != addresses;
    peer.addresses = std::move(addresses);
    if (!changed || peer.addresses.empty()) continue;
    peer.next_address = 0;
    if (peer.current != nullptr || peer.dialling != nullptr) continue;
    peer.schedule.start(
        self_ < node ? stoq::DialSchedule::Manner::First : stoq::DialSchedule::Manner::Polite, now);
    file_deadline(node, peer);
  }
  if (endpoint_.is_open()) dial_due(now);
  endpoint_.reschedule();
}

void QuicTransport::Impl::refresh_admission() {
  for (auto& [node, peer] : peers_) {
    if (is_admitted(node)) continue;
    for (auto* connection : {peer.current, peer.dialling}) {
      if (connection == nullptr) continue;
      endpoint_.end(*connection,
                    {Incident::NoLongerAdmitted, std::string(name_of(Incident::NoLongerAdmitted)),
                     Ending::Notice::ToPeer});
      // Ending the last connection may have removed the peer.
      if (!peers_.contains(node)) return refresh_admission();
    }
  }
}

bool QuicTransport::Impl::is_known_address(const stoq::Address& address) const {
  return known_.contains(address);
}

// Keeps the order of dialling in step with the peer's schedule.
void QuicTransport::Impl::file_deadline(const NodeId& node, Peer& peer) {
  if (peer.due) due_.erase(*peer.due);
  peer.due = std::nullopt;
  if (const auto at = peer.schedule.deadline(); at && !peer.addresses.empty()) {
    peer.due = due_.emplace(*at, node);
  }
}

std::optional<MonoTime> QuicTransport::Impl::deadline() const {
  if (stopped_) return std::nullopt;
  auto at = renew_at_;
  if (!due_.empty() && dialling_ < stoq::kMaxDialling) {
    at = at ? std::min(*at, due_.begin()->first) : due_.begin()->first;
  }
  return at;
}

void QuicTransport::Impl::handle_wakeup(MonoTime now) {
  if (stopped_) return;
  if (renew_at_ && *renew_at_ <= now) {
    if (const auto renewed = renew_certificate(); !renewed) {
      log::error(kLog, "the node certificate could not be renewed",
                 {{"error", renewed.error().message}});
      renew_at_ = now + std::chrono::seconds(60);
    }
  }
  dial_due(now);
}

void QuicTransport::Impl::dial_due(MonoTime now) {
  while (!due_.empty() && due_.begin()->first <= now && dialling_ < stoq::kMaxDialling) {
    const auto node = due_.begin()->second;
    auto& peer = peers_.find(node)->second;
    dial(node, peer, now);
  }
}

void QuicTransport::Impl::dial(const NodeId& node, Peer& peer, MonoTime now) {
  peer.schedule.handle_dialled();
  file_deadline(node, peer);
  // Who left the ledger meanwhile is not worth a handshake; a changed ledger dials again.
  auto* connection =
      is_admitted(node) ? endpoint_.dial(peer.addresses[peer.next_address], node) : nullptr;
  peer.next_address = (peer.next_address + 1) % peer.addresses.size();
  if (connection == nullptr) {
    stats_.incidents.add(Incident::DialFailed);
    peer.schedule.handle_failed(now, random_u64());
    return file_deadline(node, peer);
  }
  peer.dialling = connection;
  ++dialling_;
}

std::optional<Incident> QuicTransport::Impl::judge_identity(Connection& connection,
                                                            const PeerCertificate& peer) {
  if (peer.node == self_) return Incident::RefusedSelf;
  if (is_admitted(peer.node)) return std::nullopt;
  // Strangers must not fill the log; the counter has them all.
  const auto level = refusal_log_.take(mono_now()) ? log::Level::Info : log::Level::Debug;
  log::write(level, kLog, "refused a peer that neither genesis nor the ledger names",
             {{"peer", peer.node.to_string()},
              {"address", from_sockaddr(connection.remote()).to_string()}});
  return Incident::RefusedUnknownPeer;
}

std::optional<Incident> QuicTransport::Impl::handle_ready(Connection& connection) {
  if (stopped_) return Incident::Stopped;
  const auto node = connection.peer()->node;
  auto& peer = peers_[node];
  if (peer.current != nullptr) {
    const stoq::ConnectionFacts existing{peer.current->peer_incarnation(), peer.current->dialled()};
    const stoq::ConnectionFacts candidate{connection.peer_incarnation(), connection.dialled()};
    if (choose(self_, node, existing, candidate) == stoq::Keep::Existing) {
      return Incident::RefusedDuplicate;
    }
    const bool restarted = existing.incarnation != candidate.incarnation;
    const auto incident = restarted ? Incident::PeerRestarted : Incident::Superseded;
    auto* old = peer.current;
    detach(node, peer, incident, std::string(name_of(incident)));
    endpoint_.end(*old, {incident, std::string(name_of(incident)),
                         restarted ? Ending::Notice::Silent : Ending::Notice::ToPeer});
    if (stopped_) return Incident::Stopped;
  }
  if (peer.dialling == &connection) {
    peer.dialling = nullptr;
    --dialling_;
  } else if (peer.dialling != nullptr && !(self_ < node)) {
    // Ours would lose the tie-break. If it would win, it goes on: the other end may hold it
    // already.
    auto* loser = std::exchange(peer.dialling, nullptr);
    --dialling_;
    endpoint_.end(*loser, {Incident::Superseded, std::string(name_of(Incident::Superseded)),
                           Ending::Notice::ToPeer});
  }
  peer.current = &connection;
  peer.schedule.handle_up(mono_now());
  file_deadline(node, peer);
  ++connected_;
  log::debug(kLog, "peer up",
             {{"peer", node.to_string()},
              {"address", from_sockaddr(connection.remote()).to_string()},
              {"dialled", connection.dialled()}});
  listener_.on_peer_up(node);
  return std::nullopt;
}

void QuicTransport::Impl::handle_frame(Connection& connection, std::size_t channel,
                                       ByteView payload) {
  if (stopped_) return;
  const auto& node = connection.peer()->node;
  const auto at = peers_.find(node);
  if (at == peers_.end() || at->second.current != &connection) return;
  ++stats_.messages_received;
  listener_.on_message(node, static_cast<ports::Channel>(channel), payload);
}

// The peer loses its current connection.
void QuicTransport::Impl::detach(const NodeId& node, Peer& peer, Incident incident,
                                 const std::string& reason) {
  peer.current = nullptr;
  --connected_;
  log::debug(kLog, "peer down",
             {{"peer", node.to_string()}, {"incident", name_of(incident)}, {"reason", reason}});
  if (!stopped_) listener_.on_peer_down(node, reason);
}

// A node that nobody lets in, or that lets nobody in, says why: once in a while, since strangers
// can cause some of it.
void QuicTransport::Impl::explain_refusal(const Connection& connection, const Ending& ending) {
  std::string_view hint;
  switch (ending.incident) {
    case Incident::RefusedCertificateExpired:
    case Incident::RefusedCertificateNotYetValid:
      hint = "by this machine's clock; compare the clocks of both machines";
      break;
    case Incident::RefusedWrongChain: hint = "it belongs to another mesh"; break;
    case Incident::RefusedByPeer:
      if (!ending.reason.starts_with("refused_") ||
          ending.reason == name_of(Incident::RefusedDuplicate)) {
        return;
      }
      hint = ending.reason.starts_with("refused_certificate")
                 ? "the peer refuses this node; compare the clocks of both machines"
                 : "the peer refuses this node";
      break;
    default: return;
  }
  const auto now = mono_now();
  if (now < next_explanation_) return;
  next_explanation_ = now + kExplainEvery;
  log::warning(kLog, "a connection was refused in the handshake",
               {{"address", from_sockaddr(connection.remote()).to_string()},
                {"incident", name_of(ending.incident)},
                {"reason", ending.reason},
                {"hint", hint}});
}

void QuicTransport::Impl::handle_ended(Connection& connection, const Ending& ending) {
  explain_refusal(connection, ending);
  const auto node = connection.expected() ? *connection.expected()
                    : connection.peer()   ? connection.peer()->node
                                          : NodeId{};
  const auto at = peers_.find(node);
  if (at == peers_.end()) return;
  auto& peer = at->second;
  const auto now = mono_now();
  if (peer.current == &connection) {
    auto reason = std::string(name_of(ending.incident));
    if (ending.reason != reason) reason += ": " + ending.reason;
    peer.schedule.handle_down(now, random_u64());
    detach(node, peer, ending.incident, reason);
  } else if (peer.dialling == &connection) {
    peer.dialling = nullptr;
    --dialling_;
    if (ending.incident != Incident::DialFailed) stats_.incidents.add(Incident::DialFailed);
    log::debug(kLog, "dial failed",
               {{"peer", node.to_string()},
                {"address", from_sockaddr(connection.remote()).to_string()},
                {"incident", name_of(ending.incident)},
                {"reason", ending.reason}});
    if (peer.current == nullptr) peer.schedule.handle_failed(now, random_u64());
  } else {
    return;
  }
  if (stopped_) peer.schedule.stop();
  file_deadline(node, peer);
  drop_if_unused(at);
  endpoint_.reschedule();
}

void QuicTransport::Impl::drop_if_unused(Peers::iterator at) {
  const auto& peer = at->second;
  if (peer.addresses.empty() && peer.current == nullptr && peer.dialling == nullptr && !peer.due) {
    peers_.erase(at);
  }
}

ports::SendResult QuicTransport::Impl::send(const NodeId& node, ports::Channel channel,
                                            ports::SharedBytes payload, ports::SharedBytes rest) {
  HM_CHECK(payload != nullptr && !payload->empty());
  const auto at = peers_.find(node);
  if (stopped_ || at == peers_.end() || at->second.current == nullptr) {
    return ports::SendResult::NotConnected;
  }
  const auto index = static_cast<std::size_t>(channel);
  HM_CHECK(index < stoq::kChannels);
  const std::size_t bytes = payload->size() + (rest ? rest->size() : 0);
  if (bytes > stoq::kMaxFrame[index]) {
    stats_.incidents.add(Incident::OversizedFrame);
    log::error(kLog, "a message is larger than its channel allows and was not sent",
               {{"channel", index}, {"bytes", bytes}});
    return ports::SendResult::QueueFull;
  }
  auto& connection = *at->second.current;
  if (connection.ending()) return ports::SendResult::NotConnected;
  if (!connection.push(index, std::move(payload), std::move(rest), mono_now())) {
    stats_.incidents.add(Incident::QueueFull);
    return ports::SendResult::QueueFull;
  }
  ++stats_.messages_sent;
  endpoint_.touch(connection);
  return ports::SendResult::Queued;
}

TransportStats QuicTransport::Impl::stats() const {
  auto out = stats_;
  endpoint_.fill_stats(out);
  out.connected_peers = connected_;
  return out;
}

std::vector<PeerStatus> QuicTransport::Impl::peer_status() const {
  std::vector<PeerStatus> out;
  for (const auto& [node, peer] : peers_) {
    if (peer.current == nullptr) continue;
    const auto& connection = *peer.current;
    out.push_back({node, from_sockaddr(connection.remote()), connection.smoothed_rtt(),
                   connection.queued_bytes(), connection.peer()->fingerprint});
  }
  return out;
}

std::vector<NodeId> QuicTransport::Impl::connected_peers() const {
  std::vector<NodeId> out;
  for (const auto& [node, peer] : peers_) {
    if (peer.current != nullptr) out.push_back(node);
  }
  return out;
}

QuicTransport::QuicTransport(boost::asio::io_context& loop, TransportConfig config,
                             const crypto::SigningKey& key, ports::TransportListener& listener,
                             const ports::Clock& clock)
    : impl_(std::make_unique<Impl>(loop, std::move(config), key, listener, clock)) {}

QuicTransport::~QuicTransport() { impl_->stop(); }

Result<void> QuicTransport::start() { return impl_->start(); }
void QuicTransport::stop() { impl_->stop(); }
std::uint16_t QuicTransport::local_port() const { return impl_->port(); }
const NodeId& QuicTransport::local_node() const { return impl_->self(); }
void QuicTransport::set_peers(std::vector<PeerEntry> peers) { impl_->set_peers(std::move(peers)); }
void QuicTransport::refresh_admission() { impl_->refresh_admission(); }
Result<void> QuicTransport::renew_certificate() { return impl_->renew_certificate(); }
TransportStats QuicTransport::stats() const { return impl_->stats(); }
std::vector<PeerStatus> QuicTransport::peer_status() const { return impl_->peer_status(); }
ports::SendResult QuicTransport::send(const NodeId& peer, ports::Channel channel,
                                      ports::SharedBytes payload) {
  return impl_->send(peer, channel, std::move(payload), nullptr);
}
ports::SendResult QuicTransport::send_joined(const NodeId& peer, ports::Channel channel,
                                             ports::SharedBytes head, ports::SharedBytes rest) {
  return impl_->send(peer, channel, std::move(head), std::move(rest));
}
std::vector<NodeId> QuicTransport::connected_peers() const { return impl_->connected_peers(); }

}  // namespace hm::quic
