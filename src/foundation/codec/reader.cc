// SPDX-License-Identifier: Apache-2.0
#include "foundation/codec/reader.h"

#include "foundation/base/utf8.h"

namespace hm::codec {

std::string_view name_of(DecodeError error) {
  switch (error) {
    case DecodeError::Truncated: return "truncated";
    case DecodeError::TrailingBytes: return "trailing bytes";
    case DecodeError::NonMinimalLength: return "non-minimal or excessive length";
    case DecodeError::BadBool: return "boolean neither 0 nor 1";
    case DecodeError::BadVariant: return "unknown variant";
    case DecodeError::UnsortedMap: return "map keys out of order";
    case DecodeError::BadEnum: return "unknown enumerator";
    case DecodeError::TooDeep: return "nested too deep";
    case DecodeError::BadText: return "text is not UTF-8";
  }
  return "unknown";
}

bool Reader::read(bool& value) {
  std::uint8_t byte = 0;
  if (!read(byte)) return false;
  if (byte > 1) return failed(DecodeError::BadBool);
  value = byte == 1;
  return true;
}

bool Reader::read(std::string& text) {
  std::size_t length = 0;
  if (!read_length(length)) return false;
  if (length > rest_.size()) return failed(DecodeError::Truncated);
  const std::string_view view = as_text(rest_.first(length));
  if (!is_utf8(view)) return failed(DecodeError::BadText);
  text = view;
  rest_ = rest_.subspan(length);
  return true;
}

bool Reader::read(Bytes& bytes) {
  std::size_t length = 0;
  if (!read_length(length)) return false;
  if (length > rest_.size()) return failed(DecodeError::Truncated);
  bytes = to_bytes(rest_.first(length));
  rest_ = rest_.subspan(length);
  return true;
}

bool Reader::read_raw(std::span<std::uint8_t> out) {
  if (out.size() > rest_.size()) return failed(DecodeError::Truncated);
  std::ranges::copy(rest_.first(out.size()), out.begin());
  rest_ = rest_.subspan(out.size());
  return true;
}

bool Reader::read_length(std::size_t& length) {
  std::uint64_t value = 0;
  for (int shift = 0; shift <= 28; shift += 7) {
    std::uint8_t byte = 0;
    if (!read(byte)) return false;
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) {
      if (byte == 0 && shift > 0) return failed(DecodeError::NonMinimalLength);
      if (value > kMaxLength) return failed(DecodeError::NonMinimalLength);
      length = value;
      return true;
    }
  }
  return failed(DecodeError::NonMinimalLength);
}

bool Reader::finish() {
  if (failed_) return false;
  return rest_.empty() || failed(DecodeError::TrailingBytes);
}

}  // namespace hm::codec
