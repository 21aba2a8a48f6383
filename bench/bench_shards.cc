// SPDX-License-Identifier: Apache-2.0
// The store of shards on a real disk: putting with one writer and with several, each put durable
// before the next; reading, every byte verified; what a shard takes of memory; how long a store
// with 10^5 shards takes to open. The first row is what the disk does without the store: appending
// a shard to a file and flushing it.
//   bench_shards [--json] [--folder FOLDER]
#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "foundation/base/check.h"
#include "foundation/blake3/blake3.h"
#include "platform/shard_store/file_shard_store.h"

namespace {

using namespace hm;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kUnlimited = std::uint64_t{1} << 60;
constexpr std::uint64_t kBytesPerRow = std::uint64_t{128} << 20;
constexpr std::size_t kMaxPutsPerRow = 2'000;
constexpr std::uint64_t kMany = 100'000;
constexpr std::size_t kManySize = 4'096;
constexpr std::size_t kManyWriters = 64;
constexpr std::uint64_t kManyLogBytes = std::uint64_t{64} << 20;  // so that most logs are sealed
constexpr std::size_t kWriters[] = {1, 8};
constexpr std::size_t kSizes[] = {4 << 10, 64 << 10, 1 << 20, 4 << 20};
constexpr std::size_t kReadRounds = 3;

struct Row {
  std::string name;
  std::string method;
  double value = 0;
  std::string unit;
  std::optional<double> p50_us{};  // of each operation
  std::optional<double> p99_us{};
};

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Bytes shard_of(std::uint64_t number, std::size_t size) {
  Bytes bytes(size);
  std::uint64_t state = number * 2 + 1;
  for (std::size_t at = 0; at + 8 <= size; at += 8) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    for (std::size_t i = 0; i < 8; ++i) bytes[at + i] = static_cast<std::uint8_t>(state >> (8 * i));
  }
  return bytes;
}

std::string name_of_size(std::size_t size) {
  if (size >= 1 << 20) return std::to_string(size >> 20) + " MiB";
  return std::to_string(size >> 10) + " KiB";
}

Row row_of(std::string name, std::string method, double bytes, double seconds,
           std::vector<double> micros) {
  std::ranges::sort(micros);
  const auto at = [&](std::size_t percent) {
    return micros[std::min(micros.size() - 1, micros.size() * percent / 100)];
  };
  return {std::move(name), std::move(method), bytes / seconds / 1e6, "MB/s", at(50), at(99)};
}

std::unique_ptr<ports::ShardStore> open_store(const fs::path& folder,
                                              std::uint64_t log_bytes = shard_store::kMaxLogBytes) {
  auto opened = shard_store::open_shard_store({folder.string(), 0, log_bytes});
  HM_CHECK(opened && opened->report.damages == 0);
  return std::move(opened->store);
}

// Each of `writers` threads puts its part; gives how long each put took.
std::vector<double> put_all(ports::ShardStore& store, std::uint64_t count, std::size_t size,
                            std::size_t writers) {
  std::vector<std::vector<double>> micros(writers);
  std::vector<std::thread> threads;
  for (std::size_t writer = 0; writer < writers; ++writer) {
    threads.emplace_back([&, writer] {
      for (std::uint64_t i = writer; i < count; i += writers) {
        const Bytes bytes = shard_of(i, size);
        const auto root = blake3::hash(bytes);
        const auto start = Clock::now();
        HM_CHECK(store.put(root, {}, bytes, kUnlimited));
        micros[writer].push_back(seconds_since(start) * 1e6);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<double> all;
  for (const auto& part : micros) all.insert(all.end(), part.begin(), part.end());
  return all;
}

std::uint64_t puts_of(std::size_t size) {
  return std::min<std::uint64_t>(kMaxPutsPerRow, kBytesPerRow / size);
}

Row measure_disk(const fs::path& folder, std::size_t size) {
  fs::create_directories(folder);
  const fs::path path = folder / "plain";
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  HM_CHECK(descriptor >= 0);
  const Bytes bytes = shard_of(1, size);
  const std::uint64_t count = puts_of(size);
  std::vector<double> micros;
  const auto start = Clock::now();
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto one = Clock::now();
    HM_CHECK(::write(descriptor, bytes.data(), size) == static_cast<ssize_t>(size));
    HM_CHECK(::fdatasync(descriptor) == 0);
    micros.push_back(seconds_since(one) * 1e6);
  }
  const double seconds = seconds_since(start);
  ::close(descriptor);
  fs::remove_all(folder);
  return row_of("plain file, " + name_of_size(size), "write and fdatasync, one writer",
                static_cast<double>(count * size), seconds, std::move(micros));
}

Row measure_puts(const fs::path& folder, std::size_t size, std::size_t writers) {
  const auto store = open_store(folder);
  const std::uint64_t count = puts_of(size);
  const auto start = Clock::now();
  auto micros = put_all(*store, count, size, writers);
  const double seconds = seconds_since(start);
  Row row = row_of("put " + name_of_size(size) + ", " + std::to_string(writers) + " writers",
                   "the writer's making of the shard and its root included",
                   static_cast<double>(count * size), seconds, std::move(micros));
  fs::remove_all(folder);
  return row;
}

void measure_reads(const fs::path& folder, std::size_t size, std::vector<Row>& rows) {
  const auto store = open_store(folder);
  const std::uint64_t count = puts_of(size);
  put_all(*store, count, size, kWriters[1]);
  const auto shards = store->list({}, {}).shards;
  std::vector<double> micros;
  std::uint64_t bytes = 0;
  const auto start = Clock::now();
  for (std::size_t round = 0; round < kReadRounds; ++round) {
    for (const auto& each : shards) {
      const auto one = Clock::now();
      const auto got = store->read(each.root, 0, each.state.bytes);
      micros.push_back(seconds_since(one) * 1e6);
      HM_CHECK(got.has_value());
      bytes += got->size();
    }
  }
  rows.push_back(row_of("read " + name_of_size(size),
                        "whole shards by one reader, past the page cache if the disk allows it",
                        static_cast<double>(bytes), seconds_since(start), std::move(micros)));
  std::vector<double> proofs;
  const auto begin = Clock::now();
  for (const auto& each : shards) {
    const auto one = Clock::now();
    HM_CHECK(store->prove(each.root, 0));
    proofs.push_back(seconds_since(one) * 1e6);
  }
  const double page = static_cast<double>(std::min<std::uint64_t>(size, blake3::kPageSize));
  rows.push_back(row_of("prove a page of " + name_of_size(size), "one reader, as above",
                        page * static_cast<double>(shards.size()), seconds_since(begin),
                        std::move(proofs)));
  fs::remove_all(folder);
}

void measure_many(const fs::path& folder, std::vector<Row>& rows) {
  {
    const auto store = open_store(folder, kManyLogBytes);
    put_all(*store, kMany, kManySize, kManyWriters);
  }
  const auto open_once = [&](std::string name, std::string method) {
    const auto before = ::mallinfo2().uordblks;
    const auto start = Clock::now();
    const auto store = open_store(folder, kManyLogBytes);
    rows.push_back({std::move(name), std::move(method), seconds_since(start) * 1e3, "ms"});
    HM_CHECK(store->usage().shards == kMany);
    return static_cast<double>(::mallinfo2().uordblks - before);
  };
  const double memory =
      open_once("open 10^5 shards of 4 KiB", "six logs by their index, the last one read");
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".index") fs::remove(entry.path());
  }
  open_once("open them without an index", "every header read, and the indexes written");
  rows.push_back({"memory of a shard", "malloc's bytes in use after opening, by shards",
                  memory / static_cast<double>(kMany), "bytes"});
  fs::remove_all(folder);
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
    "a new folder for each row; fdatasync is the disk's; 128 MiB or 2000 shards a row; wall clock; "
    "MB of 10^6 bytes; latencies of single operations";

void print_text(const std::vector<Row>& rows, const std::string& folder) {
  std::printf("bench shards: %s\nmachine: %s\nfolder: %s\nbuild: %s\n", kMethod.data(),
              machine().c_str(), folder.c_str(), HM_BUILD_TYPE);
  for (const Row& row : rows) {
    std::printf("%-28s %10.1f %-5s", row.name.c_str(), row.value, row.unit.c_str());
    if (row.p50_us) std::printf("   p50 %9.1f us   p99 %9.1f us", *row.p50_us, *row.p99_us);
    std::printf("   %s\n", row.method.c_str());
  }
}

void print_json(const std::vector<Row>& rows) {
  std::printf(R"({"schema":1,"bench":"shards","method":"%s","machine":"%s","build":"%s",)",
              kMethod.data(), machine().c_str(), HM_BUILD_TYPE);
  std::printf(R"("results":[)");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    std::printf(R"(%s{"name":"%s","method":"%s","value":%.3f,"unit":"%s")", i == 0 ? "" : ",",
                row.name.c_str(), row.method.c_str(), row.value, row.unit.c_str());
    if (row.p50_us) std::printf(R"(,"p50_us":%.1f,"p99_us":%.1f)", *row.p50_us, *row.p99_us);
    std::printf("}");
  }
  std::printf("]}\n");
}

}  // namespace

int main(int argc, char** argv) {
  bool is_json = false;
  fs::path below = fs::temp_directory_path();
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--json") {
      is_json = true;
    } else if (word == "--folder" && i + 1 < argc) {
      below = argv[++i];
    } else {
      std::fprintf(stderr, "usage: bench_shards [--json] [--folder FOLDER]\n");
      return 2;
    }
  }
  std::string name = (below / "hm-bench-shards-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    std::fprintf(stderr, "no folder can be made in %s\n", below.c_str());
    return 1;
  }
  const fs::path folder = fs::path(name) / "shards";
  std::vector<Row> rows;
  for (const std::size_t size : kSizes) {
    rows.push_back(measure_disk(folder, size));
    for (const std::size_t writers : kWriters) rows.push_back(measure_puts(folder, size, writers));
  }
  for (const std::size_t size : kSizes) measure_reads(folder, size, rows);
  measure_many(folder, rows);
  fs::remove_all(name);
  is_json ? print_json(rows) : print_text(rows, below.string());
  return 0;
}
