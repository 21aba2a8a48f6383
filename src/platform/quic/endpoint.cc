// SPDX-License-Identifier: Apache-2.0
#include "platform/quic/endpoint.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstring>
#include <utility>

#include "platform/quic/endpoint_io.h"

namespace hm::quic {

using stoq::HandshakeGate;
using stoq::Incident;

namespace {

// Batches of datagrams read before others get their turn.
constexpr int kReceiveRounds = 4;

std::string key_of(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

MonoTime mono_now() {
  return MonoTime(
      std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

class Endpoint::Turn {
 public:
  explicit Turn(Endpoint& endpoint) : endpoint_(endpoint) { ++endpoint_.depth_; }
  ~Turn() {
    if (--endpoint_.depth_ == 0) endpoint_.reap();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  Endpoint& endpoint_;
};

Endpoint::Endpoint(boost::asio::io_context& loop, const ports::Clock& clock, EndpointOwner& owner,
                   const Identity& identity, TransportStats& stats)
    : loop_(loop), clock_(clock), owner_(owner), identity_(identity), stats_(stats) {
  fill_random(token_secret_);
}

Endpoint::~Endpoint() { *alive_ = false; }

Result<void> Endpoint::open(const stoq::Address& bind) {
  HM_TRY(auto socket, UdpSocket::open(bind));
  io_ = std::make_unique<Io>(loop_, std::move(socket));
  wait_readable();
  return {};
}

std::uint16_t Endpoint::port() const {
  return io_ ? from_sockaddr(io_->socket.local()).port : std::uint16_t{0};
}

void Endpoint::close() {
  if (!io_) return;
  Turn turn(*this);
  closing_ = true;
  for (auto& [connection, slot] : slots_) {
    end(*slot.connection,
        {Incident::Stopped, std::string(name_of(Incident::Stopped)), Ending::Notice::ToPeer});
  }
}

Connection::Setup Endpoint::setup(const sockaddr_in6& remote,
                                  const std::optional<in6_addr>& source) const {
  Connection::Setup out;
  out.local = io_->socket.local();
  out.remote = remote;
  out.source = source;
  out.credentials = owner_.credentials();
  out.chain = identity_.chain;
  out.incarnation = identity_.incarnation;
  out.slow_reader_limit = identity_.slow_reader_limit;
  return out;
}

Connection* Endpoint::dial(const stoq::Address& remote, const identity::NodeId& expected) {
  if (!io_ || closing_ || slots_.size() >= stoq::kMaxConnections) return nullptr;
  if (remote.is_ipv4_mapped() || remote.is_multicast() || remote.is_unspecified()) {
    count(Incident::RefusedAddress);
    return nullptr;
  }
  const auto to = to_sockaddr(remote);
  auto made = Connection::dial(*this, setup(to, std::nullopt), expected, mono_now());
  if (!made) return nullptr;
  auto* connection = made->get();
  Slot slot;
  slot.remote = to;
  insert(std::move(*made), std::move(slot));
  touch(*connection);
  return connection;
}

void Endpoint::insert(std::unique_ptr<Connection> connection, Slot slot) {
  auto* raw = connection.get();
  slot.connection = std::move(connection);
  by_remote_[from_sockaddr(slot.remote)].push_back(raw);
  slots_.emplace(raw, std::move(slot));
}

void Endpoint::end(Connection& connection, Ending ending) {
  Turn turn(*this);
  if (connection.ending()) return;
  connection.end(std::move(ending));
  queue_reap(connection);
}

void Endpoint::queue_reap(Connection& connection) {
  auto& slot = slots_.find(&connection)->second;
  if (!std::exchange(slot.queued, true)) ended_.push_back(&connection);
}

// Removes what has ended. Only at the end of the outermost call: nothing of a connection may be
// in progress when it is destroyed.
void Endpoint::reap() {
  ++depth_;
  while (!ended_.empty()) {
    auto* connection = ended_.back();
    ended_.pop_back();
    const auto found = slots_.find(connection);
    if (found == slots_.end()) continue;
    auto slot = std::move(found->second);
    slots_.erase(found);
    if (io_) connection->write_close(*this, mono_now());
    for (const auto cid : connection->cids()) by_cid_.erase(cid);
    by_initial_dcid_.erase(slot.initial_dcid);
    if (const auto at = by_remote_.find(from_sockaddr(slot.remote)); at != by_remote_.end()) {
      std::erase(at->second, connection);
      if (at->second.empty()) by_remote_.erase(at);
    }
    if (slot.timer) timers_.erase(*slot.timer);
    if (slot.dirty) std::erase(dirty_, connection);
    if (slot.half_open) gate_.handle_ended(slot.source);
    count(connection->ending()->incident);
    owner_.handle_ended(*connection, *connection->ending());
  }
  --depth_;
  if (closing_ && io_) {
    io_.reset();
    armed_ = std::nullopt;
  }
}

void Endpoint::touch(Connection& connection) {
  const auto found = slots_.find(&connection);
  if (found == slots_.end()) return;
  if (!std::exchange(found->second.dirty, true)) dirty_.push_back(&connection);
  schedule_flush();
}

// One flush per turn of the loop, behind the handlers that are already due: what they send and
// what must be acknowledged goes out together.
void Endpoint::schedule_flush() {
  if (flush_posted_ || !io_ || io_->blocked()) return;
  flush_posted_ = true;
  boost::asio::post(loop_, [this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    flush_posted_ = false;
    flush();
  });
}

void Endpoint::flush() {
  if (!io_ || io_->blocked()) return;
  Turn turn(*this);
  const auto now = mono_now();
  auto work = std::exchange(dirty_, {});
  for (auto* connection : work) slots_.find(connection)->second.dirty = false;
  for (auto* connection : work) {
    const bool more = !io_->blocked() && connection->write(*this, now);
    if (connection->ending()) {
      queue_reap(*connection);
      continue;
    }
    if (more || io_->blocked()) touch(*connection);
    update_timer(*connection, now);
  }
  arm_timer();
}

bool Endpoint::send_run(const sockaddr_in6& to, const std::optional<in6_addr>& from, ByteView run,
                        std::size_t segment) {
  stats_.datagrams_sent += (run.size() + segment - 1) / segment;
  stats_.bytes_sent += run.size();
  switch (io_->socket.send(to, from, run, segment)) {
    case UdpSocket::Sent::Yes:
    // A probe of the path MTU that the device refuses: QUIC sees a loss, as it should.
    case UdpSocket::Sent::TooLarge: return true;
    case UdpSocket::Sent::Failed: count(Incident::SendFailed); return true;
    case UdpSocket::Sent::Blocked: break;
  }
  io_->keep(to, from, run, segment);
  wait_writable();
  return false;
}

void Endpoint::wait_writable() {
  io_->descriptor.async_wait(
      boost::asio::posix::stream_descriptor::wait_write,
      [this, alive = std::weak_ptr(alive_)](const boost::system::error_code& error) {
        if (error || alive.expired() || !io_) return;
        if (!io_->send_kept()) return wait_writable();
        flush();
      });
}

void Endpoint::wait_readable() {
  io_->descriptor.async_wait(
      boost::asio::posix::stream_descriptor::wait_read,
      [this, alive = std::weak_ptr(alive_)](const boost::system::error_code& error) {
        if (error || alive.expired() || !io_) return;
        handle_readable();
        if (!alive.expired() && io_) wait_readable();
      });
}

void Endpoint::handle_readable() {
  Turn turn(*this);
  const auto now = mono_now();
  bool any = false;
  for (int round = 0; round < kReceiveRounds && io_; ++round) {
    const bool drained = io_->socket.receive([&](const Datagram& datagram) {
      any = true;
      if (!closing_) dispatch(datagram, now);
    });
    if (drained) break;
  }
  // Reports of unreachable peers wake the socket without data.
  if (!any) {
    io_->socket.take_unreachable(
        [&](const sockaddr_in6& destination) { handle_unreachable(destination, now); });
  }
  arm_timer();
}

void Endpoint::handle_unreachable(const sockaddr_in6& destination, MonoTime now) {
  const auto at = by_remote_.find(from_sockaddr(destination));
  if (at == by_remote_.end()) return;
  for (auto* connection : at->second) {
    if (connection->ending()) continue;
    connection->handle_unreachable(now);
    settle(*connection, now);
  }
}

Connection* Endpoint::find(const ngtcp2_version_cid& ids) {
  if (ids.dcidlen == kCidSize) {
    if (const auto at = by_cid_.find(local_cid(ids.dcid)); at != by_cid_.end()) return at->second;
  }
  if (ids.version == 0) return nullptr;
  const auto at = by_initial_dcid_.find(key_of(ids.dcid, ids.dcidlen));
  return at == by_initial_dcid_.end() ? nullptr : at->second;
}

void Endpoint::dispatch(const Datagram& datagram, MonoTime now) {
  ++stats_.datagrams_received;
  stats_.bytes_received += datagram.bytes.size();
  ngtcp2_version_cid ids{};
  const int rc =
      ngtcp2_pkt_decode_version_cid(&ids, datagram.bytes.data(), datagram.bytes.size(), kCidSize);
  if (rc == NGTCP2_ERR_VERSION_NEGOTIATION) return send_version_negotiation(datagram, ids, now);
  if (rc != 0) return count(Incident::MalformedPacket);
  auto* connection = find(ids);
  if (connection == nullptr) return handle_stranger(datagram, ids, now);
  if (connection->ending()) return;
  connection->read(datagram.from, datagram.bytes, now);
  settle(*connection, now);
}

void Endpoint::handle_stranger(const Datagram& datagram, const ngtcp2_version_cid& ids,
                               MonoTime now) {
  if (ids.version == 0) return send_stateless_reset(datagram, ids, now);
  ngtcp2_pkt_hd initial{};
  if (ngtcp2_accept(&initial, datagram.bytes.data(), datagram.bytes.size()) != 0 ||
      from_sockaddr(datagram.from).is_ipv4_mapped()) {
    return count(Incident::MalformedPacket);
  }
  if (slots_.size() >= stoq::kMaxConnections) return count(Incident::HalfOpenLimit);
  ngtcp2_cid original{};
  const auto token = check_token(datagram, initial, original, now);
  if (token == TokenState::Invalid) return refuse_token(datagram, initial, now);
  const bool proven = token == TokenState::Valid;
  const auto source = owner_.is_known_address(from_sockaddr(datagram.from))
                          ? HandshakeGate::Source::KnownPeer
                          : HandshakeGate::Source::Stranger;
  switch (
      gate_.admit(source, proven ? HandshakeGate::Token::Valid : HandshakeGate::Token::None, now)) {
    case HandshakeGate::Decision::AskForToken: return send_retry(datagram, initial, now);
    case HandshakeGate::Decision::TooManyHalfOpen: return count(Incident::HalfOpenLimit);
    case HandshakeGate::Decision::TooFast: return count(Incident::HandshakeRateLimit);
    case HandshakeGate::Decision::Accept: break;
  }
  accept(datagram, initial, proven ? std::optional(original) : std::nullopt, source, now);
}

void Endpoint::accept(const Datagram& datagram, const ngtcp2_pkt_hd& initial,
                      const std::optional<ngtcp2_cid>& original, HandshakeGate::Source source,
                      MonoTime now) {
  auto made =
      Connection::accept(*this, setup(datagram.from, datagram.to), {&initial, original}, now);
  if (!made) return gate_.handle_ended(source);
  auto* connection = made->get();
  Slot slot;
  slot.half_open = true;
  slot.source = source;
  slot.remote = datagram.from;
  slot.initial_dcid = key_of(initial.dcid.data, initial.dcid.datalen);
  by_initial_dcid_[slot.initial_dcid] = connection;
  insert(std::move(*made), std::move(slot));
  connection->read(datagram.from, datagram.bytes, now);
  if (!connection->ending() && !connection->heard()) {
    connection->end({Incident::MalformedPacket, "an initial packet that does not decrypt"});
  }
  settle(*connection, now);
}

// Every call that lets a connection do something ends here.
void Endpoint::settle(Connection& connection, MonoTime now) {
  if (connection.ending()) {
    queue_reap(connection);
    return;
  }
  if (connection.handshake_done()) {
    auto& slot = slots_.find(&connection)->second;
    if (std::exchange(slot.half_open, false)) {
      gate_.handle_ended(slot.source);
      by_initial_dcid_.erase(slot.initial_dcid);
      slot.initial_dcid.clear();
      ++stats_.handshakes_completed;
    }
  }
  if (connection.wants_write()) {
    touch(connection);
  } else {
    update_timer(connection, now);
  }
}

void Endpoint::update_timer(Connection& connection, MonoTime now) {
  auto& slot = slots_.find(&connection)->second;
  const auto deadline = connection.deadline(now);
  if (slot.timer) {
    if (deadline && (*slot.timer)->first == *deadline) return;
    timers_.erase(*slot.timer);
    slot.timer = std::nullopt;
  }
  if (deadline) slot.timer = timers_.emplace(*deadline, &connection);
}

void Endpoint::reschedule() { arm_timer(); }

// The timer may fire early, never late: a later deadline does not touch it, which saves a system
// call for nearly every packet.
void Endpoint::arm_timer() {
  if (!io_) return;
  auto next = owner_.deadline();
  if (!timers_.empty()) {
    next = next ? std::min(*next, timers_.begin()->first) : timers_.begin()->first;
  }
  if (!next || (armed_ && *armed_ <= *next)) return;
  armed_ = next;
  io_->timer.expires_at(std::chrono::steady_clock::time_point(
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(next->time_since_epoch())));
  io_->timer.async_wait(
      [this, alive = std::weak_ptr(alive_)](const boost::system::error_code& error) {
        if (error || alive.expired() || !io_) return;
        const bool late = armed_ && mono_now() - *armed_ > stoq::kOwnPause;
        armed_ = std::nullopt;
        handle_timer(late ? Punctuality::Late : Punctuality::OnTime);
      });
}

void Endpoint::handle_timer(Punctuality punctuality) {
  Turn turn(*this);
  // What waits in the socket may be the very answer whose absence is about to be judged.
  handle_readable();
  if (!io_) return;
  const auto now = mono_now();
  if (punctuality == Punctuality::Late) {
    for (auto& [connection, slot] : slots_) slot.connection->handle_pause(now);
  }
  while (!timers_.empty() && timers_.begin()->first <= now) {
    auto* connection = timers_.begin()->second;
    auto& slot = slots_.find(connection)->second;
    timers_.erase(timers_.begin());
    slot.timer = std::nullopt;
    if (connection->ending()) continue;
    connection->handle_timeout(now);
    settle(*connection, now);
    if (!connection->ending()) touch(*connection);
  }
  owner_.handle_wakeup(now);
  flush();
  arm_timer();
}

std::optional<Incident> Endpoint::judge_identity(Connection& connection,
                                                 const PeerCertificate& peer) {
  return owner_.judge_identity(connection, peer);
}

std::optional<Incident> Endpoint::handle_ready(Connection& connection) {
  if (closing_) return Incident::Stopped;
  if (connection.dialled()) ++stats_.handshakes_completed;
  return owner_.handle_ready(connection);
}

void Endpoint::handle_frame(Connection& connection, std::size_t channel, ByteView payload) {
  if (!closing_) owner_.handle_frame(connection, channel, payload);
}

void Endpoint::add_cid(LocalCid cid, Connection& connection) { by_cid_[cid] = &connection; }
void Endpoint::remove_cid(LocalCid cid) { by_cid_.erase(cid); }

void Endpoint::fill_stats(TransportStats& stats) const {
  stats.half_open = gate_.half_open();
  if (!io_) return;
  stats.segmentation_offload = io_->socket.segments();
  stats.receive_offload = io_->socket.coalesces();
  stats.send_calls = io_->socket.send_calls();
  stats.receive_calls = io_->socket.receive_calls();
}

}  // namespace hm::quic
