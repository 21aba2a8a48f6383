// SPDX-License-Identifier: Apache-2.0
#include "node/hosting/run_bridge.h"

#include <algorithm>
#include <utility>

namespace hm::hosting {
namespace {

// Signals and sizes of a terminal that may wait for a container to start; only the last count.
constexpr std::size_t kMaxEarlyCommands = 16;

}  // namespace

RunExit to_run_exit(const ports::ProcessExit& exit) {
  return {.code = exit.code, .out_of_memory = exit.out_of_memory, .at = exit.at};
}

RunBridge::RunBridge(std::shared_ptr<Stream> session, std::function<void()> on_left,
                     std::function<void()> on_over)
    : session_(std::move(session)), on_left_(std::move(on_left)), on_over_(std::move(on_over)) {}

void RunBridge::join(std::unique_ptr<ports::ContainerStream> container) {
  if (!session_) return;  // left meanwhile; dropping the container's end detaches
  container_ = std::move(container);
  for (Bytes& bytes : std::exchange(early_, {})) container_->write(std::move(bytes));
  for (const Control& control : std::exchange(early_commands_, {})) apply(control);
  if (input_ended_) container_->close_input();
  on_room();
}

void RunBridge::refuse(const Error& error) {
  if (const auto session = std::exchange(session_, nullptr)) session->close(error);
}

void RunBridge::on_data(hosting::Lane /*lane*/, ByteView bytes) {
  if (container_) {
    container_->write(to_bytes(bytes));
  } else {
    early_.push_back(to_bytes(bytes));
  }
}

void RunBridge::on_room() {
  if (!container_ || !session_) return;
  const std::size_t room = session_->room();
  if (room <= allowed_) return;
  const std::size_t more = room - allowed_;
  allowed_ = room;
  container_->allow(more);
}

void RunBridge::on_end_of_input() {
  input_ended_ = true;
  if (container_) container_->close_input();
}

void RunBridge::on_command(const Control& control) {
  if (container_) return apply(control);
  if (early_commands_.size() == kMaxEarlyCommands) early_commands_.erase(early_commands_.begin());
  early_commands_.push_back(control);
}

void RunBridge::apply(const Control& control) {
  if (const auto* signal = std::get_if<SendSignal>(&control)) {
    container_->signal(signal->number);
  } else if (const auto* size = std::get_if<ResizeTerminal>(&control)) {
    container_->resize(size->rows, size->columns);
  }
}

void RunBridge::on_closed(const Outcome& /*outcome*/) {
  const auto self = shared_from_this();
  session_.reset();
  container_.reset();
  if (const auto left = std::exchange(on_left_, nullptr)) left();
}

void RunBridge::on_output(ports::ContainerStreamListener::Lane lane, ByteView bytes) {
  if (!session_) return;
  allowed_ -= std::min(allowed_, bytes.size());
  const auto to = lane == ports::ContainerStreamListener::Lane::Out ? hosting::Lane::Main
                                                                    : hosting::Lane::Error;
  session_->send(to, bytes.first(std::min(bytes.size(), session_->room())));
}

void RunBridge::on_taken(std::size_t bytes) {
  if (session_) session_->take(bytes);
}

void RunBridge::on_end(const Result<ports::ProcessExit>& exit) {
  const auto self = shared_from_this();
  on_left_ = nullptr;
  const auto session = std::exchange(session_, nullptr);
  if (!session) return;
  if (exit) {
    session->close(to_run_exit(*exit));
  } else {
    session->close(exit.error());
  }
  if (const auto over = std::exchange(on_over_, nullptr)) over();
}

}  // namespace hm::hosting
