// SPDX-License-Identifier: Apache-2.0
// What one placement over 1000 candidates costs: filter, the owners' decisions, ranking, and a
// typed rejection for each candidate that is not chosen. No texts are made; `explain` tells what
// they cost when somebody asks.
//   bench_scheduling [--json]
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/scheduling/placement.h"
#include "core/scheduling/sample_market.h"
#include "foundation/base/check.h"

namespace {

using namespace hm;
using namespace hm::scheduling;

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kCandidates = 1'000;
constexpr std::uint64_t kOwners = 100;
constexpr std::size_t kFeatures = 120;
constexpr std::size_t kRuns = 3'000;
constexpr double kBarMicros = 200;

struct Row {
  std::string name;
  std::string method;
  double p50 = 0;
  double p99 = 0;
};

double micros_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

std::vector<std::string> features(std::uint64_t number) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < kFeatures; ++i) all.push_back("feature" + std::to_string(i));
  if (number % 2 == 0) all[kFeatures / 2] = "avx2";
  return all;
}

sample::Market market() {
  sample::Market market;
  for (std::uint64_t i = 0; i < kOwners; ++i) {
    market.add_owner(i, caesar::Price{caesar::Amount{1'000'000 + 40'000 * (i % 10)}, 1});
  }
  for (std::uint64_t i = 0; i < kCandidates; ++i) {
    Candidate& candidate = market.add(i, i % kOwners, 8 + i * 7 % 120);
    candidate.trust = static_cast<std::uint16_t>(400 + i * 37 % 600);
    candidate.rtt_us = 500 + i * 7919 % 80'000;
    market.descriptor(i) = {{"model", i % 3 == 0 ? "Intel Xeon Gold 6338" : "AMD EPYC 7763"},
                            {"logical_cores", 8 + i % 120},
                            {"cache_bytes", std::uint64_t{64} << 20},
                            {"features", features(i)}};
  }
  return market;
}

Row measure(std::string name, std::string method, auto step) {
  std::vector<double> samples;
  for (std::size_t i = 0; i < kRuns; ++i) {
    const auto start = Clock::now();
    step();
    samples.push_back(micros_since(start));
  }
  std::ranges::sort(samples);
  return {std::move(name), std::move(method), samples[kRuns / 2], samples[kRuns * 99 / 100]};
}

Filter filter_of(std::string_view text) {
  const auto filter = parse_filter(text);
  HM_CHECK(filter.has_value());
  return *filter;
}

std::vector<Row> measure_all() {
  constexpr std::string_view kTypical =
      "kind=cpu,quantity=16,trust>=500,rtt<=60ms,price<=0.0013,model~=EPYC,logical_cores>=32";
  const sample::Market all = market();
  const auto place = [&](const Filter& filter) {
    const Plan plan = all.place(filter);
    HM_CHECK(plan.choices.size() + plan.rejections.size() == kCandidates);
    return plan;
  };
  const Filter typical = filter_of(kTypical);
  const Filter open;
  const Filter feature = filter_of("has:avx2");
  Filter dear;
  dear.highest_price = caesar::Price{caesar::Amount{1}, 1};
  std::vector<Row> rows;
  rows.push_back(measure("place", std::string(kTypical), [&] { place(typical); }));
  rows.push_back(
      measure("place_all_would_do", "no demands: 992 ranked lower", [&] { place(open); }));
  rows.push_back(
      measure("place_feature_list", "has:avx2 in lists of 120", [&] { place(feature); }));
  rows.push_back(measure("place_all_too_dear", "1000 denials kept", [&] { place(dear); }));
  const Plan plan = place(typical);
  rows.push_back(measure("totals", "sums for a person, of that of `place`",
                         [&] { HM_CHECK(totals(plan, all.candidates()).assets > 0); }));
  rows.push_back(measure("explain", "one sentence",
                         [&] { HM_CHECK(!explain(plan.rejections.front(), typical).empty()); }));
  rows.push_back(
      measure("parse_filter", "the filter of `place`", [&] { (void)filter_of(kTypical); }));
  return rows;
}

std::string machine() {
  std::ifstream info("/proc/cpuinfo");
  std::string line;
  while (std::getline(info, line)) {
    if (!line.starts_with("model name")) continue;
    const std::string model = line.substr(line.find(':') + 2);
    return model + ", " + std::to_string(std::thread::hardware_concurrency()) + " threads";
  }
  return "unknown";
}

constexpr std::string_view kMethod =
    "one thread, in memory; 1000 candidates of 100 owners with one grant each, descriptors with "
    "120 "
    "features; 3000 runs, steady clock around each";

void print_text(const std::vector<Row>& rows) {
  std::printf("bench scheduling: %s\nmachine: %s\nbuild: %s\nunit: microseconds\n", kMethod.data(),
              machine().c_str(), HM_BUILD_TYPE);
  for (const Row& r : rows) {
    std::printf("%-24s p50 %8.2f   p99 %8.2f   %s\n", r.name.c_str(), r.p50, r.p99,
                r.method.c_str());
  }
  std::printf("bar: place <= %.0f\n", kBarMicros);
}

void print_json(const std::vector<Row>& rows) {
  std::printf(R"({"schema":1,"bench":"scheduling","method":"%s","machine":"%s","build":"%s",)",
              kMethod.data(), machine().c_str(), HM_BUILD_TYPE);
  std::printf(R"("unit":"us","bar_us":%.0f,"results":[)", kBarMicros);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::printf(R"(%s{"name":"%s","method":"%s","p50":%.3f,"p99":%.3f})", i == 0 ? "" : ",",
                rows[i].name.c_str(), rows[i].method.c_str(), rows[i].p50, rows[i].p99);
  }
  std::printf("]}\n");
}

}  // namespace

int main(int argc, char** argv) {
  const bool json = argc == 2 && std::string_view(argv[1]) == "--json";
  if (argc > 2 || (argc == 2 && !json)) {
    std::fprintf(stderr, "usage: bench_scheduling [--json]\n");
    return 2;
  }
  const std::vector<Row> rows = measure_all();
  (json ? print_json : print_text)(rows);
  return 0;
}
