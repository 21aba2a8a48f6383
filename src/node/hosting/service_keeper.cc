// SPDX-License-Identifier: Apache-2.0
#include "node/hosting/service_keeper.h"

#include <algorithm>
#include <utility>

#include "foundation/codec/reader.h"
#include "foundation/codec/writer.h"

namespace hm::hosting {

ServiceKeeper::ServiceKeeper(node::Node& node, node::OwnOperations& operations, SessionMux& mux,
                             ContainerDesk& desk, RememberService remember,
                             std::function<node::RoundTrips()> round_trips)
    : node_(node),
      ports_{.node = node,
             .operations = operations,
             .mux = mux,
             .desk = desk,
             .remember = std::move(remember),
             .round_trips = std::move(round_trips),
             .counters = counters_,
             .wake = [this] { wake(); }},
      timer_(node.ports().timers.create([this] { look(); })) {
  node_.add_observer(*this);
}

ServiceKeeper::~ServiceKeeper() { node_.remove_observer(*this); }

Result<void> ServiceKeeper::recall(const std::vector<Bytes>& records) {
  for (const Bytes& bytes : records) {
    auto record = codec::decode<ServiceRecord>(bytes);
    if (!record || !containers::validate(record->spec)) {
      return fail(ErrorCode::Corrupt, "the record of a service is damaged",
                  "remove it from the folder 'services', and its runs: hypermesh ps");
    }
    const ServiceId id = record->id;
    const auto [place, is_new] = services_.try_emplace(id, ports_, std::move(*record));
    if (is_new) place->second.recall();
  }
  return {};
}

void ServiceKeeper::start() { wake(); }

Result<void> ServiceKeeper::create(containers::ServiceSpec spec) {
  if (find(spec.name) != nullptr) {
    return fail(ErrorCode::AlreadyExists, "there is a service " + spec.name,
                "choose another name, or remove it: hypermesh service rm " + spec.name);
  }
  if (services().size() >= kMaxServices || services_.size() >= kMaxServiceRecords) {
    return fail(ErrorCode::NoCapacity, "this node keeps as many services as it can",
                "remove one: hypermesh service rm NAME");
  }
  HM_TRY_VOID(parse_place(spec.place));
  ServiceRecord record{.spec = std::move(spec), .created = node_.ports().clock.wall()};
  node_.ports().random.fill(record.id.bytes);
  HM_TRY_VOID(ports_.remember(record.id, codec::encode(record)));
  const ServiceId id = record.id;
  services_.try_emplace(id, ports_, std::move(record));
  wake();
  return {};
}

Result<KeptService*> ServiceKeeper::find_kept(std::string_view name) {
  for (auto& [id, service] : services_) {
    if (service.record().spec.name == name && !service.is_over()) return &service;
  }
  return fail(ErrorCode::NotFound, "no service is called so: " + std::string(name),
              "hypermesh service ls lists them");
}

Result<void> ServiceKeeper::scale(std::string_view name, std::uint32_t replicas) {
  HM_TRY(KeptService* const service, find_kept(name));
  if (service->record().life == ServiceLife::Removed) {
    return fail(ErrorCode::FailedPrecondition, "the service is being removed",
                "wait until it is gone, then make it anew");
  }
  return service->scale(replicas);
}

Result<void> ServiceKeeper::remove(std::string_view name) {
  HM_TRY(KeptService* const service, find_kept(name));
  return service->remove();
}

const KeptService* ServiceKeeper::find(std::string_view name) const {
  for (const auto& [id, service] : services_) {
    if (service.record().spec.name == name && !service.is_over()) return &service;
  }
  return nullptr;
}

std::vector<const KeptService*> ServiceKeeper::services() const {
  std::vector<const KeptService*> all;
  for (const auto& [id, service] : services_) {
    if (!service.is_over()) all.push_back(&service);
  }
  std::ranges::sort(all, {}, [](const KeptService* s) { return s->record().spec.name; });
  return all;
}

const KeptService* ServiceKeeper::service_of(const RunId& run) const {
  for (const auto& [id, service] : services_) {
    for (const auto& replica : service.replicas()) {
      if (replica->record().run == run) return &service;
    }
  }
  return nullptr;
}

void ServiceKeeper::on_final(const node::FinalEvent& event) {
  if (!event.outcome.lease_changes.empty()) wake();
}

void ServiceKeeper::on_connected(const identity::NodeId& /*peer*/) { wake(); }

void ServiceKeeper::on_disconnected(const identity::NodeId& /*peer*/) { wake(); }

// In a turn of its own, so that nothing is changed under whoever says that something happened.
void ServiceKeeper::wake() {
  is_woken_ = true;
  if (!services_.empty()) timer_->arm(node_.ports().clock.now());
}

void ServiceKeeper::look() {
  is_woken_ = false;
  for (auto service = services_.begin(); service != services_.end();) {
    service->second.look();
    if (service->second.is_gone()) {
      (void)ports_.remember(service->first, std::nullopt);
      service = services_.erase(service);
    } else {
      ++service;
    }
  }
  if (services_.empty()) return;
  MonoTime due = node_.ports().clock.now() + (is_woken_ ? kServiceSoon : kServicePause);
  for (const auto& [id, service] : services_) due = std::min(due, service.next_due());
  timer_->arm(due);
}

}  // namespace hm::hosting
