// SPDX-License-Identifier: Apache-2.0
// What a node's storage commitment costs on one core: the roots over 10^4 to 10^6 entries, and the
// path of one entry, in seconds of CPU time.
//   bench_commitments [--json]
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/storage/commitment_tree.h"
#include "foundation/base/check.h"
#include "foundation/codec/writer.h"
#include "foundation/crypto/hash.h"

namespace {

using namespace hm;
using namespace hm::storage;

constexpr std::size_t kRounds = 5;
constexpr double kBar = 1.0;  // seconds for the most entries

constexpr std::string_view kMethod =
    "one thread; seconds of the thread's CPU time, best and median of 5 rounds; object ids of 32 "
    "bytes that lie about in memory, entries in order; a path is that of the entry in the middle";

double cpu_seconds() {
  timespec now{};
  HM_CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

std::string cpu_model() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

crypto::Digest digest(std::uint64_t number) { return crypto::sha256(codec::encode(number)); }

std::vector<ObjectEntry> objects(std::size_t count) {
  std::vector<ObjectEntry> entries(count);
  for (std::size_t i = 0; i < count; ++i) {
    const crypto::Digest id = digest(i);
    entries[i] = {to_bytes(id.view()), 1, digest(count + i)};
  }
  std::ranges::sort(entries, {}, &ObjectEntry::object);
  return entries;
}

std::vector<ShardEntry> shards(std::size_t count) {
  std::vector<ShardEntry> entries(count);
  for (std::size_t i = 0; i < count; ++i) entries[i] = {{digest(i / 1000).bytes}, digest(i)};
  std::ranges::sort(entries);
  return entries;
}

struct Row {
  std::string name;
  std::size_t entries;
  double bar;  // 0: none
  std::vector<double> seconds{};
};

Row measure(std::string name, std::size_t entries, double bar, const std::function<void()>& run) {
  Row row{std::move(name), entries, bar};
  for (std::size_t i = 0; i < kRounds; ++i) {
    const double start = cpu_seconds();
    run();
    row.seconds.push_back(cpu_seconds() - start);
  }
  std::ranges::sort(row.seconds);
  return row;
}

template <class Entry>
void add(std::vector<Row>& rows, const std::string& kind, const std::vector<Entry>& entries,
         double bar) {
  crypto::Digest root;
  rows.push_back(measure("root of " + kind, entries.size(), bar, [&] { root = root_of(entries); }));
  const std::size_t middle = entries.size() / 2;
  rows.push_back(measure("path of one of " + kind, entries.size(), bar,
                         [&] { HM_CHECK(verify(root, entries[middle], prove(entries, middle))); }));
}

void print(const std::vector<Row>& rows, bool as_json) {
  if (!as_json) {
    std::printf("bench commitments: %s\nmachine: %s\nbuild: %s\n", kMethod.data(),
                cpu_model().c_str(), HM_BUILD_TYPE);
  } else {
    std::printf(R"({"schema":1,"bench":"commitments","method":"%s","machine":"%s","build":"%s",)",
                kMethod.data(), cpu_model().c_str(), HM_BUILD_TYPE);
    std::printf(R"("unit":"s","results":[)");
  }
  const char* separator = "";
  for (const Row& row : rows) {
    const double best = row.seconds.front();
    const double median = row.seconds[kRounds / 2];
    if (as_json) {
      std::printf(R"(%s{"name":"%s","entries":%zu,"best":%.5f,"median":%.5f,"bar":%.1f})",
                  separator, row.name.c_str(), row.entries, best, median, row.bar);
      separator = ",";
      continue;
    }
    std::printf("%-24s %8zu entries   best %8.5f s   median %8.5f", row.name.c_str(), row.entries,
                best, median);
    if (row.bar > 0) std::printf("   bar %.1f", row.bar);
    std::printf("\n");
  }
  if (as_json) std::printf("]}\n");
}

}  // namespace

int main(int argc, char** argv) {
  const bool as_json = argc == 2 && std::string_view(argv[1]) == "--json";
  if (argc > 1 && !as_json) {
    std::fprintf(stderr, "usage: bench_commitments [--json]\n");
    return 2;
  }
  std::vector<Row> rows;
  for (const std::size_t count : {10'000, 100'000, 1'000'000}) {
    const double bar = count == 1'000'000 ? kBar : 0;
    add(rows, "objects", objects(count), bar);
    add(rows, "shards", shards(count), bar);
  }
  print(rows, as_json);
  return 0;
}
