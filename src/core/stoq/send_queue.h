// SPDX-License-Identifier: Apache-2.0
// What one stream has still to say: payloads that are queued, sent and not yet acknowledged, under
// a byte limit. Bytes stay in place until the peer acknowledged them, since QUIC may need them
// again. Payloads are shared between the peers that they go to.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>

#include "core/stoq/frame.h"
#include "foundation/base/bytes.h"
#include "foundation/base/time.h"

namespace hm::stoq {

class SendQueue {
 public:
  // Requires: limit ≥ the largest frame with its prefix.
  explicit SendQueue(std::size_t limit) : limit_(limit) {}

  // Queues the stream header, which comes first and counts for nothing.
  void push_header(const StreamHeader& header, MonoTime now);
  // Queues one frame; false if the queue is full. Requires: payload not empty.
  bool push(std::shared_ptr<const Bytes> payload, MonoTime now);
  // Likewise one frame, of what is in both.
  bool push(std::shared_ptr<const Bytes> payload, std::shared_ptr<const Bytes> rest, MonoTime now);

  // The next bytes to send, in order, as at most pieces.size() views; returns how many. They stay
  // valid until they are acknowledged.
  std::size_t peek(std::span<ByteView> pieces) const;
  bool has_unsent() const { return sent_ != end_; }
  // The first `bytes` of peek() were given to the network.
  void handle_sent(std::size_t bytes);
  // The peer has everything before stream offset `offset`.
  void handle_acked(std::uint64_t offset, MonoTime now);

  // Queued or not acknowledged.
  std::size_t bytes() const { return static_cast<std::size_t>(end_ - acked_); }
  // When the queue last became shorter, or began: nothing while it is empty. A peer is a slow
  // reader when this is long ago.
  std::optional<MonoTime> waiting_since() const {
    return bytes() == 0 ? std::nullopt : std::optional(progress_);
  }

 private:
  struct Item {
    std::uint64_t begin;  // offset in the stream
    std::array<std::uint8_t, StreamHeader::kSize> prefix;
    std::size_t prefix_size;
    std::array<std::shared_ptr<const Bytes>, 2> payload;  // none of the stream header

    ByteView part(std::size_t i) const { return payload[i] ? ByteView(*payload[i]) : ByteView(); }
    std::size_t size() const { return part(0).size() + part(1).size(); }
    std::uint64_t end() const { return begin + prefix_size + size(); }
  };

  std::size_t limit_;
  std::deque<Item> items_;
  std::size_t unsent_item_ = 0;  // index of the first item that is not wholly sent
  std::uint64_t acked_ = 0;      // stream offsets: acknowledged ≤ sent ≤ end
  std::uint64_t sent_ = 0;
  std::uint64_t end_ = 0;
  MonoTime progress_{};
};

}  // namespace hm::stoq
