// SPDX-License-Identifier: Apache-2.0
// One container as the daemon sees it, on the event loop: its states, its monitor, and the blocking
// jobs for it, which run one after the other.
//
//   Starting ── Started ──► Running ── Exited frame ──► Ending ── counted ──► Exited
//      └─ failed: removed      └─ monitor gone: killed, recorded as 137 ─┘      └─ restart:
//      Starting
//
// An end is told as soon as it is known; control groups and the like are cleared away after that.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "platform/container_runtime/accounting.h"
#include "platform/container_runtime/attachment.h"
#include "platform/container_runtime/exec_session.h"
#include "platform/container_runtime/host.h"
#include "platform/container_runtime/jobs.h"
#include "platform/container_runtime/monitor_link.h"
#include "platform/container_runtime/preparation.h"
#include "platform/container_runtime/state_folder.h"

namespace hm::container_runtime {

// What containers share.
struct Shared {
  boost::asio::io_context& context;
  ports::Workers& workers;
  std::shared_ptr<Host> host;
  std::function<void(const std::string&, const ports::ProcessExit&)> on_exit;
  // The container is not there any more.
  std::function<void(const std::string&)> on_removed;
};

class Container : public std::enable_shared_from_this<Container> {
 public:
  using Done = std::function<void(Result<void>)>;
  using StreamDone = std::function<void(ports::StreamResult)>;
  enum class State : std::uint8_t { Starting, Running, Ending, Exited, Removed };

  Container(std::shared_ptr<Shared> shared, Record record, std::shared_ptr<void> hold);

  // Once, right after it was made.
  void start(ports::ContainerStreamListener* listener, StreamDone done);
  void adopt(MonitorProcess monitor, UsageTotals totals);
  void adopt(const ExitRecord& exit, const Counted& counted);

  State state() const { return state_; }
  const Record& record() const { return record_; }
  ports::ExistingContainer existing() const;

  void restart(std::vector<std::uint32_t> processors, Done done);
  void attach(ports::ContainerStreamListener& listener, StreamDone done);
  void exec(const containers::ProcessSpec& process, ports::ContainerStreamListener& listener,
            StreamDone done);
  void signal(int number, Done done);
  void kill(Done done);
  void usage(std::function<void(Result<ports::ContainerUsage>)> done);
  void remove(Done done);

  // Once there is more in the log than now, or it is complete.
  void watch_log(std::function<void()> more);
  // Of its output nothing more will come; how it ended.
  const std::optional<ports::ProcessExit>& exit() const { return exit_; }
  // While it runs, every kUsageInterval.
  void sample_memory(MonoTime now, std::uint64_t bytes);
  Jobs& jobs() { return *jobs_; }
  // The daemon ends; the container does not.
  void forget();

 private:
  void launch(StartKind kind, ports::ContainerStreamListener* listener, StreamDone done);
  void on_launched(Result<MonitorProcess> monitor);
  void open_link(MonitorProcess monitor);
  void on_frame(FromMonitor kind, ByteView rest);
  void on_started();
  void on_exited(const ExitRecord& exit);
  void on_gone();
  void on_counted(const Counted& counted);
  void end_unwatched();
  void begin_attachment(ports::ContainerStreamListener& listener,
                        std::optional<std::uint64_t> offset);
  void detach();
  void end_attachment();
  void finish_start(ports::StreamResult result);
  void clear_failed_start(Error error);
  void attach_now(ports::ContainerStreamListener& listener, const StreamDone& done);
  void advance_removal();
  void tell_removed(const Result<void>& result);
  void tell_log_watchers();
  void arm_deadline(std::chrono::seconds patience);
  void when_started(std::function<void()> request);
  void post(std::function<void()> task);

  std::shared_ptr<Shared> shared_;
  Record record_;
  std::shared_ptr<void> hold_;
  std::shared_ptr<Jobs> jobs_;
  State state_ = State::Starting;
  StartKind kind_ = StartKind::First;
  std::shared_ptr<MonitorLink> link_;  // null: no monitor
  std::uint64_t link_number_ = 0;
  std::shared_ptr<Attachment> attachment_;
  std::shared_ptr<std::size_t> untaken_;  // of this start's input
  ports::ContainerStreamListener* first_listener_ = nullptr;
  StreamDone start_done_;
  std::optional<Error> start_error_;
  std::vector<std::function<void()>> after_start_;
  std::vector<std::weak_ptr<ExecSession>> execs_;
  std::uint64_t exec_number_ = 0;

  std::optional<ExitRecord> exit_record_;
  std::optional<ports::ProcessExit> exit_;
  bool is_drained_ = false;  // the monitor sent all that it will
  std::uint64_t seen_ = 0;   // offset in the output where the last client stopped, after the end
  std::vector<std::function<void()>> log_watchers_;

  UsageTotals totals_;
  MemoryIntegral memory_;

  bool is_removing_ = false;
  bool removal_runs_ = false;
  std::vector<Done> removed_;
  struct Deadline;
  std::shared_ptr<Deadline> deadline_;
};

}  // namespace hm::container_runtime
