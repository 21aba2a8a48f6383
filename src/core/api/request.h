// SPDX-License-Identifier: Apache-2.0
// Bodies of writing requests, decoded from hostile JSON: depth and sizes bounded, no key twice, no
// unknown key, no number that is not exact. Whether the request makes sense is the ledger's.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/assets/record.h"
#include "core/identity/ids.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

namespace hm::api {

struct BadRequest {
  std::string field;    // "quantity.offered"; empty for the body as a whole
  std::string problem;  // "is not a whole number"
  bool operator==(const BadRequest&) const = default;
};

// {"kind" or "type": "cpu", "quantity": {…}, "descriptor" or "spec": {…}, "state"?, "level"?,
//  "price"?, "proofs"?: {"space"?, "work"?}}
struct RegisterRequest {
  assets::AssetKind kind = assets::AssetKind::Cpu;
  assets::AssetTerms terms;
  assets::CitedRecords proofs;
};

// What is absent stays as it is. "price": null takes the price away.
struct UpdateRequest {
  std::optional<std::uint64_t> expected_version;
  std::optional<assets::Descriptor> descriptor;
  std::optional<std::uint64_t> detected;
  std::optional<std::uint64_t> offered;
  std::optional<std::uint64_t> available;
  std::optional<std::string> unit;
  std::optional<assets::AssetState> state;
  std::optional<assets::PrivacyLevel> level;
  std::optional<std::optional<caesar::Price>> price;
  assets::CitedRecords proofs;
};

// {"to": owner id, "expected_version"?, "consensus_required"?: true}
struct TransferRequest {
  identity::OwnerId to;
  std::optional<std::uint64_t> expected_version;
  assets::CitedRecords proofs;
};

struct RetireRequest {
  std::optional<std::uint64_t> expected_version;
};

// {"operation": base64 or hex of the BCS bytes of a signed operation}: what an owner sends that
// signs for itself. Every writing endpoint takes it in place of its own fields.
struct SignedRequest {
  Bytes operation;
};

template <class Fields>
using WriteRequest = std::variant<Fields, SignedRequest>;

Result<WriteRequest<RegisterRequest>, BadRequest> decode_register(std::string_view body);
Result<WriteRequest<UpdateRequest>, BadRequest> decode_update(std::string_view body);
Result<WriteRequest<TransferRequest>, BadRequest> decode_transfer(std::string_view body);
// An empty body is an empty request.
Result<WriteRequest<RetireRequest>, BadRequest> decode_retire(std::string_view body);

// [base64 or hex, …], or {"operations": [base64 or hex, …]}, at least one, at most
// kMaxBatchOperations.
Result<std::vector<Bytes>, BadRequest> decode_batch(std::string_view body);

// {"name"?: text, "minutes"?: number} and {"code": text, …}: flat objects of texts for the
// exchange that lets a node join. At most kMaxText bytes each.
Result<std::map<std::string, std::string>, BadRequest> decode_texts(std::string_view body);

}  // namespace hm::api
