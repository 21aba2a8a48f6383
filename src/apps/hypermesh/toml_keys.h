// SPDX-License-Identifier: Apache-2.0
// Keys, signatures and amounts in TOML documents: lower-case hex in quotes, and CAES in quotes.
#pragma once

#include "apps/hypermesh/toml_table.h"
#include "core/caesar/amount.h"
#include "core/identity/key_bundle.h"
#include "core/identity/owner_signature.h"
#include "foundation/base/hex.h"

namespace hm::cli {

// Bytes as hex digits; how many there must be is judged with what they are for.
inline Bytes bytes_in(TableReader& table, std::string_view name) {
  auto bytes = from_hex(table.text(name));
  if (!bytes) table.refuse(name, "must be lower-case hex digits");
  return bytes.value_or(Bytes{});
}

inline crypto::PublicKey key_in(TableReader& table, std::string_view name) {
  const auto key = crypto::PublicKey::parse(table.text(name));
  if (!key) table.refuse(name, "must be 64 lower-case hex digits");
  return key.value_or(crypto::PublicKey{});
}

inline crypto::Signature signature_in(TableReader& table, std::string_view name) {
  crypto::Signature signature;
  if (!from_hex_exact(table.text(name), signature.bytes)) {
    table.refuse(name, "must be 128 lower-case hex digits");
  }
  return signature;
}

inline identity::FalconSignature falcon_signature_in(TableReader& table, std::string_view name) {
  identity::FalconSignature signature;
  if (!from_hex_exact(table.text(name), signature.bytes)) {
    table.refuse(name, "must be 2560 lower-case hex digits");
  }
  return signature;
}

template <class Id>
Id id_in(TableReader& table, std::string_view name) {
  const auto id = Id::parse(table.text(name));
  if (!id) table.refuse(name, "must be an id: 64 lower-case hex digits");
  return id.value_or(Id{});
}

inline caesar::Amount amount_in(TableReader& table, std::string_view name) {
  const auto amount = caesar::parse_amount(table.text(name));
  if (!amount) table.refuse(name, "must be an amount of CAES in quotes, such as \"12.5\"");
  return amount.value_or(caesar::Amount{});
}

// An owner's three public keys.
inline identity::KeyBundle bundle_in(TableReader& table) {
  identity::KeyBundle bundle;
  bundle.keys = {{identity::kAlgorithmEd25519, bytes_in(table, "ed25519")},
                 {identity::kAlgorithmFalcon1024, bytes_in(table, "falcon_1024")},
                 {identity::kAlgorithmMlKem1024, bytes_in(table, "ml_kem_1024")}};
  return bundle;
}
inline std::string format_bundle(const identity::KeyBundle& bundle) {
  const auto key = [&](std::uint16_t algorithm) {
    const auto found = bundle.keys.find(algorithm);
    return found == bundle.keys.end() ? std::string() : to_hex(found->second);
  };
  return fmt::format("ed25519 = \"{}\"\nfalcon_1024 = \"{}\"\nml_kem_1024 = \"{}\"\n",
                     key(identity::kAlgorithmEd25519), key(identity::kAlgorithmFalcon1024),
                     key(identity::kAlgorithmMlKem1024));
}

}  // namespace hm::cli
