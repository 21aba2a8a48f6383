// SPDX-License-Identifier: Apache-2.0
#include "platform/container_runtime/exec_session.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "platform/container_runtime/preparation.h"

namespace hm::container_runtime {
namespace {

constexpr std::uint8_t kKilledCode = 137;

}  // namespace

ExecSession::ExecSession(boost::asio::io_context& context, std::shared_ptr<const Host> host,
                         std::shared_ptr<Jobs> jobs, std::string folder)
    : context_(context),
      host_(std::move(host)),
      jobs_(std::move(jobs)),
      folder_(std::move(folder)) {}

void ExecSession::start(const Record& record, const containers::ProcessSpec& process,
                        ports::ContainerStreamListener& listener, StreamDone done) {
  id_ = record.order.id;
  done_ = std::move(done);
  struct Work {
    Record record;
    containers::ProcessSpec process;
    std::uint64_t oom_kills = 0;
    Result<MonitorProcess> result = MonitorProcess{};
  };
  auto work = std::make_shared<Work>(Work{.record = record, .process = process});
  jobs_->add(
      [work, host = host_, folder = folder_] {
        work->oom_kills = host->cgroups->oom_kills(work->record.order.id);
        work->result = start_exec(*host, work->record, work->process, folder);
      },
      [work, self = shared_from_this(), &listener] {
        self->oom_kills_before_ = work->oom_kills;
        self->on_launched(std::move(work->result), listener);
      });
}

void ExecSession::on_launched(Result<MonitorProcess> monitor,
                              ports::ContainerStreamListener& listener) {
  if (!monitor) {
    fail_start(std::move(monitor).error());
    return;
  }
  link_ = MonitorLink::open(
      context_, std::move(*monitor),
      {.on_frame = [self = shared_from_this()](FromMonitor kind,
                                               ByteView rest) { self->on_frame(kind, rest); },
       .on_gone = [self = shared_from_this()] { self->on_gone(); }});
  attachment_ = Attachment::begin(link_, std::make_shared<std::size_t>(0), listener, std::nullopt,
                                  [weak = std::weak_ptr<MonitorLink>(link_)] {
                                    // Without its client the monitor ends the process and itself.
                                    if (const auto link = weak.lock()) link->close();
                                  });
}

void ExecSession::on_frame(FromMonitor kind, ByteView rest) {
  std::uint8_t code = 0;
  std::uint32_t taken = 0;
  std::uint64_t number = 0;
  switch (kind) {
    case FromMonitor::Started:
      if (const auto done = std::exchange(done_, nullptr)) done(attachment_->stream());
      break;
    case FromMonitor::Failed: reason_ = std::string(as_text(rest)); break;
    case FromMonitor::Attached:
      if (take(rest, number)) attachment_->on_attached(number);
      break;
    case FromMonitor::Output: attachment_->on_output(rest); break;
    case FromMonitor::Taken:
      if (take(rest, taken)) attachment_->on_taken(taken);
      break;
    case FromMonitor::Exited:
      if (take(rest, code) && take(rest, number)) {
        on_exited({.code = code, .out_of_memory = false, .at = UnixMillis(number)});
      }
      break;
    case FromMonitor::End:
      is_drained_ = true;
      end_if_over();
      break;
    case FromMonitor::Logged: break;
  }
}

void ExecSession::on_exited(ports::ProcessExit exit) {
  knows_exit_ = true;
  if (exit.code != kKilledCode) {
    exit_ = exit;
    end_if_over();
    return;
  }
  auto kills = std::make_shared<std::uint64_t>(0);
  jobs_->add([kills, host = host_, id = id_] { *kills = host->cgroups->oom_kills(id); },
             [kills, exit, self = shared_from_this()] {
               self->exit_ = exit;
               self->exit_->out_of_memory = *kills > self->oom_kills_before_;
               self->end_if_over();
             });
}

void ExecSession::end_if_over() {
  if (!is_drained_ || !exit_) return;
  if (const auto attachment = std::exchange(attachment_, nullptr)) attachment->end(*exit_);
}

void ExecSession::on_gone() {
  link_.reset();
  if (done_) {
    fail_start({.code = ErrorCode::FailedPrecondition,
                .message = "the process cannot be started in container " + id_,
                .detail = reason_.empty() ? "its monitor ended" : reason_});
    return;
  }
  is_drained_ = true;
  if (knows_exit_) {
    end_if_over();
  } else if (const auto attachment = std::exchange(attachment_, nullptr)) {
    attachment->end(fail(ErrorCode::Unavailable, "the monitor of the process ended"));
  }
  clear_up({});
}

void ExecSession::fail_start(Error error) {
  attachment_.reset();
  clear_up(std::move(error));
}

// The error is for who waits for the start still.
void ExecSession::clear_up(Error error) {
  jobs_->add(
      [folder = folder_] {
        std::error_code ignored;
        std::filesystem::remove_all(folder, ignored);
      },
      [self = shared_from_this(), error = std::move(error)] {
        if (const auto done = std::exchange(self->done_, nullptr)) done(fail(error));
      });
}

void ExecSession::forget() {
  if (link_) link_->forget();
  done_ = nullptr;
}

}  // namespace hm::container_runtime
