// SPDX-License-Identifier: Apache-2.0
// Frames on a STOQ stream (docs/protocols/stoq.md §4): a stream header once, then frames of a
// 4-byte little-endian length and the payload. Each peer opens one unidirectional stream per
// channel. The reader takes bytes as they come and never allocates by an announced length.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/identity/ids.h"
#include "core/stoq/limits.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

namespace hm::stoq {

enum class FrameError : std::uint8_t {
  BadMagic,    // the stream does not begin with "STOQ"
  BadVersion,  // a stream version other than 1
  BadChannel,  // no such channel
  EmptyFrame,  // a frame of length 0
  Oversized,   // a frame longer than its channel allows
};
std::string_view name_of(FrameError error);

// What each stream begins with. `incarnation` is drawn when a node starts, so that two connections
// of one process can be told from a process that was started anew.
struct StreamHeader {
  static constexpr std::size_t kSize = 4 + 1 + 1 + 32 + 8;

  std::uint8_t channel = 0;
  identity::ChainId chain;
  std::uint64_t incarnation = 0;

  bool operator==(const StreamHeader&) const = default;
  std::array<std::uint8_t, kSize> encode() const;
  static Result<StreamHeader, FrameError> decode(std::span<const std::uint8_t, kSize> bytes);
};

inline constexpr std::size_t kFramePrefix = 4;
// Requires: size ≤ 2^32 - 1.
std::array<std::uint8_t, kFramePrefix> frame_prefix(std::size_t size);

// Cuts the bytes of one stream into its header and its frames.
class FrameReader {
 public:
  // What next() found: the header, once, or a frame. A frame's view is valid until the next call
  // and as long as the input is.
  struct Item {
    std::optional<StreamHeader> header;
    ByteView frame;
  };

  // Takes bytes from the front of `input`. No item means that all of it was taken. After an error
  // the reader must not be used again.
  Result<std::optional<Item>, FrameError> next(ByteView& input);

  // Bytes held for an unfinished frame.
  std::size_t buffered() const { return buffer_.capacity(); }

 private:
  bool fill_fixed(ByteView& input, std::size_t wanted);

  bool header_done_ = false;
  bool prefix_done_ = false;
  std::array<std::uint8_t, StreamHeader::kSize> fixed_{};  // header or prefix, as far as it came
  std::size_t have_ = 0;                                   // bytes in fixed_
  std::size_t channel_ = 0;
  std::size_t length_ = 0;  // of the frame, once prefix_done_
  Bytes buffer_;            // its first bytes, when it came in pieces
};

}  // namespace hm::stoq
