// SPDX-License-Identifier: Apache-2.0
// Shards between two whole nodes, a process each, over STOQ on ::1: a tenant puts shards under a
// lease of the provider's storage and gets them back, verified. Prints bytes per second of wall
// time, the CPU time that each process took for a shard, and the most memory that the provider's
// had.
//   bench_transfer [--json] [FOLDER]   where the nodes keep their files; a folder in /tmp if none
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/ledger/sample_chain.h"
#include "foundation/base/check.h"
#include "foundation/base/log.h"
#include "foundation/blake3/blake3.h"
#include "foundation/codec/writer.h"
#include "node/lease_keeper.h"
#include "node/node.h"
#include "node/own_operations.h"
#include "node/storing/shard_client.h"
#include "node/storing/shard_gate.h"
#include "node/storing/shard_host.h"
#include "platform/journal/file_journal.h"
#include "platform/linux/allocation.h"
#include "platform/loop/event_loop.h"
#include "platform/quic/quic_transport.h"
#include "platform/rocksdb/rocksdb_store.h"
#include "platform/shard_store/file_shard_store.h"

namespace {

using namespace hm;
namespace fs = std::filesystem;
namespace sample = ledger::sample;
using SteadyClock = std::chrono::steady_clock;

constexpr std::uint32_t kProvider = 0;
constexpr std::uint32_t kTenant = 1;
constexpr std::size_t kShards = 256;
constexpr std::size_t kShardBytes = std::size_t{1} << 20;
constexpr std::size_t kRounds = 3;
constexpr std::uint64_t kAhead = std::uint64_t{16} << 20;  // bytes waiting in the client
constexpr unsigned kThreads = 2;

constexpr std::string_view kMethod =
    "two processes on one machine; 256 shards of 1 MiB, each with other bytes, hashed beforehand; "
    "16 MiB waiting at a time; a put ends on stable storage; best of 3 rounds, new shards in each";

void must(bool held, const char* what) {
  if (held) return;
  std::fprintf(stderr, "bench_transfer: %s\n", what);
  std::_Exit(1);
}

ledger::Genesis genesis() {
  auto made = sample::genesis(2);
  made.validators.resize(1);
  made.time =
      UnixMillis{static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                                std::chrono::system_clock::now().time_since_epoch())
                                                .count())};
  return made;
}

// A whole node, as the daemon puts it together.
struct Machine {
  Machine(const ledger::Genesis& chain, std::uint32_t number, const std::string& folder)
      : loop(kThreads),
        node({.genesis = chain}, sample::key(1000 + number),
             {loop.clock(), loop.random(), loop.timers(), loop.workers()}),
        operations(node),
        leases(node, operations),
        client(node) {
    fs::create_directories(folder);
    auto opened_store = rocksdb_store::RocksDbStore::open(folder + "/ledger");
    must(opened_store.has_value(), "the store does not open");
    store = std::move(*opened_store);
    auto opened_journal = journal::FileJournal::open(
        {.directory = folder + "/journal"},
        [this](std::function<void()> task) { loop.post(std::move(task)); }, node);
    must(opened_journal.has_value(), "the journal does not open");
    journal = std::move(*opened_journal);
    must(node.recover(*store, *journal).has_value(), "the node does not recover");
    quic::TransportConfig config;
    config.chain = node.chain_id();
    config.is_admitted = [](const identity::NodeId&) { return true; };
    transport.emplace(loop.context(), config, node.key(), node, loop.clock());
    must(transport->start().has_value(), "the transport does not start");
  }
  void keep_shards(const std::string& folder) {
    auto opened = shard_store::open_shard_store({.folder = folder});
    must(opened.has_value(), "the shards do not open");
    shards = std::move(opened->store);
    disk = loop.make_workers(storing::kMaxJobs + 1);
    host.emplace(node, *shards, *disk, [](const identity::NodeId&) { return 0; });
    host->start();
  }

  loop::EventLoop loop;
  node::Node node;
  node::OwnOperations operations;
  node::LeaseKeeper leases;
  storing::ShardClient client;
  std::unique_ptr<rocksdb_store::RocksDbStore> store;
  std::unique_ptr<journal::FileJournal> journal;
  std::optional<quic::QuicTransport> transport;
  std::unique_ptr<ports::ShardStore> shards;
  std::unique_ptr<ports::Workers> disk;
  std::optional<storing::ShardHost> host;
};

[[noreturn]] void provide(const ledger::Genesis& chain, const std::string& folder, int pipe) {
  Machine machine(chain, kProvider, folder);
  machine.keep_shards(folder + "/shards");
  const std::uint16_t port = machine.transport->local_port();
  must(write(pipe, &port, sizeof port) == sizeof port, "the pipe is closed");
  machine.loop.post([&] { machine.node.start(*machine.transport); });
  machine.loop.run();
  std::_Exit(0);
}

// User and system time of a process so far.
double cpu_seconds_of(pid_t process) {
  std::ifstream stat("/proc/" + std::to_string(process) + "/stat");
  std::string text((std::istreambuf_iterator<char>(stat)), {});
  text.erase(0, text.rfind(')') + 2);
  unsigned long user = 0;
  unsigned long system = 0;
  must(std::sscanf(text.c_str(), "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                   &system) == 2,
       "no stat of a process");
  return static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

struct Round {
  double seconds = 0;
  double tenant_cpu = 0;
  double provider_cpu = 0;
};

class Tenant {
 public:
  Tenant(const ledger::Genesis& chain, const std::string& folder, std::uint16_t port,
         pid_t provider)
      : machine_(chain, kTenant, folder),
        provider_process_(provider),
        provider_(sample::node_id(sample::key(1000 + kProvider))) {
    machine_.transport->set_peers({{provider_, {stoq::Address::loopback(port)}}});
    machine_.loop.post([this] {
      machine_.node.start(*machine_.transport);
      wait_for([this] { return machine_.client.is_reachable(provider_); }, [this] { lend(); });
    });
  }

  std::vector<Round> run() {
    machine_.loop.run();
    return rounds_;
  }

 private:
  // Looks again each millisecond.
  void wait_for(std::function<bool()> claim, std::function<void()> then) {
    if (claim()) return then();
    timer_ = machine_.loop.timers().create(
        [this, claim = std::move(claim), then = std::move(then)]() mutable {
          const auto keep = std::move(timer_);
          wait_for(std::move(claim), std::move(then));
        });
    timer_->arm(machine_.loop.clock().now() + std::chrono::milliseconds(1));
  }

  void submit(std::uint32_t owner, ledger::Action action, std::function<void()> then) {
    ledger::Operation operation;
    operation.chain_id = machine_.node.chain_id();
    operation.actor = sample::owner_id(owner);
    operation.sequence = *machine_.node.ledger().next_sequence(operation.actor);
    operation.anchor = machine_.node.ledger().anchor();
    operation.expiry_height = operation.anchor.height + 100;
    operation.action = std::move(action);
    const auto signed_one = ledger::sign(std::move(operation), sample::key(owner));
    last_ = ledger::operation_id(signed_one.operation);
    machine_.node.submit(codec::encode(signed_one), [](const node::Admission& admission) {
      must(std::holds_alternative<node::Admitted>(admission), "an operation is not admitted");
    });
    machine_.node.watch(last_, [then = std::move(then)](const node::FinalReceipt& receipt) {
      must(!receipt.receipt.refused, "an operation is refused");
      then();
    });
  }

  void lend() {
    const auto asset = sample::asset_id(machine_.node.chain_id(), 1, assets::AssetKind::Storage);
    assets::AssetTerms terms = sample::terms(std::uint64_t{1} << 40);
    terms.level = assets::PrivacyLevel::FullPublic;
    terms.quantity.unit = "bytes";
    submit(kProvider, ledger::RegisterAsset{asset, provider_, terms}, [this, asset] {
      privacy::Grant grant;
      grant.owner = grant.issuer = sample::owner_id(kProvider);
      grant.number = 1;
      grant.to = privacy::ToOwner{sample::owner_id(kTenant)};
      grant.share_percent = 100;
      grant.network = privacy::NetworkClass::Mesh;
      grant.price = {caesar::Amount{0}, 1};
      const auto id = privacy::grant_id(machine_.node.chain_id(), grant);
      const auto signature =
          sample::owner(kProvider).sign(privacy::grant_statement(id), sample::fixed_randomness());
      submit(kProvider, ledger::AddGrant{grant, signature}, [this, asset, id] { open(asset, id); });
    });
  }

  void open(const assets::AssetId& asset, const privacy::GrantId& grant) {
    ledger::OpenLease action;
    action.choices = {{asset, grant}};
    action.quantity = std::uint64_t{1} << 34;
    action.duration_ms = 3'600'000;
    action.highest_price = {caesar::Amount{0}, 1};
    action.purpose = storing::storage_purpose(machine_.node.id());
    submit(kTenant, action, [this] {
      lease_ = ledger::LeaseId{last_.bytes};
      begin_round();
    });
  }

  void begin_round() {
    if (rounds_.size() == 2 * kRounds) return machine_.loop.stop();
    Bytes bytes(kShardBytes);
    machine_.loop.random().fill(bytes);
    shards_.clear();
    roots_.clear();
    for (std::size_t i = 0; i < kShards; ++i) {
      std::memcpy(bytes.data(), &i, sizeof i);
      shards_.push_back(std::make_shared<const Bytes>(bytes));
      roots_.push_back(blake3::hash(bytes));
    }
    begin([this] { put_more(); });
  }

  void begin(const std::function<void()>& more) {
    asked_ = answered_ = 0;
    began_ = SteadyClock::now();
    cpu_began_ = {0, cpu_seconds_of(getpid()), cpu_seconds_of(provider_process_)};
    more();
  }
  void end(const std::function<void()>& then) {
    rounds_.push_back({std::chrono::duration<double>(SteadyClock::now() - began_).count(),
                       cpu_seconds_of(getpid()) - cpu_began_.tenant_cpu,
                       cpu_seconds_of(provider_process_) - cpu_began_.provider_cpu});
    then();
  }

  void put_more() {
    while (asked_ < kShards && machine_.client.waiting_bytes(provider_) < kAhead) {
      const std::size_t i = asked_++;
      machine_.client.put({provider_, lease_, storing::ShardKind::Data, roots_[i], shards_[i]},
                          [this](const Result<void>& put) {
                            must(put.has_value(), "a put failed");
                            if (++answered_ < kShards) return put_more();
                            end([this] { begin([this] { get_more(); }); });
                          });
    }
  }
  void get_more() {
    while (asked_ < kShards && machine_.client.waiting_bytes(provider_) < kAhead) {
      machine_.client.get(provider_, roots_[asked_++], 0, kShardBytes,
                          [this](const Result<storing::ShardPart>& part) {
                            must(part.has_value(), "a get failed");
                            if (++answered_ < kShards) return get_more();
                            end([this] { begin_round(); });
                          });
    }
  }

  Machine machine_;
  pid_t provider_process_;
  identity::NodeId provider_;
  std::unique_ptr<ports::Timer> timer_;
  crypto::Digest last_;
  ledger::LeaseId lease_;
  std::vector<ports::SharedBytes> shards_;
  std::vector<ports::ShardRoot> roots_;
  std::size_t asked_ = 0;
  std::size_t answered_ = 0;
  SteadyClock::time_point began_;
  Round cpu_began_;
  std::vector<Round> rounds_;  // put and get in turn
};

// The most that it had resident.
unsigned long peak_mib_of(pid_t process) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  std::string line;
  unsigned long kib = 0;
  while (std::getline(status, line)) {
    if (std::sscanf(line.c_str(), "VmHWM: %lu", &kib) == 1) return kib / 1024;
  }
  return 0;
}

void print(const std::vector<Round>& rounds, unsigned long peak_mib, bool as_json) {
  if (as_json) {
    std::printf("{\"bench\": \"transfer\", \"build\": \"%s\", \"method\": \"%.*s\"", HM_BUILD_TYPE,
                static_cast<int>(kMethod.size()), kMethod.data());
  } else {
    std::printf("%.*s\n", static_cast<int>(kMethod.size()), kMethod.data());
  }
  for (const std::size_t way : {0U, 1U}) {
    Round best = rounds[way];
    for (std::size_t i = way; i < rounds.size(); i += 2) {
      if (rounds[i].seconds < best.seconds) best = rounds[i];
    }
    const char* name = way == 0 ? "put" : "get";
    const double rate = kShards * kShardBytes / best.seconds / 1e6;
    const double tenant = best.tenant_cpu / kShards * 1e6;
    const double provider = best.provider_cpu / kShards * 1e6;
    std::printf(as_json ? ", \"%s\": {\"mb_per_s\": %.0f, \"tenant_cpu_us\": %.0f, "
                          "\"provider_cpu_us\": %.0f}"
                        : "%s  %6.0f MB/s   CPU per shard: tenant %5.0f us, provider %5.0f us\n",
                name, rate, tenant, provider);
  }
  std::printf(as_json ? ", \"provider_peak_mib\": %lu}\n" : "provider's peak memory: %lu MiB\n",
              peak_mib);
}

}  // namespace

int main(int argc, char** argv) {
  bool as_json = false;
  std::string folder;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--json") {
      as_json = true;
    } else {
      folder = argv[i];
    }
  }
  (void)log::configure("error", log::Format::Human);
  linux::keep_large_buffers();
  const std::string base = (folder.empty() ? std::string("/tmp") : folder) + "/bench_transfer." +
                           std::to_string(getpid());
  const auto chain = genesis();
  int ends[2];
  must(pipe(ends) == 0, "no pipe");
  const pid_t provider = fork();
  if (provider == 0) provide(chain, base + "/provider", ends[1]);
  std::uint16_t port = 0;
  must(read(ends[0], &port, sizeof port) == sizeof port, "the provider does not start");
  auto tenant = std::make_unique<Tenant>(chain, base + "/tenant", port, provider);
  const auto rounds = tenant->run();
  const unsigned long peak_mib = peak_mib_of(provider);
  kill(provider, SIGKILL);
  waitpid(provider, nullptr, 0);
  fs::remove_all(base);
  print(rounds, peak_mib, as_json);
  std::fflush(stdout);
  std::_Exit(0);
}
