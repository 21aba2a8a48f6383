// SPDX-License-Identifier: Apache-2.0
// One listener's hold on the streams of one monitored process.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "platform/container_runtime/monitor_link.h"
#include "ports/container_runtime.h"

namespace hm::container_runtime {

class Attachment : public std::enable_shared_from_this<Attachment> {
 public:
  // Asks the monitor for output from `offset` on; without one that was done when it was started.
  // `untaken` counts the bytes of input that the
  // monitor has and the process did not take, whoever wrote them. `on_drop` is called when the
  // listener drops its stream before the end; input that the monitor does not have yet is lost
  // then.
  static std::shared_ptr<Attachment> begin(std::shared_ptr<MonitorLink> link,
                                           std::shared_ptr<std::size_t> untaken,
                                           ports::ContainerStreamListener& listener,
                                           std::optional<std::uint64_t> offset,
                                           std::function<void()> on_drop);
  // The listener's end. Requires: not called before.
  std::unique_ptr<ports::ContainerStream> stream();

  // From the monitor.
  void on_attached(std::uint64_t offset);
  void on_output(ByteView rest);
  void on_taken(std::size_t bytes);
  // The last call to the listener, unless it dropped the stream.
  void end(const Result<ports::ProcessExit>& exit);

  // Offset in the output after the last byte that the listener got; kWhereItStopped if the monitor
  // did not answer yet.
  std::uint64_t delivered() const { return delivered_; }

 private:
  class Stream;
  Attachment(std::shared_ptr<MonitorLink> link, std::shared_ptr<std::size_t> untaken,
             ports::ContainerStreamListener& listener, std::function<void()> on_drop);
  void write(Bytes bytes);
  void close_input();
  void send_input();
  void drop();

  std::shared_ptr<MonitorLink> link_;
  ports::ContainerStreamListener* listener_;  // null: dropped or ended
  std::function<void()> on_drop_;
  bool is_attached_ = false;  // what comes before belongs to an earlier attachment
  std::uint64_t delivered_ = 0;
  std::shared_ptr<std::size_t> untaken_;
  std::size_t others_untaken_;  // of it, what earlier listeners wrote; it is taken first
  std::size_t own_untaken_ = 0;
  std::deque<Bytes> held_;  // until the monitor has room
  std::size_t sent_of_first_ = 0;
  bool closes_input_ = false;
};

}  // namespace hm::container_runtime
