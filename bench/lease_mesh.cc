// SPDX-License-Identifier: Apache-2.0
// How long a lease takes from its request to being active, on a real mesh of four `hypermesh`
// processes on this machine: the tenant's signed request goes to its own node, the provider's node
// reserves and accepts by itself, and the clock stops when the tenant's node shows the lease as
// active. The client shares the machine's cores with the mesh.
//   bench_lease [--json] [--bin PATH] [--samples N]
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "apps/mesh_load/load.h"
#include "apps/mesh_load/mesh.h"
#include "core/ledger/lending_actions.h"
#include "core/privacy/grant.h"
#include "platform/files/owner_key_file.h"
#include "platform/http/http_client.h"

namespace {

using namespace std::chrono_literals;
using namespace hm::mesh_load;
using nlohmann::json;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kProvider = 0;
constexpr std::size_t kTenant = 1;
constexpr int kWarmUp = 10;
constexpr std::uint64_t kDurationMs = 3'600'000;
constexpr auto kPatience = 10s;

[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "bench_lease: {}\n", why);
  std::exit(1);
}

template <class T>
T needed(hm::Result<T> result) {
  if (!result) give_up(result.error().message + ": " + result.error().detail);
  return std::move(*result);
}

json get_json(hm::http::HttpClient& client, const std::string& path) {
  return json::parse(needed(get(client, path)), nullptr, false);
}

hm::identity::OwnerKeys owner_of(const Member& member) {
  return needed(
      hm::files::read_owner_keys(member.dir + "/keys/owner.key", [](const std::string& path) {
        return hm::fail(hm::ErrorCode::PermissionDenied, path + " has a passphrase");
      }));
}

struct Party {
  hm::identity::OwnerKeys keys;
  hm::http::HttpClient client;
};

// Everything of the provider's, for nothing, to the tenant.
hm::ledger::AddGrant grant_of(const Party& provider, const Party& tenant,
                              const hm::identity::ChainId& chain) {
  hm::privacy::Grant grant;
  grant.owner = provider.keys.id();
  grant.issuer = provider.keys.id();
  grant.to = hm::privacy::ToOwner{tenant.keys.id()};
  grant.share_percent = 100;
  grant.price = hm::caesar::Price{};
  const auto id = hm::privacy::grant_id(chain, grant);
  return {grant, provider.keys.sign(hm::privacy::grant_statement(id),
                                    hm::files::fresh_falcon_randomness())};
}

hm::assets::AssetId cpu_of(Party& provider, const hm::identity::ChainId& chain,
                           const std::string& node) {
  const json listed = get_json(provider.client, "/assets?kind=cpu");
  for (const json& asset : listed["assets"]) {
    if (asset["node"] != node) continue;
    if (const auto id = hm::assets::AssetId::parse(chain, asset["id"].get<std::string>()))
      return *id;
  }
  give_up("the provider's node has no cpu on the ledger");
}

double open_and_close(Party& tenant, const hm::ledger::LeaseChoice& choice) {
  const hm::ledger::OpenLease request{
      .choices = {choice}, .quantity = 1, .duration_ms = kDurationMs};
  const auto begin = SteadyClock::now();
  const std::string lease = needed(submit_as(tenant.client, tenant.keys, request)).to_string();
  while (get_json(tenant.client, "/leases/" + lease)["state"] != "active") {
    if (SteadyClock::now() - begin > kPatience) give_up("lease " + lease + " is never accepted");
    std::this_thread::sleep_for(200us);
  }
  const double took = std::chrono::duration<double, std::milli>(SteadyClock::now() - begin).count();
  const auto id = hm::ledger::LeaseId::parse(lease);
  needed(submit_as(tenant.client, tenant.keys, hm::ledger::CloseLease{*id}));
  return took;
}

std::string machine() {
  utsname name{};
  ::uname(&name);
  return fmt::format("{} {} {}, {} threads, {}", name.sysname, name.release, name.machine,
                     std::thread::hardware_concurrency(), HM_BUILD_TYPE);
}

double percentile(const std::vector<double>& sorted, double share) {
  const auto at = static_cast<std::size_t>(share * static_cast<double>(sorted.size()));
  return sorted[std::min(sorted.size() - 1, at)];
}

json measure(Mesh& mesh, int samples) {
  Party provider{owner_of(mesh.members[kProvider]),
                 hm::http::HttpClient(mesh.members[kProvider].api)};
  Party tenant{owner_of(mesh.members[kTenant]), hm::http::HttpClient(mesh.members[kTenant].api)};
  const json status = get_json(provider.client, "/status");
  const auto chain = hm::identity::ChainId::parse(status["chain_id"].get<std::string>());
  if (!chain) give_up("the provider names no chain");
  const auto grant = grant_of(provider, tenant, *chain);
  needed(submit_as(provider.client, provider.keys, grant));
  const hm::ledger::LeaseChoice choice{cpu_of(provider, *chain, status["node"]),
                                       hm::privacy::grant_id(*chain, grant.grant)};
  std::vector<double> took;
  for (int i = 0; i < samples + kWarmUp; ++i) {
    const double ms = open_and_close(tenant, choice);
    if (i >= kWarmUp) took.push_back(ms);
  }
  std::ranges::sort(took);
  return {{"samples", took.size()},
          {"p50_ms", percentile(took, 0.5)},
          {"p99_ms", percentile(took, 0.99)},
          {"max_ms", took.back()}};
}

}  // namespace

int main(int count, char** arguments) {
  bool as_json = false;
  int samples = 300;
  Mesh mesh;
  mesh.binary =
      (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "hypermesh").string();
  for (int i = 1; i < count; ++i) {
    const std::string_view name = arguments[i];
    if (name == "--json") {
      as_json = true;
    } else if (name == "--bin" && i + 1 < count) {
      mesh.binary = arguments[++i];
    } else if (name == "--samples" && i + 1 < count) {
      samples = std::max(1, std::atoi(arguments[++i]));
    } else {
      give_up("usage: bench_lease [--json] [--bin PATH] [--samples N]");
    }
  }
  std::string folder = (std::filesystem::temp_directory_path() / "hypermesh-bench.XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) give_up("no temporary folder");
  mesh.dir = folder;
  if (const auto started = start(mesh); !started) give_up(started.error().message);
  json results = {{"machine", machine()},
                  {"method",
                   "four processes over STOQ on ::1, durable vote logs and stores; one lease at a "
                   "time of one asset, free of charge; from sending the signed request to the "
                   "tenant's node until that node shows the lease as active"}};
  results["open_to_active"] = measure(mesh, samples);
  stop(mesh);
  std::filesystem::remove_all(folder);
  if (as_json) {
    fmt::print("{}\n", results.dump(2));
    return 0;
  }
  const json& row = results["open_to_active"];
  fmt::print("{}\n{}\nopen to active, ms: p50 {:.1f}, p99 {:.1f}, max {:.1f} ({} samples)\n",
             results["machine"].get<std::string>(), results["method"].get<std::string>(),
             row["p50_ms"].get<double>(), row["p99_ms"].get<double>(), row["max_ms"].get<double>(),
             row["samples"].get<std::size_t>());
  return 0;
}
