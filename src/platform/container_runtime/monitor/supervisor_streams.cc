// SPDX-License-Identifier: Apache-2.0
// The part of the supervisor through which bytes flow.
#include <poll.h>
#include <sys/ioctl.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "platform/container_runtime/monitor/supervisor.h"

namespace hm::container_runtime {
namespace {

// What a terminal in its usual mode takes for the end of input (VEOF).
constexpr std::uint8_t kEndOfInput = 0x04;

std::uint64_t wall_millis() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000 +
         static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

}  // namespace

// ---- from the client ----

void Supervisor::handle_frame(ByteView frame) {
  std::uint8_t kind = 0;
  std::uint8_t number = 0;
  std::uint16_t rows = 0;
  std::uint16_t columns = 0;
  std::uint32_t bytes = 0;
  std::uint64_t offset = 0;
  if (!take(frame, kind)) return;
  switch (static_cast<ToMonitor>(kind)) {
    case ToMonitor::Attach:
      if (take(frame, offset)) attach(offset);
      break;
    case ToMonitor::Detach:
      if (take(frame, offset)) {
        sent_ = offset == kWhereItStopped ? attached_at_ : std::min(offset, sent_);
        detach();
      }
      break;
    case ToMonitor::Allow:
      if (take(frame, bytes)) allowance_ += bytes;
      break;
    case ToMonitor::Input: take_input(frame); break;
    case ToMonitor::CloseInput: close_input(); break;
    case ToMonitor::Signal:
      // It is this process's child and not waited for, so the id is nobody else's.
      if (take(frame, number) && phase_ == Phase::Running) ::kill(process_, number);
      break;
    case ToMonitor::Resize:
      if (take(frame, rows) && take(frame, columns)) resize(rows, columns);
      break;
    case ToMonitor::Watch: is_watched_ = true; break;
  }
}

void Supervisor::attach(std::uint64_t offset) {
  detach();
  if (offset != kWhereItStopped) sent_ = offset;
  attached_at_ = sent_;
  is_attached_ = true;
  tell_attached_ = true;
  is_live_ = !log_ || sent_ >= log_->end();
  if (is_live_) return;
  reader_.emplace(folder_);
  reader_->seek(sent_);
}

void Supervisor::detach() {
  is_attached_ = false;
  allowance_ = 0;
  pending_.clear();
}

void Supervisor::resize(std::uint16_t rows, std::uint16_t columns) {
  rows_ = rows;
  columns_ = columns;
  if (options_.console != Console::Pty || !input_) return;
  const winsize size{.ws_row = rows, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
  ::ioctl(input_.get(), TIOCSWINSZ, &size);
}

void Supervisor::take_input(ByteView bytes) {
  unwritten_.insert(unwritten_.end(), bytes.begin(), bytes.end());
  write_input();
}

void Supervisor::write_input() {
  if (!input_) {
    // Before there is a terminal it waits; where nobody reads any more it vanishes, as in a pipe.
    if (console_ && phase_ == Phase::Launching) return;
    tell_taken_ += static_cast<std::uint32_t>(unwritten_.size());
    unwritten_.clear();
    return;
  }
  std::size_t written = 0;
  bool is_closed = false;
  while (written < unwritten_.size()) {
    const ssize_t count =
        ::write(input_.get(), unwritten_.data() + written, unwritten_.size() - written);
    if (count > 0) {
      written += static_cast<std::size_t>(count);
    } else if (errno != EINTR) {
      is_closed = errno != EAGAIN;
      break;
    }
  }
  if (is_closed) written = unwritten_.size();
  tell_taken_ += static_cast<std::uint32_t>(written);
  unwritten_.erase(unwritten_.begin(), unwritten_.begin() + static_cast<std::ptrdiff_t>(written));
  if (is_closed || (input_ends_ && unwritten_.empty() && options_.console == Console::Pipes)) {
    input_.reset();
  }
}

void Supervisor::close_input() {
  input_ends_ = true;
  if (options_.console == Console::Pty) unwritten_.push_back(kEndOfInput);
  write_input();
}

// ---- to the client ----

bool Supervisor::has_sources() const {
  return std::ranges::any_of(sources_, [](const Source& source) { return bool(source.fd); });
}

// The runtime speaks through the same pipes, so they stay closed as long as it may.
bool Supervisor::wants_output() const {
  if (phase_ != Phase::Running && phase_ != Phase::Exited) return false;
  if (!is_attached_) return log_.has_value();
  return is_live_ && allowance_ > 0 && pending_.empty();
}

void Supervisor::read_source(Source& source) {
  std::array<std::uint8_t, kMaxChunk> buffer;
  std::size_t most = buffer.size();
  if (is_attached_) most = static_cast<std::size_t>(std::min<std::uint64_t>(most, allowance_));
  const ssize_t count = ::read(source.fd.get(), buffer.data(), most);
  if (count > 0) {
    on_output(source.lane, ByteView(buffer).first(static_cast<std::size_t>(count)));
  } else if (count == 0 || (errno != EAGAIN && errno != EINTR) || phase_ == Phase::Exited) {
    // Once the process has ended, others that hold its pipe are not waited for.
    source.fd.reset();
  }
}

void Supervisor::on_output(std::uint8_t lane, ByteView bytes) {
  const std::uint64_t before = log_ ? log_->end() : sent_;
  if (log_) {
    log_->append(lane, bytes, wall_millis());
    if (is_watched_) tell_logged_ = true;
    is_watched_ = false;
  }
  if (!is_attached_ || !is_live_) return;
  if (pending_.empty() && allowance_ >= bytes.size()) {
    pending_end_ = before + bytes.size();
    send_output(lane, bytes);
    return;
  }
  is_live_ = false;
  reader_.emplace(folder_);
  reader_->seek(before);
}

// The log takes all that is left in the pipes; the client gets it from there, against allowance.
void Supervisor::drain() {
  std::array<std::uint8_t, kMaxChunk> buffer;
  for (Source& source : sources_) {
    while (source.fd) {
      const ssize_t count = ::read(source.fd.get(), buffer.data(), buffer.size());
      if (count > 0) {
        on_output(source.lane, ByteView(buffer).first(static_cast<std::size_t>(count)));
      } else if (count == 0 || errno != EINTR) {
        source.fd.reset();
      }
    }
  }
}

// The end is told without allowance, if there is no output for which it would be needed. Others
// that still hold the pipes are not waited for.
void Supervisor::close_empty_sources() {
  if (phase_ != Phase::Exited) return;
  for (Source& source : sources_) {
    pollfd state{.fd = source.fd.get(), .events = POLLIN, .revents = 0};
    if (source.fd && ::poll(&state, 1, 0) >= 0 && (state.revents & POLLIN) == 0) {
      source.fd.reset();
    }
  }
}

void Supervisor::replay() {
  while (is_attached_ && !is_live_ && allowance_ > 0 && pending_.empty()) {
    const auto piece =
        reader_->next(static_cast<std::size_t>(std::min<std::uint64_t>(kMaxChunk, allowance_)));
    if (!piece) {
      is_live_ = true;
      sent_ = log_->end();
      reader_.reset();
      return;
    }
    pending_end_ = piece->offset + piece->bytes.size();
    send_output(piece->lane, piece->bytes);
  }
}

void Supervisor::send_output(std::uint8_t lane, ByteView bytes) {
  const Frame frame = Frame(FromMonitor::Output).put(lane).put(bytes);
  pending_ = to_bytes(frame.view());
  allowance_ -= bytes.size();
  flush();
}

void Supervisor::flush() {
  const auto tell = [this](bool& is_due, const Frame& frame) {
    if (is_due && client_.send(frame.view())) is_due = false;
    return !is_due;
  };
  if (phase_ == Phase::Failed) {
    const ByteView reason = as_bytes(reason_);
    tell(tell_start_,
         Frame(FromMonitor::Failed).put(reason.first(std::min(reason.size(), kMaxReason))));
    return;
  }
  const auto pid = static_cast<std::uint32_t>(process_);
  if (!tell(tell_start_, Frame(FromMonitor::Started).put(pid))) return;
  if (!tell(tell_attached_, Frame(FromMonitor::Attached).put(sent_))) return;
  if (tell_taken_ > 0) {
    if (!client_.send(Frame(FromMonitor::Taken).put(tell_taken_).view())) return;
    tell_taken_ = 0;
  }
  if (!pending_.empty()) {
    if (!client_.send(pending_)) return;
    pending_.clear();
    sent_ = pending_end_;
  }
  if (!tell(tell_logged_, Frame(FromMonitor::Logged))) return;
  if (tell_exit_) {
    const Frame frame = Frame(FromMonitor::Exited).put(exit_.code).put(exit_.unix_millis);
    if (!tell(tell_exit_, frame)) return;
    told_exit_ = true;
  }
  const bool has_more = is_attached_ && (!is_live_ || has_sources());
  if (told_exit_ && !has_more && !told_end_) {
    told_end_ = client_.send(Frame(FromMonitor::End).view());
  }
}

}  // namespace hm::container_runtime
