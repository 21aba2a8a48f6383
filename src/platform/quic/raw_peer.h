// SPDX-License-Identifier: Apache-2.0
// A QUIC client without manners, for tests: any certificate, any ALPN, any bytes on any stream, and
// it may refuse to read. Nothing in the product uses it.
#pragma once

#include <ngtcp2/ngtcp2.h>

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "platform/quic/tls.h"
#include "platform/quic/udp_socket.h"

namespace hm::quic::test {

class RawPeer final : private HandshakeJudge {
 public:
  enum class Reading : std::uint8_t { Polite, Never };  // Never: the window is not opened again

  RawPeer(const stoq::Address& target, std::shared_ptr<const Credentials> credentials,
          std::string_view alpn = kAlpn, Reading reading = Reading::Polite,
          std::uint32_t version = NGTCP2_PROTO_VER_V1);
  ~RawPeer() override;

  // Reads what came, writes what is due.
  void pump();
  // Reads once without answering.
  void read();
  void write();
  // Sends `bytes` on a new unidirectional stream, finishing it if asked to.
  enum class Finish : std::uint8_t { No, Yes };
  void send_on_new_stream(ByteView bytes, Finish finish = Finish::No);

  // Begins to use new keys (RFC 9001 §6); false if it is too early for that.
  bool change_keys();

  bool connected() const { return handshake_done_; }
  bool closed() const { return closed_; }
  // What the other side said when it closed.
  const std::string& close_reason() const { return close_reason_; }
  std::size_t received() const { return received_; }
  // Closes the socket without a word, as a killed process does.
  void vanish() { socket_.reset(); }

 private:
  struct Stream {
    Bytes bytes;
    std::size_t sent = 0;
    Finish finish = Finish::No;
  };
  struct FreeConn {
    void operator()(ngtcp2_conn* conn) const { ngtcp2_conn_del(conn); }
  };

  std::optional<stoq::Incident> judge_peer(ByteView) override { return std::nullopt; }
  void refuse_peer(stoq::Incident) override {}
  ngtcp2_callbacks callbacks();

  std::optional<UdpSocket> socket_;
  sockaddr_in6 local_{};
  sockaddr_in6 target_{};
  ngtcp2_crypto_conn_ref reference_{};
  std::optional<TlsSession> session_;
  std::unique_ptr<ngtcp2_conn, FreeConn> conn_;
  std::map<std::int64_t, Stream> streams_;
  Reading reading_;
  std::size_t received_ = 0;
  bool handshake_done_ = false;
  bool closed_ = false;
  std::string close_reason_;
};

}  // namespace hm::quic::test
