// SPDX-License-Identifier: Apache-2.0
// What the daemon and a container's monitor say to each other, over a SOCK_SEQPACKET socket: one
// message is one frame, a byte that names it and fixed little-endian fields or bytes after it.
//
// A monitor outlives the daemon that started it and so may be older than the one that talks to it:
// frames are only ever added, and none changes its meaning. The daemon trusts its monitors; no byte
// of a frame is a tenant's but the content of Input and Output.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "foundation/base/bytes.h"

namespace hm::container_runtime {

enum class ToMonitor : std::uint8_t {
  Attach = 1,      // offset u64: output from there on, against allowance; kWhereItStopped
  Detach = 2,      // offset u64: up to there output was delivered; kWhereItStopped: nothing was
  Allow = 3,       // bytes u32 more of output
  Input = 4,       // bytes
  CloseInput = 5,  // after what was written
  Signal = 6,      // number u8, to the process
  Resize = 7,      // rows u16, columns u16
  Watch = 8,       // say Logged once, as soon as there is more in the log
};

enum class FromMonitor : std::uint8_t {
  Started = 1,   // pid u32
  Failed = 2,    // why, as the OCI runtime says; the last frame
  Attached = 3,  // offset u64: from here on frames of Output belong to the last Attach
  Output = 4,    // lane u8, bytes
  Taken = 5,     // bytes u32 of input went in
  Logged = 6,
  Exited = 7,  // code u8, wall time in ms u64; the log is complete
  End = 8,     // all output was sent, or nobody is attached; the last frame
};

// The offset that stands for "after the last byte that was sent to anybody", where no client knows.
inline constexpr std::uint64_t kWhereItStopped = ~std::uint64_t{0};

// Half a pipe: large enough that system calls do not dominate, small beside a socket's buffer.
inline constexpr std::size_t kMaxChunk = 32 * 1024;
inline constexpr std::size_t kMaxFrame = kMaxChunk + 16;
// Of what the OCI runtime says when it fails.
inline constexpr std::size_t kMaxReason = 4 * 1024;

// The monitor's descriptor of the first client's socket, at its start.
inline constexpr int kClientDescriptor = 3;
// In the OCI runtime's command line, what the monitor replaces by the path of kConsoleSocket.
inline constexpr const char* kConsolePlace = "{console}";
inline constexpr const char* kConsoleSocket = "console.sock";
inline constexpr const char* kAttachSocket = "attach.sock";
inline constexpr const char* kExitFile = "exit";
inline constexpr const char* kPidFile = "pid";

// Builds one frame in place.
class Frame {
 public:
  template <class Kind>
  explicit Frame(Kind kind) {
    put(static_cast<std::uint8_t>(kind));
  }
  template <class T>
  Frame& put(T value) {
    static_assert(std::is_unsigned_v<T>);
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      bytes_[size_++] = static_cast<std::uint8_t>(std::uint64_t{value} >> (8 * i));
    }
    return *this;
  }
  // Requires: at most kMaxChunk bytes.
  Frame& put(ByteView bytes) {
    if (!bytes.empty()) std::memcpy(bytes_.data() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
    return *this;
  }
  ByteView view() const { return {bytes_.data(), size_}; }

 private:
  std::size_t size_ = 0;
  std::array<std::uint8_t, kMaxFrame> bytes_;
};

// Takes the first field off `rest`; false if it is not there.
template <class T>
bool take(ByteView& rest, T& value) {
  static_assert(std::is_unsigned_v<T>);
  if (rest.size() < sizeof(T)) return false;
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) bits |= std::uint64_t{rest[i]} << (8 * i);
  value = static_cast<T>(bits);
  rest = rest.subspan(sizeof(T));
  return true;
}

}  // namespace hm::container_runtime
