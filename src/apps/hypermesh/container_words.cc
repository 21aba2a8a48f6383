// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/container_words.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <limits>
#include <utility>

#include "apps/hypermesh/quantity.h"
#include "core/containers/limits.h"

namespace hm::cli {
namespace {

struct NamedSignal {
  std::string_view name;
  int number;
};
constexpr std::array kSignals = std::to_array<NamedSignal>({
    {"HUP", SIGHUP},       {"INT", SIGINT},   {"QUIT", SIGQUIT},   {"ILL", SIGILL},
    {"TRAP", SIGTRAP},     {"ABRT", SIGABRT}, {"BUS", SIGBUS},     {"FPE", SIGFPE},
    {"KILL", SIGKILL},     {"USR1", SIGUSR1}, {"SEGV", SIGSEGV},   {"USR2", SIGUSR2},
    {"PIPE", SIGPIPE},     {"ALRM", SIGALRM}, {"TERM", SIGTERM},   {"CHLD", SIGCHLD},
    {"CONT", SIGCONT},     {"STOP", SIGSTOP}, {"TSTP", SIGTSTP},   {"TTIN", SIGTTIN},
    {"TTOU", SIGTTOU},     {"URG", SIGURG},   {"XCPU", SIGXCPU},   {"XFSZ", SIGXFSZ},
    {"VTALRM", SIGVTALRM}, {"PROF", SIGPROF}, {"WINCH", SIGWINCH}, {"IO", SIGIO},
    {"PWR", SIGPWR},       {"SYS", SIGSYS},
});
constexpr int kLastSignal = 64;

template <class T>
std::optional<T> whole_number(std::string_view text) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::unexpected<Failure> no_volume(const std::string& text, std::string why) {
  return failed(ExitCode::Usage, fmt::format("--volume: '{}' is no volume", text), std::move(why),
                "for example --volume data:/var/lib/data:10G or data:/srv:1G:ro");
}

bool is_address(const std::string& text) {
  in6_addr buffer{};
  return ::inet_pton(AF_INET6, text.c_str(), &buffer) == 1 ||
         ::inet_pton(AF_INET, text.c_str(), &buffer) == 1;
}

}  // namespace

Answer<std::uint64_t> bytes_of(std::string_view option, std::string_view text) {
  const auto bytes = parse_quantity(text);
  if (bytes && *bytes > 0) return *bytes;
  return failed(ExitCode::Usage, fmt::format("{}: '{}' is no size", option, text),
                "it is a number above 0 of bytes; K M G T are powers of 1000, Ki Mi Gi Ti of 1024",
                fmt::format("for example {} 256M or 1Gi", option));
}

Answer<std::uint32_t> millicores_of(std::string_view option, std::string_view text) {
  std::optional<std::uint64_t> millicores;
  if (text.ends_with('m')) {
    millicores = whole_number<std::uint64_t>(text.substr(0, text.size() - 1));
  } else if (text.find_first_not_of("0123456789.") == std::string_view::npos) {
    millicores = parse_quantity(fmt::format("{}k", text));
  }
  if (millicores && *millicores >= containers::kMinMillicores &&
      *millicores <= containers::kMaxMillicores) {
    return static_cast<std::uint32_t>(*millicores);
  }
  return failed(ExitCode::Usage, fmt::format("{}: '{}' is no number of processors", option, text),
                fmt::format("it is a number with up to three decimals, or thousandths with an m, "
                            "from {}m to {}",
                            containers::kMinMillicores, containers::kMaxMillicores / 1000),
                fmt::format("for example {} 0.5, 2 or 1500m", option));
}

Answer<containers::Volume> volume_of(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos || colon == 0) {
    return no_volume(text, "it is a name and, behind a colon, where it is seen in the container");
  }
  containers::Volume volume{.name = text.substr(0, colon), .path = {}, .bytes = 0};
  if (volume.name.front() == '/' || volume.name.front() == '.') {
    return no_volume(text,
                     "a folder of this machine is not on the one where the container runs; "
                     "'hypermesh cp' carries files");
  }
  std::string_view rest = std::string_view(text).substr(colon + 1);
  if (rest.ends_with(":ro")) {
    volume.access = containers::Access::ReadOnly;
    rest.remove_suffix(3);
  } else if (rest.ends_with(":rw")) {
    rest.remove_suffix(3);
  }
  const std::size_t size = rest.find(':');
  volume.path = std::string(rest.substr(0, size));
  volume.bytes = kDefaultVolumeBytes;
  if (size != std::string_view::npos) {
    const auto bytes = parse_quantity(rest.substr(size + 1));
    if (!bytes || *bytes < containers::kMinDisk) {
      return no_volume(
          text, fmt::format("'{}' is no size of a volume; the least is {}", rest.substr(size + 1),
                            format_quantity(containers::kMinDisk, "bytes")));
    }
    volume.bytes = *bytes;
  }
  if (volume.path.empty() || volume.path.front() != '/') {
    return no_volume(text, "the path in the container begins with /");
  }
  return volume;
}

Answer<containers::Scratch> scratch_of(const std::string& text, std::uint64_t memory) {
  const std::size_t colon = text.find(':');
  containers::Scratch scratch{text.substr(0, colon), std::min(kDefaultScratchBytes, memory)};
  const auto bytes = colon == std::string::npos ? std::optional(scratch.bytes)
                                                : parse_quantity(text.substr(colon + 1));
  if (scratch.path.empty() || scratch.path.front() != '/' || !bytes || *bytes == 0) {
    return failed(ExitCode::Usage, fmt::format("--tmpfs: '{}' is no folder in memory", text),
                  "it is an absolute path and, if need be, a colon and a size",
                  "for example --tmpfs /scratch:64M");
  }
  if (*bytes > memory) {
    return failed(ExitCode::Usage, fmt::format("--tmpfs: '{}' is larger than the memory", text),
                  "what lies in it counts against --memory", "give it less, or --memory more");
  }
  scratch.bytes = *bytes;
  return scratch;
}

Answer<PortWord> port_of(const std::string& text) {
  const auto refused = [&](std::string why) {
    return failed(ExitCode::Usage, fmt::format("'{}' is no pair of ports", text), std::move(why),
                  "for example 8080:80, 127.0.0.1:8080:80 or [::1]:8080:80");
  };
  const std::size_t last = text.rfind(':');
  if (last == std::string::npos || last == 0) {
    return refused("it is a port here, a colon, and a port of the container");
  }
  PortWord port;
  const auto container = whole_number<std::uint16_t>(std::string_view(text).substr(last + 1));
  const std::string front = text.substr(0, last);
  const std::size_t before = front.rfind(':');
  const auto local = whole_number<std::uint16_t>(
      std::string_view(front).substr(before == std::string::npos ? 0 : before + 1));
  if (!container || *container == 0 || !local) return refused("a port is a number up to 65535");
  port.container = *container;
  port.local = *local;
  if (before == std::string::npos) return port;
  port.address = front.substr(0, before);
  const bool is_v6 = port.address.find(':') != std::string::npos;
  if (is_v6) {
    if (port.address.size() < 2 || port.address.front() != '[' || port.address.back() != ']') {
      return refused("an IPv6 address stands in brackets");
    }
    port.address = port.address.substr(1, port.address.size() - 2);
  }
  if (!is_address(port.address)) {
    return refused("the address is none of this machine's, written as numbers");
  }
  return port;
}

std::string listen_words(const PortWord& port) {
  const bool is_v6 = port.address.find(':') != std::string::npos;
  return is_v6 ? fmt::format("[{}]:{}", port.address, port.local)
               : fmt::format("{}:{}", port.address, port.local);
}

Answer<containers::RestartPolicy> restart_of(std::string_view text) {
  using enum containers::RestartWhen;
  if (text == "no") return containers::RestartPolicy{Never, 0};
  if (text == "always") return containers::RestartPolicy{Always, 0};
  if (text == "on-failure") return containers::RestartPolicy{OnFailure, 0};
  constexpr std::string_view kCounted = "on-failure:";
  if (text.starts_with(kCounted)) {
    const auto most = whole_number<std::uint32_t>(text.substr(kCounted.size()));
    if (most && *most > 0) return containers::RestartPolicy{OnFailure, *most};
  }
  return failed(ExitCode::Usage, fmt::format("--restart: '{}' is no policy", text),
                "it is no, on-failure, on-failure:N with N above 0, or always",
                "for example --restart on-failure:5");
}

std::string restart_words(const containers::RestartPolicy& policy) {
  switch (policy.when) {
    case containers::RestartWhen::Never: return "no";
    case containers::RestartWhen::OnFailure:
      return policy.most == 0 ? "on-failure" : fmt::format("on-failure:{}", policy.most);
    case containers::RestartWhen::Always: return "always";
  }
  return {};
}

Answer<std::uint8_t> signal_of(std::string_view text) {
  std::string name(text);
  std::ranges::transform(name, name.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  if (name.starts_with("SIG")) name.erase(0, 3);
  const auto found = std::ranges::find(kSignals, std::string_view(name), &NamedSignal::name);
  if (found != kSignals.end()) return static_cast<std::uint8_t>(found->number);
  const auto number = whole_number<int>(text);
  if (number && *number >= 1 && *number <= kLastSignal) return static_cast<std::uint8_t>(*number);
  return failed(ExitCode::Usage, fmt::format("--signal: '{}' is no signal", text),
                "it is a name such as TERM, or a number from 1 to 64",
                "for example --signal TERM or --signal 9");
}

std::string signal_words(int number) {
  const auto found = std::ranges::find(kSignals, number, &NamedSignal::number);
  return found == kSignals.end() ? std::to_string(number) : fmt::format("SIG{}", found->name);
}

Answer<std::string> variable_of(const std::string& text, const LookUp& look_up) {
  const std::size_t equals = text.find('=');
  if (equals != std::string::npos && equals > 0) return text;
  if (equals == std::string::npos && !text.empty()) {
    if (const auto value = look_up(text)) return text + "=" + *value;
    return failed(ExitCode::Usage, fmt::format("--env: there is no {} here to pass on", text),
                  "a name without a value means the value that it has in this environment",
                  fmt::format("--env {}=VALUE", text));
  }
  return failed(ExitCode::Usage, fmt::format("--env: '{}' is no variable", text),
                "it begins with a name", "for example --env MODE=test");
}

LookUp own_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  };
}

Answer<CopySide> copy_side_of(const std::string& text) {
  const auto refused = [&](std::string why) {
    return failed(ExitCode::Usage, fmt::format("'{}' is nothing to copy", text), std::move(why),
                  "for example: hypermesh cp notes.txt web:/srv, or hypermesh cp web:/srv .");
  };
  if (text.empty()) return refused("it names no file");
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos || text.find('/') < colon) return CopySide{{}, text};
  CopySide side{text.substr(0, colon), text.substr(colon + 1)};
  if (side.run.empty()) return refused("before the colon stands the run");
  if (side.path.empty() || side.path.front() != '/') {
    return refused("the path in a run begins with /; a file here with a colon is written ./…");
  }
  return side;
}

Failure refusal_of(containers::SpecError error) {
  using enum containers::SpecError;
  const auto usage = [](std::string what, std::string why, std::string to_do) {
    return Failure{ExitCode::Usage, std::move(what), std::move(why), std::move(to_do)};
  };
  switch (error) {
    case TooLarge:
      return usage(
          "there are too many words for a container",
          fmt::format("at most {} arguments, {} variables, {} volumes and {} --tmpfs, and "
                      "{} KiB of text in all",
                      containers::kMaxArguments, containers::kMaxVariables, containers::kMaxVolumes,
                      containers::kMaxScratch, containers::kMaxSpecTextBytes / 1024),
          "put them into a file and carry it with 'hypermesh cp', or a volume");
    case BadName:
      return usage("--name: that is no name of a container",
                   fmt::format("it is at most {} of a-z, 0-9, - and ., the first a letter or digit",
                               containers::kMaxNameBytes),
                   "for example --name web-1");
    case BadVariable:
      return usage("--env: that is no variable", "it is NAME=VALUE", "for example --env MODE=test");
    case BadPath:
      return usage("a path or an argument is none that a container can be given",
                   "a path is absolute, without '.', '..' and '//'; nothing holds a NUL",
                   "for example --workdir /srv");
    case BadUser:
      return usage("--user: that is no user", "it is a name or number, with :GROUP if need be",
                   "for example --user 1000:1000");
    case BadLimit:
      return usage("a limit is one that no container is given",
                   fmt::format("memory is at least {}, a disk or volume at least {}, a --tmpfs no "
                               "larger than the memory",
                               format_quantity(containers::kMinMemory, "bytes"),
                               format_quantity(containers::kMinDisk, "bytes")),
                   "for example --memory 256M --disk 1G");
    case NotWholeCores:
      return usage("--pins and a part of a processor do not go together",
                   "with --pins whole processors are the container's own", "for example --cpu 2");
    case BadVolume:
      return usage("two mounts are in one place, or two volumes have one name",
                   "each has its own path, none of them /, and a volume's name is of a-z, 0-9, ., "
                   "_ and -",
                   "for example --volume data:/data --volume cache:/cache");
    case RootMustBeReadOnly:
      return usage("container+ has a read-only root", "it writes to volumes and --tmpfs only",
                   "--read-only");
  }
  return usage("the container cannot be described", std::string(name_of(error)), {});
}

}  // namespace hm::cli
