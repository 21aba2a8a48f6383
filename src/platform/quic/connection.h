// SPDX-License-Identifier: Apache-2.0
// One QUIC connection: ngtcp2 and its TLS session, the streams of the channels in both directions,
// liveness and slow-reader limits. It neither owns a socket nor decides who may connect: it is fed
// datagrams and time, writes datagrams into a sink, and asks its host about identities.
#pragma once

#include <netinet/in.h>
#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/stoq/frame.h"
#include "core/stoq/incident.h"
#include "core/stoq/peer_policy.h"
#include "core/stoq/send_queue.h"
#include "platform/quic/tls.h"

namespace hm::quic {

class Connection;

// Connection ids that we choose have this length; any value of it is ours.
inline constexpr std::size_t kCidSize = 8;
using LocalCid = std::uint64_t;
LocalCid local_cid(const std::uint8_t* bytes);

// Where a connection's datagrams go. A run is several datagrams of `segment` bytes each, the last
// one possibly shorter. False: the socket is full, the run was kept, write no more for now.
class PacketSink {
 public:
  virtual ~PacketSink() = default;
  virtual bool send_run(const sockaddr_in6& to, const std::optional<in6_addr>& from, ByteView run,
                        std::size_t segment) = 0;
};

class ConnectionHost {
 public:
  virtual ~ConnectionHost() = default;
  // The peer proves to be `node`: may it?
  virtual std::optional<stoq::Incident> judge_identity(Connection& connection,
                                                       const PeerCertificate& peer) = 0;
  // The first stream header came: the connection may be used unless an incident is returned.
  virtual std::optional<stoq::Incident> handle_ready(Connection& connection) = 0;
  virtual void handle_frame(Connection& connection, std::size_t channel, ByteView payload) = 0;
  virtual void add_cid(LocalCid cid, Connection& connection) = 0;
  virtual void remove_cid(LocalCid cid) = 0;
  virtual ByteView stateless_reset_secret() const = 0;
  virtual UnixMillis wall() const = 0;
};

// Why a connection ended.
struct Ending {
  stoq::Incident incident;
  std::string reason;  // for people; what the peer said, if it said something
  enum class Notice : std::uint8_t { Silent, ToPeer } notice = Notice::Silent;
};

class Connection final : private HandshakeJudge {
 public:
  struct Setup {
    sockaddr_in6 local{};
    sockaddr_in6 remote{};
    std::optional<in6_addr> source;  // our address, when the socket has several
    std::shared_ptr<const Credentials> credentials;
    std::string_view alpn = kAlpn;
    identity::ChainId chain;
    std::uint64_t incarnation = 0;
    Duration slow_reader_limit = std::chrono::seconds(10);
  };
  struct ServerStart {
    const ngtcp2_pkt_hd* initial = nullptr;
    std::optional<ngtcp2_cid> original_dcid;  // after a Retry
  };

  static Result<std::unique_ptr<Connection>> dial(ConnectionHost& host, const Setup& setup,
                                                  const identity::NodeId& expected, MonoTime now);
  static Result<std::unique_ptr<Connection>> accept(ConnectionHost& host, const Setup& setup,
                                                    const ServerStart& start, MonoTime now);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Each of these may end the connection; see ending().
  void read(const sockaddr_in6& from, ByteView datagram, MonoTime now);
  void handle_timeout(MonoTime now);
  void handle_pause(MonoTime now) { liveness_.handle_pause(now); }
  void handle_unreachable(MonoTime now);
  // Writes until there is nothing to say, the window is closed, or the turn's share is used up;
  // true if there may be more to write at once.
  bool write(PacketSink& sink, MonoTime now);
  void end(Ending ending);
  // Tells the peer, if the ending asks for it.
  void write_close(PacketSink& sink, MonoTime now);

  const std::optional<Ending>& ending() const { return ending_; }
  // When to call handle_timeout(), and write() after it.
  std::optional<MonoTime> deadline(MonoTime now) const;
  // Is there a reason to write before the deadline?
  bool wants_write() const;

  // `rest`: what of the frame follows `payload`, if not null.
  bool push(std::size_t channel, std::shared_ptr<const Bytes> payload,
            std::shared_ptr<const Bytes> rest, MonoTime now);
  std::size_t queued_bytes() const;

  bool dialled() const { return dialled_; }
  bool ready() const { return ready_; }
  bool handshake_done() const { return handshake_done_; }
  // Did any packet of the peer decrypt? Until then it may be noise.
  bool heard() const { return heard_; }
  const std::optional<identity::NodeId>& expected() const { return expected_; }
  const std::optional<PeerCertificate>& peer() const { return peer_; }
  std::uint64_t peer_incarnation() const { return peer_incarnation_; }
  // The connection ids under which the peer may reach this connection.
  std::vector<LocalCid> cids() const;
  sockaddr_in6 remote() const;
  Duration smoothed_rtt() const;
  // Application error code of docs/protocols/stoq.md §6.
  static std::uint64_t close_code(stoq::Incident incident);

 private:
  struct Incoming {
    std::int64_t id = -1;
    std::optional<std::size_t> channel;
    stoq::FrameReader reader;
  };
  struct Outgoing {
    explicit Outgoing(std::size_t limit) : queue(limit) {}
    std::int64_t id = -1;
    bool blocked = false;  // by the peer's flow control
    stoq::SendQueue queue;
  };
  struct Batch;
  struct Callbacks;
  friend struct Callbacks;
  friend ngtcp2_callbacks client_callbacks();
  friend ngtcp2_callbacks server_callbacks();

  Connection(ConnectionHost& host, const Setup& setup, bool dialled);
  Result<void> open_session();
  bool open_streams();
  bool take_stream_data(std::int64_t id, ByteView data);
  bool take_header(Incoming& in, const stoq::StreamHeader& header);
  Incoming* incoming(std::int64_t id);
  Outgoing* outgoing(std::int64_t id);
  Outgoing* next_writable();
  void fail_library(int code);
  void judge_liveness(MonoTime now);
  MonoTime round_up(MonoTime deadline, MonoTime now) const;
  bool owes() const;
  bool write_packets(Batch& batch, MonoTime now);

  std::optional<stoq::Incident> judge_peer(ByteView certificate) override;
  void refuse_peer(stoq::Incident incident) override;

  struct FreeConn {
    void operator()(ngtcp2_conn* conn) const { ngtcp2_conn_del(conn); }
  };

  ConnectionHost& host_;
  const bool dialled_;
  Setup setup_;
  std::optional<identity::NodeId> expected_;
  ngtcp2_crypto_conn_ref reference_{};
  std::optional<TlsSession> session_;
  std::unique_ptr<ngtcp2_conn, FreeConn> conn_;
  std::array<Incoming, stoq::kChannels> in_;
  std::array<Outgoing, stoq::kChannels> out_;
  stoq::Liveness liveness_;
  std::optional<stoq::Incident> refusal_;  // decided inside a callback
  std::optional<PeerCertificate> peer_;
  std::optional<Ending> ending_;
  std::uint64_t peer_incarnation_ = 0;
  std::size_t unanswered_ = 0;  // bytes read since the last write
  MonoTime now_{};              // of the call in progress, for callbacks
  bool handshake_done_ = false;
  bool confirmed_ = false;  // by the server's HANDSHAKE_DONE (RFC 9001 §4.1.2)
  bool ready_ = false;
  bool heard_ = false;
  bool reset_ = false;  // a stateless reset came
  bool probing_ = false;
};

}  // namespace hm::quic
