// SPDX-License-Identifier: Apache-2.0
// A market of candidates for tests and benchmarks, any size, the same from the same numbers. Not
// part of the program.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "core/scheduling/placement.h"

namespace hm::scheduling::sample {

// A different id for each number, spread like a digest (SplitMix64's finalizer).
template <class Id>
Id id(std::uint64_t number) {
  Id id;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    std::uint64_t z = (number + 1) * 0x9e3779b97f4a7c15U + i / 8;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z ^= z >> 27;
    id.bytes[i] = static_cast<std::uint8_t>(z >> (8 * (i % 8)));
  }
  return id;
}

inline constexpr UnixMillis kNow{1'800'000'000'000};

inline identity::OwnerId tenant() { return id<identity::OwnerId>(1'000'000); }
inline identity::OwnerId owner(std::uint64_t number) { return id<identity::OwnerId>(number); }

// Candidates with what they point to.
class Market {
 public:
  // The owner gives anyone all of its assets, without network.
  void add_owner(std::uint64_t number, std::optional<caesar::Price> price,
                 std::uint8_t share_percent = 100) {
    privacy::Grant grant;
    grant.owner = owner(number);
    grant.issuer = grant.owner;
    grant.number = number;
    grant.to = privacy::ToAnyone{};
    grant.share_percent = share_percent;
    grant.price = price;
    grants_.push_back(grant);
    privacy::GrantView view;
    view.id = id<privacy::GrantId>(number);
    view.grant = &grants_.back();
    views_.push_back({view});
    owner_names_.push_back("owner" + std::to_string(number));
  }

  // An available cpu of `free` units, of the owner that was added as the `nth`, on a node of its
  // own unless named.
  Candidate& add(std::uint64_t number, std::size_t nth, std::uint64_t free,
                 std::optional<std::uint64_t> node = std::nullopt) {
    Candidate candidate;
    const privacy::Grant& grant = grants_[nth];
    candidate.id.hash = id<crypto::Digest>(number);
    candidate.facts.hash = candidate.id.hash;
    candidate.facts.owner = grant.owner;
    candidate.facts.node = id<identity::NodeId>(node.value_or(number));
    candidate.facts.level = assets::PrivacyLevel::FullPublic;
    candidate.facts.detected = free;
    candidate.facts.free = free;
    candidate.owner_name = owner_names_[nth];
    candidate.node_name = node_names_.emplace_back("node" + std::to_string(node.value_or(number)));
    candidate.grants = views_[nth];
    candidate.descriptor = &descriptors_.emplace_back();
    candidate.trust = 700;
    candidate.rtt_us = 10'000;
    candidate.reachability = Reachability::Connected;
    return candidates_.emplace_back(candidate);
  }

  assets::Descriptor& descriptor(std::size_t nth) { return descriptors_[nth]; }
  std::vector<Candidate>& candidates() { return candidates_; }
  const std::vector<Candidate>& candidates() const { return candidates_; }

  Plan place(const Filter& filter) const {
    return scheduling::place(filter, {.owner = tenant(), .groups = {}, .certificates = {}},
                             candidates_, kNow);
  }

 private:
  std::deque<privacy::Grant> grants_;
  std::deque<std::vector<privacy::GrantView>> views_;
  std::deque<std::string> owner_names_;
  std::deque<std::string> node_names_;
  std::deque<assets::Descriptor> descriptors_;
  std::vector<Candidate> candidates_;
};

}  // namespace hm::scheduling::sample
