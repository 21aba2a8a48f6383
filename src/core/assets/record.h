// SPDX-License-Identifier: Apache-2.0
// What the ledger holds about an asset. `AssetTerms` is the part its owner states and may change;
// the rest follows from operations.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "core/assets/address.h"
#include "core/assets/asset_id.h"
#include "core/caesar/price.h"

namespace hm::assets {

// What was measured: model, features, sizes. Keys are [a-z0-9_.].
using DescriptorValue = std::variant<std::uint64_t, std::string, bool, std::vector<std::string>>;
using Descriptor = std::map<std::string, DescriptorValue>;

// Three numbers, never one: available ≤ offered ≤ detected, all in `unit`.
struct Quantity {
  std::uint64_t detected = 0;
  std::uint64_t offered = 0;
  std::uint64_t available = 0;
  std::string unit;

  bool operator==(const Quantity&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.detected, self.offered, self.available, self.unit);
  }
};

struct AssetTerms {
  Descriptor descriptor;
  Quantity quantity;
  AssetState state = AssetState::Available;
  PrivacyLevel level = PrivacyLevel::PublicNetwork;
  // At PrivateNetwork and P2P: salted, over the true record (core/privacy/vault.h).
  std::optional<crypto::Digest> commitment;
  std::optional<caesar::Price> price;  // where no grant names another

  bool operator==(const AssetTerms&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.descriptor, self.quantity, self.state, self.level, self.commitment,
                    self.price);
  }
};

// When an operation happened: after the anchor block was made, before the including block.
struct TimeInterval {
  UnixMillis not_before;
  UnixMillis not_after;

  bool operator==(const TimeInterval&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.not_before, self.not_after); }
};

// Proof records (ledger.md "Four proofs") that the last operation cited.
struct CitedRecords {
  std::optional<crypto::Digest> space;
  std::optional<crypto::Digest> work;

  bool operator==(const CitedRecords&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.space, self.work); }
};

struct AssetRecord {
  AssetId id;
  identity::OwnerId owner;
  identity::NodeId node;
  AssetTerms terms;
  CitedRecords cited;
  std::uint64_t version = 0;  // 1 at registration, +1 for every applied change
  Address address;
  std::uint64_t registered_height = 0;
  std::uint64_t changed_height = 0;
  TimeInterval changed;           // of the last operation
  crypto::Digest last_operation;  // its id

  bool operator==(const AssetRecord&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.id, self.owner, self.node, self.terms, self.cited, self.version,
                    self.address, self.registered_height, self.changed_height, self.changed,
                    self.last_operation);
  }
};

enum class TermsError : std::uint8_t {
  DescriptorTooLarge,     // entries, a text, a list or the whole is above assets/limits.h
  DescriptorInvalid,      // a key or text is empty, or has a character it may not have
  BadUnit,                // empty, too long, or not [a-z0-9_]
  OfferedAboveDetected,   // quantity.offered > quantity.detected
  AvailableAboveOffered,  // quantity.available > quantity.offered
  LevelNeedsCommitment,   // Private is not kept at all, the two next not in the clear
  TooTelling,             // a concealed record says more than its level shows
  BadPrice,               // for a quantity of 0
};
std::string_view name_of(TermsError error);

// Everything about the terms that needs no ledger.
Result<void, TermsError> validate(const AssetTerms& terms);

}  // namespace hm::assets
