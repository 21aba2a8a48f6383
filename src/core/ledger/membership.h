// SPDX-License-Identifier: Apache-2.0
// What the ledger knows of an owner that asks, as far as one grantee makes it matter: whether it is
// in the group, and the certificates that count.
#pragma once

#include <vector>

#include "core/ledger/layer.h"
#include "core/ledger/rules.h"
#include "core/privacy/decision.h"

namespace hm::ledger {

// True iff the issuer is the root of this mesh or of a mesh that it recognises now.
bool is_by_root(const Layer& layer, const privacy::Certificate& certificate, UnixMillis now);

// Its certificates that have not expired, with the roots that this mesh recognises marked; those of
// meshes that it no longer recognises are left out. They live as long as the layer's rows.
std::vector<privacy::CertifiedName> certified_names(const Layer& layer,
                                                    const identity::OwnerId& owner, UnixMillis now);

class MembershipOf {
 public:
  MembershipOf(const Layer& layer, const Frame& frame, const privacy::Grantee& to,
               const identity::OwnerId& owner);
  // Valid as long as this.
  privacy::Requester requester() const {
    return {.owner = owner_, .groups = groups_, .certificates = certificates_};
  }

 private:
  identity::OwnerId owner_;
  std::vector<privacy::GroupId> groups_;
  std::vector<privacy::CertifiedName> certificates_;
};

}  // namespace hm::ledger
