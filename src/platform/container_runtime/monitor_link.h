// SPDX-License-Identifier: Apache-2.0
// The connection to one monitor, on the event loop: frames in both directions, and its end. The
// monitor is reaped if it is this process's child.
#pragma once

#include <functional>
#include <memory>

#include "foundation/base/bytes.h"
#include "platform/container_runtime/monitor_process.h"
#include "platform/container_runtime/monitor_protocol.h"

namespace boost::asio {
class io_context;
}

namespace hm::container_runtime {

class MonitorLink : public std::enable_shared_from_this<MonitorLink> {
 public:
  struct Handlers {
    // The rest of the frame, until return.
    std::function<void(FromMonitor, ByteView)> on_frame;
    // The last call: every frame came, and the process has ended.
    std::function<void()> on_gone;
  };
  static std::shared_ptr<MonitorLink> open(boost::asio::io_context& context, MonitorProcess monitor,
                                           Handlers handlers);
  ~MonitorLink();

  // In order, later if the socket is full. Vanishes if the monitor is gone.
  void send(const Frame& frame);
  // The monitor of an exec ends with its process, that of a container goes on, or ends if the
  // container has. on_gone still comes.
  void close();
  // Ends the monitor and, while it starts one, the OCI runtime.
  void kill();
  // No handler is called any more.
  void forget();

 private:
  struct Impl;
  explicit MonitorLink(std::unique_ptr<Impl> impl);
  void read();
  void wait_for_end();
  void flush();
  bool receive_all();

  std::unique_ptr<Impl> impl_;
};

}  // namespace hm::container_runtime
