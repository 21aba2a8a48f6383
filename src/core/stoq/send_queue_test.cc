// SPDX-License-Identifier: Apache-2.0
#include "core/stoq/send_queue.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <vector>

namespace hm::stoq {
namespace {

constexpr MonoTime kStart{std::chrono::seconds(100)};

std::shared_ptr<const Bytes> payload(std::size_t size, std::uint8_t fill) {
  return std::make_shared<const Bytes>(size, fill);
}

// Sends up to `most` bytes, as the network would take them.
Bytes take(SendQueue& queue, std::size_t most) {
  std::array<ByteView, 3> pieces;
  const auto count = queue.peek(pieces);
  Bytes out;
  for (std::size_t i = 0; i < count && out.size() < most; ++i) {
    const auto piece = pieces[i].first(std::min(pieces[i].size(), most - out.size()));
    out.insert(out.end(), piece.begin(), piece.end());
  }
  queue.handle_sent(out.size());
  return out;
}

RC_GTEST_PROP(SendQueue, SaysEveryByteOnceInOrderWhateverTheNetworkTakes,
              (const std::vector<std::uint8_t>& sizes, const std::vector<std::uint8_t>& takes)) {
  SendQueue queue(1 << 20);
  Bytes expected;
  Bytes got;
  std::size_t turn = 0;
  std::uint64_t sent = 0;
  std::uint64_t acked = 0;
  const auto step = [&] {
    const std::size_t most = takes.empty() ? 7 : 1 + takes[turn++ % takes.size()];
    const auto bytes = take(queue, most);
    got.insert(got.end(), bytes.begin(), bytes.end());
    sent += bytes.size();
    // The peer lags behind by half of what is on its way.
    acked += (sent - acked) / 2;
    queue.handle_acked(acked, kStart);
    RC_ASSERT(queue.bytes() == expected.size() - acked);
  };
  for (const auto size : sizes) {
    const std::size_t rest = size / 3;
    const std::size_t length = 1 + size + rest;
    RC_ASSERT(queue.push(payload(1 + size, size), payload(rest, size), kStart));
    const auto prefix = frame_prefix(length);
    expected.insert(expected.end(), prefix.begin(), prefix.end());
    expected.insert(expected.end(), length, size);
    step();
  }
  while (queue.has_unsent()) step();
  RC_ASSERT(got == expected);
  queue.handle_acked(sent, kStart);
  RC_ASSERT(queue.bytes() == 0U);
  RC_ASSERT(!queue.waiting_since());
}

TEST(SendQueue, RefusesWhatDoesNotFitAndTakesItOnceThereIsRoom) {
  SendQueue queue(1'000);
  EXPECT_TRUE(queue.push(payload(900, 1), kStart));
  EXPECT_FALSE(queue.push(payload(100, 2), kStart));
  take(queue, 2'000);
  EXPECT_FALSE(queue.push(payload(100, 2), kStart)) << "sent is not acknowledged";
  queue.handle_acked(904, kStart);
  EXPECT_TRUE(queue.push(payload(100, 2), kStart));
}

TEST(SendQueue, TellsSinceWhenThePeerTakesNothing) {
  SendQueue queue(1'000);
  EXPECT_FALSE(queue.waiting_since());
  EXPECT_TRUE(queue.push(payload(100, 1), kStart));
  EXPECT_TRUE(queue.push(payload(100, 1), kStart + 1s));
  EXPECT_EQ(queue.waiting_since(), kStart);
  take(queue, 500);
  queue.handle_acked(50, kStart + 2s);
  EXPECT_EQ(queue.waiting_since(), kStart + 2s);
  queue.handle_acked(50, kStart + 3s);
  EXPECT_EQ(queue.waiting_since(), kStart + 2s) << "a repeated acknowledgement is no progress";
}

}  // namespace
}  // namespace hm::stoq
