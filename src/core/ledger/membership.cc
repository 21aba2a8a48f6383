// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/membership.h"

namespace hm::ledger {

bool is_by_root(const Layer& layer, const privacy::Certificate& certificate, UnixMillis now) {
  const ChainRecord& chain = layer.chain();
  if (certificate.issuer_chain == chain.chain_id) return certificate.issuer == chain.root;
  const FederationRecord* record = layer.federations.find(certificate.issuer_chain);
  return record != nullptr && record->federation.expiry > now &&
         record->other(chain.chain_id).owner == certificate.issuer;
}

std::vector<privacy::CertifiedName> certified_names(const Layer& layer,
                                                    const identity::OwnerId& owner,
                                                    UnixMillis now) {
  std::vector<privacy::CertifiedName> names;
  const CertificatesRecord* record = layer.certificates.find(owner);
  if (record == nullptr) return names;
  for (const auto& [issuer, row] : record->by_issuer) {
    if (row.certificate.expiry <= now) continue;
    const bool by_root = is_by_root(layer, row.certificate, now);
    if (!by_root && row.certificate.issuer_chain != layer.chain().chain_id) continue;
    names.push_back({issuer, by_root, row.certificate.name});
  }
  return names;
}

MembershipOf::MembershipOf(const Layer& layer, const Frame& frame, const privacy::Grantee& to,
                           const identity::OwnerId& owner)
    : owner_(owner) {
  const auto* group = std::get_if<privacy::ToGroup>(&to);
  if (group == nullptr && !std::holds_alternative<privacy::CertificatePattern>(to)) return;
  certificates_ = certified_names(layer, owner, frame.time);
  if (group == nullptr) return;
  const GroupRecord* record = layer.groups.find(group->group);
  if (record != nullptr && privacy::is_member(record->group, owner, certificates_)) {
    groups_.push_back(group->group);
  }
}

}  // namespace hm::ledger
