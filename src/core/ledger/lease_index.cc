// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/lease_index.h"

#include "core/ledger/lease_book.h"
#include "foundation/base/check.h"

namespace hm::ledger {
namespace {

const LeaseIndex::Ids kNone;

template <class K>
const LeaseIndex::Ids& look(const std::map<K, LeaseIndex::Ids>& index, const K& key) {
  const auto found = index.find(key);
  return found == index.end() ? kNone : found->second;
}

template <class K>
void drop(std::map<K, LeaseIndex::Ids>& index, const K& key, const LeaseId& id) {
  const auto found = index.find(key);
  HM_CHECK(found != index.end() && found->second.erase(id) == 1);
  if (found->second.empty()) index.erase(found);
}

}  // namespace

void LeaseIndex::add(const Policy& policy, const LeaseId& id, const LeaseRecord& lease) {
  due_.emplace(due_of(policy, lease), id);
  by_tenant_[lease.tenant].insert(id);
  by_provider_[lease.placement.provider].insert(id);
  by_node_[lease.placement.node].insert(id);
}

void LeaseIndex::remove(const Policy& policy, const LeaseId& id, const LeaseRecord& lease) {
  HM_CHECK(due_.erase({due_of(policy, lease), id}) == 1);
  drop(by_tenant_, lease.tenant, id);
  drop(by_provider_, lease.placement.provider, id);
  drop(by_node_, lease.placement.node, id);
}

std::vector<LeaseId> LeaseIndex::due(UnixMillis now, std::size_t count) const {
  std::vector<LeaseId> ids;
  for (const auto& [time, id] : due_) {
    if (time > now || ids.size() == count) break;
    ids.push_back(id);
  }
  return ids;
}

std::optional<UnixMillis> LeaseIndex::next_due() const {
  if (due_.empty()) return std::nullopt;
  return due_.begin()->first;
}

const LeaseIndex::Ids& LeaseIndex::of_tenant(const identity::OwnerId& owner) const {
  return look(by_tenant_, owner);
}

const LeaseIndex::Ids& LeaseIndex::of_provider(const identity::OwnerId& owner) const {
  return look(by_provider_, owner);
}

const LeaseIndex::Ids& LeaseIndex::on_node(const identity::NodeId& node) const {
  return look(by_node_, node);
}

}  // namespace hm::ledger
