// SPDX-License-Identifier: Apache-2.0
#include "core/stoq/send_queue.h"

#include <algorithm>
#include <utility>

#include "foundation/base/check.h"

namespace hm::stoq {

void SendQueue::push_header(const StreamHeader& header, MonoTime now) {
  HM_CHECK(end_ == 0);
  progress_ = now;
  items_.push_back({0, header.encode(), StreamHeader::kSize, {}});
  end_ = StreamHeader::kSize;
}

bool SendQueue::push(std::shared_ptr<const Bytes> payload, MonoTime now) {
  return push(std::move(payload), nullptr, now);
}

bool SendQueue::push(std::shared_ptr<const Bytes> payload, std::shared_ptr<const Bytes> rest,
                     MonoTime now) {
  HM_CHECK(payload != nullptr && !payload->empty());
  Item item{end_, {}, kFramePrefix, {std::move(payload), std::move(rest)}};
  if (bytes() + kFramePrefix + item.size() > limit_) return false;
  if (bytes() == 0) progress_ = now;
  std::ranges::copy(frame_prefix(item.size()), item.prefix.begin());
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
    for (const ByteView part :
         {ByteView(item.prefix).first(item.prefix_size), item.part(0), item.part(1)}) {
      const auto skipped = std::min(skip, part.size());
      skip -= skipped;
      if (skipped == part.size() || count == pieces.size()) continue;
      pieces[count++] = part.subspan(skipped);
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
