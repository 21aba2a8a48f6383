// SPDX-License-Identifier: Apache-2.0
// How fast one core hashes: BLAKE3 by each back end of this machine for inputs of different sizes,
// from caches up to memory; the page tree of a shard of 4 MiB, and one page verified against its
// root. For a comparison on the same data: b3sum --num-threads 1.
//   bench_blake3 [--json]
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/check.h"
#include "foundation/blake3/blake3.h"
#include "foundation/blake3/page_tree.h"

namespace {

using namespace hm;
using crypto::Backend;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kRounds = 30;
constexpr std::size_t kBytesPerSample = 1 << 20;  // small inputs are hashed again and again
constexpr std::size_t kSizes[] = {64,       1 << 10, 4 << 10, 16 << 10,
                                  64 << 10, 1 << 20, 4 << 20, 256 << 20};
constexpr std::size_t kShardSize = 4 << 20;
constexpr double kBar = 5.0;  // GB/s, with AVX-512, for 64 KiB that are in a cache, and more

// The value of the first line of /proc/cpuinfo that begins with `key`.
std::string cpu_info(std::string_view key) {
  std::ifstream info("/proc/cpuinfo");
  std::string line;
  while (std::getline(info, line)) {
    if (line.starts_with(key)) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

struct Operation {
  std::string name;
  std::string_view backend;
  std::size_t size;  // bytes hashed by one run
  std::function<void()> run;
  bool has_bar = false;
  std::vector<double> rates{};  // GB/s, by sample

  double percentile(std::size_t percent) const {
    return rates[std::min(rates.size() - 1, rates.size() * percent / 100)];
  }
};

std::string name_of_size(std::size_t size) {
  if (size >= 1 << 20) return std::to_string(size >> 20) + " MiB";
  return size >= 1 << 10 ? std::to_string(size >> 10) + " KiB" : std::to_string(size) + " B";
}

void add(std::vector<Operation>& all, const std::shared_ptr<const Bytes>& data, Backend backend) {
  const std::string_view variant = name_of(backend);
  for (const std::size_t size : kSizes) {
    all.push_back({"hash " + name_of_size(size), variant, size,
                   [=] { blake3::hash(ByteView(*data).first(size), backend); },
                   backend == Backend::Avx512 && size >= 64 << 10 && size <= kShardSize});
  }
  const ByteView shard = ByteView(*data).first(kShardSize);
  all.push_back(
      {"page tree of 4 MiB", variant, kShardSize, [=] { blake3::PageTree::of(shard, backend); }});
  const auto tree = std::make_shared<blake3::PageTree>(blake3::PageTree::of(shard));
  all.push_back({"verify a page of 4 MiB", variant, blake3::kPageSize,
                 [=, keep = data, proof = tree->prove(3)] {
                   const ByteView page = shard.subspan(3 * blake3::kPageSize, blake3::kPageSize);
                   HM_CHECK(blake3::verify_page(tree->root(), kShardSize, 3, page, proof, backend));
                 }});
}

// In rounds over all operations, so that what disturbs the machine for a while disturbs all.
void measure(std::vector<Operation>& all) {
  for (std::size_t round = 0; round < kRounds; ++round) {
    for (Operation& operation : all) {
      const std::size_t runs = std::max<std::size_t>(1, kBytesPerSample / operation.size);
      operation.run();
      const auto start = Clock::now();
      for (std::size_t i = 0; i < runs; ++i) operation.run();
      const auto took = std::chrono::duration<double, std::nano>(Clock::now() - start).count();
      operation.rates.push_back(static_cast<double>(runs * operation.size) / took);
    }
  }
  for (Operation& operation : all) std::ranges::sort(operation.rates);
}

constexpr std::string_view kMethod =
    "one thread; a sample hashes 1 MiB or one input, after one run to warm it; 30 samples in "
    "rounds over all; GB/s of 10^9 bytes by wall clock, p50 and the best";

void print_text(const std::vector<Operation>& all) {
  std::printf("bench blake3: %s\nmachine: %s\nbuild: %s\n", kMethod.data(),
              cpu_info("model name").c_str(), HM_BUILD_TYPE);
  for (const Operation& each : all) {
    std::printf("%-23s %-9s p50 %6.2f GB/s   best %6.2f GB/s   %10.2f us", each.name.c_str(),
                each.backend.data(), each.percentile(50), each.percentile(100),
                static_cast<double>(each.size) / each.percentile(50) / 1e3);
    if (each.has_bar) std::printf("   bar %.0f GB/s", kBar);
    std::printf("\n");
  }
}

void print_json(const std::vector<Operation>& all) {
  std::printf(R"({"schema":1,"bench":"blake3","method":"%s","machine":"%s","build":"%s",)",
              kMethod.data(), cpu_info("model name").c_str(), HM_BUILD_TYPE);
  std::printf(R"("unit":"GB/s","results":[)");
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Operation& each = all[i];
    std::printf(R"(%s{"name":"%s","backend":"%s","size":%zu,"p50":%.3f,"best":%.3f)",
                i == 0 ? "" : ",", each.name.c_str(), each.backend.data(), each.size,
                each.percentile(50), each.percentile(100));
    if (each.has_bar) std::printf(R"(,"bar":%.1f)", kBar);
    std::printf("}");
  }
  std::printf("]}\n");
}

}  // namespace

int main(int argc, char** argv) {
  const bool json = argc == 2 && std::string_view(argv[1]) == "--json";
  if (argc > 2 || (argc == 2 && !json)) {
    std::fprintf(stderr, "usage: bench_blake3 [--json]\n");
    return 2;
  }
  auto data = std::make_shared<Bytes>(*std::ranges::max_element(kSizes));
  for (std::size_t i = 0; i < data->size(); ++i) (*data)[i] = static_cast<std::uint8_t>(i % 251);
  std::vector<Operation> all;
  for (const Backend backend : crypto::supported_backends()) add(all, data, backend);
  measure(all);
  (json ? print_json : print_text)(all);
  return 0;
}
