// SPDX-License-Identifier: Apache-2.0
// One UDP socket on the event loop and the connections on it: dispatch by connection id, defence
// against floods, one flush at the end of each turn, one timer for all. Which peers there are and
// what their messages mean is its owner's business.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/stoq/handshake_gate.h"
#include "platform/quic/connection.h"
#include "platform/quic/quic_transport.h"
#include "platform/quic/udp_socket.h"

namespace hm::quic {

MonoTime mono_now();

class EndpointOwner {
 public:
  virtual ~EndpointOwner() = default;
  virtual std::optional<stoq::Incident> judge_identity(Connection& connection,
                                                       const PeerCertificate& peer) = 0;
  virtual std::optional<stoq::Incident> handle_ready(Connection& connection) = 0;
  virtual void handle_frame(Connection& connection, std::size_t channel, ByteView payload) = 0;
  // The connection is gone after this call.
  virtual void handle_ended(Connection& connection, const Ending& ending) = 0;
  virtual bool is_known_address(const stoq::Address& address) const = 0;
  virtual std::shared_ptr<const Credentials> credentials() const = 0;
  // The owner's own timers.
  virtual void handle_wakeup(MonoTime now) = 0;
  virtual std::optional<MonoTime> deadline() const = 0;
};

class Endpoint final : private ConnectionHost, private PacketSink {
 public:
  struct Identity {
    identity::ChainId chain;
    std::uint64_t incarnation = 0;
    crypto::Digest reset_secret;  // the same for every start of this node
    Duration slow_reader_limit{};
  };

  Endpoint(boost::asio::io_context& loop, const ports::Clock& clock, EndpointOwner& owner,
           const Identity& identity, TransportStats& stats);
  ~Endpoint() override;

  Result<void> open(const stoq::Address& bind);
  // Ends every connection with a notice to the peer and closes the socket.
  void close();
  bool is_open() const { return io_ != nullptr; }
  std::uint16_t port() const;

  // A connection that is on its way to `remote`; nothing if there is no room.
  Connection* dial(const stoq::Address& remote, const identity::NodeId& expected);
  // Ends a connection once no call of it is in progress.
  void end(Connection& connection, Ending ending);
  // There is something new to write on it.
  void touch(Connection& connection);
  // Deadlines of the owner may have changed.
  void reschedule();

  std::size_t half_open() const { return gate_.half_open(); }
  void fill_stats(TransportStats& stats) const;

 private:
  struct Io;
  struct Slot {
    std::unique_ptr<Connection> connection;
    bool dirty = false;
    bool half_open = false;
    bool queued = false;  // in ended_
    stoq::HandshakeGate::Source source = stoq::HandshakeGate::Source::Stranger;
    std::string initial_dcid;  // of an accepted connection, until its handshake is done
    sockaddr_in6 remote{};     // key in by_remote_
    std::optional<std::multimap<MonoTime, Connection*>::iterator> timer;
  };
  // Counts nested calls; what had to wait is done when the outermost one ends.
  class Turn;
  friend class Turn;

  std::optional<stoq::Incident> judge_identity(Connection& connection,
                                               const PeerCertificate& peer) override;
  std::optional<stoq::Incident> handle_ready(Connection& connection) override;
  void handle_frame(Connection& connection, std::size_t channel, ByteView payload) override;
  void add_cid(LocalCid cid, Connection& connection) override;
  void remove_cid(LocalCid cid) override;
  ByteView stateless_reset_secret() const override { return identity_.reset_secret.bytes; }
  UnixMillis wall() const override { return clock_.wall(); }
  bool send_run(const sockaddr_in6& to, const std::optional<in6_addr>& from, ByteView run,
                std::size_t segment) override;

  void wait_readable();
  void wait_writable();
  void handle_readable();
  void handle_unreachable(const sockaddr_in6& destination, MonoTime now);
  void dispatch(const Datagram& datagram, MonoTime now);
  void handle_stranger(const Datagram& datagram, const ngtcp2_version_cid& ids, MonoTime now);
  void accept(const Datagram& datagram, const ngtcp2_pkt_hd& initial,
              const std::optional<ngtcp2_cid>& original, stoq::HandshakeGate::Source source,
              MonoTime now);
  Connection* find(const ngtcp2_version_cid& ids);
  void insert(std::unique_ptr<Connection> connection, Slot slot);
  void settle(Connection& connection, MonoTime now);
  void queue_reap(Connection& connection);
  void reap();
  void schedule_flush();
  void flush();
  void update_timer(Connection& connection, MonoTime now);
  void arm_timer();
  enum class Punctuality : std::uint8_t { OnTime, Late };
  void handle_timer(Punctuality punctuality);
  Connection::Setup setup(const sockaddr_in6& remote, const std::optional<in6_addr>& source) const;
  void count(stoq::Incident incident) { stats_.incidents.add(incident); }

  // Answers without state (endpoint_stateless.cc).
  bool may_answer(MonoTime now);
  void answer(const Datagram& datagram, ByteView packet);
  void send_version_negotiation(const Datagram& datagram, const ngtcp2_version_cid& ids,
                                MonoTime now);
  void send_stateless_reset(const Datagram& datagram, const ngtcp2_version_cid& ids, MonoTime now);
  void send_retry(const Datagram& datagram, const ngtcp2_pkt_hd& initial, MonoTime now);
  void refuse_token(const Datagram& datagram, const ngtcp2_pkt_hd& initial, MonoTime now);
  enum class TokenState : std::uint8_t { None, Valid, Invalid };
  TokenState check_token(const Datagram& datagram, const ngtcp2_pkt_hd& initial,
                         ngtcp2_cid& original, MonoTime now) const;

  boost::asio::io_context& loop_;
  const ports::Clock& clock_;
  EndpointOwner& owner_;
  const Identity identity_;
  TransportStats& stats_;
  std::array<std::uint8_t, 32> token_secret_{};
  std::unique_ptr<Io> io_;
  std::unordered_map<const Connection*, Slot> slots_;
  std::unordered_map<LocalCid, Connection*> by_cid_;
  std::map<std::string, Connection*> by_initial_dcid_;  // chosen by clients: ordered, not hashed
  std::map<stoq::Address, std::vector<Connection*>> by_remote_;
  std::multimap<MonoTime, Connection*> timers_;
  std::vector<Connection*> dirty_;
  std::vector<Connection*> ended_;
  stoq::HandshakeGate gate_;
  stoq::TokenBucket stateless_{stoq::kStatelessPerSecond, stoq::kStatelessBurst};
  std::optional<MonoTime> armed_;
  bool flush_posted_ = false;
  int depth_ = 0;
  bool closing_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace hm::quic
