// SPDX-License-Identifier: Apache-2.0
// An open WebSocket (RFC 6455) as the code on either end of it sees it: whole binary messages in
// both directions, each direction held back by whoever is slower. Frames, masks, pings and the
// closing handshake are not seen. Everything happens on the event loop; no call to a listener comes
// from inside a call to its socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hm::ports {

// RFC 6455 §7.4.1. 4000 to 4999 belong to the application and may be cast to this.
enum class WebSocketClose : std::uint16_t {
  Normal = 1000,
  GoingAway = 1001,
  ProtocolError = 1002,
  Unsupported = 1003,  // a text message: only binary ones are spoken here
  NoStatus = 1005,     // the other side gave no code; never sent
  Abnormal = 1006,     // ended without a closing handshake; never sent
  PolicyViolation = 1008,
  TooBig = 1009,
  InternalError = 1011,
  TryAgainLater = 1013,
};

class WebSocketListener {
 public:
  virtual ~WebSocketListener() = default;
  // One message; the bytes are borrowed for the call.
  virtual void on_message(std::string_view payload) = 0;
  // pending() was above the low mark and is not any more: a good time to send again.
  virtual void on_drained() = 0;
  // The end, once; the listener is let go of after it. The code and the words are those of the side
  // that closed; Abnormal comes with the reason as this side knows it.
  virtual void on_closed(WebSocketClose code, std::string_view reason) = 0;
};

// Lives as long as someone holds it. Letting go of it closes it as Normal behind what was sent, and
// its listener hears nothing more.
class WebSocket {
 public:
  enum class WriteResult : std::uint8_t {
    Queued,
    Closed,
    TooSlow,   // more than the limit would wait to be written: the socket is cut off
    TooLarge,  // above the limit of one message: nothing was done
  };

  virtual ~WebSocket() = default;
  // Queues one message. Who heeds pending() is never TooSlow.
  virtual WriteResult send(std::string payload) = 0;
  // What waits to be written: payloads, and a fixed cost for each message.
  virtual std::size_t pending() const = 0;
  // Lets that many more bytes of messages in. Nothing is delivered before the first call. While any
  // of it is left the next message is delivered whole and taken off it (an empty one counts as 1);
  // without it reading stops after one message, and the other side is held back.
  virtual void allow(std::size_t bytes) = 0;
  // Sends what is queued, then the code and as much of `reason` as fits a closing frame. Nothing is
  // delivered any more; on_closed() follows. A second call does nothing.
  virtual void close(WebSocketClose code, std::string_view reason) = 0;
  virtual bool is_open() const = 0;
};

}  // namespace hm::ports
