// SPDX-License-Identifier: Apache-2.0
// Operations, receipts, wallets and Merkle proofs as JSON. Amounts are decimal CAES in strings and,
// beside them, units in strings: a JSON number is not exact in every reader.
#pragma once

#include "core/api/json_writer.h"
#include "core/ledger/ledger.h"

namespace hm::api {

// {"owner": id} or {"node": id}.
void write_actor(JsonWriter& json, const ledger::Actor& actor);

// {rule, proof?, message, given?, wanted?}
void write_refused(JsonWriter& json, const ledger::Refused& refused);

// {id, action, actor, sequence, anchor_height, expiry_height, + what the action says}
void write_operation_members(JsonWriter& json, const ledger::PreparedOperation& operation);

// {root, key, value (base64, null if absent), leaf?, siblings[]}; verify as
// docs/protocols/ledger.md §6 says.
void write_state_proof(JsonWriter& json, ByteView key, const ledger::StateProof& proof);

// balance, balance_units, bond, bond_units, unbonding, unbonding_units
void write_account_members(JsonWriter& json, const caesar::Account& account);

}  // namespace hm::api
