// SPDX-License-Identifier: Apache-2.0
// The daemon's end of the monitor: one connection at a time, whole frames, never waited for.
#pragma once

#include <cstdint>
#include <optional>

#include "foundation/base/bytes.h"
#include "platform/container_runtime/descriptor.h"
#include "platform/container_runtime/monitor_protocol.h"

namespace hm::container_runtime {

class Client {
 public:
  explicit Client(Descriptor socket) : socket_(std::move(socket)) {}

  int descriptor() const { return socket_.get(); }
  bool is_there() const { return bool(socket_); }
  // After a frame that did not go out, until the socket is writable.
  bool is_full() const { return is_full_; }

  // False if it cannot go out now; gone for good if is_there() is false then.
  bool send(ByteView frame);
  // The next frame, until the next call; none if there is none now or the client is gone.
  std::optional<ByteView> receive();
  void on_writable() { is_full_ = false; }
  void drop() { socket_.reset(); }
  void replace(Descriptor socket) {
    socket_ = std::move(socket);
    is_full_ = false;
  }

 private:
  Descriptor socket_;
  bool is_full_ = false;
  std::array<std::uint8_t, kMaxFrame> frame_;
};

// Listens at kAttachSocket in the current folder, for this user only.
Descriptor listen_for_clients();
// The next client that waits there, if it is of this user.
Descriptor accept_client(int listener);

}  // namespace hm::container_runtime
