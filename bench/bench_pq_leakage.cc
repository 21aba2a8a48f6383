// SPDX-License-Identifier: Apache-2.0
// Does the time of a decapsulation, or of a signature, tell anything of its secrets? The test of
// Reparaz, Balasch and Verbauwhede (dudect): two classes of inputs in random order, and Welch's t
// of their times, over all samples and over those below several percentiles, since what interrupts
// a program is long and tells nothing. |t| above 10 means a leak, above 5 that more samples are
// needed. Memcheck (tests/pq_constant_time.cc) proves more of branches and addresses; this also
// sees instructions whose time depends on their operands. The canary, a comparison that ends at the
// first difference, shows that a leak would be seen.
//   bench_pq_leakage [SAMPLES] [--json]
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "foundation/base/check.h"
#include "foundation/crypto/falcon/falcon.h"
#include "foundation/crypto/keccak/shake.h"
#include "foundation/crypto/ml_kem/ml_kem.h"

namespace {

using namespace hm;
using Clock = std::chrono::steady_clock;
using crypto::Backend;
using P = ml_kem::MlKem1024;
using Key = ml_kem::DecapsulationKey<P>;
using Ciphertext = ml_kem::Ciphertext<P>;

constexpr std::size_t kDefaultSamples = 20'000;
constexpr std::size_t kBatch = 256;
// A signature takes a hundred times as long as a decapsulation; there are fewer of them.
constexpr std::size_t kSamplesPerSignature = 10;
constexpr std::size_t kSigningKeys = 32;
constexpr std::array kPercentiles = {100, 99, 95, 90, 75, 50};

std::string machine() {
  std::ifstream info("/proc/cpuinfo");
  std::string line;
  while (std::getline(info, line)) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

enum class Class : std::uint8_t { Fixed, Random };

struct Sample {
  Clock::rep took;
  Class of;
};

struct Row {
  std::string name;
  std::string backend;
  double worst = 0;  // |t|, the largest over the percentiles
};

class Moments {
 public:
  void add(double x) {
    ++count_;
    const double delta = x - mean_;
    mean_ += delta / count_;
    squares_ += delta * (x - mean_);
  }
  double mean() const { return mean_; }
  double error() const { return squares_ / (count_ - 1) / count_; }
  bool is_usable() const { return count_ > 2; }

 private:
  double count_ = 0, mean_ = 0, squares_ = 0;
};

double welch_t(const std::vector<Sample>& samples, Clock::rep limit) {
  std::array<Moments, 2> classes;
  for (const Sample& sample : samples) {
    if (sample.took > limit) continue;
    classes[sample.of == Class::Random].add(static_cast<double>(sample.took));
  }
  const double error = std::sqrt(classes[0].error() + classes[1].error());
  if (!classes[0].is_usable() || !classes[1].is_usable() || error == 0) return 0;
  return (classes[0].mean() - classes[1].mean()) / error;
}

double worst_t(const std::vector<Sample>& samples) {
  std::vector<Clock::rep> sorted;
  for (const Sample& sample : samples) sorted.push_back(sample.took);
  std::ranges::sort(sorted);
  double worst = 0;
  for (const int percent : kPercentiles) {
    const std::size_t at = (sorted.size() - 1) * static_cast<std::size_t>(percent) / 100;
    worst = std::max(worst, std::fabs(welch_t(samples, sorted[at])));
  }
  return worst;
}

class Leakage {
 public:
  explicit Leakage(std::size_t samples) : samples_(samples) {}

  // `make` gives an input of the fixed class or of the random one, `run` is what is timed. Inputs
  // are made a batch ahead, each in memory of its own, so that the classes differ in nothing that
  // caches remember.
  template <class Make, class Run>
  double measure(const Make& make, const Run& run) {
    std::vector<Sample> all;
    all.reserve(samples_);
    while (all.size() < samples_) {
      std::vector<Class> classes;
      std::vector<decltype(make(Class::Fixed))> inputs;
      inputs.reserve(kBatch);
      for (std::size_t i = 0; i < kBatch; ++i) {
        classes.push_back((bytes<1>()[0] & 1) != 0 ? Class::Random : Class::Fixed);
        inputs.push_back(make(classes.back()));
      }
      for (std::size_t i = 0; i < kBatch; ++i) {
        const auto start = Clock::now();
        run(inputs[i]);
        all.push_back({(Clock::now() - start).count(), classes[i]});
      }
    }
    return worst_t(all);
  }

  template <std::size_t size>
  std::array<std::uint8_t, size> bytes() {
    std::array<std::uint8_t, size> out;
    random_.squeeze(out);
    return out;
  }

 private:
  keccak::Shake128 random_;
  std::size_t samples_;
};

// Ciphertexts of one key: a fixed one, and other valid ones or ones that are rejected.
enum class Others { Valid, Rejected };

double of_ciphertexts(Leakage& test, const Key& key, Others others, Backend backend) {
  const auto valid = [&] {
    const auto m = test.bytes<ml_kem::kWordSize>();
    return ml_kem::encapsulate(key.encapsulation_key(), m, backend).ciphertext;
  };
  const Ciphertext fixed = valid();
  const auto make = [&](Class of) {
    // Both classes do the same work.
    Ciphertext other = valid();
    if (others == Others::Rejected) other.bytes = test.bytes<Ciphertext::kSize>();
    return of == Class::Fixed ? fixed : other;
  };
  return test.measure(make, [&](const Ciphertext& input) { key.decapsulate(input, backend); });
}

// Secret vectors under one public key, so that only secrets differ: an expanded key may hold any.
double of_keys(Leakage& test, const Key& key, Backend backend) {
  const auto made = ml_kem::encapsulate(key.encapsulation_key(), test.bytes<ml_kem::kWordSize>());
  const auto secret = [&] {
    const auto other = Key::from_seed(test.bytes<ml_kem::kSeedSize>()).expanded();
    auto expanded = key.expanded();
    std::copy_n(other.begin(), ml_kem::kVectorSize<P>, expanded.begin());
    std::copy_n(other.end() - ml_kem::kWordSize, ml_kem::kWordSize,
                expanded.end() - ml_kem::kWordSize);
    return expanded;
  };
  const auto fixed = secret();
  const auto make = [&](Class of) {
    const auto other = secret();
    auto parsed = Key::parse_expanded(of == Class::Fixed ? fixed : other);
    HM_CHECK(parsed.has_value());
    return std::move(*parsed);
  };
  return test.measure(make, [&](const Key& input) { input.decapsulate(made.ciphertext, backend); });
}

// Falcon-1024 keys: one of them, or any. Message and randomness are drawn anew for both classes.
double of_signing_keys(Leakage& test, falcon::Arithmetic arithmetic) {
  struct Input {
    falcon::SigningKey key;
    std::array<std::uint8_t, 32> message;
    falcon::SigningRandomness randomness;
  };
  std::vector<falcon::SecretBuffer<std::uint8_t>> keys;
  for (std::size_t i = 0; i < kSigningKeys; ++i) {
    const auto seed = test.bytes<falcon::kSeedSize>();
    keys.push_back(falcon::SigningKey::generate(seed, falcon::Arithmetic::Hardware).encode());
  }
  const auto make = [&](Class of) {
    const std::size_t any = test.bytes<1>()[0] % keys.size();
    const auto& encoded = keys[of == Class::Fixed ? 0 : any];
    auto key = falcon::SigningKey::decode({encoded.data(), encoded.size()});
    HM_CHECK(key.has_value());
    Input input{std::move(*key), test.bytes<32>(), {}};
    input.randomness.nonce = test.bytes<falcon::kNonceSize>();
    input.randomness.seed = test.bytes<falcon::kSeedSize>();
    return input;
  };
  return test.measure(make, [&](const Input& input) {
    input.key.sign(input.message, input.randomness, falcon::SignatureFormat::Padded, arithmetic);
  });
}

double of_canary(Leakage& test) {
  using Word = std::array<std::uint8_t, ml_kem::kWordSize>;
  const auto secret = test.bytes<ml_kem::kWordSize>();
  volatile bool same = false;
  const auto make = [&](Class of) {
    const Word other = test.bytes<ml_kem::kWordSize>();
    return of == Class::Fixed ? secret : other;
  };
  return test.measure(make, [&](const Word& guess) {
    std::size_t i = 0;
    while (i < secret.size() && secret[i] == guess[i]) ++i;
    same = i == secret.size();
  });
}

std::vector<Row> rows(std::size_t samples) {
  Leakage test(samples);
  std::vector<Row> all = {{"canary: early exit", "-", of_canary(test)}};
  for (const Backend backend : crypto::supported_backends()) {
    const std::string name(name_of(backend));
    const Key key = Key::from_seed(test.bytes<ml_kem::kSeedSize>(), backend);
    all.push_back(
        {"ciphertext: fixed or random", name, of_ciphertexts(test, key, Others::Valid, backend)});
    all.push_back({"ciphertext: accepted or rejected", name,
                   of_ciphertexts(test, key, Others::Rejected, backend)});
    all.push_back({"secret key: fixed or random", name, of_keys(test, key, backend)});
  }
  Leakage signing(samples / kSamplesPerSignature);
  all.push_back({"signing key: fixed or random", "emulated",
                 of_signing_keys(signing, falcon::Arithmetic::Emulated)});
  all.push_back({"signing key: fixed or random", "hardware",
                 of_signing_keys(signing, falcon::Arithmetic::Hardware)});
  return all;
}

constexpr std::string_view kMethod =
    "Welch's t of the time of ML-KEM-1024 decapsulation, and of Falcon-1024 signing with a tenth "
    "of "
    "the samples, in two classes, the largest |t| over croppings at percentiles 100 to 50; above "
    "10: a leak";

void print_text(const std::vector<Row>& all, std::size_t samples) {
  std::printf("bench pq_leakage: %s\nmachine: %s\nbuild: %s\nsamples: %zu\n", kMethod.data(),
              machine().c_str(), HM_BUILD_TYPE, samples);
  for (const Row& row : all) {
    std::printf("%-33s %-9s |t| %8.2f\n", row.name.c_str(), row.backend.c_str(), row.worst);
  }
}

void print_json(const std::vector<Row>& all, std::size_t samples) {
  std::printf(R"({"schema":1,"bench":"pq_leakage","method":"%s","machine":"%s","build":"%s",)",
              kMethod.data(), machine().c_str(), HM_BUILD_TYPE);
  std::printf(R"("samples":%zu,"unit":"t","results":[)", samples);
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::printf(R"(%s{"name":"%s","backend":"%s","t":%.3f})", i == 0 ? "" : ",",
                all[i].name.c_str(), all[i].backend.c_str(), all[i].worst);
  }
  std::printf("]}\n");
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t samples = kDefaultSamples;
  bool json = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const char* end = argument.data() + argument.size();
    if (argument == "--json") {
      json = true;
    } else if (std::from_chars(argument.data(), end, samples).ptr != end || samples < 100) {
      std::fprintf(stderr, "usage: bench_pq_leakage [SAMPLES] [--json]   at least 100 samples\n");
      return 2;
    }
  }
  const std::vector<Row> all = rows(samples);
  (json ? print_json : print_text)(all, samples);
  return 0;
}
