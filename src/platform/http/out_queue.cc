// SPDX-License-Identifier: Apache-2.0
#include "platform/http/out_queue.h"

#include <algorithm>
#include <utility>

namespace hm::http {

void OutQueue::push(std::string bytes) {
  if (bytes.size() < kSmall) return push_small(bytes);
  size_ += bytes.size();
  parts_.push_back(std::move(bytes));
}

void OutQueue::push_small(std::string_view bytes) {
  if (bytes.empty()) return;
  size_ += bytes.size();
  const bool joins = parts_.size() > in_flight_ && parts_.back().size() < kSmall;
  if (joins) {
    parts_.back() += bytes;
  } else {
    parts_.emplace_back(bytes);
  }
}

void OutQueue::clear() {
  parts_.clear();
  written_ = in_flight_ = size_ = 0;
}

std::span<const boost::asio::const_buffer> OutQueue::front() {
  in_flight_ = std::min(parts_.size(), kGathered);
  for (std::size_t i = 0; i < in_flight_; ++i) {
    const std::size_t skipped = i == 0 ? written_ : 0;
    gathered_[i] = {parts_[i].data() + skipped, parts_[i].size() - skipped};
  }
  return {gathered_.data(), in_flight_};
}

void OutQueue::consume(std::size_t count) {
  in_flight_ = 0;
  size_ -= count;
  written_ += count;
  while (!parts_.empty() && written_ >= parts_.front().size()) {
    written_ -= parts_.front().size();
    parts_.pop_front();
  }
}

}  // namespace hm::http
