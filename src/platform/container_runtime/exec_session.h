// SPDX-License-Identifier: Apache-2.0
// One more process in a running container, from its preparation to its end. Dropping its stream
// ends it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "platform/container_runtime/attachment.h"
#include "platform/container_runtime/host.h"
#include "platform/container_runtime/jobs.h"
#include "platform/container_runtime/monitor_link.h"

namespace hm::container_runtime {

class ExecSession : public std::enable_shared_from_this<ExecSession> {
 public:
  using StreamDone = std::function<void(ports::StreamResult)>;
  // `folder` is made, and removed at the end.
  ExecSession(boost::asio::io_context& context, std::shared_ptr<const Host> host,
              std::shared_ptr<Jobs> jobs, std::string folder);

  void start(const Record& record, const containers::ProcessSpec& process,
             ports::ContainerStreamListener& listener, StreamDone done);
  // The daemon ends.
  void forget();

 private:
  void on_launched(Result<MonitorProcess> monitor, ports::ContainerStreamListener& listener);
  void on_frame(FromMonitor kind, ByteView rest);
  void on_exited(ports::ProcessExit exit);
  void on_gone();
  void end_if_over();
  void fail_start(Error error);
  void clear_up(Error error);

  boost::asio::io_context& context_;
  std::shared_ptr<const Host> host_;
  std::shared_ptr<Jobs> jobs_;
  std::string id_;
  std::string folder_;
  StreamDone done_;  // until the process was started
  std::shared_ptr<MonitorLink> link_;
  std::shared_ptr<Attachment> attachment_;
  std::uint64_t oom_kills_before_ = 0;
  std::string reason_;
  std::optional<ports::ProcessExit> exit_;
  bool knows_exit_ = false;
  bool is_drained_ = false;
};

}  // namespace hm::container_runtime
