// SPDX-License-Identifier: Apache-2.0
// How long it takes to read this machine's hardware at start-up (first reading of a process) and
// later, GPUs left out; and what the data directory's disk takes for doctor's checks.
//   bench_hardware [--json]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string_view>
#include <vector>

#include "platform/linux/doctor.h"
#include "platform/linux/hardware_probe.h"

namespace {

using Clock = std::chrono::steady_clock;
constexpr int kReadings = 200;

double millis_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

}  // namespace

int main(int argc, char** argv) {
  const bool json = argc > 1 && std::string_view(argv[1]) == "--json";
  const std::string folder = std::filesystem::current_path().string();
  const auto probe = hm::linux::make_hardware_probe({.data_directory = folder}, nullptr);
  std::vector<double> times;
  std::size_t items = 0;
  for (int i = 0; i < kReadings; ++i) {
    const auto start = Clock::now();
    const auto snapshot = probe->snapshot();
    times.push_back(millis_since(start));
    if (!snapshot) {
      std::fprintf(stderr, "error: %s\n", snapshot.error().message.c_str());
      return 1;
    }
    items = snapshot->items.size();
  }
  const double first = times.front();
  std::ranges::sort(times);
  const double median = times[times.size() / 2];
  const double tail = times[times.size() * 99 / 100];
  const auto start = Clock::now();
  const std::size_t checks = hm::linux::run_doctor({.data_directory = folder}).size();
  const double doctor = millis_since(start);
  if (json) {
    std::printf(
        "{\"schema\":1,\"build\":\"%s\",\"unit\":\"ms\",\"items\":%zu,\"first\":%.3f,\"p50\":%.3f,"
        "\"p99\":%.3f,\"readings\":%d,\"doctor\":%.1f,\"checks\":%zu}\n",
        HM_BUILD_TYPE, items, first, median, tail, kReadings, doctor, checks);
    return 0;
  }
  std::printf("hardware inventory without GPUs, %zu items, build %s, %d readings in one process\n",
              items, HM_BUILD_TYPE, kReadings);
  std::printf("  first reading  %8.3f ms   (aim: 100 ms or less)\n", first);
  std::printf("  p50            %8.3f ms\n  p99            %8.3f ms\n", median, tail);
  std::printf("doctor, %zu checks, once: %.1f ms\n", checks, doctor);
  return 0;
}
