// SPDX-License-Identifier: Apache-2.0
// Prometheus text exposition format 0.0.4: families in the order of first use, each with help and
// type, samples of one family together. Names and labels are the programmer's; label values may be
// anything.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hm::http_api {

using MetricLabels = std::vector<std::pair<std::string_view, std::string>>;

class MetricsText {
 public:
  // `name` of a counter ends in "_total".
  void counter(std::string_view name, std::string_view help, std::uint64_t value,
               const MetricLabels& labels = {});
  void gauge(std::string_view name, std::string_view help, std::uint64_t value,
             const MetricLabels& labels = {});
  // In seconds, from nanoseconds.
  void gauge_seconds(std::string_view name, std::string_view help, std::int64_t nanoseconds,
                     const MetricLabels& labels = {});

  std::string text() const;

 private:
  struct Family {
    std::string name;
    std::string head;
    std::string samples;
  };
  void add(std::string_view name, std::string_view help, std::string_view type,
           std::string_view value, const MetricLabels& labels);
  std::vector<Family> families_;
};

}  // namespace hm::http_api
