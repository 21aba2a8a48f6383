// SPDX-License-Identifier: Apache-2.0
// Requests about stored objects, decoded as request.h decodes: JSON bodies, the line before each
// object of a batch, and what stands in a query or a header. Whether a name may be one is the
// keeper's.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/request.h"
#include "foundation/crypto/hash.h"

namespace hm::api {

// {"names": [name …]}, at least one
Result<std::vector<std::string>, BadRequest> decode_object_names(std::string_view body);

// {"name", "readers": [owner …], "rewrite"?}
struct ShareObjectRequest {
  std::string name;
  std::vector<std::string> readers;  // each an id, a unique prefix or a name
  bool rewrite = false;
};
Result<ShareObjectRequest, BadRequest> decode_share_object(std::string_view body);

// {"part_bytes", "bytes"?, "note"?}
struct BeginUploadRequest {
  std::uint64_t part_bytes = 0;
  std::optional<std::uint64_t> bytes;  // of the whole
  std::string note;
};
Result<BeginUploadRequest, BadRequest> decode_begin_upload(std::string_view body);

// {"bytes"?, "content"?}: what the whole must be
struct CompleteUploadRequest {
  std::optional<std::uint64_t> bytes;
  std::optional<crypto::Digest> content;
};
Result<CompleteUploadRequest, BadRequest> decode_complete_upload(std::string_view body);

// {"node"}: id, unique prefix or name
Result<std::string, BadRequest> decode_drain(std::string_view body);

// {"name", "size", "metadata"?: {key: text …}}; `size` bytes follow the line.
struct BatchEntry {
  std::string name;
  std::uint64_t size = 0;
  std::map<std::string, std::string> metadata;
};
Result<BatchEntry, BadRequest> decode_batch_entry(std::string_view line);

// "4+2": how many parts are needed, and how many more there are. None if it is malformed.
struct CodeWords {
  std::uint8_t data = 0;
  std::uint8_t parity = 0;
};
std::optional<CodeWords> parse_code(std::string_view text);

// What a Range header asks of something that has `size` bytes (RFC 9110 §14): one range in bytes.
struct ByteRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;  // behind the last
  bool operator==(const ByteRange&) const = default;
};
enum class RangeVerdict : std::uint8_t {
  Whole,          // no range, several, another unit or malformed: all of it is answered
  Part,           // one that can be
  Unsatisfiable,  // one that has nothing in it: 416
};
struct RangeAnswer {
  RangeVerdict verdict = RangeVerdict::Whole;
  ByteRange range;  // of a Part, otherwise all of it
  bool operator==(const RangeAnswer&) const = default;
};
RangeAnswer parse_range(std::string_view header, std::uint64_t size);

// Percent-encoding (RFC 3986 §2.1) of a value that stands in a header: only letters, digits,
// "-._~", and what RFC 9110 allows in a field beside them stay; the other way strictly.
std::string to_header_text(std::string_view text);
std::optional<std::string> from_header_text(std::string_view text);

}  // namespace hm::api
