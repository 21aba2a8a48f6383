// SPDX-License-Identifier: Apache-2.0
#include "node/hosting/run_gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

namespace hm::hosting {
namespace {

using assets::AssetKind;

Error denied(std::string message, std::string detail) {
  return {ErrorCode::PermissionDenied, std::move(message), std::move(detail)};
}

// What of each kind the leases cover.
struct Covered {
  std::uint64_t millicores = 0;
  std::uint64_t memory = 0;
  std::uint64_t disk = 0;
  std::optional<privacy::NetworkClass> network;  // of the lease of processors
  bool is_for_strangers = false;
};

// A grant to whoever holds a certificate, or to anyone, says nothing about who comes.
bool is_for_strangers(const node::Node& node, const ledger::LeaseRecord& lease) {
  const auto& grants = node.ledger().tables().grants;
  for (auto id = lease.placement.choice.grant; id;) {
    const auto record = grants.find({lease.placement.provider, *id});
    if (record == grants.end()) return true;
    const privacy::Grantee& to = record->second.grant.to;
    if (std::holds_alternative<privacy::CertificatePattern>(to) ||
        std::holds_alternative<privacy::ToAnyone>(to)) {
      return true;
    }
    id = record->second.grant.parent;
  }
  return false;
}

std::optional<Error> check_lease(const node::Node& node, const identity::OwnerId& tenant,
                                 const crypto::Digest& purpose, const ledger::LeaseId& id,
                                 const ledger::LeaseRecord* lease) {
  const std::string name = id.to_string();
  if (lease == nullptr || lease->tenant != tenant) {
    return denied("lease " + name + " is not the asking owner's", "open one: hypermesh run does");
  }
  if (lease->placement.node != node.id()) {
    return denied("lease " + name + " lies on another node", "ask that one");
  }
  if (lease->state != ledger::LeaseState::Active && lease->state != ledger::LeaseState::Draining) {
    return Error{ErrorCode::FailedPrecondition,
                 fmt::format("lease {} is {}", name, ledger::name_of(lease->state)),
                 "only an active lease can be used"};
  }
  if (lease->purpose != purpose) {
    return denied("lease " + name + " is for something else",
                  "its purpose is not the hash of what is to run");
  }
  return std::nullopt;
}

std::optional<Error> cover(const node::Node& node, const ledger::LeaseRecord& lease,
                           Covered& covered) {
  const assets::AssetRecord* asset = node.ledger().asset(lease.placement.choice.asset.hash);
  if (asset == nullptr) return denied("the leased asset is gone", {});
  if (asset->terms.quantity.unit == "basis_points") {
    return Error{ErrorCode::Unsupported, "containers do not run on leases of concealed assets",
                 "lease an asset whose record says what it is"};
  }
  switch (asset->id.kind) {
    case AssetKind::Cpu:
      covered.millicores += lease.quantity;
      covered.network = std::min(covered.network.value_or(lease.network), lease.network);
      break;
    case AssetKind::Memory: covered.memory += lease.quantity; break;
    case AssetKind::Storage: covered.disk += lease.quantity; break;
    default:
      return Error{
          ErrorCode::Unsupported,
          fmt::format("a lease of {} is of no use to a container", assets::name_of(asset->id.kind)),
          "lease cpu, memory and storage"};
  }
  covered.is_for_strangers = covered.is_for_strangers || is_for_strangers(node, lease);
  return std::nullopt;
}

std::uint64_t disk_of(const containers::RunSpec& spec) {
  std::uint64_t bytes = spec.limits.disk_bytes;
  for (const containers::Volume& volume : spec.volumes) bytes += volume.bytes;
  return bytes;
}

std::optional<Error> too_little(const char* what, std::uint64_t wanted, std::uint64_t leased) {
  if (wanted <= leased) return std::nullopt;
  return denied(fmt::format("{} of {} are to be used, {} are leased", wanted, what, leased),
                "lease as much as the container's limits");
}

}  // namespace

std::optional<identity::OwnerId> tenant_of(const node::Node& node, const identity::NodeId& from) {
  const ledger::NodeRecord* record = node.ledger().node(from);
  if (record == nullptr) return std::nullopt;
  return record->binding.owner;
}

std::optional<Error> objection(const node::Node& node, const identity::NodeId& from,
                               const StartRun& request) {
  const auto tenant = tenant_of(node, from);
  if (!tenant) return denied("the asking node is not on the ledger here", "wait until it is");
  const containers::RunSpec& spec = request.spec;
  // The machine's own user and nobody else comes without a wire.
  if (from == node.id() && request.leases.empty()) return std::nullopt;
  Covered covered;
  const crypto::Digest purpose = containers::purpose_of(spec);
  for (std::size_t i = 0; i < request.leases.size(); ++i) {
    const ledger::LeaseId& id = request.leases[i];
    const ledger::LeaseRecord* lease = node.ledger().lease(id);
    if (auto error = check_lease(node, *tenant, purpose, id, lease)) return error;
    if (std::count(request.leases.begin(), request.leases.end(), id) != 1) {
      return denied("lease " + id.to_string() + " is named twice", {});
    }
    if (auto error = cover(node, *lease, covered)) return error;
  }
  if (auto error = too_little("millicores", spec.limits.cpu_millicores, covered.millicores)) {
    return error;
  }
  if (auto error = too_little("bytes of memory", spec.limits.memory_bytes, covered.memory)) {
    return error;
  }
  if (auto error = too_little("bytes of storage", disk_of(spec), covered.disk)) return error;
  if (spec.network > covered.network.value_or(privacy::NetworkClass::None)) {
    return denied(fmt::format("the network class {} is not leased", privacy::name_of(spec.network)),
                  "open the lease of cpu with that network class");
  }
  if (covered.is_for_strangers && spec.isolation != containers::Isolation::ContainerPlus) {
    return denied("strangers run in class container+ only",
                  "the grant is to whoever comes; run with --isolation container+");
  }
  return std::nullopt;
}

bool are_leases_held(const node::Node& node, const std::vector<ledger::LeaseId>& leases) {
  return std::ranges::all_of(leases, [&](const ledger::LeaseId& id) {
    const ledger::LeaseRecord* lease = node.ledger().lease(id);
    return lease != nullptr && lease->placement.node == node.id() &&
           (lease->state == ledger::LeaseState::Active ||
            lease->state == ledger::LeaseState::Draining);
  });
}

bool are_leases_expected(const node::Node& node, const std::vector<ledger::LeaseId>& leases) {
  return std::ranges::any_of(leases, [&](const ledger::LeaseId& id) {
    const ledger::LeaseRecord* lease = node.ledger().lease(id);
    return lease == nullptr || lease->state == ledger::LeaseState::Requested;
  });
}

}  // namespace hm::hosting
