// SPDX-License-Identifier: Apache-2.0
// The bytes of a journal segment (docs/protocols/journal.md): an eight-byte magic and the number
// of the first record, then records of {length u32, checksum 8 bytes, payload}, little-endian. The
// checksum is the start of SHA-256 over the record's number and payload, so a record copied to
// another place does not pass.
#pragma once

#include <cstdint>
#include <functional>

#include "foundation/base/bytes.h"
#include "ports/journal.h"

namespace hm::journal {

inline constexpr std::size_t kSegmentHeaderBytes = 16;
inline constexpr std::size_t kRecordHeaderBytes = 12;
// Far above a block with its votes; a longer length is damage, not a record.
inline constexpr std::uint32_t kRecordBytesMax = 32u << 20;

Bytes segment_header(ports::LogSequence first);
void append_record(Bytes& out, ports::LogSequence sequence, ByteView payload);

enum class SegmentEnd : std::uint8_t {
  Clean,    // ends after a whole record
  Torn,     // ends inside a record or in zeros: a write that was never reported durable
  Damaged,  // a whole record fails its checksum, or the header is not one
};

struct SegmentScan {
  SegmentEnd end = SegmentEnd::Clean;
  ports::LogSequence next = 0;     // number after the last intact record
  std::uint64_t intact_bytes = 0;  // offset where the intact part ends
};

// Walks the records of one segment whose first record must be number `first`.
SegmentScan scan_segment(ByteView content, ports::LogSequence first,
                         const std::function<void(ports::LogSequence, ByteView)>& visit);

}  // namespace hm::journal
