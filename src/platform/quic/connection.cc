// SPDX-License-Identifier: Apache-2.0
#include "platform/quic/connection.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "foundation/base/check.h"
#include "platform/quic/connection_callbacks.h"
#include "platform/quic/packet_keys.h"
#include "platform/quic/udp_socket.h"

namespace hm::quic {
namespace {

using stoq::Incident;

// A turn's share of one connection, in runs of up to 64 KB.
constexpr int kRunsPerTurn = 16;
// Datagram sizes to try, for Ethernet, jumbo frames and the loopback device.
constexpr std::array<std::uint16_t, 3> kPathMtuProbes = {1452, 8904, 65'487};
constexpr std::size_t kMaxDatagram = kPathMtuProbes.back();

ngtcp2_tstamp stamp(MonoTime time) {
  return static_cast<ngtcp2_tstamp>(time.time_since_epoch().count());
}

ngtcp2_duration nanos(Duration duration) { return static_cast<ngtcp2_duration>(duration.count()); }

ngtcp2_settings make_settings(MonoTime now) {
  ngtcp2_settings settings{};
  ngtcp2_settings_default(&settings);
  settings.initial_ts = stamp(now);
  settings.initial_rtt = nanos(stoq::kInitialRtt);
  settings.handshake_timeout = nanos(stoq::kHandshakeTimeout);
  settings.max_tx_udp_payload_size = kMaxDatagram;
  settings.pmtud_probes = kPathMtuProbes.data();
  settings.pmtud_probeslen = kPathMtuProbes.size();
  settings.max_window = stoq::kMaxConnectionWindow;
  settings.max_stream_window = stoq::kMaxStreamWindow;
  return settings;
}

ngtcp2_transport_params make_params() {
  ngtcp2_transport_params params{};
  ngtcp2_transport_params_default(&params);
  params.initial_max_streams_uni = stoq::kChannels;
  params.initial_max_streams_bidi = 0;
  params.initial_max_stream_data_uni = stoq::kStreamWindow;
  params.initial_max_data = stoq::kConnectionWindow;
  params.max_idle_timeout = nanos(stoq::kIdleTimeout);
  params.max_ack_delay = nanos(stoq::kMaxAckDelay);
  params.active_connection_id_limit = NGTCP2_DEFAULT_ACTIVE_CONNECTION_ID_LIMIT;
  params.disable_active_migration = 1;
  return params;
}

ngtcp2_cid random_cid(std::size_t size) {
  ngtcp2_cid cid{};
  cid.datalen = size;
  fill_random(std::span(cid.data).first(size));
  return cid;
}

ngtcp2_path make_path(sockaddr_in6& local, sockaddr_in6& remote) {
  ngtcp2_path path{};
  path.local = {reinterpret_cast<ngtcp2_sockaddr*>(&local), sizeof local};
  path.remote = {reinterpret_cast<ngtcp2_sockaddr*>(&remote), sizeof remote};
  return path;
}

std::string describe(const ngtcp2_ccerr& error) {
  std::string text(reinterpret_cast<const char*>(error.reason), error.reasonlen);
  // It comes from the peer and goes to the log.
  std::erase_if(text, [](char c) { return c < 0x20 || c > 0x7e; });
  if (text.size() > 64) text.resize(64);
  if (text.empty()) text = "code " + std::to_string(error.error_code);
  return text;
}

}  // namespace

LocalCid local_cid(const std::uint8_t* bytes) {
  LocalCid cid = 0;
  std::memcpy(&cid, bytes, sizeof cid);
  return cid;
}

std::uint64_t Connection::close_code(Incident incident) {
  switch (incident) {
    case Incident::Stopped: return 0x00;
    case Incident::RefusedDuplicate:
    case Incident::Superseded: return 0x01;
    case Incident::RefusedWrongChain: return 0x02;
    case Incident::OversizedFrame: return 0x03;
    case Incident::MalformedFrame: return 0x04;
    case Incident::UnexpectedStream: return 0x05;
    case Incident::SlowReader: return 0x06;
    case Incident::NoLongerAdmitted: return 0x07;
    case Incident::PeerSilent: return 0x08;
    default: return 0x0f;
  }
}

Connection::Connection(ConnectionHost& host, const Setup& setup, bool dialled)
    : host_(host),
      dialled_(dialled),
      setup_(setup),
      out_{Outgoing(stoq::kMaxQueue[0]), Outgoing(stoq::kMaxQueue[1]),
           Outgoing(stoq::kMaxQueue[2]), Outgoing(stoq::kMaxQueue[3]),
           Outgoing(stoq::kMaxQueue[4]), Outgoing(stoq::kMaxQueue[5])} {
  static_assert(stoq::kChannels == 6);
  reference_.user_data = static_cast<HandshakeJudge*>(this);
  reference_.get_conn = [](ngtcp2_crypto_conn_ref* reference) {
    auto* judge = static_cast<HandshakeJudge*>(reference->user_data);
    return static_cast<Connection*>(judge)->conn_.get();
  };
}

Connection::~Connection() = default;

Result<void> Connection::open_session() {
  const auto role = dialled_ ? TlsSession::Role::Client : TlsSession::Role::Server;
  HM_TRY(session_, TlsSession::open(role, setup_.credentials, reference_, setup_.alpn));
  choose_packet_keys(session_->native());
  ngtcp2_conn_set_tls_native_handle(conn_.get(), session_->native());
  return {};
}

Result<std::unique_ptr<Connection>> Connection::dial(ConnectionHost& host, const Setup& setup,
                                                     const identity::NodeId& expected,
                                                     MonoTime now) {
  std::unique_ptr<Connection> out(new Connection(host, setup, true));
  out->expected_ = expected;
  const auto callbacks = client_callbacks();
  const auto settings = make_settings(now);
  const auto params = make_params();
  const auto dcid = random_cid(18);
  const auto scid = random_cid(kCidSize);
  const auto path = make_path(out->setup_.local, out->setup_.remote);
  ngtcp2_conn* conn = nullptr;
  if (const int rc = ngtcp2_conn_client_new(&conn, &dcid, &scid, &path, NGTCP2_PROTO_VER_V1,
                                            &callbacks, &settings, &params, nullptr, out.get());
      rc != 0) {
    return fail(ErrorCode::Io, std::string("no QUIC connection: ") + ngtcp2_strerror(rc));
  }
  out->conn_.reset(conn);
  HM_TRY_VOID(out->open_session());
  host.add_cid(local_cid(scid.data), *out);
  return out;
}

Result<std::unique_ptr<Connection>> Connection::accept(ConnectionHost& host, const Setup& setup,
                                                       const ServerStart& start, MonoTime now) {
  std::unique_ptr<Connection> out(new Connection(host, setup, false));
  const auto callbacks = server_callbacks();
  auto settings = make_settings(now);
  auto params = make_params();
  const auto scid = random_cid(kCidSize);
  params.original_dcid_present = 1;
  params.original_dcid = start.initial->dcid;
  if (start.original_dcid) {
    params.original_dcid = *start.original_dcid;
    params.retry_scid_present = 1;
    params.retry_scid = start.initial->dcid;
    settings.token = start.initial->token;
    settings.tokenlen = start.initial->tokenlen;
    settings.token_type = NGTCP2_TOKEN_TYPE_RETRY;
  }
  params.stateless_reset_token_present = 1;
  const auto secret = host.stateless_reset_secret();
  if (ngtcp2_crypto_generate_stateless_reset_token(params.stateless_reset_token, secret.data(),
                                                   secret.size(), &scid) != 0) {
    return fail(ErrorCode::Io, "no stateless reset token");
  }
  const auto path = make_path(out->setup_.local, out->setup_.remote);
  ngtcp2_conn* conn = nullptr;
  if (const int rc =
          ngtcp2_conn_server_new(&conn, &start.initial->scid, &scid, &path, start.initial->version,
                                 &callbacks, &settings, &params, nullptr, out.get());
      rc != 0) {
    return fail(ErrorCode::Io, std::string("no QUIC connection: ") + ngtcp2_strerror(rc));
  }
  out->conn_.reset(conn);
  HM_TRY_VOID(out->open_session());
  host.add_cid(local_cid(scid.data), *out);
  return out;
}

void Connection::read(const sockaddr_in6& from, ByteView datagram, MonoTime now) {
  if (ending_) return;
  now_ = now;
  unanswered_ += datagram.size();
  auto remote = from;
  const auto path = make_path(setup_.local, remote);
  const ngtcp2_pkt_info info{};
  const auto before = authentic_packets();
  const int rc =
      ngtcp2_conn_read_pkt(conn_.get(), &path, &info, datagram.data(), datagram.size(), stamp(now));
  if (authentic_packets() != before) {
    heard_ = true;
    liveness_.handle_received(now, owes());
    if (probing_) {
      probing_ = false;
      ngtcp2_conn_set_keep_alive_timeout(conn_.get(), nanos(stoq::kKeepAlive));
    }
  }
  if (ending_) return;
  if (rc != 0) return fail_library(rc);
  if (refusal_) {
    return end({*refusal_, std::string(name_of(*refusal_)), Ending::Notice::ToPeer});
  }
  // About half of an idle connection's memory. ngtcp2 has the keys; nothing that TLS could still
  // say is welcome (recv_crypto_data).
  if (confirmed_ && session_) {
    ngtcp2_conn_set_tls_native_handle(conn_.get(), nullptr);
    session_.reset();
    setup_.credentials.reset();
  }
}

void Connection::fail_library(int code) {
  if (refusal_) return end({*refusal_, std::string(name_of(*refusal_)), Ending::Notice::ToPeer});
  const bool live = ready_;
  switch (code) {
    case NGTCP2_ERR_DRAINING: {
      if (reset_) return end({Incident::StatelessResetReceived, "the peer forgot the connection"});
      const auto* error = ngtcp2_conn_get_ccerr(conn_.get());
      return end({live ? Incident::ClosedByPeer : Incident::RefusedByPeer, describe(*error)});
    }
    case NGTCP2_ERR_CLOSING: return end({Incident::ClosedByPeer, "closing"});
    case NGTCP2_ERR_RETRY:
    case NGTCP2_ERR_DROP_CONN: return end({Incident::MalformedPacket, ngtcp2_strerror(code)});
    case NGTCP2_ERR_HANDSHAKE_TIMEOUT:
      return end({Incident::HandshakeTimeout, "no answer in time"});
    case NGTCP2_ERR_IDLE_CLOSE: return end({Incident::IdleTimeout, "idle"});
    case NGTCP2_ERR_CRYPTO: {
      const auto alert = ngtcp2_conn_get_tls_alert(conn_.get());
      const auto incident = incident_of_alert(alert);
      return end({incident,
                  std::string(name_of(incident)) + ", TLS alert " + std::to_string(unsigned{alert}),
                  Ending::Notice::ToPeer});
    }
    default:
      return end({handshake_done_ ? Incident::ProtocolViolation : Incident::HandshakeFailed,
                  ngtcp2_strerror(code), Ending::Notice::ToPeer});
  }
}

void Connection::end(Ending ending) {
  if (!ending_) ending_ = std::move(ending);
}

void Connection::handle_timeout(MonoTime now) {
  if (ending_) return;
  now_ = now;
  if (ngtcp2_conn_get_expiry(conn_.get()) <= stamp(now)) {
    if (const int rc = ngtcp2_conn_handle_expiry(conn_.get(), stamp(now)); rc != 0) {
      return fail_library(rc);
    }
  }
  judge_liveness(now);
  if (ending_) return;
  for (const auto& out : out_) {
    const auto since = out.queue.waiting_since();
    if (ready_ && since && now - *since >= setup_.slow_reader_limit) {
      return end({Incident::SlowReader, std::string(name_of(Incident::SlowReader)),
                  Ending::Notice::ToPeer});
    }
  }
}

void Connection::handle_unreachable(MonoTime now) {
  if (ending_) return;
  now_ = now;
  if (!ready_) {
    // Nobody there yet: a dial that can only fail. Not for a server, whose client proved to be.
    if (dialled_) end({Incident::DialFailed, "nobody listens there"});
    return;
  }
  liveness_.handle_unreachable(now);
  if (!probing_) {
    probing_ = true;
    ngtcp2_conn_set_keep_alive_timeout(conn_.get(), nanos(stoq::kSuspectProbe));
  }
  judge_liveness(now);
}

void Connection::judge_liveness(MonoTime now) {
  if (!ready_) return;
  const auto timeout = Duration(static_cast<Duration::rep>(ngtcp2_conn_get_pto(conn_.get())));
  switch (liveness_.judge(now, smoothed_rtt(), timeout)) {
    case stoq::Liveness::Verdict::Alive:
    case stoq::Liveness::Verdict::Suspect: return;
    case stoq::Liveness::Verdict::Silent:
      return end({Incident::PeerSilent, "no answer to data sent", Ending::Notice::ToPeer});
    case stoq::Liveness::Verdict::Unreachable:
      return end({Incident::PeerUnreachable, "nobody listens there"});
  }
}

bool Connection::owes() const {
  ngtcp2_conn_info info{};
  ngtcp2_conn_get_conn_info(conn_.get(), &info);
  return info.bytes_in_flight > 0;
}

std::optional<MonoTime> Connection::deadline(MonoTime now) const {
  if (ending_) return std::nullopt;
  auto at = MonoTime::max();
  if (const auto expiry = ngtcp2_conn_get_expiry(conn_.get()); expiry != UINT64_MAX) {
    at = MonoTime(Duration(static_cast<Duration::rep>(expiry)));
  }
  if (ready_) {
    const auto timeout = Duration(static_cast<Duration::rep>(ngtcp2_conn_get_pto(conn_.get())));
    if (const auto silent = liveness_.deadline(timeout)) at = std::min(at, *silent);
    for (const auto& out : out_) {
      if (const auto since = out.queue.waiting_since()) {
        at = std::min(at, *since + setup_.slow_reader_limit);
      }
    }
  }
  return at == MonoTime::max() ? std::nullopt : std::optional(round_up(at, now));
}

bool Connection::wants_write() const {
  if (!confirmed_ || unanswered_ >= stoq::kAckAfterBytes) return true;
  return std::ranges::any_of(
      out_, [](const Outgoing& out) { return out.queue.has_unsent() && !out.blocked; });
}

MonoTime Connection::round_up(MonoTime deadline, MonoTime now) const {
  if (!confirmed_ || smoothed_rtt() > stoq::kPaceAbove) return deadline;
  return std::max(deadline, now + stoq::kTimerGranularity);
}

bool Connection::push(std::size_t channel, std::shared_ptr<const Bytes> payload,
                      std::shared_ptr<const Bytes> rest, MonoTime now) {
  return out_[channel].queue.push(std::move(payload), std::move(rest), now);
}

std::size_t Connection::queued_bytes() const {
  std::size_t sum = 0;
  for (const auto& out : out_) sum += out.queue.bytes();
  return sum;
}

std::vector<LocalCid> Connection::cids() const {
  std::vector<ngtcp2_cid> all(ngtcp2_conn_get_scid(conn_.get(), nullptr));
  ngtcp2_conn_get_scid(conn_.get(), all.data());
  std::vector<LocalCid> out;
  for (const auto& cid : all) {
    if (cid.datalen == kCidSize) out.push_back(local_cid(cid.data));
  }
  return out;
}

sockaddr_in6 Connection::remote() const {
  const auto* path = ngtcp2_conn_get_path(conn_.get());
  sockaddr_in6 out = setup_.remote;
  if (path->remote.addrlen == sizeof out) std::memcpy(&out, path->remote.addr, sizeof out);
  return out;
}

Duration Connection::smoothed_rtt() const {
  ngtcp2_conn_info info{};
  ngtcp2_conn_get_conn_info(conn_.get(), &info);
  return Duration(static_cast<Duration::rep>(info.smoothed_rtt));
}

// Runs of equal datagrams, gathered in one arena for all connections of the thread. It has room for
// the longest datagram behind the longest run.
struct Connection::Batch {
  PacketSink& sink;
  const std::optional<in6_addr>& source;
  std::span<std::uint8_t> arena;
  sockaddr_in6 to{};
  std::size_t used = 0;
  std::size_t segment = 0;
  int runs = 0;

  bool flush() {
    if (used == 0) return true;
    const auto run = std::exchange(used, 0);
    ++runs;
    return sink.send_run(to, source, arena.first(run), std::exchange(segment, 0));
  }

  // A datagram of `size` bytes was written behind the run.
  bool add(const sockaddr_in6& remote, std::size_t size) {
    const bool same =
        used == 0 || (size <= segment && std::memcmp(&remote, &to, sizeof remote) == 0);
    if (!same) {
      const auto begin = used;
      if (!flush()) return false;
      std::memmove(arena.data(), arena.data() + begin, size);
    }
    to = remote;
    if (used == 0) segment = size;
    used += size;
    const bool full =
        used + segment > UdpSocket::kMaxRun || used / segment >= UdpSocket::kMaxSegments - 1;
    return size < segment || full ? flush() : true;
  }
};

bool Connection::write(PacketSink& sink, MonoTime now) {
  if (ending_) return false;
  now_ = now;
  unanswered_ = 0;
  thread_local std::array<std::uint8_t, UdpSocket::kMaxRun + kMaxDatagram> arena;
  Batch batch{sink, setup_.source, arena};
  const bool more = write_packets(batch, now);
  const bool open = batch.flush();
  if (ending_) return false;
  if (batch.runs > 0) {
    if (smoothed_rtt() > stoq::kPaceAbove) ngtcp2_conn_update_pkt_tx_time(conn_.get(), stamp(now));
    if (owes()) liveness_.handle_owed(now);
  }
  return more && open;
}

// True when the share of this turn ended first.
bool Connection::write_packets(Batch& batch, MonoTime now) {
  sockaddr_in6 local{};
  sockaddr_in6 remote{};
  auto path = make_path(local, remote);
  std::array<ByteView, 16> pieces;
  std::array<ngtcp2_vec, 16> vectors;
  while (batch.runs < kRunsPerTurn) {
    auto* out = next_writable();
    std::size_t count = 0;
    if (out != nullptr) {
      count = out->queue.peek(pieces);
      for (std::size_t i = 0; i < count; ++i) {
        vectors[i] = {const_cast<std::uint8_t*>(pieces[i].data()), pieces[i].size()};
      }
    }
    ngtcp2_pkt_info info{};
    ngtcp2_ssize taken = -1;
    const auto flags = out != nullptr ? NGTCP2_WRITE_STREAM_FLAG_MORE : 0U;
    const auto written = ngtcp2_conn_writev_stream(
        conn_.get(), &path, &info, batch.arena.data() + batch.used, kMaxDatagram, &taken, flags,
        out != nullptr ? out->id : -1, vectors.data(), count, stamp(now));
    if (out != nullptr && taken > 0) out->queue.handle_sent(static_cast<std::size_t>(taken));
    if (written == NGTCP2_ERR_WRITE_MORE) continue;
    if (written == NGTCP2_ERR_STREAM_DATA_BLOCKED) {
      out->blocked = true;
      continue;
    }
    if (written < 0) {
      fail_library(static_cast<int>(written));
      return false;
    }
    if (written == 0) return false;
    if (!batch.add(remote, static_cast<std::size_t>(written))) return false;
  }
  return true;
}

Connection::Outgoing* Connection::next_writable() {
  // In the order of the channels: votes before operations before history.
  for (auto& out : out_) {
    if (out.id >= 0 && !out.blocked && out.queue.has_unsent()) return &out;
  }
  return nullptr;
}

void Connection::write_close(PacketSink& sink, MonoTime now) {
  if (!ending_ || ending_->notice != Ending::Notice::ToPeer) return;
  const auto* reason = reinterpret_cast<const std::uint8_t*>(ending_->reason.data());
  ngtcp2_ccerr error{};
  ngtcp2_ccerr_default(&error);
  if (handshake_done_) {
    ngtcp2_ccerr_set_application_error(&error, close_code(ending_->incident), reason,
                                       ending_->reason.size());
  } else {
    ngtcp2_ccerr_set_tls_alert(&error, alert_of(ending_->incident), reason, ending_->reason.size());
  }
  std::array<std::uint8_t, NGTCP2_MAX_UDP_PAYLOAD_SIZE> packet{};
  sockaddr_in6 local{};
  sockaddr_in6 remote = this->remote();
  auto path = make_path(local, remote);
  ngtcp2_pkt_info info{};
  const auto size = ngtcp2_conn_write_connection_close(conn_.get(), &path, &info, packet.data(),
                                                       packet.size(), &error, stamp(now));
  if (size <= 0) return;
  const auto bytes = ByteView(packet).first(static_cast<std::size_t>(size));
  (void)sink.send_run(remote, setup_.source, bytes, bytes.size());
}

}  // namespace hm::quic
