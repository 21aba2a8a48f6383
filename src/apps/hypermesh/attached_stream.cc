// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/attached_stream.h"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <csignal>
#include <optional>
#include <utility>

#include "apps/hypermesh/byte_pump.h"
#include "apps/hypermesh/json_fields.h"
#include "apps/hypermesh/port_forward.h"
#include "apps/hypermesh/progress_line.h"
#include "apps/hypermesh/raw_terminal.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

constexpr int kPatientInterrupts = 2;

Failure silent(int code) { return {static_cast<ExitCode>(code), {}, {}, {}}; }

class Session {
 public:
  Session(const Context& context, const StreamDoor& door, const Attachment& attachment)
      : context_(context),
        door_(door),
        wants_(attachment),
        out_(
            loop_, STDOUT_FILENO, [this](std::size_t n) { allow(n); },
            [this] { give_up(broken()); }),
        err_(loop_, STDERR_FILENO, [this](std::size_t n) { allow(n); }, [] {}) {
    run_ = wants_.run;
    is_raw_ = wants_.terminal == OwnTerminal::Raw && ::isatty(STDIN_FILENO) == 1;
  }

  Answer<ordered_json> run() {
    if (auto listening = listen(); !listening) return std::unexpected(listening.error());
    watch_signals();
    StreamHandlers handlers;
    handlers.on_word = [this](const ordered_json& word) { on_word(word); };
    handlers.on_bytes = [this](StreamLane lane, std::string_view bytes) { on_bytes(lane, bytes); };
    handlers.on_drained = [this] {
      if (input_) input_->resume();
    };
    handlers.on_end = [this](Answer<ordered_json> last) { on_end(std::move(last)); };
    stream_ =
        ApiStream::open(loop_, door_, "/containers/stream", wants_.first, std::move(handlers));
    if (wants_.input == OwnInput::Empty) stream_->send_word({{"end_of_input", true}});
    // What is there already does not say so.
    if (!wants_.first.contains("start")) on_started({});
    loop_.run();
    input_.reset();
    raw_.reset();
    forward_.reset();
    stream_.reset();
    progress_.clear();
    return std::move(*result_);
  }

 private:
  static Failure broken() { return silent(128 + SIGPIPE); }

  Outcome listen() {
    if (wants_.ports.empty()) return {};
    forward_.emplace(loop_, door_, [this](const std::string& why) {
      if (!raw_) context_.terminal.talk(printable("a connection was not carried: " + why));
    });
    for (const PortWord& port : wants_.ports) {
      HM_CLI_TRY(const PortWord taken, forward_->listen(port));
      context_.terminal.talk(
          fmt::format("{} leads to port {}", listen_words(taken), taken.container));
    }
    return {};
  }

  void watch_signals() {
    if (wants_.signals == OwnSignals::Passed) {
      signals_.emplace(loop_, std::vector<int>{SIGINT, SIGTERM, SIGHUP, SIGQUIT},
                       [this](int signal) { on_signal(signal); });
    }
    if (is_raw_) {
      window_.emplace(loop_, std::vector<int>{SIGWINCH, SIGTSTP, SIGCONT}, [this](int signal) {
        if (signal == SIGTSTP && raw_) raw_->stop_process();
        send_size();
      });
    }
  }

  void on_signal(int signal) {
    if (signal == SIGINT) ++interrupts_;
    // Nobody is there yet to take it, or what ended is only waiting for a reader here.
    if (!is_started_ || result_ || interrupts_ > kPatientInterrupts) {
      return give_up(silent(128 + signal));
    }
    if (!run_.empty() && is_signalled(signal)) return;
    stream_->send_word({{"signal", signal}});
  }

  // Beside the stream, in which it would wait behind input that the container does not read.
  bool is_signalled(int signal) {
    ApiClient client(door_.endpoint);
    const std::string path = "/containers/" + run_ + "/signal";
    return client.post(path, {{"signal", signal}}, door_.token).has_value();
  }

  void send_size() {
    if (!is_started_ || !stream_) return;
    if (const auto size = terminal_size(STDIN_FILENO)) {
      stream_->send_word({{"resize", {{"rows", size->rows}, {"columns", size->columns}}}});
    }
  }

  void on_word(const ordered_json& word) {
    if (const ordered_json& run = member_of(word, "run"); !run.is_null()) {
      run_ = text_of(run, "run");
      wants_.on_run(run_);
    } else if (const ordered_json& at = member_of(word, "progress"); !at.is_null()) {
      if (text_of(at, "phase") == "fetching") {
        progress_.show("fetching the image to the machine", number_of(at, "done"),
                       number_of(at, "total"));
      } else {
        progress_.clear();
      }
    } else if (const ordered_json& started = member_of(word, "started"); !started.is_null()) {
      on_started(started);
    } else {
      wants_.on_word(word);
    }
  }

  void on_started(const ordered_json& started) {
    progress_.clear();
    if (std::exchange(is_started_, true)) return;
    wants_.on_started();
    // For a person; a program finds it among what the machine says of itself.
    for (const ordered_json& entry : list_of(started, "clamped")) {
      if (::isatty(STDERR_FILENO) != 1 || !entry.is_string()) continue;
      context_.terminal.talk(printable("its machine cannot hold it to everything: " +
                                       entry.get_ref<const std::string&>()));
    }
    if (forward_ && !run_.empty()) forward_->run_is(run_);
    if (is_raw_) {
      raw_.emplace(STDIN_FILENO);
      send_size();
    }
    if (wants_.input == OwnInput::Passed) {
      input_.emplace(
          loop_, STDIN_FILENO, [this](std::string_view bytes) { on_input(bytes); },
          [this] { stream_->send_word({{"end_of_input", true}}); });
      input_->resume();
    }
  }

  void on_input(std::string_view bytes) {
    stream_->send_bytes(bytes);
    if (stream_->pending() > ApiStream::kHighWater) input_->pause();
  }

  void on_bytes(StreamLane lane, std::string_view bytes) {
    (lane == StreamLane::Error ? err_ : out_).write(bytes);
  }

  void allow(std::size_t bytes) {
    if (stream_) stream_->allow(bytes);
  }

  // What came is written before this ends.
  void on_end(Answer<ordered_json> last) {
    if (result_) return;
    result_ = std::move(last);
    if (input_) input_->pause();
    out_.when_empty([this] { err_.when_empty([this] { loop_.stop(); }); });
  }

  void give_up(Failure failure) {
    if (!result_) result_ = std::unexpected(std::move(failure));
    stream_->close();
    loop_.stop();
  }

  const Context& context_;
  const StreamDoor& door_;
  const Attachment& wants_;
  boost::asio::io_context loop_;
  std::optional<loop::SignalWatch> signals_;
  std::optional<loop::SignalWatch> window_;
  OutputPump out_;
  OutputPump err_;
  std::optional<InputPump> input_;
  std::optional<PortForward> forward_;
  std::optional<RawTerminal> raw_;
  std::shared_ptr<ApiStream> stream_;
  ProgressLine progress_;
  std::string run_;
  bool is_raw_ = false;
  bool is_started_ = false;
  int interrupts_ = 0;
  std::optional<Answer<ordered_json>> result_;
};

}  // namespace

Answer<ordered_json> run_attached(const Context& context, const StreamDoor& door,
                                  const Attachment& attachment) {
  Session session(context, door, attachment);
  return session.run();
}

Outcome outcome_of_exit(const ordered_json& last) {
  const ordered_json& exit = member_of(last, "exit");
  const std::uint64_t code = number_of(exit, "code");
  if (code == 0) return {};
  return std::unexpected(silent(static_cast<int>(code & 0xff)));
}

}  // namespace hm::cli
