// SPDX-License-Identifier: Apache-2.0
// Grants, groups, certificates and federation records from hostile bytes. Whatever decodes
// re-encodes to the same bytes; judging it, valid or not, never goes wrong; a valid grant passed on
// as it is exceeds itself in nothing but its further links.
#include <algorithm>
#include <array>
#include <cstdint>

#include "core/privacy/decision.h"
#include "core/privacy/group.h"
#include "core/privacy/level.h"
#include "foundation/base/check.h"
#include "foundation/codec/reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using namespace hm;
using namespace hm::privacy;

template <class T>
std::optional<T> decode(ByteView bytes) {
  const auto decoded = codec::decode<T>(bytes);
  if (!decoded) return std::nullopt;
  HM_CHECK(std::ranges::equal(codec::encode(*decoded), bytes));
  return *decoded;
}

// One who is meant, if the grantee is an owner or a group, and holds the name of a pattern.
struct Grantees {
  explicit Grantees(const Grant& grant) {
    if (const auto* to = std::get_if<ToOwner>(&grant.to)) owner = to->owner;
    if (const auto* to = std::get_if<ToGroup>(&grant.to)) groups[0] = to->group;
    if (const auto* to = std::get_if<CertificatePattern>(&grant.to)) {
      certificates[0] = {to->issuer.value_or(owner), true, to->name};
    }
  }
  identity::OwnerId owner;
  std::array<GroupId, 1> groups{};
  std::array<CertifiedName, 1> certificates{};
};

// As much as the grant gives, of an asset that it selects; and too much.
void check_decisions(const Grant& grant, const GrantId& id) {
  AssetFacts asset;
  asset.kind = grant.assets.kind.value_or(asset.kind);
  asset.node = grant.assets.node.value_or(asset.node);
  asset.hash = grant.assets.asset.value_or(asset.hash);
  asset.owner = grant.owner;
  asset.detected = asset.free = grant.number;
  asset.price = caesar::Price{caesar::Amount{1}, 1};
  const Grantees who(grant);
  const GrantView parent{id, &grant, {1, 1, 1}, nullptr};
  const std::array<GrantView, 2> views = {{{id, &grant, {}, nullptr}, {id, &grant, {}, &parent}}};
  for (std::uint8_t level = 0; level < 5; ++level) {
    asset.level = static_cast<assets::PrivacyLevel>(level);
    for (const std::uint64_t much : {std::uint64_t{1}, ~std::uint64_t{0}}) {
      for (const Action action : {Action::Discover, Action::Lease}) {
        const Request request{action, much, much, grant.network, grant.price, much != 1, much};
        const Moment moment{grant.expiry.value_or(UnixMillis{much}), Idleness::Active};
        const Decision decision =
            may({who.owner, who.groups, who.certificates}, request, asset, views, moment);
        HM_CHECK(!explain(decision).empty());
      }
    }
    HM_CHECK(preset(asset.level, grant, {}).size() <= 1);
  }
}

void check_grant(const Grant& grant) {
  const GrantId id = grant_id({}, grant);
  (void)grant_statement(id);
  const auto judged = validate(grant);
  if (!judged) {
    HM_CHECK(name_of(judged.error()) != "unknown");
    return;
  }
  HM_CHECK(excess_over(grant, grant) == Excess::Delegations);
  Grant child = grant;
  child.issuer.bytes[0] ^= 1;
  child.parent = id;
  child.delegations = 0;
  const auto excess = excess_over(grant, child);
  HM_CHECK(excess.has_value() == (grant.delegations == 0));
  check_decisions(grant, id);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  if (const auto grant = decode<Grant>(bytes)) check_grant(*grant);
  if (const auto group = decode<Group>(bytes)) {
    if (validate(*group)) (void)is_member(*group, group->owner, {});
  }
  if (const auto certificate = decode<Certificate>(bytes)) {
    (void)certificate_statement(*certificate);
    if (is_valid_name(certificate->name)) HM_CHECK(fits("*", certificate->name));
  }
  if (const auto federation = decode<Federation>(bytes)) {
    if (!validate(*federation)) return 0;
    Federation turned = *federation;
    std::swap(turned.first, turned.second);
    HM_CHECK(validate(turned).error() == FederationError::WrongOrder);
  }
  return 0;
}
