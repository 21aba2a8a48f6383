// SPDX-License-Identifier: Apache-2.0
#include "platform/container_runtime/container.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <utility>

#include "foundation/base/log.h"
#include "platform/container_runtime/limits.h"

namespace hm::container_runtime {
namespace asio = boost::asio;

namespace {

constexpr std::uint8_t kKilledCode = 137;
constexpr std::uint8_t kNotStartedCode = 127;

UnixMillis wall_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return UnixMillis(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(now).count()));
}

Error not_started(const std::string& id, const std::string& reason) {
  std::string why = reason;
  while (!why.empty() && why.back() == '\n') why.pop_back();
  return {.code = ErrorCode::FailedPrecondition,
          .message = "the process of container " + id + " cannot be started",
          .detail = why.empty() ? "its monitor ended" : why};
}

}  // namespace

struct Container::Deadline {
  explicit Deadline(asio::io_context& context) : timer(context) {}
  asio::steady_timer timer;
};

Container::Container(std::shared_ptr<Shared> shared, Record record, std::shared_ptr<void> hold)
    : shared_(std::move(shared)),
      record_(std::move(record)),
      hold_(std::move(hold)),
      jobs_(std::make_shared<Jobs>(shared_->workers)),
      deadline_(std::make_shared<Deadline>(shared_->context)) {}

ports::ExistingContainer Container::existing() const {
  ports::ExistingContainer existing{.order = record_.order, .restarts = record_.restarts};
  if (state_ == State::Running || state_ == State::Ending) {
    existing.state = ports::ContainerState::Running;
  } else if (state_ == State::Exited) {
    existing.state = ports::ContainerState::Exited;
    existing.exit = exit_;
  }
  return existing;
}

// ---- beginning ----

void Container::start(ports::ContainerStreamListener* listener, StreamDone done) {
  launch(StartKind::First, listener, std::move(done));
}

void Container::launch(StartKind kind, ports::ContainerStreamListener* listener, StreamDone done) {
  kind_ = kind;
  state_ = State::Starting;
  first_listener_ = listener;
  start_done_ = std::move(done);
  start_error_.reset();
  is_drained_ = false;
  struct Work {
    Record record;
    Result<MonitorProcess> result = MonitorProcess{};
  };
  auto work = std::make_shared<Work>(Work{.record = record_});
  jobs_->add(
      [work, kind, host = shared_->host,
       client = listener != nullptr ? FirstClient::Attached : FirstClient::Elsewhere] {
        work->result = start_container(*host, work->record, kind, client);
      },
      [work, self = shared_from_this()] {
        self->record_ = std::move(work->record);
        self->on_launched(std::move(work->result));
      });
}

void Container::on_launched(Result<MonitorProcess> monitor) {
  if (!monitor) {
    clear_failed_start(std::move(monitor).error());
    return;
  }
  open_link(std::move(*monitor));
  arm_deadline(kStartPatience);
  if (first_listener_ != nullptr) begin_attachment(*first_listener_, std::nullopt);
}

// The number tells a monitor from one of an earlier start, whose end may come later.
void Container::open_link(MonitorProcess monitor) {
  const std::uint64_t number = ++link_number_;
  untaken_ = std::make_shared<std::size_t>(0);
  link_ =
      MonitorLink::open(shared_->context, std::move(monitor),
                        {.on_frame =
                             [self = shared_from_this(), number](FromMonitor kind, ByteView rest) {
                               if (number == self->link_number_) self->on_frame(kind, rest);
                             },
                         .on_gone =
                             [self = shared_from_this(), number] {
                               if (number == self->link_number_) self->on_gone();
                             }});
}

void Container::adopt(MonitorProcess monitor, UsageTotals totals) {
  totals_ = totals;
  state_ = State::Running;
  open_link(std::move(monitor));
}

void Container::adopt(const ExitRecord& exit, const Counted& counted) {
  state_ = State::Exited;
  exit_record_ = exit;
  exit_ = counted.exit;
  totals_ = counted.totals;
  seen_ = counted.seen;
  is_drained_ = true;
}

// A monitor that hangs is ended; what follows from its end is the same as ever.
void Container::arm_deadline(std::chrono::seconds patience) {
  deadline_->timer.expires_after(patience);
  deadline_->timer.async_wait(
      [weak = std::weak_ptr<MonitorLink>(link_)](const boost::system::error_code& error) {
        const auto link = weak.lock();
        if (!error && link) link->kill();
      });
}

void Container::begin_attachment(ports::ContainerStreamListener& listener,
                                 std::optional<std::uint64_t> offset) {
  attachment_ = Attachment::begin(link_, untaken_, listener, offset, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->detach();
  });
}

void Container::detach() {
  const auto attachment = std::exchange(attachment_, nullptr);
  if (!attachment) return;
  seen_ = attachment->delivered();
  if (link_) link_->send(Frame(ToMonitor::Detach).put(seen_));
}

// ---- from the monitor ----

void Container::on_frame(FromMonitor kind, ByteView rest) {
  std::uint8_t code = 0;
  std::uint32_t taken = 0;
  std::uint64_t number = 0;
  switch (kind) {
    case FromMonitor::Started: on_started(); break;
    case FromMonitor::Failed:
      start_error_ = not_started(record_.order.id, std::string(as_text(rest)));
      break;
    case FromMonitor::Attached:
      if (take(rest, number) && attachment_) attachment_->on_attached(number);
      break;
    case FromMonitor::Output:
      if (const auto attachment = attachment_) attachment->on_output(rest);
      break;
    case FromMonitor::Taken:
      if (!take(rest, taken)) break;
      if (const auto attachment = attachment_) {
        attachment->on_taken(taken);
      } else {
        *untaken_ -= std::min<std::size_t>(taken, *untaken_);
      }
      break;
    case FromMonitor::Logged: tell_log_watchers(); break;
    case FromMonitor::Exited:
      if (take(rest, code) && take(rest, number)) {
        on_exited({.code = code, .at = UnixMillis(number), .seen = 0});
      }
      break;
    case FromMonitor::End:
      is_drained_ = true;
      end_attachment();
      break;
  }
}

void Container::on_started() {
  if (state_ != State::Starting) return;
  state_ = State::Running;
  deadline_->timer.cancel();
  finish_start(attachment_ ? attachment_->stream() : nullptr);
}

void Container::finish_start(ports::StreamResult result) {
  if (const auto done = std::exchange(start_done_, nullptr)) done(std::move(result));
  for (const auto& request : std::exchange(after_start_, {})) request();
}

void Container::on_exited(const ExitRecord& exit) {
  if (state_ == State::Ending || state_ == State::Exited) return;
  state_ = State::Ending;
  exit_record_ = exit;
  memory_.pause();
  // Its client may wait for long; who removes it does not.
  if (is_removing_ && link_) link_->close();
  auto counted = std::make_shared<Counted>();
  jobs_->add(
      [counted, exit, host = shared_->host, record = record_, totals = totals_] {
        const auto written = host->state.read_exit(record.order.id);
        *counted = count_start(*host, record, written.value_or(exit), totals);
      },
      [counted, self = shared_from_this()] { self->on_counted(*counted); });
}

void Container::on_counted(const Counted& counted) {
  state_ = State::Exited;
  exit_ = counted.exit;
  totals_ = counted.totals;
  seen_ = counted.seen;
  const auto self = shared_from_this();
  jobs_->add(
      [host = shared_->host, id = record_.order.id] {
        const auto removed = host->cgroups->remove(id);
        if (!removed) log::warning("containers", removed.error().message, {{"container", id}});
      },
      [self] { self->advance_removal(); });
  end_attachment();
  tell_log_watchers();
  if (shared_->on_exit) shared_->on_exit(record_.order.id, counted.exit);
}

void Container::end_attachment() {
  if (!is_drained_ || state_ != State::Exited || !attachment_) return;
  const auto attachment = std::exchange(attachment_, nullptr);
  seen_ = attachment->delivered();
  attachment->end(*exit_);
}

void Container::on_gone() {
  link_.reset();
  deadline_->timer.cancel();
  is_drained_ = true;
  if (state_ == State::Starting) {
    clear_failed_start(start_error_ ? *start_error_ : not_started(record_.order.id, {}));
    return;
  }
  if (state_ == State::Running) {
    end_unwatched();
    return;
  }
  end_attachment();
  advance_removal();
}

// The monitor ended without a word, or said that a start had failed which an earlier daemon asked
// for. Nobody would see the container's process end, so it ends now.
void Container::end_unwatched() {
  const std::uint8_t code = start_error_ ? kNotStartedCode : kKilledCode;
  auto exit = std::make_shared<ExitRecord>(ExitRecord{.code = code, .at = wall_now(), .seen = 0});
  jobs_->add(
      [exit, host = shared_->host, id = record_.order.id] {
        if (const auto known = host->state.read_exit(id)) {
          *exit = *known;
          return;
        }
        const auto killed = host->cgroups->kill(id);
        if (!killed) log::error("containers", killed.error().message, {{"container", id}});
        if (const auto written = host->state.write_exit(id, *exit); !written) {
          log::error("containers", written.error().message, {{"container", id}});
        }
      },
      [exit, self = shared_from_this()] { self->on_exited(*exit); });
}

void Container::clear_failed_start(Error error) {
  attachment_.reset();
  const auto self = shared_from_this();
  if (kind_ == StartKind::First) {
    jobs_->add(
        [host = shared_->host, id = record_.order.id,
         is_there = error.code != ErrorCode::AlreadyExists] {
          if (!is_there) return;
          const auto removed = remove_everything(*host, id);
          if (!removed) log::error("containers", removed.error().message, {{"container", id}});
        },
        [self, error] {
          self->shared_->on_removed(self->record_.order.id);
          self->state_ = State::Removed;
          self->finish_start(fail(error));
        });
    return;
  }
  jobs_->add(
      [host = shared_->host, id = record_.order.id, exit = *exit_record_] {
        (void)host->cgroups->remove(id);
        (void)host->state.write_exit(id, exit);
      },
      [self, error] {
        self->state_ = State::Exited;
        self->finish_start(fail(error));
      });
}

void Container::tell_log_watchers() {
  for (const auto& more : std::exchange(log_watchers_, {})) more();
}

void Container::forget() {
  deadline_->timer.cancel();
  if (link_) link_->forget();
  for (const auto& weak : execs_) {
    if (const auto exec = weak.lock()) exec->forget();
  }
  start_done_ = nullptr;
  after_start_.clear();
  log_watchers_.clear();
  removed_.clear();
}

}  // namespace hm::container_runtime
