// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/passphrase.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "foundation/crypto/wipe.h"

namespace hm::cli {
namespace {

constexpr std::size_t kMaxPassphrase = 1024;

// The signal that came while a terminal was silent; 0 for none.
volatile std::sig_atomic_t caught_signal = 0;

// The terminal of this process, echo switched off as long as this lives. A signal that would end
// the process waits until echo is back.
class SilentTerminal {
 public:
  SilentTerminal() : fd_(::open("/dev/tty", O_RDWR | O_CLOEXEC)) {
    if (fd_ < 0 || ::tcgetattr(fd_, &before_) != 0) return;
    struct sigaction note{};
    note.sa_handler = [](int signal) { caught_signal = signal; };
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      ::sigaction(kSignals[i], &note, &handlers_[i]);
    }
    noted_ = true;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    changed_ = ::tcsetattr(fd_, TCSAFLUSH, &silent) == 0;
  }
  SilentTerminal(const SilentTerminal&) = delete;
  SilentTerminal& operator=(const SilentTerminal&) = delete;
  ~SilentTerminal() {
    if (changed_) ::tcsetattr(fd_, TCSAFLUSH, &before_);
    if (noted_) {
      for (std::size_t i = 0; i < kSignals.size(); ++i) {
        ::sigaction(kSignals[i], &handlers_[i], nullptr);
      }
    }
    if (fd_ >= 0) ::close(fd_);
    if (caught_signal != 0) ::raise(caught_signal);
  }

  bool is_usable() const { return changed_; }

  // One line without its end; nothing at the end of input or if it is too long.
  std::optional<std::string> ask(const std::string& question) const {
    say(question);
    std::string line;
    line.reserve(kMaxPassphrase);  // no copy is left behind by growing
    char c = 0;
    for (;;) {
      const ssize_t n = ::read(fd_, &c, 1);
      if (n < 0 && errno == EINTR && caught_signal == 0) continue;
      if (n <= 0 || line.size() >= kMaxPassphrase) return std::nullopt;
      if (c == '\n') break;
      line.push_back(c);
    }
    say("\n");
    return line;
  }

 private:
  void say(const std::string& text) const {
    if (::write(fd_, text.data(), text.size()) < 0) return;  // the question is lost, not the answer
  }

  static constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

  int fd_;
  termios before_{};
  std::array<struct sigaction, kSignals.size()> handlers_{};
  bool noted_ = false;
  bool changed_ = false;
};

Result<std::string> read_passphrase_file(const std::string& path) {
  HM_TRY(Bytes content, files::read_file(path, kMaxPassphrase + 1, files::Access::Secret));
  const crypto::WipeLater guard(content);
  std::string passphrase(as_text(content));
  if (passphrase.ends_with('\n')) passphrase.pop_back();
  if (passphrase.empty()) {
    return fail(ErrorCode::InvalidArgument, fmt::format("{} holds no passphrase", path),
                "its first line is the passphrase");
  }
  return passphrase;
}

Result<std::string> ask_for(const std::string& path) {
  const SilentTerminal terminal;
  if (!terminal.is_usable()) {
    return fail(ErrorCode::PermissionDenied, fmt::format("{} needs a passphrase", path),
                "there is no terminal to ask on, and no file was named");
  }
  auto answer = terminal.ask(fmt::format("Passphrase of {}: ", path));
  if (!answer) return fail(ErrorCode::PermissionDenied, "no passphrase was given");
  return std::move(*answer);
}

}  // namespace

files::PassphraseSource passphrase_source(const Globals& globals) {
  return [file = globals.passphrase_file](const std::string& path) {
    return file.empty() ? ask_for(path) : read_passphrase_file(file);
  };
}

Answer<identity::OwnerKeys> open_owner_keys(const std::string& path,
                                            const files::PassphraseSource& source) {
  auto keys = files::read_owner_keys(path, source);
  if (keys) return std::move(*keys);
  const ErrorCode code = keys.error().code;
  if (code == ErrorCode::NotFound) {
    Failure failure = failure_of(keys.error(), "name the owner's key file: --key FILE");
    failure.exit = ExitCode::Denied;
    return std::unexpected(std::move(failure));
  }
  return std::unexpected(failure_of(
      keys.error(), code == ErrorCode::PermissionDenied
                        ? "the key file and --passphrase-file FILE are yours alone, mode 0600"
                        : ""));
}

Answer<std::optional<std::string>> new_passphrase(const NewProtection& wanted) {
  if (wanted.none) return std::nullopt;
  if (!wanted.passphrase_file.empty()) {
    HM_CLI_TRY(std::string passphrase, read_passphrase_file(wanted.passphrase_file));
    return std::optional(std::move(passphrase));
  }
  const SilentTerminal terminal;
  if (!terminal.is_usable()) {
    return failed(ExitCode::Usage, "a passphrase is needed, and there is no terminal to ask on",
                  "a key in the clear is only as safe as the file's mode",
                  "--new-passphrase-file FILE, or --no-passphrase if that is meant");
  }
  auto first = terminal.ask("New passphrase: ");
  const auto again = first ? terminal.ask("The same again: ") : std::nullopt;
  if (!first || first->empty() || first != again) {
    return failed(ExitCode::Usage, "no new passphrase was given", "it was empty, or the two differ",
                  "try again, or --no-passphrase");
  }
  return std::optional(std::move(*first));
}

}  // namespace hm::cli
