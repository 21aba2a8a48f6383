// SPDX-License-Identifier: Apache-2.0
// Whole nodes in memory with both sides of containers: owner 1 lends a processor and memory to
// owner 2. For tests.
#pragma once

#include <gtest/gtest.h>

#include <array>

#include "foundation/codec/writer.h"
#include "node/hosting/container_desk.h"
#include "node/hosting/container_host.h"
#include "node/hosting/memory_containers.h"
#include "node/hosting/service_keeper.h"
#include "node/lease_keeper.h"
#include "node/memory_mesh.h"

namespace hm::hosting {

namespace sample = ledger::sample;
using ledger::LeaseId;
using ledger::LeaseState;

inline constexpr std::uint32_t kProvider = 1;
inline constexpr std::uint32_t kTenant = 2;
inline constexpr std::uint32_t kStranger = 3;

// What a user of a run hears.
struct Ear final : StreamListener {
  std::string out;
  std::vector<Report> reports;
  std::optional<Outcome> outcome;
  std::shared_ptr<Stream>* stream = nullptr;  // taken at once if set
  std::size_t untaken = 0;

  void on_data(Lane /*lane*/, ByteView bytes) override {
    out.append(as_text(bytes));
    if (stream != nullptr && *stream) {
      (*stream)->take(bytes.size());
    } else {
      untaken += bytes.size();
    }
  }
  void on_report(const Report& report) override { reports.push_back(report); }
  void on_closed(const Outcome& closed) override {
    EXPECT_FALSE(outcome.has_value()) << "the end is told once";
    outcome = closed;
  }
  std::optional<std::uint8_t> code() const {
    const auto* exit = outcome ? std::get_if<RunExit>(&*outcome) : nullptr;
    return exit != nullptr ? std::optional(exit->code) : std::nullopt;
  }
  std::string failure() const {
    const auto* failed = outcome ? std::get_if<Failure>(&*outcome) : nullptr;
    return failed != nullptr ? failed->message : "";
  }
};

// A book that outlives the process.
template <class Id>
auto remember_in(std::map<Id, Bytes>& book) {
  return [&book](const Id& id, const std::optional<Bytes>& record) {
    if (record) {
      book[id] = *record;
    } else {
      book.erase(id);
    }
    return Result<void>();
  };
}

struct Machine {
  Machine(node::memory::MemoryMesh& mesh, std::uint32_t i, memory::MemoryRuntime& runtime,
          memory::MemoryImages& images, std::map<RunId, Bytes>& book,
          std::map<ServiceId, Bytes>& service_book)
      : keeper(mesh.node(i), mesh.operations(i)),
        mux(mesh.node(i)),
        host(mesh.node(i), mux, runtime, images),
        desk(mesh.node(i), mesh.operations(i), mux, remember_in(book)),
        services(mesh.node(i), mesh.operations(i), mux, desk, remember_in(service_book),
                 [&mesh, i] { return node::round_trips_from(mesh.id(i), {}); }) {
    mux.set_acceptor([this](Request request, std::shared_ptr<Stream> stream) {
      host.handle(std::move(request), std::move(stream));
    });
    host.adopt();
  }
  node::LeaseKeeper keeper;
  SessionMux mux;
  ContainerHost host;
  ContainerDesk desk;
  ServiceKeeper services;
};

enum class Reading { AtOnce, Later };

class Hosting : public ::testing::Test {
 protected:
  Hosting() : mesh(4) {
    for (std::uint32_t i = 0; i < 4; ++i) {
      runtimes.push_back(std::make_unique<memory::MemoryRuntime>(mesh.world()));
      open_machine(i);
    }
    const auto chain = mesh.node(0).chain_id();
    cpu = sample::asset_id(chain, 1, assets::AssetKind::Cpu);
    ram = sample::asset_id(chain, 2, assets::AssetKind::Memory);
    for (const assets::AssetId& id : {cpu, ram}) {
      assets::AssetTerms terms = sample::terms(std::uint64_t{1} << 32);
      terms.level = assets::PrivacyLevel::FullPublic;
      terms.quantity.unit = id.kind == assets::AssetKind::Cpu ? "millicores" : "bytes";
      EXPECT_FALSE(mesh.submit(kProvider, ledger::RegisterAsset{id, mesh.id(kProvider), terms}));
    }
    grant = make_grant(privacy::ToOwner{sample::owner_id(kTenant)});
    image = images[kTenant].add({memory::MemoryImages::blob(7, memory::MemoryImages::kBlobSize),
                                 memory::MemoryImages::blob(8, memory::MemoryImages::kBlobSize)});
  }
  ~Hosting() override {
    // Machines go before what they stand on.
    machines.clear();
  }

  void open_machine(std::uint32_t i) {
    machines[i] =
        std::make_unique<Machine>(mesh, i, *runtimes[i], images[i], books[i], service_books[i]);
    EXPECT_TRUE(machines[i]->desk.recall(all_of(books[i])));
    EXPECT_TRUE(machines[i]->services.recall(all_of(service_books[i])));
    machines[i]->services.start();
    mesh.world().settle();
  }
  template <class Id>
  static std::vector<Bytes> all_of(const std::map<Id, Bytes>& book) {
    std::vector<Bytes> records;
    for (const auto& [id, record] : book) records.push_back(record);
    return records;
  }
  void cut_off(std::uint32_t i) {
    // From the provider last, so that nothing reaches the ledger any more.
    for (const std::uint32_t other : {kStranger, 0U, kTenant, kProvider}) {
      if (other != i) mesh.disconnect(i, other);
    }
  }
  void join_again(std::uint32_t i) {
    for (std::uint32_t other = 0; other < 4; ++other) mesh.connect(i, other);
  }
  // Its process, with its connections.
  void end_machine(std::uint32_t i) {
    stream.reset();
    machines[i].reset();
    cut_off(i);
    join_again(i);
  }
  Machine& machine(std::uint32_t i) { return *machines[i]; }

  privacy::GrantId make_grant(privacy::Grantee to, std::uint32_t from = kProvider,
                              caesar::Price price = {caesar::Amount{0}, 1}) {
    privacy::Grant made;
    made.owner = made.issuer = sample::owner_id(from);
    made.number = ++grants_made;
    made.to = std::move(to);
    made.share_percent = 100;
    made.network = privacy::NetworkClass::Mesh;
    made.price = price;
    const auto id = privacy::grant_id(mesh.node(0).chain_id(), made);
    const auto signature =
        sample::owner(from).sign(privacy::grant_statement(id), sample::fixed_randomness());
    EXPECT_FALSE(mesh.submit(from, ledger::AddGrant{made, signature}));
    return id;
  }

  containers::RunSpec spec(std::vector<std::string> arguments) {
    containers::RunSpec made;
    made.image = image;
    made.process.arguments = std::move(arguments);
    return made;
  }

  ledger::OpenLease lease_request(const assets::AssetId& asset, std::uint64_t quantity,
                                  const containers::RunSpec& purpose,
                                  std::optional<privacy::GrantId> under = std::nullopt) const {
    ledger::OpenLease action;
    action.choices = {{asset, under.value_or(grant)}};
    action.quantity = quantity;
    action.duration_ms = 3'600'000;
    action.highest_price = {caesar::Amount{0}, 1};
    action.purpose = containers::purpose_of(purpose);
    return action;
  }
  LeaseId lease(const assets::AssetId& asset, std::uint64_t quantity,
                const containers::RunSpec& purpose, std::uint32_t tenant = kTenant,
                std::optional<privacy::GrantId> under = std::nullopt) {
    crypto::Digest id;
    EXPECT_FALSE(mesh.submit(tenant, lease_request(asset, quantity, purpose, under), &id));
    return LeaseId{id.bytes};
  }
  std::vector<LeaseId> leases(const containers::RunSpec& purpose) {
    return {lease(cpu, purpose.limits.cpu_millicores, purpose),
            lease(ram, purpose.limits.memory_bytes, purpose)};
  }
  bool is_open(const LeaseId& id) { return mesh.ledger().lease(id)->is_open(); }

  // Started on the provider by the tenant; the stream is kept in `stream`.
  std::shared_ptr<Ear> start(const containers::RunSpec& made, std::vector<LeaseId> under,
                             std::uint32_t tenant = kTenant, std::uint32_t provider = kProvider,
                             Reading reading = Reading::AtOnce) {
    auto ear = std::make_shared<Ear>();
    auto started = machine(tenant).desk.start(
        {.provider = mesh.id(provider), .spec = made, .leases = std::move(under)}, ear);
    EXPECT_TRUE(started) << started.error().message;
    if (!started) return ear;
    run = started->run;
    stream = started->stream;
    if (reading == Reading::AtOnce) ear->stream = &stream;
    mesh.world().settle();
    return ear;
  }

  node::memory::MemoryMesh mesh;
  std::vector<std::unique_ptr<memory::MemoryRuntime>> runtimes;
  std::map<std::uint32_t, memory::MemoryImages> images;
  std::map<std::uint32_t, std::map<RunId, Bytes>> books;
  std::map<std::uint32_t, std::map<ServiceId, Bytes>> service_books;
  std::map<std::uint32_t, std::unique_ptr<Machine>> machines;
  assets::AssetId cpu;
  assets::AssetId ram;
  privacy::GrantId grant;
  crypto::Digest image;
  std::uint64_t grants_made = 0;
  RunId run;
  std::shared_ptr<Stream> stream;
};

// Three owners lend to the tenant.
class Lenders : public Hosting {
 protected:
  static constexpr std::array<std::uint32_t, 3> kProviders = {0, kProvider, kStranger};

  Lenders() {
    lent[kProvider] = {cpu, ram, grant};
    for (const std::uint32_t owner : {0U, kStranger}) {
      const auto chain = mesh.node(0).chain_id();
      Lent& mine = lent[owner];
      mine.cpu = sample::asset_id(chain, 10 + owner, assets::AssetKind::Cpu);
      mine.ram = sample::asset_id(chain, 20 + owner, assets::AssetKind::Memory);
      for (const assets::AssetId& id : {mine.cpu, mine.ram}) {
        assets::AssetTerms terms = sample::terms(std::uint64_t{1} << 32);
        terms.level = assets::PrivacyLevel::FullPublic;
        terms.quantity.unit = id.kind == assets::AssetKind::Cpu ? "millicores" : "bytes";
        EXPECT_FALSE(mesh.submit(owner, ledger::RegisterAsset{id, mesh.id(owner), terms}));
      }
      mine.grant = make_grant(privacy::ToOwner{sample::owner_id(kTenant)}, owner);
    }
  }

  struct Lent {
    assets::AssetId cpu;
    assets::AssetId ram;
    privacy::GrantId grant;
  };
  std::map<std::uint32_t, Lent> lent;
};

}  // namespace hm::hosting
