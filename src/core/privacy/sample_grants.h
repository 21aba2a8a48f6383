// SPDX-License-Identifier: Apache-2.0
// Grants, people and questions for tests, drawn from a seed out of small sets, so that they often
// meet. Not part of the library.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "core/privacy/decision.h"
#include "core/privacy/grant.h"

namespace hm::privacy::sample {

// SplitMix64.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
  }
  template <class T = std::uint64_t>
  T below(std::uint64_t bound) {
    return static_cast<T>(next() % bound);
  }
  bool one_in(std::uint64_t many) { return below(many) == 0; }
  template <class T>
  T of(std::initializer_list<T> items) {
    return items.begin()[below(items.size())];
  }

 private:
  std::uint64_t state_;
};

template <class Id>
Id id(std::uint64_t number) {
  Id made;
  made.bytes.fill(static_cast<std::uint8_t>(0x11 * (number % 15 + 1)));
  made.bytes[31] = static_cast<std::uint8_t>(number);
  return made;
}
inline identity::OwnerId owner(std::uint64_t number) { return id<identity::OwnerId>(number); }
inline GroupId group(std::uint64_t number) { return id<GroupId>(number); }
inline identity::NodeId node(std::uint64_t number) { return id<identity::NodeId>(number); }
inline crypto::Digest asset_hash(std::uint64_t number) { return id<crypto::Digest>(number); }

inline constexpr std::uint64_t kTime = 1'760'000'000'000;  // Thursday 2025-10-09 08:53:20 UTC
inline constexpr std::uint64_t kHour = 3'600'000;
inline constexpr std::uint64_t kDay = 24 * kHour;

// Somebody with what the ledger knows of it.
struct Person {
  identity::OwnerId owner;
  std::vector<GroupId> groups{};
  std::vector<CertifiedName> certificates{};
  Requester requester() const { return {owner, groups, certificates}; }
};

// By owner 0 to owner 1, with no limit of its own.
inline Grant open_grant() {
  Grant grant;
  grant.owner = grant.issuer = owner(0);
  grant.to = ToOwner{owner(1)};
  grant.share_percent = kWholeShare;
  grant.network = NetworkClass::Internet;
  grant.price = caesar::Price{caesar::caes(1), 1};
  return grant;
}

inline AssetFacts open_asset() {
  AssetFacts asset;
  asset.hash = asset_hash(1);
  asset.owner = owner(0);
  asset.node = node(1);
  asset.level = assets::PrivacyLevel::FullPublic;
  asset.detected = asset.free = 100;
  return asset;
}

inline Grantee grantee(Draw& draw) {
  const auto issuer = draw.one_in(2) ? std::optional(owner(draw.below(3))) : std::nullopt;
  switch (draw.below(4)) {
    case 0: return ToOwner{owner(1 + draw.below(3))};
    case 1: return ToGroup{group(draw.below(6))};
    case 2:
      return CertificatePattern{issuer, draw.of<const char*>({"*", "*.lab.org", "a.lab.org",
                                                              "*.org", "*.x.lab.org", "lab.org"})};
    default: return ToAnyone{};
  }
}

inline Hours hours(Draw& draw) {
  Hours made;
  made.from = draw.below<std::uint16_t>(kMinutesPerDay);
  made.to = draw.below<std::uint16_t>(kMinutesPerDay + 1);
  if (made.to == made.from) made.to = static_cast<std::uint16_t>(made.from + 1);
  made.utc_offset =
      draw.one_in(2) ? kMinutesPerDay : draw.below<std::uint16_t>(2 * kMinutesPerDay + 1);
  made.weekdays =
      draw.one_in(2) ? std::uint8_t{0x7f} : static_cast<std::uint8_t>(1 + draw.below(0x7f));
  return made;
}

inline caesar::Price price(Draw& draw) {
  return {caesar::Amount{draw.below(4)}, 1 + draw.below(3)};
}

// A valid grant of owner 0. Mostly open, so that several rules decide.
inline Grant grant(Draw& draw) {
  Grant made = open_grant();
  made.number = draw.below(1000);
  made.to = grantee(draw);
  if (draw.one_in(5)) made.assets.kind = draw.below<assets::AssetKind>(2);
  if (draw.one_in(5)) made.assets.node = node(draw.below(2));
  if (draw.one_in(5)) made.assets.asset = asset_hash(draw.below(2));
  if (draw.one_in(3)) made.share_percent = static_cast<std::uint8_t>(1 + draw.below(100));
  if (draw.one_in(4)) made.limits.concurrent = static_cast<std::uint32_t>(1 + draw.below(4));
  if (draw.one_in(4)) made.limits.quantity = 1 + draw.below(100);
  if (draw.one_in(4)) made.limits.duration_ms = 1 + draw.below(kDay);
  if (draw.one_in(4)) made.limits.opened_per_day = static_cast<std::uint32_t>(1 + draw.below(4));
  if (draw.one_in(4)) made.network = draw.below<NetworkClass>(3);
  if (draw.one_in(4)) made.hours = hours(draw);
  if (draw.one_in(4)) made.when = When::Idle;
  made.price = draw.one_in(3) ? std::nullopt : std::optional(price(draw));
  if (draw.one_in(4)) made.expiry = UnixMillis{kTime + draw.below(14 * kDay)};
  made.notice_ms = draw.below(3) * 60'000;
  made.delegations = draw.below<std::uint8_t>(kMaxDelegations + 1);
  return made;
}

inline GrantUse use(Draw& draw) {
  if (draw.one_in(2)) return {};
  return {draw.below(60), draw.below<std::uint32_t>(5), draw.below<std::uint32_t>(5)};
}

inline Request request(Draw& draw) {
  Request made;
  made.action = draw.one_in(6) ? Action::Discover : Action::Lease;
  made.quantity = draw.one_in(20) ? draw.next() : draw.below(60);
  made.duration_ms = draw.one_in(20) ? draw.next() : draw.below(2 * kDay);
  made.network = draw.below<NetworkClass>(3);
  if (draw.one_in(3)) made.highest_price = price(draw);
  made.renews = draw.one_in(3);
  if (made.renews) made.held_ms = draw.one_in(20) ? draw.next() : draw.below(kDay);
  return made;
}

inline AssetFacts asset(Draw& draw) {
  AssetFacts made;
  made.hash = asset_hash(draw.below(2));
  made.kind = draw.below<assets::AssetKind>(2);
  made.owner = owner(0);
  made.node = node(draw.below(2));
  made.state = draw.one_in(10) ? draw.below<assets::AssetState>(6) : assets::AssetState::Available;
  made.level =
      draw.one_in(2) ? assets::PrivacyLevel::FullPublic : draw.below<assets::PrivacyLevel>(5);
  made.detected = draw.one_in(20) ? draw.next() : 100;
  made.free = draw.one_in(2) ? made.detected : draw.below(50);
  if (draw.one_in(2)) made.price = price(draw);
  return made;
}

inline Moment moment(Draw& draw) {
  return {UnixMillis{kTime + draw.below(14 * kDay)}, draw.below<Idleness>(3)};
}

inline Person person(Draw& draw) {
  Person made{owner(draw.one_in(12) ? 0 : 1 + draw.below(3))};
  for (std::uint64_t i = 0; i < 6; ++i) {
    if (draw.one_in(3)) made.groups.push_back(group(i));
  }
  std::ranges::sort(made.groups);
  for (const auto& name : {"a.lab.org", "a.x.lab.org", "lab.org", "b.net", "zlab.org"}) {
    if (draw.one_in(4)) made.certificates.push_back({owner(draw.below(3)), draw.one_in(2), name});
  }
  return made;
}

}  // namespace hm::privacy::sample
