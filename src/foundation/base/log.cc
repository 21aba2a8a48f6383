// SPDX-License-Identifier: Apache-2.0
#include "foundation/base/log.h"

#include <fmt/format.h>
#include <spdlog/details/os.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "foundation/base/utf8.h"

namespace hm::log {
namespace {

using Clock = std::chrono::system_clock;

struct Filter {
  Level fallback = Level::Info;
  std::map<std::string, Level, std::less<>> by_component;

  Level level_of(std::string_view component) const {
    const auto found = by_component.find(component);
    return found == by_component.end() ? fallback : found->second;
  }
};

struct State {
  Filter filter;
  Format format = Format::Human;
  spdlog::logger logger{"hypermesh", std::make_shared<spdlog::sinks::stderr_sink_mt>()};

  State() {
    logger.set_pattern("%v");
    logger.set_level(spdlog::level::trace);
    logger.flush_on(spdlog::level::trace);
  }
};

// Replaced as a whole by configure(), so that threads which log never see half a filter. The old
// ones stay: a thread may still be reading, and configure() runs a handful of times per process.
std::atomic<State*> current{nullptr};

State& state() {
  static State initial;
  State* configured = current.load(std::memory_order_acquire);
  return configured == nullptr ? initial : *configured;
}

std::optional<Level> level_from(std::string_view name) {
  if (name == "trace") return Level::Trace;
  if (name == "debug") return Level::Debug;
  if (name == "info") return Level::Info;
  if (name == "warning" || name == "warn") return Level::Warning;
  if (name == "error") return Level::Error;
  if (name == "off") return Level::Off;
  return std::nullopt;
}

std::string_view name_of(Level level) {
  switch (level) {
    case Level::Trace: return "trace";
    case Level::Debug: return "debug";
    case Level::Info: return "info";
    case Level::Warning: return "warning";
    case Level::Error: return "error";
    case Level::Off: return "off";
  }
  return "off";
}

Result<Filter> parse_filter(std::string_view text) {
  Filter filter;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view part = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
    const std::size_t equals = part.find('=');
    const std::string_view name = equals == std::string_view::npos ? part : part.substr(equals + 1);
    const auto level = level_from(name);
    if (!level) {
      return fail(ErrorCode::InvalidArgument, fmt::format("unknown log level '{}' in filter", name),
                  "use trace, debug, info, warning, error or off, e.g. info,consensus=trace");
    }
    if (equals == std::string_view::npos) {
      filter.fallback = *level;
    } else {
      filter.by_component.insert_or_assign(std::string(part.substr(0, equals)), *level);
    }
  }
  return filter;
}

std::string timestamp(Clock::time_point now) {
  const auto millis =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  const std::tm parts = spdlog::details::os::gmtime(static_cast<std::time_t>(millis / 1000));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     millis % 1000);
}

}  // namespace

namespace detail {

// One line for people. Control characters are escaped: a peer's text must not forge a second line
// or steer the terminal.
std::string human_line(std::string_view time, Level level, std::string_view component,
                       std::string_view message, std::initializer_list<Field> fields) {
  const auto append_plain = [](std::string& out, std::string_view text) {
    const bool utf8 = is_utf8(text);
    for (const char c : text) {
      const auto byte = static_cast<std::uint8_t>(c);
      if (byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !utf8)) {
        out += fmt::format("\\x{:02x}", byte);
      } else {
        out.push_back(c);
      }
    }
  };
  std::string line = fmt::format("{} {:<7} {}: ", time, name_of(level), component);
  append_plain(line, message);
  for (const Field& field : fields) {
    line += ' ';
    append_plain(line, field.key);
    line += '=';
    if (const auto* text = std::get_if<std::string>(&field.value)) {
      const bool quote = text->empty() || text->find_first_of(" \"=") != std::string::npos;
      if (quote) line += '"';
      append_plain(line, *text);
      if (quote) line += '"';
    } else {
      std::visit(
          [&line](const auto& value) {
            if constexpr (!std::is_same_v<std::decay_t<decltype(value)>, std::string>) {
              line += fmt::format("{}", value);
            }
          },
          field.value);
    }
  }
  return line;
}

// One JSON object per line; bytes that are not UTF-8 become U+FFFD.
std::string json_line(std::string_view time, Level level, std::string_view component,
                      std::string_view message, std::initializer_list<Field> fields) {
  nlohmann::ordered_json object;
  object["time"] = time;
  object["level"] = name_of(level);
  object["component"] = component;
  object["message"] = message;
  for (const Field& field : fields) {
    std::string key(field.key);
    if (object.contains(key)) key += '_';  // a field never hides what every line has
    std::visit([&](const auto& value) { object[key] = value; }, field.value);
  }
  return object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace detail

Result<void> configure(std::string_view filter, Format format) {
  HM_TRY(Filter parsed, parse_filter(filter));
  auto next = std::make_unique<State>();
  next->filter = std::move(parsed);
  next->format = format;
  current.store(next.release(), std::memory_order_release);
  return {};
}

bool enabled(Level level, std::string_view component) {
  return level != Level::Off && level >= state().filter.level_of(component);
}

void write(Level level, std::string_view component, std::string_view message,
           std::initializer_list<Field> fields) {
  if (!enabled(level, component)) return;
  State& now = state();
  const std::string time = timestamp(Clock::now());
  const std::string line = now.format == Format::Json
                               ? detail::json_line(time, level, component, message, fields)
                               : detail::human_line(time, level, component, message, fields);
  now.logger.log(spdlog::level::info, "{}", line);
}

}  // namespace hm::log
