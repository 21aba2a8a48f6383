// SPDX-License-Identifier: Apache-2.0
// What is asked of a container once it is there.
#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "foundation/base/log.h"
#include "platform/container_runtime/container.h"
#include "platform/container_runtime/limits.h"
#include "platform/container_runtime/log_stream.h"

namespace hm::container_runtime {
namespace {

// From the end of every process in the container to that of its monitor.
constexpr std::chrono::seconds kRemovalPatience{10};

std::unexpected<Error> not_running(const std::string& id) {
  return fail(ErrorCode::FailedPrecondition, "container " + id + " does not run");
}

std::unexpected<Error> not_there(const std::string& id) {
  return fail(ErrorCode::NotFound, "there is no container " + id);
}

}  // namespace

void Container::post(std::function<void()> task) {
  boost::asio::post(shared_->context, std::move(task));
}

void Container::when_started(std::function<void()> request) {
  if (state_ == State::Starting) {
    after_start_.push_back(std::move(request));
  } else {
    request();
  }
}

void Container::restart(std::vector<std::uint32_t> processors, Done done) {
  const auto self = shared_from_this();
  if (state_ != State::Exited || is_removing_) {
    post([done, id = record_.order.id] {
      done(fail(ErrorCode::FailedPrecondition, "container " + id + " has not exited"));
    });
    return;
  }
  // Who was attached to the start before has what it got; its monitor goes.
  if (const auto attachment = std::exchange(attachment_, nullptr)) attachment->end(*exit_);
  if (const auto link = std::exchange(link_, nullptr)) {
    ++link_number_;
    link->close();
  }
  ++record_.restarts;
  record_.processors = std::move(processors);
  launch(StartKind::Again, nullptr, [self, done = std::move(done)](ports::StreamResult result) {
    if (result) {
      done({});
    } else {
      --self->record_.restarts;
      done(fail(std::move(result).error()));
    }
  });
}

void Container::attach(ports::ContainerStreamListener& listener, StreamDone done) {
  when_started([self = shared_from_this(), &listener, done = std::move(done)] {
    self->post([self, &listener, done] { self->attach_now(listener, done); });
  });
}

void Container::attach_now(ports::ContainerStreamListener& listener, const StreamDone& done) {
  const std::string& id = record_.order.id;
  if (state_ == State::Ending) {
    // How it ended, and where its last client stopped, is known after the job under way.
    jobs_->add([] {},
               [self = shared_from_this(), &listener, done] { self->attach_now(listener, done); });
    return;
  }
  if (state_ == State::Removed || state_ == State::Starting) {
    done(not_there(id));
    return;
  }
  if (const auto earlier = std::exchange(attachment_, nullptr)) {
    seen_ = earlier->delivered();
    if (link_) link_->send(Frame(ToMonitor::Detach).put(seen_));
    earlier->end(fail(ErrorCode::Unavailable, "somebody else attached to container " + id));
  }
  if (state_ == State::Running && link_) {
    begin_attachment(listener, kWhereItStopped);
    done(attachment_->stream());
    return;
  }
  // What is left is in the log.
  LogStream::begin(shared_->workers, shared_from_this(),
                   {.folder = shared_->host->state.of(id),
                    .offset = seen_,
                    .follow = ports::ContainerRuntime::Follow::Yes},
                   listener, done);
}

void Container::exec(const containers::ProcessSpec& process,
                     ports::ContainerStreamListener& listener, StreamDone done) {
  when_started([self = shared_from_this(), process, &listener, done = std::move(done)] {
    std::erase_if(self->execs_, [](const auto& exec) { return exec.expired(); });
    const std::string& id = self->record_.order.id;
    if (self->state_ != State::Running || self->is_removing_) {
      self->post([done, id] { done(not_running(id)); });
      return;
    }
    if (self->execs_.size() >= kMaxExecs) {
      self->post([done, id] {
        done(fail(ErrorCode::NoCapacity,
                  "container " + id + " has as many processes started by exec as it may"));
      });
      return;
    }
    const std::string folder =
        self->shared_->host->state.of(id) + "/exec-" + std::to_string(++self->exec_number_);
    const auto session = std::make_shared<ExecSession>(self->shared_->context, self->shared_->host,
                                                       self->jobs_, folder);
    self->execs_.push_back(session);
    session->start(self->record_, process, listener, done);
  });
}

void Container::signal(int number, Done done) {
  when_started([self = shared_from_this(), number, done = std::move(done)] {
    const bool runs = self->state_ == State::Running && self->link_;
    if (runs) self->link_->send(Frame(ToMonitor::Signal).put(static_cast<std::uint8_t>(number)));
    self->post([done, runs, id = self->record_.order.id] {
      done(runs ? Result<void>() : not_running(id));
    });
  });
}

void Container::kill(Done done) {
  when_started([self = shared_from_this(), done = std::move(done)] {
    if (self->state_ != State::Running) {
      self->post([done] { done({}); });
      return;
    }
    auto result = std::make_shared<Result<void>>();
    self->jobs_->add([result, host = self->shared_->host,
                      id = self->record_.order.id] { *result = host->cgroups->kill(id); },
                     [result, done] { done(*result); });
  });
}

void Container::usage(std::function<void(Result<ports::ContainerUsage>)> done) {
  struct Work {
    Runs runs = Runs::No;
    UsageTotals totals;
    Result<ports::ContainerUsage> result = ports::ContainerUsage{};
  };
  const auto work = std::make_shared<Work>();
  // As things are when the job's turn comes: what ends before that is in the totals by then.
  jobs_->add([] {},
             [work, self = shared_from_this(), done = std::move(done)] {
               if (self->state_ == State::Running || self->state_ == State::Ending) {
                 work->runs = Runs::Yes;
               }
               work->totals = self->totals_;
               self->jobs_->add(
                   [work, host = self->shared_->host, id = self->record_.order.id] {
                     work->result = read_usage(*host, id, work->runs, work->totals);
                   },
                   [work, done] { done(work->result); });
             });
}

void Container::remove(Done done) {
  removed_.push_back(std::move(done));
  if (std::exchange(is_removing_, true)) return;
  when_started([self = shared_from_this()] {
    if (self->state_ == State::Removed) {
      self->post([self] { self->tell_removed({}); });
      return;
    }
    if (self->state_ != State::Running) {
      if (self->link_) self->link_->close();
      self->advance_removal();
      return;
    }
    auto result = std::make_shared<Result<void>>();
    self->jobs_->add([result, host = self->shared_->host,
                      id = self->record_.order.id] { *result = host->cgroups->kill(id); },
                     [result, self] {
                       if (!*result) {
                         self->is_removing_ = false;
                         self->tell_removed(*result);
                       } else if (self->link_) {
                         self->arm_deadline(kRemovalPatience);
                       }
                     });
  });
}

// Goes on when the container's process has ended and was counted, and its monitor is gone.
void Container::advance_removal() {
  if (!is_removing_ || removal_runs_ || link_ || state_ != State::Exited) return;
  removal_runs_ = true;
  auto result = std::make_shared<Result<void>>();
  jobs_->add([result, host = shared_->host,
              id = record_.order.id] { *result = remove_everything(*host, id); },
             [result, self = shared_from_this()] {
               self->removal_runs_ = false;
               if (*result) {
                 self->state_ = State::Removed;
                 self->shared_->on_removed(self->record_.order.id);
               } else {
                 self->is_removing_ = false;
                 log::error("containers", result->error().message,
                            {{"container", self->record_.order.id}});
               }
               self->tell_removed(*result);
             });
}

void Container::tell_removed(const Result<void>& result) {
  for (const auto& done : std::exchange(removed_, {})) done(result);
}

void Container::watch_log(std::function<void()> more) {
  log_watchers_.push_back(std::move(more));
  if (state_ == State::Running && link_) link_->send(Frame(ToMonitor::Watch));
}

void Container::sample_memory(MonoTime now, std::uint64_t bytes) {
  if (state_ != State::Running) return;
  totals_.memory_byte_seconds += memory_.sample(now, bytes);
  jobs_->add([host = shared_->host, id = record_.order.id,
              totals = totals_] { host->state.write_usage(id, totals); },
             [] {});
}

}  // namespace hm::container_runtime
