// SPDX-License-Identifier: Apache-2.0
#include "node/http_api/metrics.h"

#include <fmt/format.h>

#include <algorithm>

namespace hm::http_api {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

void MetricsText::counter(std::string_view name, std::string_view help, std::uint64_t value,
                          const MetricLabels& labels) {
  add(name, help, "counter", fmt::format("{}", value), labels);
}

void MetricsText::gauge(std::string_view name, std::string_view help, std::uint64_t value,
                        const MetricLabels& labels) {
  add(name, help, "gauge", fmt::format("{}", value), labels);
}

void MetricsText::gauge_seconds(std::string_view name, std::string_view help,
                                std::int64_t nanoseconds, const MetricLabels& labels) {
  constexpr std::int64_t kBillion = 1'000'000'000;
  const std::int64_t positive = std::max<std::int64_t>(nanoseconds, 0);
  add(name, help, "gauge", fmt::format("{}.{:09}", positive / kBillion, positive % kBillion),
      labels);
}

void MetricsText::add(std::string_view name, std::string_view help, std::string_view type,
                      std::string_view value, const MetricLabels& labels) {
  auto family = std::ranges::find(families_, name, &Family::name);
  if (family == families_.end()) {
    families_.push_back(
        {.name = std::string(name),
         .head = fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name, escaped(help), type),
         .samples = {}});
    family = families_.end() - 1;
  }
  family->samples += name;
  if (!labels.empty()) {
    char before = '{';
    for (const auto& [label, text] : labels) {
      family->samples += fmt::format("{}{}=\"{}\"", before, label, escaped(text));
      before = ',';
    }
    family->samples += '}';
  }
  family->samples += fmt::format(" {}\n", value);
}

std::string MetricsText::text() const {
  std::string text;
  for (const Family& family : families_) {
    text += family.head;
    text += family.samples;
  }
  return text;
}

}  // namespace hm::http_api
