// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/daemon.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <memory>
#include <thread>

#include "apps/hypermesh/container_side.h"
#include "apps/hypermesh/daemon_metrics.h"
#include "apps/hypermesh/genesis_file.h"
#include "apps/hypermesh/invitations.h"
#include "apps/hypermesh/lending_files.h"
#include "apps/hypermesh/log_rotation.h"
#include "apps/hypermesh/node_config.h"
#include "apps/hypermesh/object_side.h"
#include "apps/hypermesh/owner_watch.h"
#include "apps/hypermesh/storage_side.h"
#include "foundation/base/log.h"
#include "node/fault_reporter.h"
#include "node/hardware_assets.h"
#include "node/http_api/api.h"
#include "node/lease_keeper.h"
#include "node/node.h"
#include "node/own_operations.h"
#include "node/vault_keeper.h"
#include "platform/files/atomic_file.h"
#include "platform/files/key_file.h"
#include "platform/files/process_lock.h"
#include "platform/http/http_server.h"
#include "platform/journal/file_journal.h"
#include "platform/linux/activity_probe.h"
#include "platform/linux/hardware_monitor.h"
#include "platform/linux/hardware_probe.h"
#include "platform/loop/event_loop.h"
#include "platform/nvml/nvml_probe.h"
#include "platform/quic/quic_transport.h"
#include "platform/rocksdb/rocksdb_store.h"

namespace hm::cli {
namespace {

constexpr std::size_t kMaxToken = 256;
// Signature checks are the only heavy work; more threads than this wait for the loop anyway.
constexpr unsigned kMaxWorkers = 4;
constexpr std::chrono::seconds kLogCheck{60};
// Sockets, store and log files of a busy node, with room.
constexpr rlim_t kWantedFiles = 16384;

// What a node is made from, all of it read before anything is opened.
struct Ingredients {
  NodeFolder folder;
  NodeConfig config;
  ledger::Genesis genesis;
  crypto::SigningKey node_key;
  std::string admin_token;
};

Result<Ingredients> read_ingredients(const std::string& config_path) {
  const NodeFolder folder{std::filesystem::path(absolute(config_path)).parent_path().string()};
  HM_TRY(NodeConfig config, read_node_config(config_path));
  const std::filesystem::path genesis_path = std::filesystem::path(folder.path) / config.genesis;
  HM_TRY(ledger::Genesis genesis, read_genesis_file(genesis_path.string()));
  HM_TRY(crypto::SigningKey key, files::read_node_key(folder.node_key()));
  HM_TRY(const Bytes token,
         files::read_file(folder.admin_token(), kMaxToken, files::Access::Secret));
  std::string token_text(as_text(token));
  while (token_text.ends_with('\n')) token_text.pop_back();
  return Ingredients{folder, std::move(config), std::move(genesis), std::move(key),
                     std::move(token_text)};
}

// A mark beside the key says that it may have signed votes on this chain: if the vote log is then
// gone, the node must not vote until it knows more. It is made when the first record is durable and
// before the node hears of it, that is, before any vote leaves; so a mark without a log is never
// left by a start that failed.
class KeyHistoryMark final : public ports::JournalListener {
 public:
  KeyHistoryMark(const NodeFolder& folder, const identity::ChainId& chain)
      : path_(folder.keys() + "/voted-on." + chain.to_string()),
        is_set_(std::filesystem::exists(path_)) {}

  node::NodeConfig::KeyHistory history() const {
    return is_set_ ? node::NodeConfig::KeyHistory::UsedBefore : node::NodeConfig::KeyHistory::Fresh;
  }
  void forward_to(ports::JournalListener& listener) { listener_ = &listener; }

  void on_durable(ports::LogSequence sequence) override {
    if (!is_set_) {
      const auto set =
          files::write_file(path_, {}, files::Access::Secret, files::Existing::Replace);
      if (!set) return listener_->on_journal_failed(set.error());
      is_set_ = true;
    }
    listener_->on_durable(sequence);
  }
  void on_journal_failed(const Error& error) override { listener_->on_journal_failed(error); }

 private:
  std::string path_;
  bool is_set_;
  ports::JournalListener* listener_ = nullptr;
};

void raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= kWantedFiles) return;
  limit.rlim_cur = std::min(kWantedFiles, limit.rlim_max);
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < kWantedFiles) {
    log::warning("node", "fewer open files are allowed than wanted",
                 {{"allowed", limit.rlim_cur}, {"wanted", kWantedFiles}});
  }
}

unsigned worker_count() { return std::clamp(std::thread::hardware_concurrency(), 1U, kMaxWorkers); }

class Daemon {
 public:
  explicit Daemon(Ingredients ingredients)
      : ingredients_(std::move(ingredients)),
        loop_(worker_count()),
        mark_(ingredients_.folder, ledger::chain_id(ingredients_.genesis)) {}

  Result<void> open();
  void run();

 private:
  Result<void> open_node();
  Result<void> open_lending();
  Result<void> open_containers();
  void open_storage();
  Result<void> open_network();
  Result<void> open_hardware();
  std::map<identity::NodeId, Duration> round_trips() const;
  http_api::ApiHooks hooks();
  void watch_log();

  Ingredients ingredients_;
  loop::EventLoop loop_;
  KeyHistoryMark mark_;
  std::unique_ptr<ports::Timer> log_timer_;
  // In the order of opening; destroyed the other way round.
  std::unique_ptr<node::Node> node_;
  std::unique_ptr<rocksdb_store::RocksDbStore> store_;
  std::unique_ptr<journal::FileJournal> journal_;
  std::unique_ptr<node::OwnOperations> operations_;
  std::unique_ptr<node::FaultReporter> faults_;
  std::unique_ptr<node::LeaseKeeper> leases_;
  std::unique_ptr<node::VaultKeeper> vault_;
  std::unique_ptr<OwnerWatch> owner_watch_;
  std::unique_ptr<ContainerSide> containers_;
  std::unique_ptr<StorageSide> storage_;
  std::unique_ptr<ObjectSide> objects_;
  std::unique_ptr<quic::QuicTransport> transport_;
  std::unique_ptr<Invitations> invitations_;
  std::unique_ptr<http_api::Api> api_;
  std::unique_ptr<http::HttpServer> server_;
  std::unique_ptr<ports::HardwareProbe> gpu_probe_;
  std::unique_ptr<ports::HardwareProbe> hardware_probe_;
  std::unique_ptr<node::HardwareAssets> hardware_assets_;
  std::unique_ptr<ports::HardwareMonitor> hardware_monitor_;
};

Result<void> Daemon::open() {
  HM_TRY_VOID(open_node());
  HM_TRY_VOID(open_lending());
  HM_TRY_VOID(open_containers());
  open_storage();
  HM_TRY_VOID(open_network());
  return open_hardware();
}

Result<void> Daemon::open_node() {
  const NodeFolder& folder = ingredients_.folder;
  HM_TRY_VOID(files::make_folder(folder.data(), 0700));
  node::NodeConfig config;
  config.genesis = ingredients_.genesis;
  config.key_history = mark_.history();
  node_ = std::make_unique<node::Node>(
      std::move(config), crypto::SigningKey::from_seed(ingredients_.node_key.seed()),
      node::NodePorts{loop_.clock(), loop_.random(), loop_.timers(), loop_.workers()});
  mark_.forward_to(*node_);
  HM_TRY(store_, rocksdb_store::RocksDbStore::open(folder.data() + "/ledger"));
  HM_TRY(journal_, journal::FileJournal::open(
                       {.directory = folder.data() + "/journal"},
                       [this](std::function<void()> task) { loop_.post(std::move(task)); }, mark_));
  return node_->recover(*store_, *journal_);
}

Result<void> Daemon::open_lending() {
  const NodeFolder& folder = ingredients_.folder;
  const NodeConfig& config = ingredients_.config;
  operations_ = std::make_unique<node::OwnOperations>(*node_);
  faults_ = std::make_unique<node::FaultReporter>(*node_, *operations_);
  node::LeaseKeeperConfig lending;
  lending.rules.widest_network = config.widest_network;
  HM_TRY(lending.pause, read_pause(folder));
  lending.remember = [folder](const std::optional<node::Pause>& pause) {
    return write_pause(folder, pause);
  };
  leases_ = std::make_unique<node::LeaseKeeper>(*node_, *operations_, std::move(lending));
  HM_TRY(auto vault, read_vault(folder));
  vault_ = std::make_unique<node::VaultKeeper>(
      *node_, *operations_, std::move(vault),
      [folder](const privacy::Vault& sealed) { return write_vault(folder, sealed); });
  linux::ActivityProbeOptions signs;
  signs.lent_group = lent_group(node_->id());
  owner_watch_ = std::make_unique<OwnerWatch>(loop_, linux::make_activity_probe(std::move(signs)),
                                              config.activity, *leases_);
  return {};
}

Result<void> Daemon::open_containers() {
  HM_TRY(containers_,
         ContainerSide::open(*node_, *operations_, *leases_, ingredients_.folder, loop_, [this] {
           return node::round_trips_from(node_->id(), round_trips());
         }));
  return {};
}

void Daemon::open_storage() {
  const auto committed = [this](const identity::NodeId& node) -> std::uint64_t {
    const auto* commitment = node_->ledger().storage_commitment(node);
    return commitment == nullptr ? 0 : commitment->generation;
  };
  storage_ = std::make_unique<StorageSide>(*node_, ingredients_.folder, ingredients_.config, loop_,
                                           committed);
  objects_ = std::make_unique<ObjectSide>(
      *node_, *operations_, ingredients_.folder, storage_->client(), storage_->host(),
      [this] { return node::round_trips_from(node_->id(), round_trips()); });
}

Result<void> Daemon::open_network() {
  const NodeConfig& config = ingredients_.config;
  quic::TransportConfig transport;
  transport.bind = config.stoq_bind;
  transport.chain = node_->chain_id();
  transport.is_admitted = [this](const identity::NodeId& id) {
    return node_->ledger().node(id) != nullptr;
  };
  transport_ = std::make_unique<quic::QuicTransport>(loop_.context(), std::move(transport),
                                                     node_->key(), *node_, loop_.clock());
  HM_TRY_VOID(transport_->start());
  std::vector<quic::PeerEntry> peers;
  for (const PeerAddress& peer : config.peers) peers.push_back({peer.node, peer.addresses});
  transport_->set_peers(std::move(peers));

  invitations_ =
      std::make_unique<Invitations>(loop_.context(), *node_, ingredients_.folder, config);
  http_api::ApiConfig api;
  api.guard.admin_token = ingredients_.admin_token;
  api.program_version = HM_VERSION;
  api_ = std::make_unique<http_api::Api>(*node_, std::move(api), hooks());
  http::HttpServerConfig server;
  server.port = config.api_port;
  HM_TRY(server_, http::HttpServer::start(loop_.context(), *api_, server));
  return {};
}

Result<void> Daemon::open_hardware() {
  gpu_probe_ = nvml::make_nvml_probe();
  hardware_probe_ =
      linux::make_hardware_probe({.data_directory = ingredients_.folder.data()}, gpu_probe_.get());
  node::SharingPolicy sharing;
  sharing.share_percent = static_cast<std::uint8_t>(ingredients_.config.share_percent);
  sharing.level = ingredients_.config.level;
  hardware_assets_ = std::make_unique<node::HardwareAssets>(*node_, *operations_, *vault_, sharing);
  hardware_monitor_ =
      linux::make_hardware_monitor(loop_.context(), loop_.workers(), *hardware_probe_);
  return {};
}

std::map<identity::NodeId, Duration> Daemon::round_trips() const {
  std::map<identity::NodeId, Duration> times;
  if (transport_ == nullptr) return times;
  for (const quic::PeerStatus& peer : transport_->peer_status()) {
    times.emplace(peer.node, peer.smoothed_rtt);
  }
  return times;
}

http_api::ApiHooks Daemon::hooks() {
  http_api::ApiHooks hooks;
  hooks.hardware = [this]() -> const ports::HardwareSnapshot* {
    if (hardware_monitor_ == nullptr || hardware_monitor_->current().items.empty()) return nullptr;
    return &hardware_monitor_->current();
  };
  hooks.round_trips = [this] { return round_trips(); };
  hooks.metrics = [this](http_api::MetricsText& text) {
    add_transport_metrics(text, transport_->stats());
    add_server_metrics(text, server_->counters());
    add_container_metrics(text, containers_->mux().counters(), containers_->host().counters(),
                          containers_->host().count());
    add_service_metrics(text, containers_->services());
    add_shard_metrics(text, storage_->host(), storage_->client().counters());
    add_object_metrics(text, objects_->keeper());
    add_process_metrics(text);
  };
  hooks.containers = [this](http_api::Api& api, http_api::Endpoint endpoint, http_api::Call call) {
    containers_->handle(api, endpoint, std::move(call));
  };
  hooks.storage = [this](http_api::Api& api, http_api::Endpoint endpoint, http_api::Call call) {
    objects_->handle(api, endpoint, std::move(call));
  };
  hooks.pause = [this] { return leases_->pause(); };
  hooks.resume = [this] { return leases_->resume(); };
  hooks.invite = [this](const auto& request, const auto& reply) {
    invitations_->invite(request, reply);
  };
  hooks.join = [this](const auto& request, const auto& reply) {
    invitations_->join(request, reply);
  };
  return hooks;
}

void Daemon::watch_log() {
  if (rotate_log_if_full(ingredients_.folder.log(), kMaxLogBytes)) {
    log::info("node", "log rotated", {{"previous", ingredients_.folder.log() + ".1"}});
  }
  log_timer_->arm(loop_.clock().now() + kLogCheck);
}

void Daemon::run() {
  log_timer_ = loop_.timers().create([this] { watch_log(); });
  watch_log();
  loop_.on_signal({SIGINT, SIGTERM}, [this](int signal) {
    log::info("node", "stopping", {{"signal", signal}});
    loop_.stop();
  });
  loop_.post([this] {
    node_->start(*transport_);
    containers_->start();
    storage_->start();
    objects_->start();
    owner_watch_->start();
    if (const auto started = hardware_monitor_->start(*hardware_assets_); !started) {
      log::error("hardware", started.error().message, {{"why", started.error().detail}});
    }
  });
  log::info("node", "running",
            {{"name", ingredients_.config.name},
             {"node", node_->id().to_string()},
             {"chain", node_->chain_id().to_string()},
             {"height", node_->ledger().height()},
             {"api", fmt::format("http://[::1]:{}", server_->local_port())},
             {"stoq", ingredients_.config.stoq_bind.to_string()}});
  loop_.run();
  loop_.finish_workers();
  hardware_monitor_->stop();
  owner_watch_.reset();
  server_.reset();
  invitations_.reset();
  objects_.reset();
  storage_.reset();
  containers_.reset();
  node_->stop();
  transport_->stop();
  log::info("node", "stopped", {{"height", node_->ledger().height()}});
}

}  // namespace

Result<void> run_daemon(const std::string& config_path) {
  HM_TRY(Ingredients ingredients, read_ingredients(config_path));
  HM_TRY(const auto lock, files::ProcessLock::take(ingredients.folder.lock()));
  raise_file_limit();
  Daemon daemon(std::move(ingredients));
  HM_TRY_VOID(daemon.open());
  daemon.run();
  return {};
}

}  // namespace hm::cli
