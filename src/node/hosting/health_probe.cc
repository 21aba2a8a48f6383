// SPDX-License-Identifier: Apache-2.0
#include "node/hosting/health_probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "node/hosting/limits.h"

namespace hm::hosting {
namespace {

using containers::HealthCheck;
using containers::HealthKind;

std::string request_of(const HealthCheck& check, const std::string& host) {
  return fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: hypermesh\r\nConnection: close\r\n\r\n",
      check.path, host);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Of "HTTP/1.1 200 OK" (RFC 9112 §4): 200.
std::optional<int> status_of(std::string_view line) {
  constexpr std::size_t kCode = 9;
  if (line.size() < kCode + 3 || !line.starts_with("HTTP/1.") || !is_digit(line[7]) ||
      line[8] != ' ' || !std::ranges::all_of(line.substr(kCode, 3), is_digit)) {
    return std::nullopt;
  }
  return (line[kCode] - '0') * 100 + (line[kCode + 1] - '0') * 10 + (line[kCode + 2] - '0');
}

std::string words_of(const Failure& failure) {
  return failure.detail.empty() ? failure.message : failure.message + ": " + failure.detail;
}

}  // namespace

class HealthProbe::Ear final : public StreamListener {
 public:
  Ear(const HealthCheck& check, Verdict verdict)
      : kind_(check.kind), verdict_(std::move(verdict)) {}

  void hold(std::shared_ptr<Stream> stream, const std::string& request) {
    stream_ = std::move(stream);
    if (kind_ == HealthKind::Http) stream_->send(Lane::Main, as_bytes(request));
    if (kind_ == HealthKind::Exec) stream_->end_input();
  }
  void drop() {
    verdict_ = nullptr;
    // A command that hangs is not left to pile up.
    if (kind_ == HealthKind::Exec && stream_) stream_->command(SendSignal{kKillSignal});
    stream_.reset();
  }

  void on_report(const Report& report) override {
    if (kind_ == HealthKind::Tcp && std::holds_alternative<StartedReport>(report))
      say(std::nullopt);
  }
  void on_data(Lane /*lane*/, ByteView bytes) override {
    if (stream_) stream_->take(bytes.size());
    if (kind_ != HealthKind::Http) return;
    answer_.append(as_text(bytes).substr(0, kMaxHealthAnswer - answer_.size()));
    const std::size_t end = answer_.find('\n');
    if (end == std::string::npos && answer_.size() < kMaxHealthAnswer) return;
    const auto status = status_of(std::string_view(answer_).substr(0, end));
    if (!status) return say("it does not answer in HTTP");
    if (*status >= 200 && *status < 400) return say(std::nullopt);
    say(fmt::format("it answers {}", *status));
  }
  void on_closed(const Outcome& outcome) override {
    if (const auto* failure = std::get_if<Failure>(&outcome)) return say(words_of(*failure));
    if (kind_ != HealthKind::Exec) return say("the connection ends without an answer");
    const auto* exit = std::get_if<RunExit>(&outcome);
    if (exit == nullptr) return say("the command has no exit code");
    if (exit->code == 0) return say(std::nullopt);
    say(fmt::format("the command exits with {}", exit->code));
  }

 private:
  void say(const std::optional<std::string>& failure) {
    const auto stream = std::exchange(stream_, nullptr);
    if (const auto verdict = std::exchange(verdict_, nullptr)) verdict(failure);
  }

  HealthKind kind_;
  Verdict verdict_;
  std::shared_ptr<Stream> stream_;
  std::string answer_;
};

std::unique_ptr<HealthProbe> HealthProbe::start(ContainerDesk& desk, const RunId& run,
                                                const HealthCheck& check, const std::string& host,
                                                Verdict verdict) {
  auto ear = std::make_shared<Ear>(check, std::move(verdict));
  Request request = ConnectPort{run, check.port};
  if (check.kind == HealthKind::Exec) {
    ExecInRun exec{.run = run};
    exec.process.arguments = {"/bin/sh", "-c", check.command};
    request = std::move(exec);
  }
  auto stream = desk.open(run, std::move(request), ear);
  if (!stream) return nullptr;
  ear->hold(std::move(*stream), request_of(check, host));
  return std::unique_ptr<HealthProbe>(new HealthProbe(std::move(ear)));
}

HealthProbe::~HealthProbe() { ear_->drop(); }

}  // namespace hm::hosting
