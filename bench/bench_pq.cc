// SPDX-License-Identifier: Apache-2.0
// What one operation of post-quantum cryptography costs on one core: each parameter set on each
// back end of this machine, with all memory warm.
//   bench_pq [--json]
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include "foundation/crypto/ml_kem/ml_kem.h"

namespace {

using namespace hm;
using crypto::Backend;

constexpr std::size_t kRounds = 20;
constexpr std::size_t kSamplesPerRound = 100;

// Ticks of the time stamp counter, which run at the nominal clock whatever the actual one; on
// other processors nanoseconds.
std::uint64_t ticks() {
#if defined(__x86_64__)
  _mm_lfence();
  const std::uint64_t now = __rdtsc();
  _mm_lfence();
  return now;
#else
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch() /
                                    std::chrono::nanoseconds(1));
#endif
}

// The value of the first line of /proc/cpuinfo that begins with `key`.
std::string cpu_info(std::string_view key) {
  std::ifstream info("/proc/cpuinfo");
  std::string line;
  while (std::getline(info, line)) {
    if (line.starts_with(key)) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

// Those instructions of the processor that our code or its libraries choose by.
std::string cpu_flags() {
  std::istringstream all(cpu_info("flags"));
  std::string chosen;
  for (std::string flag; all >> flag;) {
    if (flag.starts_with("avx") || flag.starts_with("bmi") || flag == "adx" || flag == "sha_ni" ||
        flag == "vaes" || flag == "gfni") {
      chosen += (chosen.empty() ? "" : " ") + flag;
    }
  }
  return chosen;
}

struct Operation {
  std::string name;
  Backend backend;
  double bar_cycles;  // 0: none
  std::function<void()> run;
  std::vector<std::uint64_t> samples{};

  double percentile(std::size_t percent) const {
    return static_cast<double>(samples[samples.size() * percent / 100]);
  }
};

struct Bars {
  double keygen = 0, encaps = 0, decaps = 0;
};

template <ml_kem::ParameterSet P>
Bars bars_of(Backend) {
  return {};
}
template <>
Bars bars_of<ml_kem::MlKem1024>(Backend backend) {
  if (backend == Backend::Portable) return {150e3, 160e3, 190e3};
  return {60e3, 65e3, 80e3};
}

template <ml_kem::ParameterSet P>
void add_ml_kem(std::vector<Operation>& all, Backend backend) {
  using Key = ml_kem::DecapsulationKey<P>;
  static constexpr std::array<std::uint8_t, ml_kem::kSeedSize> kSeed{1};
  static constexpr std::array<std::uint8_t, ml_kem::kWordSize> kMessage{2};
  const auto key = std::make_shared<Key>(Key::from_seed(kSeed, backend));
  const auto made = ml_kem::encapsulate(key->encapsulation_key(), kMessage, backend).ciphertext;
  const Bars bars = bars_of<P>(backend);
  const std::string name(P::kName);
  all.push_back({name + " keygen", backend, bars.keygen, [=] { Key::from_seed(kSeed, backend); }});
  all.push_back({name + " encaps", backend, bars.encaps,
                 [=] { ml_kem::encapsulate(key->encapsulation_key(), kMessage, backend); }});
  all.push_back({name + " decaps", backend, bars.decaps, [=] { key->decapsulate(made, backend); }});
}

// In rounds over all operations, so that what disturbs the machine for a while disturbs all.
void measure(std::vector<Operation>& all) {
  for (std::size_t round = 0; round < kRounds; ++round) {
    for (Operation& operation : all) {
      operation.run();
      for (std::size_t i = 0; i < kSamplesPerRound; ++i) {
        const std::uint64_t start = ticks();
        operation.run();
        operation.samples.push_back(ticks() - start);
      }
    }
  }
  for (Operation& operation : all) std::ranges::sort(operation.samples);
}

double ticks_per_microsecond() {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  const std::uint64_t first = ticks();
  while (Clock::now() - start < std::chrono::milliseconds(50)) {
  }
  const auto took = std::chrono::duration<double, std::micro>(Clock::now() - start).count();
  return static_cast<double>(ticks() - first) / took;
}

constexpr std::string_view kMethod =
    "one thread, warm; cycles are ticks of the time stamp counter (nominal clock) around one "
    "operation; 20 rounds of 100";

void print_text(const std::vector<Operation>& all, double rate) {
  std::printf("bench pq: %s\nmachine: %s\nflags: %s\nbuild: %s\nticks per us: %.0f\n",
              kMethod.data(), cpu_info("model name").c_str(), cpu_flags().c_str(), HM_BUILD_TYPE,
              rate);
  for (const Operation& each : all) {
    std::printf("%-19s %-9s p50 %8.0f cycles %7.2f us   p10 %8.0f", each.name.c_str(),
                name_of(each.backend).data(), each.percentile(50), each.percentile(50) / rate,
                each.percentile(10));
    if (each.bar_cycles > 0) std::printf("   bar %.0f", each.bar_cycles);
    std::printf("\n");
  }
}

void print_json(const std::vector<Operation>& all, double rate) {
  std::printf(R"({"schema":1,"bench":"pq","method":"%s","machine":"%s","flags":"%s",)",
              kMethod.data(), cpu_info("model name").c_str(), cpu_flags().c_str());
  std::printf(R"("build":"%s","ticks_per_us":%.1f,"unit":"cycles","results":[)", HM_BUILD_TYPE,
              rate);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Operation& each = all[i];
    std::printf(R"(%s{"name":"%s","backend":"%s","p50":%.0f,"p10":%.0f,"p50_us":%.3f)",
                i == 0 ? "" : ",", each.name.c_str(), name_of(each.backend).data(),
                each.percentile(50), each.percentile(10), each.percentile(50) / rate);
    if (each.bar_cycles > 0) std::printf(R"(,"bar":%.0f)", each.bar_cycles);
    std::printf("}");
  }
  std::printf("]}\n");
}

}  // namespace

int main(int argc, char** argv) {
  const bool json = argc == 2 && std::string_view(argv[1]) == "--json";
  if (argc > 2 || (argc == 2 && !json)) {
    std::fprintf(stderr, "usage: bench_pq [--json]\n");
    return 2;
  }
  std::vector<Operation> all;
  for (const Backend backend : crypto::supported_backends()) {
    add_ml_kem<ml_kem::MlKem768>(all, backend);
    add_ml_kem<ml_kem::MlKem1024>(all, backend);
  }
  measure(all);
  (json ? print_json : print_text)(all, ticks_per_microsecond());
  return 0;
}
