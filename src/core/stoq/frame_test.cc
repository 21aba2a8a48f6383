// SPDX-License-Identifier: Apache-2.0
#include "core/stoq/frame.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <vector>

namespace hm::stoq {
namespace {

StreamHeader header_of(std::uint8_t channel) {
  StreamHeader header;
  header.channel = channel;
  header.chain.bytes.fill(0xab);
  header.incarnation = 0x0102030405060708;
  return header;
}

Bytes stream_of(std::uint8_t channel, const std::vector<Bytes>& frames) {
  const auto header = header_of(channel).encode();
  Bytes out(header.begin(), header.end());
  for (const auto& frame : frames) {
    const auto prefix = frame_prefix(frame.size());
    out.insert(out.end(), prefix.begin(), prefix.end());
    out.insert(out.end(), frame.begin(), frame.end());
  }
  return out;
}

// The frames that come out when the bytes go in, cut at the given sizes.
std::vector<Bytes> read_all(const Bytes& bytes, const std::vector<std::size_t>& cuts) {
  FrameReader reader;
  std::vector<Bytes> out;
  std::size_t at = 0;
  std::size_t cut = 0;
  while (at < bytes.size()) {
    const auto size = cuts.empty() ? bytes.size() : 1 + cuts[cut++ % cuts.size()];
    auto piece = ByteView(bytes).subspan(at, std::min(size, bytes.size() - at));
    at += piece.size();
    while (true) {
      const auto item = reader.next(piece);
      EXPECT_TRUE(item);
      if (!item || !*item) break;
      if (!(*item)->header) out.push_back(to_bytes((*item)->frame));
    }
  }
  return out;
}

TEST(Frame, TheBytesOfAStreamAreAsDocumented) {
  const auto bytes = stream_of(2, {{0x68, 0x69}});
  EXPECT_EQ(to_hex(bytes),
            "53544f51"
            "01"
            "02"
            "abababababababababababababababababababababababababababababababab"
            "0807060504030201"
            "02000000"
            "6869");
}

TEST(Frame, AHeaderSurvivesTheRoundTrip) {
  const auto header = header_of(1);
  const auto decoded = StreamHeader::decode(header.encode());
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, header);
}

RC_GTEST_PROP(Frame, FramesComeOutWholeHoweverTheStreamIsCut,
              (const std::vector<std::vector<std::uint8_t>>& drawn,
               const std::vector<std::uint8_t>& cuts)) {
  std::vector<Bytes> frames;
  for (const auto& frame : drawn) {
    if (!frame.empty()) frames.push_back(frame);
  }
  const std::vector<std::size_t> sizes(cuts.begin(), cuts.end());
  RC_ASSERT(read_all(stream_of(0, frames), sizes) == frames);
}

TEST(Frame, LargeFramesComeOutWhole) {
  const std::vector<Bytes> frames = {Bytes(1 << 20, 1), Bytes(3, 2), Bytes(kMaxFrame[0], 3)};
  EXPECT_EQ(read_all(stream_of(0, frames), {1'400}), frames);
}

FrameError error_of(ByteView bytes) {
  FrameReader reader;
  while (true) {
    const auto item = reader.next(bytes);
    if (!item) return item.error();
    if (!*item) {
      ADD_FAILURE() << "no error";
      return FrameError::BadMagic;
    }
  }
}

TEST(Frame, EveryBrokenRuleHasItsName) {
  auto magic = stream_of(0, {});
  magic[0] ^= 1;
  EXPECT_EQ(error_of(magic), FrameError::BadMagic);
  auto version = stream_of(0, {});
  version[4] = 2;
  EXPECT_EQ(error_of(version), FrameError::BadVersion);
  EXPECT_EQ(error_of(stream_of(kChannels, {})), FrameError::BadChannel);
  EXPECT_EQ(error_of(stream_of(0, {{}})), FrameError::EmptyFrame);
  for (std::uint8_t channel = 0; channel < kChannels; ++channel) {
    auto bytes = stream_of(channel, {});
    const auto prefix = frame_prefix(kMaxFrame[channel] + 1);
    bytes.insert(bytes.end(), prefix.begin(), prefix.end());
    EXPECT_EQ(error_of(bytes), FrameError::Oversized);
  }
}

TEST(Frame, AnAnnouncedLengthAllocatesNothing) {
  auto bytes = stream_of(2, {});
  const auto prefix = frame_prefix(kMaxFrame[2]);
  bytes.insert(bytes.end(), prefix.begin(), prefix.end());
  bytes.push_back(1);
  FrameReader reader;
  auto view = ByteView(bytes);
  ASSERT_TRUE(reader.next(view));
  const auto item = reader.next(view);
  ASSERT_TRUE(item);
  EXPECT_FALSE(*item);
  EXPECT_LE(reader.buffered(), kFrameGrowth);
}

}  // namespace
}  // namespace hm::stoq
