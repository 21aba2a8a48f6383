// SPDX-License-Identifier: Apache-2.0
#include "platform/journal/segment.h"

#include <algorithm>
#include <array>

#include "foundation/codec/reader.h"
#include "foundation/codec/writer.h"
#include "foundation/crypto/hash.h"

namespace hm::journal {
namespace {

constexpr std::string_view kMagic = "HMJRNL01";
using Checksum = std::array<std::uint8_t, 8>;

Checksum checksum_of(ports::LogSequence sequence, ByteView payload) {
  codec::Writer writer;
  writer.write(sequence);
  writer.write_raw(payload);
  const crypto::Digest digest = crypto::tagged_hash("hm.journal.v1", writer.bytes());
  Checksum checksum{};
  std::copy_n(digest.bytes.begin(), checksum.size(), checksum.begin());
  return checksum;
}

bool all_zero(ByteView bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace

Bytes segment_header(ports::LogSequence first) {
  codec::Writer writer;
  writer.write_raw(as_bytes(kMagic));
  writer.write(first);
  return std::move(writer).take();
}

void append_record(Bytes& out, ports::LogSequence sequence, ByteView payload) {
  codec::Writer writer;
  writer.write(static_cast<std::uint32_t>(payload.size()));
  writer.write(checksum_of(sequence, payload));
  out.insert(out.end(), writer.bytes().begin(), writer.bytes().end());
  out.insert(out.end(), payload.begin(), payload.end());
}

SegmentScan scan_segment(ByteView content, ports::LogSequence first,
                         const std::function<void(ports::LogSequence, ByteView)>& visit) {
  SegmentScan scan;
  scan.next = first;
  if (content.size() < kSegmentHeaderBytes || all_zero(content)) {
    scan.end = SegmentEnd::Torn;
    return scan;
  }
  if (!std::ranges::equal(content.first(kSegmentHeaderBytes), segment_header(first))) {
    scan.end = SegmentEnd::Damaged;
    return scan;
  }
  std::uint64_t offset = kSegmentHeaderBytes;
  while (offset < content.size()) {
    const ByteView rest = content.subspan(offset);
    codec::Reader reader(rest);
    std::uint32_t length = 0;
    Checksum checksum{};
    const bool has_header = reader.read(length) && reader.read(checksum);
    if (!has_header || all_zero(rest)) {
      scan.end = SegmentEnd::Torn;
      break;
    }
    if (length > kRecordBytesMax) {
      scan.end = SegmentEnd::Damaged;
      break;
    }
    if (reader.rest().size() < length) {
      scan.end = SegmentEnd::Torn;
      break;
    }
    const ByteView payload = reader.rest().first(length);
    if (checksum_of(scan.next, payload) != checksum) {
      scan.end = SegmentEnd::Damaged;
      break;
    }
    if (visit) visit(scan.next, payload);
    offset += kRecordHeaderBytes + length;
    ++scan.next;
  }
  scan.intact_bytes = offset;
  return scan;
}

}  // namespace hm::journal
