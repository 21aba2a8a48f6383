// SPDX-License-Identifier: Apache-2.0
#include "core/containers/image_config.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/containers/image_digest.h"
#include "core/containers/image_json.h"
#include "core/containers/image_manifest.h"
#include "core/containers/limits.h"
#include "core/containers/run_spec.h"

namespace hm::containers {
namespace {

constexpr std::size_t kMaxTimeBytes = 64;
constexpr std::size_t kMaxSignalBytes = 16;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Reads fixed-width fields of RFC 3339 from the front of a text.
class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : text_(text) {}

  std::optional<int> number(std::size_t digits) {
    if (text_.size() < digits) return std::nullopt;
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (!is_digit(text_[i])) return std::nullopt;
      value = value * 10 + (text_[i] - '0');
    }
    text_.remove_prefix(digits);
    return value;
  }

  bool take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool take_letter(char upper) { return take(upper) || take(static_cast<char>(upper + 32)); }

  // ".25" -> 250; absent is 0. Digits below a millisecond are dropped.
  std::optional<int> fraction_ms() {
    if (!take('.')) return 0;
    int value = 0;
    std::size_t digits = 0;
    for (; !text_.empty() && is_digit(text_.front()); ++digits, text_.remove_prefix(1)) {
      if (digits < 3) value = value * 10 + (text_.front() - '0');
    }
    if (digits == 0) return std::nullopt;
    for (; digits < 3; ++digits) value *= 10;
    return value;
  }

  // "Z", "+02:00", in minutes.
  std::optional<int> offset() {
    if (take_letter('Z')) return 0;
    const bool negative = take('-');
    if (!negative && !take('+')) return std::nullopt;
    const auto hours = number(2);
    if (!hours || *hours > 23 || !take(':')) return std::nullopt;
    const auto minutes = number(2);
    if (!minutes || *minutes > 59) return std::nullopt;
    const int offset = *hours * 60 + *minutes;
    return negative ? -offset : offset;
  }

  bool at_end() const { return text_.empty(); }

 private:
  std::string_view text_;
};

std::optional<std::chrono::sys_days> read_date(TimeReader& reader) {
  const auto year = reader.number(4);
  if (!year || !reader.take('-')) return std::nullopt;
  const auto month = reader.number(2);
  if (!month || !reader.take('-')) return std::nullopt;
  const auto day = reader.number(2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

// Milliseconds since 1970, which may be negative.
std::optional<std::int64_t> parse_time(std::string_view text) {
  TimeReader reader(text);
  const auto date = read_date(reader);
  if (!date || !(reader.take_letter('T') || reader.take(' '))) return std::nullopt;
  const auto hour = reader.number(2);
  if (!hour || *hour > 23 || !reader.take(':')) return std::nullopt;
  const auto minute = reader.number(2);
  if (!minute || *minute > 59 || !reader.take(':')) return std::nullopt;
  const auto second = reader.number(2);
  if (!second || *second > 60) return std::nullopt;  // 60: a leap second
  const auto fraction = reader.fraction_ms();
  if (!fraction) return std::nullopt;
  const auto offset = reader.offset();
  if (!offset || !reader.at_end()) return std::nullopt;
  const auto time = *date + std::chrono::hours(*hour) + std::chrono::minutes(*minute - *offset) +
                    std::chrono::seconds(*second) + std::chrono::milliseconds(*fraction);
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

// "/srv//www/" -> "/srv/www". What climbs stays as it is and is refused later.
std::string without_empty_parts(std::string_view path) {
  if (!path.starts_with('/')) return std::string(path);
  std::string clean;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    if (!part.empty() && part != ".") clean.append("/").append(part);
    path.remove_prefix(end);
  }
  return clean.empty() ? "/" : clean;
}

bool is_signal(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return is_digit(c) || (c >= 'A' && c <= 'Z') || c == '+' || c == '-'; });
}

Decoded<void> read_process(const Members& members, ImageConfig& config) {
  HM_TRY(config.entrypoint, members.texts("Entrypoint", kMaxArguments, kMaxTextBytes));
  HM_TRY(config.command, members.texts("Cmd", kMaxArguments, kMaxTextBytes));
  HM_TRY(config.environment, members.texts("Env", kMaxVariables, kMaxTextBytes));
  HM_TRY(const auto folder, members.text("WorkingDir", kMaxPathBytes));
  HM_TRY(config.user, members.text("User", kMaxPathBytes));
  HM_TRY(config.stop_signal, members.text("StopSignal", kMaxSignalBytes));
  if (!is_signal(config.stop_signal)) return fail(ImageError::BadSignal);
  config.working_directory = without_empty_parts(folder);
  ProcessSpec process{.arguments = config.entrypoint,
                      .environment = config.environment,
                      .working_directory = config.working_directory,
                      .user = config.user};
  process.arguments.insert(process.arguments.end(), config.command.begin(), config.command.end());
  if (const auto valid = validate(process); !valid) {
    return fail(valid.error() == SpecError::TooLarge ? ImageError::TooLarge
                                                     : ImageError::BadProcess);
  }
  return {};
}

Decoded<void> read_layers(const Members& members, ImageConfig& config) {
  const Json* rootfs = members.find("rootfs");
  if (rootfs == nullptr) return fail(ImageError::WrongType);
  HM_TRY(const auto layers, Members::of(*rootfs));
  HM_TRY(const auto type, layers.required_text("type", kMaxMediaTypeBytes));
  if (type != "layers") return fail(ImageError::WrongType);
  HM_TRY(const auto texts, layers.texts("diff_ids", kMaxLayers, kMaxMediaTypeBytes));
  for (const std::string& text : texts) {
    const auto digest = parse_image_digest(text);
    if (!digest) return fail(ImageError::BadDigest);
    config.diff_ids.push_back(*digest);
  }
  return {};
}

}  // namespace

Result<ImageConfig, ImageError> parse_image_config(ByteView bytes) {
  HM_TRY(const auto json, parse_json(bytes));
  HM_TRY(const auto members, Members::of(json));
  ImageConfig config;
  HM_TRY(config.architecture, members.required_text("architecture", kMaxNameBytes));
  HM_TRY(config.os, members.required_text("os", kMaxNameBytes));
  if (!is_platform_word(config.architecture) || !is_platform_word(config.os)) {
    return fail(ImageError::BadPlatform);
  }
  HM_TRY(const auto created, members.text("created", kMaxTimeBytes));
  if (!created.empty()) {
    const auto time = parse_time(created);
    if (!time) return fail(ImageError::BadTime);
    if (*time >= 0) config.created = UnixMillis(static_cast<std::uint64_t>(*time));
  }
  HM_TRY_VOID(read_layers(members, config));
  if (const Json* process = members.find("config")) {
    HM_TRY(const auto inner, Members::of(*process));
    HM_TRY_VOID(read_process(inner, config));
  }
  return config;
}

}  // namespace hm::containers
