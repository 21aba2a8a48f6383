// SPDX-License-Identifier: Apache-2.0
#include "platform/quic/raw_peer.h"

#include <gtest/gtest.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include <chrono>
#include <vector>

#include "core/stoq/limits.h"

namespace hm::quic::test {
namespace {

ngtcp2_tstamp stamp() {
  return static_cast<ngtcp2_tstamp>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                        std::chrono::steady_clock::now().time_since_epoch())
                                        .count());
}

ngtcp2_cid random_cid(std::size_t size) {
  ngtcp2_cid cid{};
  cid.datalen = size;
  fill_random(std::span(cid.data).first(size));
  return cid;
}

}  // namespace

RawPeer::RawPeer(const stoq::Address& target, std::shared_ptr<const Credentials> credentials,
                 std::string_view alpn, Reading reading, std::uint32_t version)
    : target_(to_sockaddr(target)), reading_(reading) {
  auto socket = UdpSocket::open(stoq::Address::loopback(0));
  EXPECT_TRUE(socket);
  socket_.emplace(std::move(*socket));
  local_ = socket_->local();
  reference_.user_data = static_cast<HandshakeJudge*>(this);
  reference_.get_conn = [](ngtcp2_crypto_conn_ref* reference) {
    return static_cast<RawPeer*>(static_cast<HandshakeJudge*>(reference->user_data))->conn_.get();
  };
  ngtcp2_settings settings{};
  ngtcp2_settings_default(&settings);
  settings.initial_ts = stamp();
  ngtcp2_transport_params params{};
  ngtcp2_transport_params_default(&params);
  params.initial_max_streams_uni = stoq::kChannels;
  params.initial_max_stream_data_uni = 64 << 10;
  params.initial_max_data = 64 << 10;
  const auto table = callbacks();
  const auto dcid = random_cid(18);
  const auto scid = random_cid(8);
  ngtcp2_path path{};
  path.local = {reinterpret_cast<ngtcp2_sockaddr*>(&local_), sizeof local_};
  path.remote = {reinterpret_cast<ngtcp2_sockaddr*>(&target_), sizeof target_};
  ngtcp2_conn* conn = nullptr;
  EXPECT_EQ(ngtcp2_conn_client_new(&conn, &dcid, &scid, &path, version, &table, &settings, &params,
                                   nullptr, this),
            0);
  conn_.reset(conn);
  auto session =
      TlsSession::open(TlsSession::Role::Client, std::move(credentials), reference_, alpn);
  EXPECT_TRUE(session);
  session_.emplace(std::move(*session));
  ngtcp2_conn_set_tls_native_handle(conn, session_->native());
}

RawPeer::~RawPeer() = default;

ngtcp2_callbacks RawPeer::callbacks() {
  ngtcp2_callbacks table{};
  table.client_initial = ngtcp2_crypto_client_initial_cb;
  table.recv_retry = ngtcp2_crypto_recv_retry_cb;
  table.recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb;
  table.encrypt = ngtcp2_crypto_encrypt_cb;
  table.decrypt = ngtcp2_crypto_decrypt_cb;
  table.hp_mask = ngtcp2_crypto_hp_mask_cb;
  table.update_key = ngtcp2_crypto_update_key_cb;
  table.delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb;
  table.delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb;
  table.get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb;
  table.version_negotiation = ngtcp2_crypto_version_negotiation_cb;
  table.rand = [](std::uint8_t* out, std::size_t size, const ngtcp2_rand_ctx*) {
    fill_random({out, size});
  };
  table.get_new_connection_id = [](ngtcp2_conn*, ngtcp2_cid* cid, std::uint8_t* token,
                                   std::size_t size, void*) {
    *cid = random_cid(size);
    fill_random({token, NGTCP2_STATELESS_RESET_TOKENLEN});
    return 0;
  };
  table.handshake_completed = [](ngtcp2_conn*, void* self) {
    static_cast<RawPeer*>(self)->handshake_done_ = true;
    return 0;
  };
  table.recv_stream_data = [](ngtcp2_conn* conn, std::uint32_t, std::int64_t id, std::uint64_t,
                              const std::uint8_t*, std::size_t size, void* user_data, void*) {
    auto& self = *static_cast<RawPeer*>(user_data);
    self.received_ += size;
    if (self.reading_ == Reading::Polite) {
      ngtcp2_conn_extend_max_stream_offset(conn, id, size);
      ngtcp2_conn_extend_max_offset(conn, size);
    }
    return 0;
  };
  return table;
}

void RawPeer::read() {
  if (!socket_) return;
  bool drained = false;
  while (!drained) {
    drained = socket_->receive([this](const Datagram& datagram) {
      if (closed_) return;
      auto remote = datagram.from;
      ngtcp2_path path{};
      path.local = {reinterpret_cast<ngtcp2_sockaddr*>(&local_), sizeof local_};
      path.remote = {reinterpret_cast<ngtcp2_sockaddr*>(&remote), sizeof remote};
      const ngtcp2_pkt_info info{};
      const int rc = ngtcp2_conn_read_pkt(conn_.get(), &path, &info, datagram.bytes.data(),
                                          datagram.bytes.size(), stamp());
      if (rc == 0) return;
      closed_ = true;
      const auto* error = ngtcp2_conn_get_ccerr(conn_.get());
      close_reason_.assign(reinterpret_cast<const char*>(error->reason), error->reasonlen);
      if (rc != NGTCP2_ERR_DRAINING) close_reason_ = ngtcp2_strerror(rc);
    });
  }
}

void RawPeer::send_on_new_stream(ByteView bytes, Finish finish) {
  std::int64_t id = -1;
  ASSERT_EQ(ngtcp2_conn_open_uni_stream(conn_.get(), &id, nullptr), 0);
  streams_[id] = {to_bytes(bytes), 0, finish};
}

void RawPeer::write() {
  if (!socket_ || closed_) return;
  std::array<std::uint8_t, 1452> packet{};
  while (true) {
    std::int64_t id = -1;
    Stream* stream = nullptr;
    for (auto& [candidate, state] : streams_) {
      const bool unfinished = state.sent < state.bytes.size() || state.finish == Finish::Yes;
      if (!unfinished) continue;
      id = candidate;
      stream = &state;
      break;
    }
    ngtcp2_vec vector{};
    if (stream != nullptr) {
      vector = {stream->bytes.data() + stream->sent, stream->bytes.size() - stream->sent};
    }
    const auto flags = stream != nullptr && stream->finish == Finish::Yes
                           ? NGTCP2_WRITE_STREAM_FLAG_FIN
                           : NGTCP2_WRITE_STREAM_FLAG_NONE;
    ngtcp2_path_storage path{};
    ngtcp2_path_storage_zero(&path);
    ngtcp2_pkt_info info{};
    ngtcp2_ssize taken = -1;
    const auto size =
        ngtcp2_conn_writev_stream(conn_.get(), &path.path, &info, packet.data(), packet.size(),
                                  &taken, flags, id, &vector, 1, stamp());
    if (taken >= 0 && stream != nullptr) {
      stream->sent += static_cast<std::size_t>(taken);
      if (stream->sent == stream->bytes.size()) stream->finish = Finish::No;
    }
    if (size <= 0) return;
    (void)socket_->send(target_, std::nullopt,
                        ByteView(packet).first(static_cast<std::size_t>(size)),
                        static_cast<std::size_t>(size));
  }
}

bool RawPeer::change_keys() { return ngtcp2_conn_initiate_key_update(conn_.get(), stamp()) == 0; }

void RawPeer::pump() {
  read();
  if (closed_ || !socket_) return;
  if (ngtcp2_conn_get_expiry(conn_.get()) <= stamp()) {
    if (ngtcp2_conn_handle_expiry(conn_.get(), stamp()) != 0) closed_ = true;
  }
  write();
}

}  // namespace hm::quic::test
