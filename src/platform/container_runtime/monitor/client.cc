// SPDX-License-Identifier: Apache-2.0
#include "platform/container_runtime/monitor/client.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

namespace hm::container_runtime {

bool Client::send(ByteView frame) {
  if (!socket_ || is_full_) return false;
  const ssize_t sent =
      ::send(socket_.get(), frame.data(), frame.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent >= 0) return true;
  if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS) {
    is_full_ = true;
  } else {
    drop();
  }
  return false;
}

std::optional<ByteView> Client::receive() {
  if (!socket_) return std::nullopt;
  const ssize_t got = ::recv(socket_.get(), frame_.data(), frame_.size(), MSG_DONTWAIT);
  if (got > 0) return ByteView(frame_).first(static_cast<std::size_t>(got));
  if (got == 0 || (errno != EAGAIN && errno != EINTR)) drop();
  return std::nullopt;
}

Descriptor listen_for_clients() {
  ::unlink(kAttachSocket);
  Descriptor socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, kAttachSocket, sizeof(address.sun_path) - 1);
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
      ::listen(socket.get(), 4) != 0) {
    return {};
  }
  return socket;
}

Descriptor accept_client(int listener) {
  Descriptor peer(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  ucred who{};
  socklen_t size = sizeof(who);
  if (!peer || ::getsockopt(peer.get(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0 ||
      who.uid != ::geteuid()) {
    return {};
  }
  return peer;
}

}  // namespace hm::container_runtime
