// SPDX-License-Identifier: Apache-2.0
// The size that pax records give to the member behind them (POSIX.1-2017, pax, "pax Extended
// Header": records "%d %s=%s\n", length, keyword, value), read as they pass by.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "foundation/base/bytes.h"

namespace hm::storage {

class PaxSize {
 public:
  void read(ByteView piece);

  // False within a record, and for ever after a malformed one.
  bool is_between_records() const { return step_ == Step::Length && digits_ == 0; }

  // The size that the last record of that keyword gave since the last call, if any.
  std::optional<std::uint64_t> take();

 private:
  enum class Step : std::uint8_t { Length, Keyword, Value, Malformed };

  void read_length(std::uint8_t byte);
  void read_keyword(std::uint8_t byte);
  void read_value(std::uint8_t byte);
  void malformed() { step_ = Step::Malformed; }

  Step step_ = Step::Length;
  std::uint64_t digits_ = 0;   // of the length; then of the value
  std::uint64_t left_ = 0;     // the length as read so far; then bytes of the record to come
  std::uint64_t keyword_ = 0;  // bytes of it so far
  bool is_size_ = false;       // these bytes are those of "size"
  std::uint64_t value_ = 0;
  std::optional<std::uint64_t> size_;
};

}  // namespace hm::storage
