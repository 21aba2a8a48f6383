// SPDX-License-Identifier: Apache-2.0
// Assets, and who may use them.
#include <algorithm>
#include <array>
#include <string>

#include "core/assets/limits.h"
#include "foundation/base/check.h"
#include "simulator/economy/economy_draw.h"

namespace hm::simulator {
namespace {

using assets::AssetKind;
using assets::AssetRecord;
using assets::AssetState;
using assets::PrivacyLevel;

constexpr std::uint64_t kDay = 86'400'000;
constexpr std::uint64_t kDearest = 50 * caesar::kUnitsPerCaes;  // for an hour
constexpr std::size_t kTries = 6;
constexpr std::uint64_t kFirstAssets = 150;
constexpr std::uint64_t kMostAssets = 1'200;
constexpr std::uint64_t kFirstRetired = 8;
constexpr std::uint64_t kMostRetired = 900;
constexpr std::size_t kMostGrants = 600;
constexpr std::array<std::string_view, 6> kNames = {"a.lab.org", "b.lab.org", "x.y.lab.org",
                                                    "lab.org",   "c.net",     "d.c.net"};
constexpr std::array<std::string_view, 5> kPatterns = {"*", "*.lab.org", "*.org", "c.net",
                                                       "a.lab.org"};

template <class Map, class Key>
auto at_or_after(const Map& map, const Key& key) {
  const auto found = map.lower_bound(key);
  return found != map.end() ? found : map.begin();
}

}  // namespace

// Hashes are spread evenly, so that the next one after a random one is as good as any.
const AssetRecord* Draw::any_asset() {
  const auto& rows = ledger_.tables().assets;
  if (rows.empty()) return nullptr;
  const AssetRecord* asset = nullptr;
  for (std::size_t i = 0; i < kTries; ++i) {
    crypto::Digest hash;
    random_.fill(hash.bytes);
    asset = &at_or_after(rows, hash)->second;
    if (asset->terms.state != AssetState::Retired) break;
  }
  return asset;
}

const AssetRecord* Draw::asset_of(const identity::OwnerId& owner) {
  for (std::size_t i = 0; i < 4 * kTries; ++i) {
    const AssetRecord* asset = any_asset();
    if (asset != nullptr && asset->owner == owner) return asset;
  }
  return nullptr;
}

assets::AssetTerms Draw::terms(AssetKind kind) {
  assets::AssetTerms terms;
  if (kind == AssetKind::Concealed) {
    terms.level = PrivacyLevel::PrivateNetwork;
  } else if (random_.chance(100)) {
    terms.level = PrivacyLevel::P2P;
  } else {
    terms.level = random_.chance(600) ? PrivacyLevel::FullPublic : PrivacyLevel::PublicNetwork;
  }
  assets::Quantity& quantity = terms.quantity;
  if (assets::shows_full_record(terms.level)) {
    quantity.unit = "threads";
    quantity.detected = random_.chance(20) ? random_.next() : random_.between(8, 256);
    terms.descriptor.emplace("model", std::string("drawn"));
  } else {
    quantity.unit = "basis_points";
    quantity.detected = assets::kWholeInBasisPoints;
    random_.fill(terms.commitment.emplace().bytes);
  }
  quantity.offered = quantity.detected;
  if (random_.chance(300)) quantity.offered = random_.below(quantity.detected) + 1;
  quantity.available = quantity.offered;
  if (random_.chance(100)) quantity.available = random_.below(quantity.offered) + 1;
  if (random_.chance(60)) {
    terms.state = random_.chance(500) ? AssetState::Failed : AssetState::Maintenance;
  }
  if (random_.chance(700)) {
    terms.price = caesar::Price{caesar::Amount{random_.below(kDearest)}, random_.between(1, 8)};
  }
  HM_CHECK(assets::validate(terms).has_value());
  return terms;
}

Draw::Drawn Draw::register_asset() {
  const Machine& machine = cast_.machines[random_.below(cast_.machines.size())];
  const bool is_known = ledger_.node(machine.id) != nullptr;
  if (!is_known && random_.chance(950)) return std::nullopt;
  const AssetKind kind =
      random_.chance(120) ? AssetKind::Concealed : static_cast<AssetKind>(random_.below(7));
  const bool is_full = ledger_.tables().assets.size() >= quota(kFirstAssets, kMostAssets);
  if (is_full && random_.chance(900)) return std::nullopt;
  std::array<std::uint8_t, assets::kUuidRandomSize> entropy{};
  random_.fill(entropy);
  ledger::RegisterAsset action{
      .id = assets::AssetId::make(ledger_.chain().chain_id, kind, time_, entropy),
      .node = machine.id,
      .terms = terms(kind)};
  if (is_full) {
    const AssetRecord& asset = *any_asset();
    action.id = asset.id;
    return make(id_of(machine.owner), std::move(action));
  }
  if (random_.chance(30)) return make(id_of(registered_person()), std::move(action));
  if (random_.chance(400)) return make(machine.id, std::move(action));
  return make(id_of(machine.owner), std::move(action));
}

Draw::Drawn Draw::update_asset() {
  const AssetRecord* asset = any_asset();
  if (asset == nullptr) return std::nullopt;
  ledger::UpdateAsset action{
      .id = asset->id, .expected_version = asset->version, .terms = terms(asset->id.kind)};
  if (random_.chance(500)) {
    // The same thing, of which less or more is offered.
    const bool is_full = assets::shows_full_record(asset->terms.level);
    if (is_full == assets::shows_full_record(action.terms.level)) {
      assets::Quantity& quantity = action.terms.quantity;
      quantity.detected = asset->terms.quantity.detected;
      quantity.offered =
          quantity.detected - random_.below(quantity.detected) / random_.between(1, 8);
      quantity.available = quantity.offered;
    }
  }
  if (random_.chance(50)) action.expected_version += 1 - 2 * random_.below(2);
  if (random_.chance(30)) return make(id_of(registered_person()), std::move(action));
  const Machine& machine = *cast_.machine_of(asset->node);
  const bool by_machine = id_of(machine.owner) == asset->owner && random_.chance(500);
  if (by_machine) return make(machine.id, std::move(action));
  return make(asset->owner, std::move(action));
}

Draw::Drawn Draw::transfer_asset() {
  const AssetRecord* asset = any_asset();
  if (asset == nullptr) return std::nullopt;
  const ledger::TransferAsset action{asset->id, asset->version, id_of(any_person())};
  const bool is_leased = ledger_.tables().asset_uses.contains(asset->id.hash);
  if (is_leased && random_.chance(900)) return std::nullopt;
  return make(asset->owner, action);
}

Draw::Drawn Draw::retire_asset() {
  const AssetRecord* asset = any_asset();
  // The records stay, so that their number is what bounds the run's memory.
  if (asset == nullptr || retired_ >= quota(kFirstRetired, kMostRetired)) return std::nullopt;
  return make(asset->owner,
              ledger::RetireAsset{asset->id, asset->version + (random_.chance(100) ? 1 : 0)});
}

std::string Draw::certified_name() { return std::string(kNames[random_.below(kNames.size())]); }

privacy::Grantee Draw::grantee(std::size_t owner) {
  switch (random_.below(6)) {
    case 0:
    case 1: return privacy::ToOwner{id_of((owner + random_.between(1, kPeople - 1)) % kPeople)};
    case 2:
      return privacy::ToGroup{privacy::group_id(ledger_.chain().chain_id, id_of(owner),
                                                "group-" + std::to_string(random_.below(4)))};
    case 3: {
      privacy::CertificatePattern pattern;
      if (random_.chance(400)) pattern.issuer = id_of(any_person());
      pattern.name = kPatterns[random_.below(kPatterns.size())];
      return pattern;
    }
    default: return privacy::ToAnyone{};
  }
}

privacy::Grant Draw::grant(std::size_t owner) {
  const std::uint64_t interval = ledger_.policy().meter_interval_ms;
  privacy::Grant grant;
  grant.owner = grant.issuer = id_of(owner);
  grant.number = random_.below(50);
  grant.to = grantee(owner);
  if (random_.chance(150)) grant.assets.kind = static_cast<AssetKind>(random_.below(8));
  if (random_.chance(150)) {
    grant.assets.node = cast_.machines[owner * kMachinesEach + random_.below(kMachinesEach)].id;
  }
  if (const AssetRecord* asset = random_.chance(150) ? asset_of(grant.owner) : nullptr) {
    grant.assets.asset = asset->id.hash;
  }
  grant.share_percent =
      static_cast<std::uint8_t>(random_.chance(500) ? 100 : 1 + random_.below(100));
  if (random_.chance(250))
    grant.limits.concurrent = static_cast<std::uint32_t>(random_.between(1, 30));
  if (random_.chance(250)) grant.limits.quantity = random_.between(1, 100);
  if (random_.chance(250)) grant.limits.duration_ms = interval * random_.between(1, 100);
  if (random_.chance(150)) {
    grant.limits.opened_per_day = static_cast<std::uint32_t>(random_.between(1, 200));
  }
  grant.network = static_cast<privacy::NetworkClass>(random_.below(3));
  if (random_.chance(100)) {
    grant.hours = privacy::Hours{.from = static_cast<std::uint16_t>(random_.below(720)),
                                 .to = static_cast<std::uint16_t>(random_.between(720, 1440))};
  }
  if (random_.chance(200)) grant.when = privacy::When::Idle;
  if (random_.chance(600)) {
    grant.price = caesar::Price{caesar::Amount{random_.below(kDearest)}, random_.between(1, 8)};
  }
  if (random_.chance(300)) grant.expiry = later(1, 60 * kDay);
  if (random_.chance(500)) grant.notice_ms = random_.below(4 * interval);
  grant.delegations = static_cast<std::uint8_t>(random_.below(privacy::kMaxDelegations + 1));
  return grant;
}

// A grant passed on by whom it is for, or by somebody who does not have it.
std::optional<privacy::Grant> Draw::passed_on() {
  const auto& grants = ledger_.tables().grants;
  if (grants.empty()) return std::nullopt;
  ledger::GrantKey key{id_of(any_person()), {}};
  random_.fill(key.second.bytes);
  const auto parent = at_or_after(grants, key);
  privacy::Grant child = parent->second.grant;
  if (child.delegations == 0 && random_.chance(900)) return std::nullopt;
  std::size_t issuer = registered_person();
  if (const auto* to = std::get_if<privacy::ToOwner>(&child.to)) {
    issuer = cast_.person_of(to->owner).value_or(issuer);
  }
  if (!is_registered(issuer) || id_of(issuer) == child.owner) return std::nullopt;
  child.issuer = id_of(issuer);
  child.parent = parent->first.second;
  child.number = random_.below(50);
  child.to = grantee(issuer);
  const auto* to = std::get_if<privacy::ToOwner>(&child.to);
  if (to != nullptr && to->owner == child.owner) return std::nullopt;
  child.share_percent = static_cast<std::uint8_t>(1 + random_.below(child.share_percent));
  if (child.delegations > 0) --child.delegations;
  if (random_.chance(100)) child.notice_ms += 1;
  return child;
}

std::optional<ledger::AddGrant> Draw::sign_grant() {
  const std::size_t owner = registered_person();
  const auto made = random_.chance(300) ? passed_on() : std::optional(grant(owner));
  if (!made || !privacy::validate(*made)) return std::nullopt;
  const std::size_t issuer = *cast_.person_of(made->issuer);
  const auto statement =
      privacy::grant_statement(privacy::grant_id(ledger_.chain().chain_id, *made));
  const std::size_t signer = random_.chance(50) ? (issuer + 1) % kPeople : issuer;
  return ledger::AddGrant{
      *made, cast_.current(ledger_, signer).sign(statement, signing_randomness(random_))};
}

Draw::Drawn Draw::add_grant() {
  if (ledger_.tables().grants.size() >= kMostGrants) return revoke_grant();
  if (signed_grants_.wants_more(random_)) {
    if (auto made = sign_grant()) signed_grants_.keep(std::move(*made), random_);
  }
  if (signed_grants_.is_empty()) return std::nullopt;
  const ledger::AddGrant& action = signed_grants_.any(random_);
  if (random_.chance(30)) return make(id_of(registered_person()), action);
  return make(action.grant.issuer, action);
}

Draw::Drawn Draw::revoke_grant() {
  const auto& grants = ledger_.tables().grants;
  if (grants.empty()) return std::nullopt;
  ledger::GrantKey key{id_of(any_person()), {}};
  random_.fill(key.second.bytes);
  const auto& [found, record] = *at_or_after(grants, key);
  ledger::RevokeGrant action{found.first, found.second};
  if (random_.chance(50)) action.grant = key.second;
  if (random_.chance(50)) return make(id_of(registered_person()), action);
  return make(random_.chance(300) ? found.first : record.grant.issuer, action);
}

Draw::Drawn Draw::set_group() {
  const std::size_t owner = registered_person();
  ledger::SetGroup action{.name = "group-" + std::to_string(random_.below(4))};
  const auto id = privacy::group_id(ledger_.chain().chain_id, id_of(owner), action.name);
  const auto& groups = ledger_.tables().groups;
  const auto found = groups.find(id);
  if (found != groups.end()) action.expected_version = found->second.version;
  if (random_.chance(100)) ++action.expected_version;
  if (found == groups.end() || random_.chance(900)) {
    for (std::size_t i = 0; i < kPeople; ++i) {
      if (random_.chance(300)) action.members.emplace_back(privacy::ToOwner{id_of(i)});
    }
    if (random_.chance(300)) {
      action.members.emplace_back(privacy::CertificatePattern{std::nullopt, "*.lab.org"});
    }
  }
  return make(id_of(owner), std::move(action));
}

std::optional<ledger::RecordCertificate> Draw::sign_certificate() {
  privacy::Certificate certificate{.issuer_chain = ledger_.chain().chain_id,
                                   .issuer = {},
                                   .subject = id_of(any_person()),
                                   .name = certified_name(),
                                   .expiry = later(kDay / 24, 90 * kDay)};
  const std::size_t person = random_.chance(500) ? 0 : registered_person();
  const identity::OwnerKeys* issuer = &cast_.current(ledger_, person);
  if (random_.chance(200)) {
    const ForeignMesh& mesh = cast_.foreign[random_.below(cast_.foreign.size())];
    certificate.issuer_chain = mesh.chain;
    issuer = &mesh.root;
  }
  certificate.issuer = issuer->id();
  if (random_.chance(50)) certificate.expiry = time_;
  if (certificate.issuer == certificate.subject) return std::nullopt;
  ledger::RecordCertificate action{
      certificate,
      issuer->sign(privacy::certificate_statement(certificate), signing_randomness(random_))};
  if (random_.chance(50)) ++action.certificate.expiry.value;
  return action;
}

Draw::Drawn Draw::record_certificate() {
  if (signed_certificates_.wants_more(random_)) {
    if (auto made = sign_certificate()) signed_certificates_.keep(std::move(*made), random_);
  }
  if (signed_certificates_.is_empty()) return std::nullopt;
  return make(id_of(registered_person()), signed_certificates_.any(random_));
}

ledger::RecordFederation Draw::sign_federation() {
  const ForeignMesh& mesh = cast_.foreign[random_.below(cast_.foreign.size())];
  const identity::OwnerKeys& root = cast_.current(ledger_, 0);
  const ledger::ChainRecord& chain = ledger_.chain();
  privacy::Federation federation{
      .first = {chain.chain_id, chain.name, chain.root, root.bundle()},
      .second = {mesh.chain, "elsewhere", mesh.root.id(), mesh.root.bundle()},
      .expiry = random_.chance(100) ? time_ : later(kDay, 90 * kDay)};
  const bool is_first = chain.chain_id < mesh.chain;
  if (!is_first) std::swap(federation.first, federation.second);
  const auto statement = privacy::federation_statement(federation);
  ledger::RecordFederation action{
      federation, (is_first ? root : mesh.root).sign(statement, signing_randomness(random_)),
      (is_first ? mesh.root : root).sign(statement, signing_randomness(random_))};
  if (random_.chance(200)) std::swap(action.first, action.second);
  return action;
}

Draw::Drawn Draw::record_federation() {
  if (signed_federations_.wants_more(random_)) {
    signed_federations_.keep(sign_federation(), random_);
  }
  return make(id_of(random_.chance(200) ? registered_person() : 0),
              signed_federations_.any(random_));
}

}  // namespace hm::simulator
