// SPDX-License-Identifier: Apache-2.0
// Structured log façade: a component, a level, a message and key=value fields. On a terminal it
// writes lines for people, otherwise JSON lines. `HYPERMESH_LOG=debug,consensus=trace` sets the
// level and exceptions by component. The back end is in log.cc; nothing else sees it.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "foundation/base/result.h"

namespace hm::log {

enum class Level : std::uint8_t { Trace, Debug, Info, Warning, Error, Off };
enum class Format : std::uint8_t { Human, Json };

using Value = std::variant<std::string, std::int64_t, std::uint64_t, bool>;

struct Field {
  std::string_view key;
  Value value;

  Field(std::string_view k, std::string_view v) : key(k), value(std::string(v)) {}
  Field(std::string_view k, const char* v) : key(k), value(std::string(v)) {}
  Field(std::string_view k, std::string v) : key(k), value(std::move(v)) {}
  Field(std::string_view k, bool v) : key(k), value(v) {}
  Field(std::string_view k, std::signed_integral auto v) : key(k), value(std::int64_t{v}) {}
  Field(std::string_view k, std::unsigned_integral auto v) : key(k), value(std::uint64_t{v}) {}
};

// Parses a filter such as "info,consensus=trace"; refuses unknown levels by name. Call it before
// threads start. Until then the level is info, for people.
Result<void> configure(std::string_view filter, Format format);

bool enabled(Level level, std::string_view component);

void write(Level level, std::string_view component, std::string_view message,
           std::initializer_list<Field> fields = {});

namespace detail {
// The two spellings of a line, without its end; `time` is written as it is.
std::string human_line(std::string_view time, Level level, std::string_view component,
                       std::string_view message, std::initializer_list<Field> fields);
std::string json_line(std::string_view time, Level level, std::string_view component,
                      std::string_view message, std::initializer_list<Field> fields);
}  // namespace detail

inline void trace(std::string_view c, std::string_view m, std::initializer_list<Field> f = {}) {
  write(Level::Trace, c, m, f);
}
inline void debug(std::string_view c, std::string_view m, std::initializer_list<Field> f = {}) {
  write(Level::Debug, c, m, f);
}
inline void info(std::string_view c, std::string_view m, std::initializer_list<Field> f = {}) {
  write(Level::Info, c, m, f);
}
inline void warning(std::string_view c, std::string_view m, std::initializer_list<Field> f = {}) {
  write(Level::Warning, c, m, f);
}
inline void error(std::string_view c, std::string_view m, std::initializer_list<Field> f = {}) {
  write(Level::Error, c, m, f);
}

}  // namespace hm::log
