// SPDX-License-Identifier: Apache-2.0
#include "core/storage/pax_size.h"

#include <string_view>
#include <utility>

#include "core/storage/limits.h"

namespace hm::storage {
namespace {

constexpr std::string_view kKeyword = "size";

bool is_digit(std::uint8_t byte) { return byte >= '0' && byte <= '9'; }

// False: the number is no size.
bool append_digit(std::uint64_t& number, std::uint8_t byte) {
  number = number * 10 + (byte - std::uint64_t{'0'});
  return number <= kMaxMember;
}

}  // namespace

void PaxSize::read(ByteView piece) {
  for (const std::uint8_t byte : piece) {
    switch (step_) {
      case Step::Length: read_length(byte); break;
      case Step::Keyword: read_keyword(byte); break;
      case Step::Value: read_value(byte); break;
      case Step::Malformed: return;
    }
  }
}

std::optional<std::uint64_t> PaxSize::take() { return std::exchange(size_, std::nullopt); }

// The length counts itself, the space, and all up to the newline.
void PaxSize::read_length(std::uint8_t byte) {
  if (is_digit(byte)) {
    ++digits_;
    if (!append_digit(left_, byte)) malformed();
    return;
  }
  if (byte != ' ' || digits_ == 0 || left_ <= digits_ + 1) return malformed();
  left_ -= digits_ + 1;
  keyword_ = 0;
  is_size_ = true;
  step_ = Step::Keyword;
}

void PaxSize::read_keyword(std::uint8_t byte) {
  if (--left_ == 0) return malformed();
  if (byte != '=') {
    is_size_ = is_size_ && keyword_ < kKeyword.size() &&
               static_cast<char>(byte) == kKeyword[static_cast<std::size_t>(keyword_)];
    ++keyword_;
    return;
  }
  if (keyword_ == 0) return malformed();
  is_size_ = is_size_ && keyword_ == kKeyword.size();
  digits_ = 0;
  value_ = 0;
  step_ = Step::Value;
}

void PaxSize::read_value(std::uint8_t byte) {
  if (--left_ != 0) {
    if (!is_size_) return;
    ++digits_;
    if (!is_digit(byte) || !append_digit(value_, byte)) malformed();
    return;
  }
  if (byte != '\n') return malformed();
  if (is_size_) {
    // An empty value takes back what an earlier record said.
    size_ = digits_ == 0 ? std::nullopt : std::optional(value_);
  }
  digits_ = 0;
  step_ = Step::Length;
}

}  // namespace hm::storage
