// SPDX-License-Identifier: Apache-2.0
// What one operation on an asset or a lease costs a validator: decoding and checking its signature
// (any thread), admission, and execution in a block with the Merkle root and the writes for the
// store. No disk and no network: those are in `tools/dev bench consensus`.
//   bench_ledger [--json]
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/ledger/sample_lending.h"

namespace {

using namespace hm;
using namespace hm::ledger;

using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kOwners = 64;
constexpr std::uint64_t kAssets = 10'000;
constexpr std::size_t kOperations = 2'048;
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

Row row(std::string name, std::string method, std::vector<double> samples) {
  std::ranges::sort(samples);
  const auto at = [&](std::size_t percent) {
    return samples[std::min(samples.size() - 1, samples.size() * percent / 100)];
  };
  return {std::move(name), std::move(method), at(50), at(99)};
}

// A chain with kAssets assets spread over kOwners owners.
sample::Chain populated() {
  sample::Chain chain(sample::genesis(kOwners));
  for (std::uint64_t first = 0; first < kAssets; first += kOwners) {
    std::vector<PreparedOperation> block;
    for (std::uint32_t i = 0; i < kOwners && first + i < kAssets; ++i) {
      const RegisterAsset action{sample::asset_id(chain.id(), first + i),
                                 sample::node_id(sample::key(1000 + i)), sample::terms()};
      block.push_back(chain.by_owner(i, action));
    }
    chain.block(block);
  }
  return chain;
}

// The signed bytes of one update of each of the first `count` assets, each by its owner.
std::vector<Bytes> updates(const sample::Chain& chain, std::size_t count) {
  std::vector<Bytes> all;
  std::vector<std::uint64_t> used(kOwners, 0);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t owner = i % kOwners;
    const auto signer = sample::key(owner);
    const auto id = sample::asset_id(chain.id(), i);
    const std::uint64_t version = chain.ledger().asset(id.hash)->version;
    auto operation =
        chain.operation(sample::owner_id(owner), UpdateAsset{id, version, sample::terms(version)});
    operation.sequence += used[owner]++;
    all.push_back(codec::encode(sign(std::move(operation), signer)));
  }
  return all;
}

std::vector<PreparedOperation> prepare_all(const sample::Chain& chain,
                                           const std::vector<Bytes>& operations) {
  std::vector<PreparedOperation> prepared;
  for (const Bytes& bytes : operations) prepared.push_back(*prepare(bytes, chain.id()));
  return prepared;
}

Row measure_prepare(const sample::Chain& chain) {
  std::vector<double> samples;
  for (const Bytes& bytes : updates(chain, kOperations)) {
    const auto start = Clock::now();
    HM_CHECK(prepare(bytes, chain.id()).has_value());
    samples.push_back(micros_since(start));
  }
  return row("prepare", "decode, id, Ed25519 signature, form; per operation", std::move(samples));
}

Row measure_precheck(const sample::Chain& chain) {
  std::vector<double> samples;
  for (const auto& operation : prepare_all(chain, updates(chain, kOwners))) {
    const auto start = Clock::now();
    HM_CHECK(!chain.ledger().precheck(operation));
    samples.push_back(micros_since(start));
  }
  return row("precheck", "all rules on a scratch layer; per operation", std::move(samples));
}

Row measure_apply(sample::Chain& chain, std::size_t block_size) {
  std::vector<double> samples;
  for (std::size_t done = 0; done < kOperations; done += block_size) {
    const auto operations = prepare_all(chain, updates(chain, block_size));
    const auto start = Clock::now();
    const auto outcome = chain.block(operations);
    samples.push_back(micros_since(start) / static_cast<double>(block_size));
    for (const Receipt& receipt : outcome.receipts) HM_CHECK(!receipt.refused);
  }
  return row("apply_block_of_" + std::to_string(block_size),
             "rules, state, Merkle root, writes; per operation", std::move(samples));
}

// The figure of the bar: everything a validator computes for one operation alone in its block.
Row measure_whole(sample::Chain& chain) {
  std::vector<double> samples;
  for (std::size_t i = 0; i < kOperations; ++i) {
    const auto bytes = updates(chain, 1).front();
    const auto start = Clock::now();
    const auto prepared = prepare(bytes, chain.id());
    HM_CHECK(prepared && !chain.ledger().precheck(*prepared));
    const auto outcome = chain.block({*prepared});
    samples.push_back(micros_since(start));
    HM_CHECK(!outcome.receipts.front().refused);
  }
  return row("validate_and_apply", "prepare, precheck and a block of this one operation",
             std::move(samples));
}

// The life of one lease, each operation alone in its block: prepare, precheck, block.
std::vector<Row> measure_leases() {
  sample::Market market;
  const auto asset = market.lend(1, sample::lent_terms(1'000));
  const auto grant = market.grant(market.open_grant());
  constexpr std::size_t kLeases = 512;
  // Leases that stand while others come and go.
  constexpr std::size_t kStanding = 100;
  const OpenLease request = sample::Market::request({{asset, grant}});
  for (std::size_t i = 0; i < kStanding; ++i) market.open(2, request);

  std::array<std::vector<double>, 5> samples;
  LeaseId id;
  const auto measure = [&](std::size_t step, Actor actor, std::uint32_t seed, Action action) {
    sample::Chain& chain = market.chain();
    const Bytes bytes =
        codec::encode(sign(chain.operation(actor, std::move(action)), sample::key(seed)));
    const auto start = Clock::now();
    const auto prepared = prepare(bytes, chain.id());
    HM_CHECK(prepared && !chain.ledger().precheck(*prepared));
    const auto outcome = market.block({*prepared});
    samples[step].push_back(micros_since(start));
    HM_CHECK(!outcome.receipts.front().refused);
    id = LeaseId{prepared->id.bytes};
  };
  const Actor tenant = sample::owner_id(1);
  const Actor provider = sample::node_id(sample::key(1000));
  for (std::size_t i = 0; i < kLeases; ++i) {
    measure(0, tenant, 1, request);
    const LeaseId lease = id;
    measure(1, provider, 1000, AcceptLease{lease});
    measure(2, provider, 1000, MeterLease{market.reading(lease, 0, 0, 0)});
    measure(3, tenant, 1, RenewLease{lease, 1'000});
    measure(4, tenant, 1, CloseLease{lease});
  }
  constexpr std::string_view kEach = "prepare, precheck and a block of this one operation";
  std::vector<Row> rows;
  const char* const names[] = {"open_lease", "accept_lease", "meter_lease", "renew_lease",
                               "close_lease"};
  for (std::size_t i = 0; i < samples.size(); ++i) {
    rows.push_back(row(names[i], std::string(kEach), std::move(samples[i])));
  }
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
    "one thread, in memory; UpdateAsset over 10000 assets of 64 owners, then leases of one asset "
    "that has 100; steady clock around each step";

void print_text(const std::vector<Row>& rows) {
  std::printf("bench ledger: %s\nmachine: %s\nbuild: %s\nunit: microseconds\n", kMethod.data(),
              machine().c_str(), HM_BUILD_TYPE);
  for (const Row& r : rows) {
    std::printf("%-24s p50 %8.2f   p99 %8.2f   %s\n", r.name.c_str(), r.p50, r.p99,
                r.method.c_str());
  }
  std::printf("bar: validate_and_apply <= %.0f\n", kBarMicros);
}

void print_json(const std::vector<Row>& rows) {
  std::printf(R"({"schema":1,"bench":"ledger","method":"%s","machine":"%s","build":"%s",)",
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
    std::fprintf(stderr, "usage: bench_ledger [--json]\n");
    return 2;
  }
  sample::Chain chain = populated();
  std::vector<Row> rows = {measure_prepare(chain), measure_precheck(chain)};
  for (const std::size_t block_size : {1u, 64u, 512u}) {
    rows.push_back(measure_apply(chain, block_size));
  }
  rows.push_back(measure_whole(chain));
  for (Row& lease : measure_leases()) rows.push_back(std::move(lease));
  (json ? print_json : print_text)(rows);
  return 0;
}
