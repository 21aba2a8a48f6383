// SPDX-License-Identifier: Apache-2.0
#include "core/stoq/send_queue.h"

#include <algorithm>
#include <utility>

#include "foundation/base/check.h"

namespace hm::stoq {

void SendQueue::push_header(const StreamHeader& header, MonoTime now) {
  HM_CHECK(end_ == 0);
  progress_ = now;
  items_.push_back({0, header.encode(), StreamHeader::kSize, nullptr});
  end_ = StreamHeader::kSize;
}

bool SendQueue::push(std::shared_ptr<const Bytes> payload, MonoTime now) {
  HM_CHECK(payload != nullptr && !payload->empty());
  if (bytes() + kFramePrefix + payload->size() > limit_) return false;
  if (bytes() == 0) progress_ = now;
  const auto prefix = frame_prefix(payload->size());
  Item item{end_, {}, kFramePrefix, std::move(payload)};
  std::ranges::copy(prefix, item.prefix.begin());
  items_.push_back(std::move(item));
  end_ = items_.back().end();
  return true;
}

std::size_t SendQueue::peek(std::span<ByteView> pieces) const {
  std::size_t count = 0;
  std::uint64_t at = sent_;
  for (std::size_t i = unsent_item_; i < items_.size() && count < pieces.size(); ++i) {
    const auto& item = items_[i];
    auto skip = static_cast<std::size_t>(at - item.begin);
    if (skip < item.prefix_size) {
      pieces[count++] = ByteView(item.prefix).subspan(skip, item.prefix_size - skip);
      skip = item.prefix_size;
    }
    if (item.payload && count < pieces.size()) {
      pieces[count++] = ByteView(*item.payload).subspan(skip - item.prefix_size);
    }
    at = item.end();
  }
  return count;
}

void SendQueue::handle_sent(std::size_t bytes) {
  sent_ += bytes;
  HM_CHECK(sent_ <= end_);
  while (unsent_item_ < items_.size() && items_[unsent_item_].end() <= sent_) ++unsent_item_;
}

void SendQueue::handle_acked(std::uint64_t offset, MonoTime now) {
  if (offset <= acked_) return;
  HM_CHECK(offset <= sent_);
  acked_ = offset;
  progress_ = now;
  while (!items_.empty() && items_.front().end() <= acked_) {
    items_.pop_front();
    --unsent_item_;
  }
}

}  // namespace hm::stoq
