// SPDX-License-Identifier: Apache-2.0
#include "platform/container_runtime/attachment.h"

#include <algorithm>
#include <utility>

#include "foundation/base/check.h"

namespace hm::container_runtime {

class Attachment::Stream final : public ports::ContainerStream {
 public:
  explicit Stream(std::shared_ptr<Attachment> attachment) : attachment_(std::move(attachment)) {}
  ~Stream() override { attachment_->drop(); }
  void write(Bytes bytes) override { attachment_->write(std::move(bytes)); }
  void close_input() override { attachment_->close_input(); }
  void allow(std::size_t bytes) override {
    while (bytes > 0) {
      const auto part = static_cast<std::uint32_t>(std::min<std::size_t>(bytes, 1U << 30));
      send(Frame(ToMonitor::Allow).put(part));
      bytes -= part;
    }
  }
  void signal(int number) override {
    send(Frame(ToMonitor::Signal).put(static_cast<std::uint8_t>(number)));
  }
  void resize(std::uint16_t rows, std::uint16_t columns) override {
    send(Frame(ToMonitor::Resize).put(rows).put(columns));
  }

 private:
  void send(const Frame& frame) {
    if (attachment_->listener_ != nullptr) attachment_->link_->send(frame);
  }
  std::shared_ptr<Attachment> attachment_;
};

Attachment::Attachment(std::shared_ptr<MonitorLink> link, std::shared_ptr<std::size_t> untaken,
                       ports::ContainerStreamListener& listener, std::function<void()> on_drop)
    : link_(std::move(link)),
      listener_(&listener),
      on_drop_(std::move(on_drop)),
      untaken_(std::move(untaken)),
      others_untaken_(*untaken_) {}

std::shared_ptr<Attachment> Attachment::begin(std::shared_ptr<MonitorLink> link,
                                              std::shared_ptr<std::size_t> untaken,
                                              ports::ContainerStreamListener& listener,
                                              std::optional<std::uint64_t> offset,
                                              std::function<void()> on_drop) {
  if (offset) link->send(Frame(ToMonitor::Attach).put(*offset));
  const std::shared_ptr<Attachment> attachment(
      new Attachment(std::move(link), std::move(untaken), listener, std::move(on_drop)));
  attachment->delivered_ = offset.value_or(kWhereItStopped);
  return attachment;
}

std::unique_ptr<ports::ContainerStream> Attachment::stream() {
  return std::make_unique<Stream>(shared_from_this());
}

void Attachment::on_attached(std::uint64_t offset) {
  is_attached_ = true;
  delivered_ = offset;
}

void Attachment::on_output(ByteView rest) {
  std::uint8_t lane = 0;
  if (!is_attached_ || listener_ == nullptr || !take(rest, lane)) return;
  delivered_ += rest.size();
  using Lane = ports::ContainerStreamListener::Lane;
  listener_->on_output(lane == 0 ? Lane::Out : Lane::Error, rest);
}

void Attachment::on_taken(std::size_t bytes) {
  *untaken_ -= std::min(bytes, *untaken_);
  const std::size_t others = std::min(bytes, others_untaken_);
  others_untaken_ -= others;
  bytes = std::min(bytes - others, own_untaken_);
  own_untaken_ -= bytes;
  send_input();
  if (bytes > 0 && listener_ != nullptr) listener_->on_taken(bytes);
}

void Attachment::end(const Result<ports::ProcessExit>& exit) {
  on_drop_ = nullptr;
  if (auto* listener = std::exchange(listener_, nullptr)) listener->on_end(exit);
}

void Attachment::write(Bytes bytes) {
  if (listener_ == nullptr || bytes.empty()) return;
  own_untaken_ += bytes.size();
  HM_CHECK(own_untaken_ <= ports::kMaxPendingInput);
  held_.push_back(std::move(bytes));
  send_input();
}

void Attachment::close_input() {
  closes_input_ = listener_ != nullptr;
  send_input();
}

// What the monitor holds is bounded over all that ever attached.
void Attachment::send_input() {
  while (!held_.empty()) {
    const ByteView first = ByteView(held_.front()).subspan(sent_of_first_);
    const std::size_t room = ports::kMaxPendingInput - *untaken_;
    const std::size_t size = std::min({first.size(), room, kMaxChunk});
    if (size == 0) return;
    link_->send(Frame(ToMonitor::Input).put(first.first(size)));
    *untaken_ += size;
    sent_of_first_ += size;
    if (size == first.size()) {
      held_.pop_front();
      sent_of_first_ = 0;
    }
  }
  if (std::exchange(closes_input_, false)) link_->send(Frame(ToMonitor::CloseInput));
}

void Attachment::drop() {
  listener_ = nullptr;
  held_.clear();
  if (const auto on_drop = std::exchange(on_drop_, nullptr)) on_drop();
}

}  // namespace hm::container_runtime
