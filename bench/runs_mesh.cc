// SPDX-License-Identifier: Apache-2.0
// How long it takes to run `true` of a static busybox through the API of a real mesh of four
// `hypermesh` processes on this machine, from the request to the exit: on the node itself, and on
// another owner's node with leases of a processor and of memory opened for it. Both take turns with
// the OCI runtime alone and, where it is installed, with `podman run`. Then how many such runs end
// per second, eight at a time. The client shares the machine's cores with the mesh. Needs root.
//   bench_runs [--json] [--bin PATH] [--turns N] [--many N]
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "apps/mesh_load/load.h"
#include "apps/mesh_load/mesh.h"
#include "apps/mesh_load/timed_program.h"
#include "core/api/container_json.h"
#include "core/containers/run_spec.h"
#include "core/ledger/lending_actions.h"
#include "core/privacy/grant.h"
#include "foundation/codec/writer.h"
#include "platform/files/owner_key_file.h"
#include "platform/http/http_client.h"
#include "platform/http/web_socket_client.h"
#include "platform/linux/doctor_trial.h"
#include "platform/linux/runtime_trial.h"
#include "platform/oci/test_images.h"

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using namespace hm::mesh_load;
using nlohmann::json;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kProvider = 0;
constexpr std::size_t kTenant = 1;
constexpr int kWarmUp = 5;
constexpr std::size_t kAtATime = 8;
constexpr auto kPatience = 30s;
constexpr std::uint64_t kDurationMs = 600'000;
constexpr std::size_t kAllowance = 1 << 20;

[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "bench_runs: {}\n", why);
  std::exit(1);
}

template <class T>
T needed(hm::Result<T> result) {
  if (!result) give_up(result.error().message + ": " + result.error().detail);
  return std::move(*result);
}

double millis_since(SteadyClock::time_point begin) {
  return std::chrono::duration<double, std::milli>(SteadyClock::now() - begin).count();
}

struct Party {
  explicit Party(const Member& from)
      : member(from),
        keys(needed(hm::files::read_owner_keys(from.dir + "/keys/owner.key",
                                               [](const std::string& path) {
                                                 return hm::fail(hm::ErrorCode::PermissionDenied,
                                                                 path + " has a passphrase");
                                               }))),
        client(from.api) {
    std::ifstream(from.dir + "/keys/admin.token") >> token;
  }
  json get_json(const std::string& path) {
    return json::parse(needed(get(client, path)), nullptr, false);
  }
  // As the node's administrator.
  json ask(const std::string& path) {
    hm::http::ClientRequest request;
    request.target = "/api/v1" + path;
    request.headers.push_back({"Authorization", "Bearer " + token});
    return json::parse(needed(client.request(request)).body, nullptr, false);
  }
  Member member;
  hm::identity::OwnerKeys keys;
  hm::http::HttpClient client;
  std::string token;
};

// What is run, and where it may be.
struct Place {
  hm::containers::RunSpec spec;
  std::string node;
  std::vector<std::pair<hm::ledger::LeaseChoice, std::uint64_t>> wanted;  // quantity of each
};

// One attached run on a WebSocket of its own.
class Run final : public hm::ports::WebSocketListener, public std::enable_shared_from_this<Run> {
 public:
  explicit Run(std::string start) : start_(std::move(start)) {}
  void begin(boost::asio::io_context& loop, const Party& tenant) {
    hm::http::WebSocketRequest request;
    request.target = "/api/v1/containers/stream";
    request.protocol = "hypermesh.containers.v1";
    request.headers.push_back({"Authorization", "Bearer " + tenant.token});
    hm::http::open_web_socket(loop, tenant.member.api, std::move(request), shared_from_this(),
                              [self = shared_from_this()](auto opened) {
                                auto answer = needed(std::move(opened));
                                if (!answer.socket) give_up(answer.answer.body);
                                self->socket_ = std::move(answer.socket);
                                self->socket_->send(std::string(1, '\0') + self->start_);
                                self->socket_->allow(kAllowance);
                              });
  }
  void on_message(std::string_view payload) override {
    if (payload.empty() || payload.front() != '\0') return;
    const json word = json::parse(payload.substr(1), nullptr, false);
    if (word.contains("error")) give_up(word.dump());
    if (word.contains("exit")) is_over = word["exit"]["code"] == 0;
  }
  void on_drained() override {}
  void on_closed(hm::ports::WebSocketClose, std::string_view) override { socket_.reset(); }
  bool is_over = false;

 private:
  std::string start_;
  std::shared_ptr<hm::ports::WebSocket> socket_;
};

std::string start_of(const Place& place, const std::vector<std::string>& leases) {
  hm::api::JsonWriter body;
  body.begin_object().key("start").begin_object();
  hm::api::write_spec_members(body, place.spec);
  body.member("node", place.node).member("leases", leases).end_object().end_object();
  return std::move(body).take();
}

// Signed together and sent together; the provider takes a start until they are active.
std::vector<std::string> open_leases(Party& tenant, const Place& place) {
  std::vector<std::string> leases;
  if (place.wanted.empty()) return leases;
  const json state = tenant.get_json("/actors/" + tenant.keys.id().to_string());
  json batch = json::array();
  std::uint64_t sequence = state["next_sequence"];
  for (const auto& [choice, quantity] : place.wanted) {
    hm::ledger::Operation operation;
    operation.chain_id = *hm::identity::ChainId::parse(state["chain_id"].get<std::string>());
    operation.actor = tenant.keys.id();
    operation.sequence = sequence++;
    operation.anchor = {state["anchor"]["height"],
                        *hm::crypto::Digest::parse(state["anchor"]["hash"].get<std::string>())};
    operation.expiry_height = state["max_expiry_height"];
    operation.action = hm::ledger::OpenLease{.choices = {choice},
                                             .quantity = quantity,
                                             .duration_ms = kDurationMs,
                                             .purpose = hm::containers::purpose_of(place.spec)};
    leases.push_back(hm::ledger::operation_id(operation).to_string());
    batch.push_back(hm::to_hex(
        hm::codec::encode(hm::ledger::sign(std::move(operation), tenant.keys.ed25519()))));
  }
  hm::http::ClientRequest request;
  request.method = hm::ports::HttpMethod::Post;
  request.target = "/api/v1/operations?wait=final";
  request.timeout = kPatience;
  request.content_type = "application/json";
  request.body = batch.dump();
  const auto answer = needed(tenant.client.request(request));
  const auto results = json::parse(answer.body, nullptr, false);
  for (const json& result : results.value("operations", json::array())) {
    if (result.value("status", "") != "applied") give_up(answer.body);
  }
  if (answer.status != 200) give_up(answer.body);
  return leases;
}

void wait_for(boost::asio::io_context& loop, const std::vector<std::shared_ptr<Run>>& runs,
              std::size_t count) {
  const auto begin = SteadyClock::now();
  while (static_cast<std::size_t>(
             std::ranges::count_if(runs, [](const auto& run) { return run->is_over; })) < count) {
    loop.restart();
    loop.run_one_for(1s);
    if (SteadyClock::now() - begin > kPatience) give_up("a run does not end");
  }
}

// The tenant's node closes what was leased for a run; the next turn needs it.
void wait_until_closed(Party& tenant, const std::vector<std::string>& leases) {
  const auto begin = SteadyClock::now();
  for (const std::string& lease : leases) {
    while (tenant.get_json("/leases/" + lease)["state"] != "closed") {
      if (SteadyClock::now() - begin > kPatience) give_up("lease " + lease + " is not closed");
      std::this_thread::sleep_for(1ms);
    }
  }
}

double timed_run(boost::asio::io_context& loop, Party& tenant, const Place& place) {
  const auto begin = SteadyClock::now();
  const auto leases = open_leases(tenant, place);
  const auto run = std::make_shared<Run>(start_of(place, leases));
  run->begin(loop, tenant);
  wait_for(loop, {run}, 1);
  const double took = millis_since(begin);
  wait_until_closed(tenant, leases);
  return took;
}

double runs_per_second(boost::asio::io_context& loop, Party& tenant, const Place& place,
                       std::size_t count) {
  const auto begin = SteadyClock::now();
  std::vector<std::shared_ptr<Run>> runs;
  std::vector<std::vector<std::string>> leases;
  for (std::size_t i = 0; i < count; ++i) {
    if (i >= kAtATime) {
      wait_for(loop, runs, i - kAtATime + 1);
      wait_until_closed(tenant, leases[i - kAtATime]);
    }
    leases.push_back(open_leases(tenant, place));
    runs.push_back(std::make_shared<Run>(start_of(place, leases.back())));
    runs.back()->begin(loop, tenant);
  }
  wait_for(loop, runs, count);
  return static_cast<double>(count) / (millis_since(begin) / 1000);
}

// By the node's administrator, who may say how much is to lend.
void offer_all(Party& provider, const json& asset) {
  const json all = asset["quantity"]["detected"];
  hm::http::ClientRequest request;
  request.method = hm::ports::HttpMethod::Post;
  request.target = fmt::format("/api/v1/assets/{}/update", asset["id"].get<std::string>());
  request.content_type = "application/json";
  request.headers.push_back({"Authorization", "Bearer " + provider.token});
  request.body = json({{"quantity", {{"offered", all}, {"available", all}}}}).dump();
  const auto answer = needed(provider.client.request(request));
  if (answer.status != 200) give_up(answer.body);
}

hm::assets::AssetId asset_of(Party& provider, const hm::identity::ChainId& chain,
                             const std::string& kind, const std::string& node) {
  // The node registers its hardware by itself after its start.
  const auto begin = SteadyClock::now();
  while (SteadyClock::now() - begin < kPatience) {
    const json listed = provider.get_json("/assets?kind=" + kind);
    for (const json& asset : listed["assets"]) {
      if (asset["node"] != node) continue;
      const auto id = hm::assets::AssetId::parse(chain, asset["id"].get<std::string>());
      if (!id) give_up("an asset's id is none");
      offer_all(provider, asset);
      return *id;
    }
    std::this_thread::sleep_for(20ms);
  }
  give_up("the provider's node has no " + kind + " on the ledger");
}

// Everything of the provider's, for nothing, to the tenant.
hm::privacy::GrantId lend(Party& provider, const Party& tenant,
                          const hm::identity::ChainId& chain) {
  hm::privacy::Grant grant;
  grant.owner = grant.issuer = provider.keys.id();
  grant.to = hm::privacy::ToOwner{tenant.keys.id()};
  grant.share_percent = 100;
  grant.price = hm::caesar::Price{};
  const auto id = hm::privacy::grant_id(chain, grant);
  needed(submit_as(
      provider.client, provider.keys,
      hm::ledger::AddGrant{grant, provider.keys.sign(hm::privacy::grant_statement(id),
                                                     hm::files::fresh_falcon_randomness())}));
  return id;
}

// A bundle of the same program and limits for the OCI runtime alone.
struct Bare {
  Bare(const std::string& folder, hm::linux::RuntimeTrial trial)
      : runtime(std::move(trial.path)), bundle(folder + "/bundle"), rootfs(bundle + "/rootfs") {
    if (!trial.hidden_mount.empty()) {
      mounts = needed(mount_namespace_without(trial.hidden_mount));
    }
    fs::create_directories(rootfs + "/bin");
    for (const char* name : {"/proc", "/dev"}) fs::create_directories(rootfs + name);
    fs::copy_file("/bin/busybox", rootfs + "/bin/busybox");
    fs::create_symlink("busybox", rootfs + "/bin/true");
    json config = {{"ociVersion", "1.0.2"},
                   {"process",
                    {{"user", {{"uid", 0}, {"gid", 0}}},
                     {"args", {"/bin/true"}},
                     {"env", {"PATH=/bin"}},
                     {"cwd", "/"},
                     {"noNewPrivileges", true}}},
                   {"root", {{"path", "rootfs"}, {"readonly", true}}},
                   {"mounts",
                    {{{"destination", "/proc"}, {"type", "proc"}, {"source", "proc"}},
                     {{"destination", "/dev"}, {"type", "tmpfs"}, {"source", "tmpfs"}}}},
                   {"linux",
                    {{"namespaces",
                      {{{"type", "pid"}},
                       {{"type", "mount"}},
                       {{"type", "ipc"}},
                       {{"type", "uts"}},
                       {{"type", "network"}}}},
                     {"resources",
                      {{"memory", {{"limit", 268435456}}},
                       {"pids", {{"limit", 512}}},
                       {"cpu", {{"quota", 100000}, {"period", 100000}}}}}}}};
    std::ofstream(bundle + "/config.json") << config;
  }
  double run() const {
    return needed(timed_program(
        {runtime, "run", "--bundle", bundle, "hm-bench-" + std::to_string(::getpid())}, mounts));
  }
  std::string runtime;
  int mounts = -1;  // the namespace in which it works
  std::string bundle;
  std::string rootfs;
};

json row(std::vector<double> values) {
  std::ranges::sort(values);
  const auto at = [&](double part) {
    return values[std::min(values.size() - 1,
                           static_cast<std::size_t>(part * static_cast<double>(values.size())))];
  };
  return {{"turns", values.size()},
          {"p10_ms", at(0.1)},
          {"p50_ms", at(0.5)},
          {"p90_ms", at(0.9)},
          {"p99_ms", at(0.99)}};
}

struct Options {
  int turns = 100;
  std::size_t many = 100;
  bool as_json = false;
};

// As the store of the tenant's node names it.
hm::crypto::Digest import_image(const Mesh& mesh, Party& tenant, const std::string& folder) {
  const std::string archive = folder + "/image";
  hm::oci::TestLayout layout;
  layout.index.push_back(layout.put_image(hm::oci::busybox_image()));
  layout.write_folder(archive);
  (void)needed(timed_program(
      {"/bin/sh", "-c",
       fmt::format("{} --api http://[::1]:{} image import {} --name bench:true >/dev/null",
                   mesh.binary, tenant.member.api.port, archive)}));
  const json image = tenant.ask("/images/find?reference=bench%3Atrue");
  return *hm::crypto::Digest::parse(image["manifest"].get<std::string>());
}

json measure(Mesh& mesh, const std::string& folder, const Options& options) {
  Party provider(mesh.members[kProvider]);
  Party tenant(mesh.members[kTenant]);
  const json status = provider.get_json("/status");
  const auto chain = *hm::identity::ChainId::parse(status["chain_id"].get<std::string>());
  Place here;
  here.spec.image = import_image(mesh, tenant, folder);
  here.spec.process.arguments = {"/bin/true"};
  here.spec.entrypoint = hm::containers::RunSpec::Entrypoint::Replaced;
  here.node = "self";
  Place there = here;
  there.node = status["node"];
  const auto grant = lend(provider, tenant, chain);
  there.wanted = {
      {{asset_of(provider, chain, "cpu", there.node), grant}, there.spec.limits.cpu_millicores},
      {{asset_of(provider, chain, "memory", there.node), grant}, there.spec.limits.memory_bytes}};
  const json facts = tenant.ask("/containers/runtime");
  const std::string runtime = facts["runtime"];
  const Bare bare(folder,
                  hm::linux::try_runtime(runtime.substr(0, runtime.find(' ')), {}, kPatience));
  const auto podman = hm::linux::find_program("podman", {});
  if (podman) {
    fs::copy(bare.rootfs, folder + "/podman",
             fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  }
  boost::asio::io_context loop;
  std::vector<double> alone;
  std::vector<double> local;
  std::vector<double> remote;
  std::vector<double> by_podman;
  for (int turn = -kWarmUp; turn < options.turns; ++turn) {
    const double bare_ms = bare.run();
    const double local_ms = timed_run(loop, tenant, here);
    const double remote_ms = timed_run(loop, tenant, there);
    std::optional<double> podman_ms;
    // A tenth of the turns: each takes as long as all others together.
    if (podman && turn >= 0 && turn % 10 == 0) {
      podman_ms =
          needed(timed_program({*podman, "run", "--rm", "--network", "none", "--ulimit",
                                "nofile=1024:1024", "--ulimit", "nproc=1024:1024", "--runtime",
                                bare.runtime, "--rootfs", folder + "/podman", "/bin/true"},
                               bare.mounts));
    }
    if (turn < 0) continue;
    alone.push_back(bare_ms);
    local.push_back(local_ms);
    remote.push_back(remote_ms);
    if (podman_ms) by_podman.push_back(*podman_ms);
  }
  json results = {{"runtime", runtime}, {"cgroups", facts["cgroups"]}};
  results["rows"] = {{"runtime_alone", row(alone)}, {"local", row(local)}, {"remote", row(remote)}};
  if (!by_podman.empty()) results["rows"]["podman"] = row(by_podman);
  // So many at a time fit the machine.
  for (Place* place : {&here, &there}) {
    place->spec.limits.cpu_millicores = 200;
    place->spec.limits.memory_bytes = std::uint64_t{32} << 20;
  }
  there.wanted[0].second = there.spec.limits.cpu_millicores;
  there.wanted[1].second = there.spec.limits.memory_bytes;
  results["local_per_second"] = runs_per_second(loop, tenant, here, options.many);
  results["remote_per_second"] = runs_per_second(loop, tenant, there, options.many);
  return results;
}

std::string machine() {
  utsname name{};
  ::uname(&name);
  return fmt::format("{} {} {}, {} threads, {}", name.sysname, name.release, name.machine,
                     std::thread::hardware_concurrency(), HM_BUILD_TYPE);
}

}  // namespace

int main(int count, char** arguments) {
  Options options;
  Mesh mesh;
  mesh.binary = (fs::read_symlink("/proc/self/exe").parent_path() / "hypermesh").string();
  for (int i = 1; i < count; ++i) {
    const std::string_view name = arguments[i];
    if (name == "--json") {
      options.as_json = true;
    } else if (name == "--bin" && i + 1 < count) {
      mesh.binary = arguments[++i];
    } else if (name == "--turns" && i + 1 < count) {
      options.turns = std::max(1, std::atoi(arguments[++i]));
    } else if (name == "--many" && i + 1 < count) {
      options.many = static_cast<std::size_t>(std::max(1, std::atoi(arguments[++i])));
    } else {
      give_up("usage: bench_runs [--json] [--bin PATH] [--turns N] [--many N]");
    }
  }
  if (::geteuid() != 0) give_up("needs root: containers are made");
  std::string folder = (fs::temp_directory_path() / "hypermesh-bench.XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) give_up("no temporary folder");
  mesh.dir = folder + "/mesh";
  fs::create_directories(mesh.dir);
  if (const auto started = start(mesh); !started) give_up(started.error().message);
  json results = measure(mesh, folder, options);
  stop(mesh);
  // What the last runs had is taken away by the next start of their node, which does not come.
  (void)needed(timed_program(
      {"/bin/sh", "-c",
       fmt::format("{} doctor --fix --stop --dir {} >/dev/null", mesh.binary, mesh.dir)}));
  fs::remove_all(folder);
  results["machine"] = machine();
  results["method"] =
      "four processes over STOQ on ::1; `true` of a static busybox, the image is there; from the "
      "request to the exit on the client's WebSocket; remote: two leases (cpu, memory) of another "
      "owner's machine are signed, sent and accepted within it; all ways take turns";
  if (options.as_json) {
    fmt::print("{}\n", results.dump(2));
    return 0;
  }
  fmt::print("{}\n{} ({})\n{}\n", results["machine"].get<std::string>(),
             results["runtime"].get<std::string>(), results["cgroups"].get<std::string>(),
             results["method"].get<std::string>());
  for (const auto& [name, values] : results["rows"].items()) {
    fmt::print("{:<14} p10 {:6.1f}  p50 {:6.1f}  p90 {:6.1f}  p99 {:6.1f} ms  ({} turns)\n", name,
               values["p10_ms"].get<double>(), values["p50_ms"].get<double>(),
               values["p90_ms"].get<double>(), values["p99_ms"].get<double>(),
               values["turns"].get<std::size_t>());
  }
  fmt::print("{} at a time: local {:.1f}, remote {:.1f} runs per second\n", kAtATime,
             results["local_per_second"].get<double>(), results["remote_per_second"].get<double>());
  return 0;
}
