// SPDX-License-Identifier: Apache-2.0
// What one operation of post-quantum cryptography costs on one core: each parameter set on each
// back end of this machine, with all memory warm. Falcon's verification hashes a message of 32
// bytes and decodes its signature; "verify, key" decodes the public key too. Sealed boxes hold 1
// KiB.
//   bench_pq [--json]
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
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

#include "foundation/base/check.h"
#include "foundation/crypto/falcon/falcon.h"
#include "foundation/crypto/ml_kem/ml_kem.h"
#include "foundation/crypto/sealed_box/sealed_box.h"

namespace {

using namespace hm;
using crypto::Backend;

constexpr std::size_t kRounds = 20;
constexpr std::size_t kSamplesPerRound = 100;
constexpr std::size_t kSlowSamplesPerRound = 10;  // of what takes milliseconds

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
  std::string_view backend;
  double bar_cycles;  // 0: none
  std::function<void()> run;
  std::size_t samples_per_round = kSamplesPerRound;
  double bar_micros = 0;  // 0: none
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
  const std::string_view variant = name_of(backend);
  all.push_back({name + " keygen", variant, bars.keygen, [=] { Key::from_seed(kSeed, backend); }});
  all.push_back({name + " encaps", variant, bars.encaps,
                 [=] { ml_kem::encapsulate(key->encapsulation_key(), kMessage, backend); }});
  all.push_back({name + " decaps", variant, bars.decaps, [=] { key->decapsulate(made, backend); }});
}

constexpr falcon::SignatureFormat kFormat = falcon::SignatureFormat::Padded;
constexpr std::array<std::uint8_t, 32> kDigest{3};

falcon::Seed next_seed() {
  static std::uint32_t count = 0;
  ++count;
  falcon::Seed seed{};
  std::memcpy(seed.data(), &count, sizeof count);
  return seed;
}

Bytes falcon_signature(const falcon::SigningKey& key, falcon::Arithmetic arithmetic) {
  falcon::SigningRandomness randomness;
  randomness.seed = next_seed();
  return key.sign(kDigest, randomness, kFormat, arithmetic);
}

void add_falcon_verify(std::vector<Operation>& all, Backend backend, double bar_micros) {
  const auto secret = falcon::SigningKey::generate(falcon::Seed{1});
  const auto encoded = secret.verifying_key().encode();
  const auto key = std::make_shared<falcon::VerifyingKey>(secret.verifying_key());
  const Bytes signature = falcon_signature(secret, falcon::Arithmetic::Hardware);
  const std::string name(falcon::kAlgorithmName);
  const auto verify = [=](const falcon::VerifyingKey& by) {
    HM_CHECK(by.verify(kDigest, signature, kFormat, backend).has_value());
  };
  const std::string_view variant = name_of(backend);
  all.push_back(
      {name + " verify", variant, 0, [=] { verify(*key); }, kSamplesPerRound, bar_micros});
  all.push_back({name + " verify, key", variant, 0,
                 [=] { verify(falcon::VerifyingKey::decode(encoded).value()); }, kSamplesPerRound,
                 bar_micros});
}

// Each time with another seed: how often they try again depends on it.
void add_falcon_secret(std::vector<Operation>& all, falcon::Arithmetic arithmetic,
                       std::string_view variant, double sign_bar_micros) {
  const auto key =
      std::make_shared<falcon::SigningKey>(falcon::SigningKey::generate(falcon::Seed{1}));
  const std::string name(falcon::kAlgorithmName);
  all.push_back({name + " sign", variant, 0, [=] { falcon_signature(*key, arithmetic); },
                 kSlowSamplesPerRound, sign_bar_micros});
  all.push_back({name + " keygen", variant, 0,
                 [=] { falcon::SigningKey::generate(next_seed(), arithmetic); },
                 kSlowSamplesPerRound});
}

void add_falcon(std::vector<Operation>& all) {
  for (const Backend backend : crypto::supported_backends()) {
    if (backend == Backend::Portable) add_falcon_verify(all, backend, 45);
    if (backend == Backend::Avx2) add_falcon_verify(all, backend, 25);
  }
  add_falcon_secret(all, falcon::Arithmetic::Emulated, "emulated", 4500);
  add_falcon_secret(all, falcon::Arithmetic::Hardware, "hardware", 500);
}

// 1 KiB, sealed for that many readers; the first one opens.
void add_sealed_box(std::vector<Operation>& all, std::size_t count) {
  struct Given {
    std::vector<sealed_box::DecapsulationKey> keys{};
    std::vector<sealed_box::EncapsulationKey> readers{};
    sealed_box::Context context{};
    Bytes content = Bytes(1024, 4);
    sealed_box::Box box{};
  };
  const auto seal = [](const Given& given) {
    return sealed_box::seal(given.content, given.readers, given.context,
                            [](std::span<std::uint8_t> out) { std::ranges::fill(out, 5); })
        .value();
  };
  auto given = std::make_shared<Given>();
  for (std::size_t i = 0; i < count; ++i) {
    const std::array<std::uint8_t, ml_kem::kSeedSize> seed{static_cast<std::uint8_t>(i)};
    given->keys.push_back(sealed_box::DecapsulationKey::from_seed(seed));
    given->readers.push_back(given->keys.back().encapsulation_key());
  }
  given->box = seal(*given);
  const std::string_view variant = name_of(crypto::fastest_backend());
  const std::string to = " box, readers: " + std::to_string(count);
  all.push_back({"seal" + to, variant, 0, [=] { seal(*given); }});
  all.push_back({"open" + to, variant, 0, [=] {
                   const auto opened = sealed_box::open(given->box, given->keys[0], given->context);
                   HM_CHECK(opened.has_value());
                 }});
}

// In rounds over all operations, so that what disturbs the machine for a while disturbs all.
void measure(std::vector<Operation>& all) {
  for (std::size_t round = 0; round < kRounds; ++round) {
    for (Operation& operation : all) {
      operation.run();
      for (std::size_t i = 0; i < operation.samples_per_round; ++i) {
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
    "operation; 20 rounds of 100, or of 10 for signing and Falcon's keys";

void print_text(const std::vector<Operation>& all, double rate) {
  std::printf("bench pq: %s\nmachine: %s\nflags: %s\nbuild: %s\nticks per us: %.0f\n",
              kMethod.data(), cpu_info("model name").c_str(), cpu_flags().c_str(), HM_BUILD_TYPE,
              rate);
  for (const Operation& each : all) {
    std::printf("%-23s %-9s p50 %9.0f cycles %8.2f us   p10 %9.0f", each.name.c_str(),
                each.backend.data(), each.percentile(50), each.percentile(50) / rate,
                each.percentile(10));
    if (each.bar_cycles > 0) std::printf("   bar %.0f", each.bar_cycles);
    if (each.bar_micros > 0) std::printf("   bar %.0f us", each.bar_micros);
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
                i == 0 ? "" : ",", each.name.c_str(), each.backend.data(), each.percentile(50),
                each.percentile(10), each.percentile(50) / rate);
    if (each.bar_cycles > 0) std::printf(R"(,"bar":%.0f)", each.bar_cycles);
    if (each.bar_micros > 0) std::printf(R"(,"bar_us":%.0f)", each.bar_micros);
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
  add_falcon(all);
  add_sealed_box(all, 1);
  add_sealed_box(all, 10);
  measure(all);
  (json ? print_json : print_text)(all, ticks_per_microsecond());
  return 0;
}
