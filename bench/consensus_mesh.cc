// SPDX-License-Identifier: Apache-2.0
// A real mesh of four `hypermesh` processes on this machine, measured from outside over its HTTP
// API: readiness, idle cost, finality, sustained rate, overload, a killed leader, a lost quorum.
// The load comes from this process and shares the machine's cores with the mesh, so an own machine
// for the load would give better figures.
//   bench_consensus [--json] [--bin PATH] [--seconds N] [--connections N] [--batch N]
#include <fmt/format.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "apps/mesh_load/load.h"
#include "apps/mesh_load/mesh.h"
#include "platform/files/owner_key_file.h"
#include "platform/http/http_client.h"

namespace {

using namespace std::chrono_literals;
using namespace hm::mesh_load;
using nlohmann::json;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kNodes = 4;
constexpr std::uint64_t kCredit = 1'000'000'000;  // units given to each of the load's accounts

struct Options {
  bool as_json = false;
  std::string binary;
  int seconds = 10;
  std::size_t connections = 16;
  std::size_t batch = 128;
};

double ms(SteadyClock::duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "bench_consensus: {}\n", why);
  std::exit(1);
}

double start_mesh(Mesh& mesh) {
  const Time before = SteadyClock::now();
  if (const auto started = start(mesh); !started) {
    give_up(started.error().message + ": " + started.error().detail);
  }
  return ms(SteadyClock::now() - before);
}

std::optional<json> get_json(hm::http::HttpClient& client, const std::string& path) {
  const auto body = get(client, path);
  if (!body) return std::nullopt;
  json document = json::parse(*body, nullptr, false);
  if (document.is_discarded()) return std::nullopt;
  return document;
}

std::optional<json> get_json(const Member& member, const std::string& path) {
  hm::http::HttpClient client(member.api);
  return get_json(client, path);
}

using Actors = std::vector<std::unique_ptr<Actor>>;

struct Bench {
  Options options;
  Mesh mesh;
  std::vector<std::unique_ptr<Watcher>> watchers;
  Actors actors;
  std::vector<std::string> ids;  // of the members' nodes
  json results = json::object();
};

// Overload comes over this many times the connections that the sustained rate takes.
constexpr std::size_t kOverloadConnections = 4;

// One account per connection, opened by the owners of the nodes in turn.
void make_actors(Bench& bench) {
  const auto status = get_json(bench.mesh.members[0], "/status");
  if (!status) give_up("node 1 does not answer");
  const auto chain = hm::identity::ChainId::parse((*status)["chain_id"].get<std::string>());
  if (!chain) give_up("node 1 names no chain");
  for (std::size_t i = 0; i < kOverloadConnections * bench.options.connections; ++i) {
    const Member& member = bench.mesh.members[i % kNodes];
    const auto owner =
        hm::files::read_owner_keys(member.dir + "/keys/owner.key", [](const std::string& path) {
          return hm::fail(hm::ErrorCode::PermissionDenied, path + " has a passphrase");
        });
    if (!owner) give_up(owner.error().message);
    auto keys = hm::files::generate_owner_keys();
    hm::http::HttpClient client(member.api);
    const auto opened =
        submit_as(client, *owner,
                  hm::ledger::RegisterOwner{
                      fmt::format("load{}", i), keys.bundle(), hm::caesar::Amount{kCredit}, {}});
    if (!opened) give_up("cannot open an account: " + opened.error().message);
    bench.actors.push_back(std::make_unique<Actor>(std::move(keys), owner->id(), *chain));
  }
}

struct Load {
  Time until;
  Actor::Wait wait = Actor::Wait::Final;
  std::chrono::microseconds interval{0};  // of each actor; 0 sends as soon as the last answer came
  std::size_t actors = 0;
  std::size_t batch = 0;
};

void drive(Bench& bench, const Load& load, std::size_t self, Counts& counts) {
  std::size_t at = self;
  const auto node = [&] { return at % kNodes; };
  auto client = std::make_unique<hm::http::HttpClient>(bench.mesh.members[node()].api);
  Time next =
      SteadyClock::now() + load.interval * static_cast<long>(self) / static_cast<long>(load.actors);
  while (SteadyClock::now() < load.until) {
    if (load.interval.count() > 0) {
      std::this_thread::sleep_until(std::min(next, load.until));
      next += load.interval;
    }
    const std::uint64_t busy = counts.busy;
    const auto anchor = bench.watchers[node()]->anchor();
    if (!bench.actors[self]->post(*client, load.batch, load.wait, anchor, counts)) {
      // A node that does not answer is left for the next one.
      ++at;
      client = std::make_unique<hm::http::HttpClient>(bench.mesh.members[node()].api);
      std::this_thread::sleep_for(10ms);
    } else if (load.interval.count() == 0 && counts.busy != busy) {
      std::this_thread::sleep_for(50ms);
    }
  }
}

void run_load(Bench& bench, const Load& load, Counts& counts) {
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < load.actors; ++i) {
    threads.emplace_back([&, i] { drive(bench, load, i, counts); });
  }
  for (std::thread& thread : threads) thread.join();
}

double percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  return values[std::min(values.size() - 1,
                         static_cast<std::size_t>(share * static_cast<double>(values.size())))];
}

// ---- What is measured ---------------------------------------------------------------------------

void measure_idle(Bench& bench) {
  std::this_thread::sleep_for(3s);
  const Usage before = usage_of(bench.mesh);
  const auto span = std::chrono::seconds(bench.options.seconds);
  std::this_thread::sleep_for(span);
  const Usage after = usage_of(bench.mesh);
  bench.results["idle"] = {
      {"cpu_percent_per_node", (after.cpu_ms - before.cpu_ms) / ms(span) * 100 / kNodes},
      {"rss_mib_largest_node", after.rss_mib}};
}

void measure_finality(Bench& bench) {
  constexpr int kWarmUp = 20;
  std::vector<double> latencies;
  Counts counts;
  hm::http::HttpClient client(bench.mesh.members[0].api);
  for (int i = 0; i < 500 + kWarmUp; ++i) {
    const Time before = SteadyClock::now();
    if (!bench.actors[0]->post(client, 1, Actor::Wait::Final, bench.watchers[0]->anchor(),
                               counts)) {
      give_up("an operation was not answered");
    }
    if (i >= kWarmUp) latencies.push_back(ms(SteadyClock::now() - before));
  }
  bench.results["finality_one_outstanding"] = {{"samples", latencies.size()},
                                               {"p50_ms", percentile(latencies, 0.5)},
                                               {"p99_ms", percentile(latencies, 0.99)},
                                               {"max_ms", percentile(latencies, 1)}};
}

double measure_sustained(Bench& bench) {
  Counts counts;
  const Time begin = SteadyClock::now();
  const auto span = std::chrono::seconds(bench.options.seconds);
  // The first two seconds fill the pipeline.
  const Time from = begin + 2s;
  const Time to = from + span;
  Usage before;
  Usage after;
  std::thread meter([&] {
    std::this_thread::sleep_until(from);
    before = usage_of(bench.mesh);
    std::this_thread::sleep_until(to);
    after = usage_of(bench.mesh);
  });
  run_load(bench,
           {.until = to + 200ms, .actors = bench.options.connections, .batch = bench.options.batch},
           counts);
  meter.join();
  const double rate = bench.watchers[0]->rate_between(from, to);
  const double operations = rate * std::chrono::duration<double>(span).count();
  bench.results["sustained"] = {
      {"operations_per_second", rate},
      {"cpu_us_per_operation_all_nodes",
       operations > 0 ? (after.cpu_ms - before.cpu_ms) * 1000 / operations : 0},
      {"rss_mib_largest_node", after.rss_mib},
      {"in_flight", bench.options.connections * bench.options.batch}};
  return rate;
}

// Waits until no operation of the load is under way, and takes up each account where the chain is.
void drain(Bench& bench) {
  const Time limit = SteadyClock::now() + 30s;
  for (const Member& member : bench.mesh.members) {
    while (SteadyClock::now() < limit) {
      const auto status = get_json(member, "/status");
      if (status && (*status)["pool"]["operations"] == 0) break;
      std::this_thread::sleep_for(100ms);
    }
  }
  hm::http::HttpClient client(bench.mesh.members[0].api);
  for (const auto& actor : bench.actors) {
    const auto state = get_json(client, "/actors/" + actor->id().to_string());
    if (state) actor->resume_at((*state)["next_sequence"]);
  }
}

// Open loop: operations signed beforehand, sent at twice the sustained rate whatever is answered;
// what is refused as busy is offered again.
void measure_overload(Bench& bench, double capacity) {
  constexpr std::size_t kBatch = 256;
  const std::size_t actors = bench.actors.size();
  const double per_actor = 2 * std::max(capacity, 100.0) / static_cast<double>(actors);
  const auto span = std::chrono::seconds(bench.options.seconds);
  const double run = std::chrono::duration<double>(span + 2s).count();
  const auto ahead = static_cast<std::size_t>(per_actor * run) + kBatch;
  for (const auto& actor : bench.actors) actor->prepare(ahead, bench.watchers[0]->anchor());

  Counts counts;
  const Time begin = SteadyClock::now();
  // The first two seconds fill the pool.
  const Time from = begin + 2s;
  double rss_early = 0;
  double rss_late = 0;
  std::thread meter([&] {
    std::this_thread::sleep_until(from);
    rss_early = usage_of(bench.mesh).rss_mib;
    std::this_thread::sleep_until(from + span);
    rss_late = usage_of(bench.mesh).rss_mib;
  });
  const auto interval = std::chrono::microseconds(static_cast<long>(1e6 * kBatch / per_actor));
  run_load(bench,
           {.until = from + span,
            .wait = Actor::Wait::None,
            .interval = interval,
            .actors = actors,
            .batch = kBatch},
           counts);
  const double taken = std::chrono::duration<double>(SteadyClock::now() - begin).count();
  meter.join();
  const double rate = bench.watchers[0]->rate_between(from, from + span);
  bench.results["overload"] = {
      {"offered_per_second", static_cast<double>(counts.offered) / taken},
      {"refused_busy_per_second", static_cast<double>(counts.busy) / taken},
      {"committed_per_second", rate},
      {"share_of_sustained", capacity > 0 ? rate / capacity : 0},
      {"rss_mib_early", rss_early},
      {"rss_mib_late", rss_late}};
  drain(bench);
}

std::uint64_t height_of(const Member& member) {
  const auto status = get_json(member, "/status");
  return status ? (*status)["height"].get<std::uint64_t>() : 0;
}

double wait_for_height(const Member& member, std::uint64_t height, SteadyClock::duration patience) {
  const Time begin = SteadyClock::now();
  while (SteadyClock::now() - begin < patience) {
    if (height_of(member) >= height) return ms(SteadyClock::now() - begin);
    std::this_thread::sleep_for(20ms);
  }
  return -1;
}

// Nothing acknowledged is missing on any node.
std::uint64_t count_lost(Bench& bench) {
  std::uint64_t lost = 0;
  for (const Member& member : bench.mesh.members) {
    hm::http::HttpClient client(member.api);
    for (const auto& actor : bench.actors) {
      const auto state = get_json(client, "/actors/" + actor->id().to_string());
      const std::uint64_t next = state ? (*state)["next_sequence"].get<std::uint64_t>() : 0;
      if (next <= actor->acknowledged()) lost += actor->acknowledged() + 1 - next;
    }
  }
  return lost;
}

void measure_killed_leader(Bench& bench) {
  Counts counts;
  Time killed;
  std::size_t victim = 0;
  const auto span = std::chrono::seconds(bench.options.seconds);
  const Time until = SteadyClock::now() + 2s + span;
  std::thread killer([&] {
    std::this_thread::sleep_for(2s);
    const auto state = get_json(bench.mesh.members[0], "/consensus/state");
    for (std::size_t i = 0; state && i < kNodes; ++i) {
      if (bench.ids[i] == (*state)["leader"]) victim = i;
    }
    killed = SteadyClock::now();
    ::kill(bench.mesh.members[victim].pid, SIGKILL);
  });
  run_load(bench, {.until = until, .actors = bench.options.connections, .batch = 16}, counts);
  killer.join();
  const auto& survivor = *bench.watchers[victim == 0 ? 1 : 0];
  double first_gap = -1;
  double largest_later = 0;
  std::uint64_t stalls = 0;
  Time last = killed;
  for (const BlockSeen& block : survivor.since(killed)) {
    if (block.at > until) break;
    const double gap = ms(block.at - last);
    last = block.at;
    // Blocks that were under way when the leader died are not the recovery.
    if (block.at - killed < 1s && first_gap < 0) {
      first_gap = 0;
    }
    if (ms(block.at - killed) <= 1500) {
      first_gap = std::max(first_gap, gap);
    } else {
      largest_later = std::max(largest_later, gap);
      if (gap > 500) ++stalls;
    }
  }
  start_mesh(bench.mesh);
  const std::size_t other = victim == 0 ? 1 : 0;
  const double caught_up =
      wait_for_height(bench.mesh.members[victim], height_of(bench.mesh.members[other]), 30s);
  bench.results["leader_killed"] = {
      {"largest_gap_first_1500_ms", first_gap}, {"largest_gap_after_ms", largest_later},
      {"gaps_above_500_ms_after", stalls},      {"rejoined_and_caught_up_ms", caught_up},
      {"acknowledged_lost", count_lost(bench)}, {"acknowledged", counts.taken.load()}};
}

void measure_lost_quorum(Bench& bench) {
  Counts counts;
  for (const std::size_t i : {std::size_t{2}, std::size_t{3}})
    ::kill(bench.mesh.members[i].pid, SIGKILL);
  std::this_thread::sleep_for(500ms);
  const std::uint64_t before = height_of(bench.mesh.members[0]);
  hm::http::HttpClient client(bench.mesh.members[0].api);
  std::thread waiting([&] {
    // Taken now, final once there is a quorum again.
    (void)bench.actors[0]->post(client, 1, Actor::Wait::Final, bench.watchers[0]->anchor(), counts);
  });
  std::this_thread::sleep_for(3s);
  const std::uint64_t during = height_of(bench.mesh.members[0]);
  const Time back = SteadyClock::now();
  const double started = start_mesh(bench.mesh);
  const double progress = wait_for_height(bench.mesh.members[0], during + 1, 30s);
  const double total = ms(SteadyClock::now() - back);
  waiting.join();
  std::this_thread::sleep_for(1s);
  const auto path = fmt::format("/ledger/blocks/{}", during + 1);
  std::vector<std::string> hashes;
  for (const Member& member : bench.mesh.members) {
    if (const auto block = get_json(member, path)) hashes.push_back((*block)["hash"]);
  }
  const bool same = hashes.size() == kNodes &&
                    std::ranges::all_of(hashes, [&](const auto& h) { return h == hashes[0]; });
  bench.results["two_of_four_killed"] = {{"blocks_while_down", during - before},
                                         {"start_command_ms", started},
                                         {"progress_after_start_command_ms", progress},
                                         {"progress_from_start_of_processes_ms", total},
                                         {"same_block_on_all_nodes", same},
                                         {"acknowledged_lost", count_lost(bench)}};
}

json machine() {
  utsname name{};
  ::uname(&name);
  std::ifstream cpu("/proc/cpuinfo");
  std::string line;
  std::string model = "unknown";
  while (std::getline(cpu, line)) {
    if (line.starts_with("model name")) {
      model = line.substr(line.find(':') + 2);
      break;
    }
  }
  return {{"cpu", model},
          {"cores", std::thread::hardware_concurrency()},
          {"kernel", name.release},
          {"build", HM_BUILD_TYPE}};
}

void print(const json& results) {
  for (const auto& [group, values] : results.items()) {
    fmt::print("{}\n", group);
    if (!values.is_object()) {
      fmt::print("  {}\n", values.dump());
      continue;
    }
    for (const auto& [name, value] : values.items()) {
      fmt::print(
          "  {:<40} {}\n", name,
          value.is_number_float() ? fmt::format("{:.2f}", value.get<double>()) : value.dump());
    }
  }
}

Options parse_options(int count, char** arguments) {
  Options options;
  options.binary =
      (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "hypermesh").string();
  for (int i = 1; i < count; ++i) {
    const std::string_view name = arguments[i];
    const std::string value = i + 1 < count ? arguments[i + 1] : "";
    if (name == "--json") {
      options.as_json = true;
      continue;
    }
    if (value.empty()) give_up("what is meant by " + std::string(name) + "?");
    ++i;
    if (name == "--bin") {
      options.binary = value;
    } else if (name == "--seconds") {
      options.seconds = std::max(1, std::atoi(value.c_str()));
    } else if (name == "--connections") {
      options.connections = static_cast<std::size_t>(std::max(1, std::atoi(value.c_str())));
    } else if (name == "--batch") {
      options.batch = static_cast<std::size_t>(std::clamp(std::atoi(value.c_str()), 1, 512));
    } else {
      give_up("unknown option " + std::string(name));
    }
  }
  return options;
}

}  // namespace

int main(int count, char** arguments) {
  Bench bench;
  bench.options = parse_options(count, arguments);
  bench.mesh.binary = bench.options.binary;
  std::string folder = (std::filesystem::temp_directory_path() / "hypermesh-bench.XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) give_up("no temporary folder");
  bench.mesh.dir = folder;

  bench.results["machine"] = machine();
  bench.results["method"] =
      "four processes of this machine over STOQ on ::1, durable vote logs and stores; load over "
      "HTTP from this "
      "process on the same cores; finality as a client sees it; operations are CAES transfers "
      "signed with "
      "Ed25519 by one account per connection; rates from the block events of node 1";
  bench.results["ready_ms"] = start_mesh(bench.mesh);
  for (const Member& member : bench.mesh.members) {
    const auto status = get_json(member, "/status");
    if (!status) give_up(member.name + " does not answer");
    bench.ids.push_back((*status)["node"]);
    bench.watchers.push_back(std::make_unique<Watcher>(member.api));
  }
  measure_idle(bench);
  make_actors(bench);
  measure_finality(bench);
  const double capacity = measure_sustained(bench);
  measure_overload(bench, capacity);
  measure_killed_leader(bench);
  measure_lost_quorum(bench);
  stop(bench.mesh);
  bench.watchers.clear();
  std::filesystem::remove_all(folder);
  if (bench.options.as_json) {
    fmt::print("{}\n", bench.results.dump(2));
  } else {
    print(bench.results);
  }
  return 0;
}
