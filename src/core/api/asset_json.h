// SPDX-License-Identifier: Apache-2.0
// Assets as JSON: {id, kind, node, owner, address, state, level, quantity{detected, offered,
// available, leased, unit}, descriptor{…}, proofs{space, stake, work, time: {verdict, reason, …}},
// version, commitment?, price?}. What is leased is neither available nor, while all else is well,
// just "available": the state says whether it is in use.
#pragma once

#include "core/api/json_writer.h"
#include "core/assets/record.h"
#include "core/ledger/ledger.h"
#include "core/proofs/verdict.h"

namespace hm::api {

void write_descriptor(JsonWriter& json, const assets::Descriptor& descriptor);
void write_verdicts(JsonWriter& json, const proofs::FourVerdicts& verdicts);

// An available asset is Allocated while leases of it are asked for, and InUse once one runs.
assets::AssetState state_now(const ledger::Ledger& ledger, const assets::AssetRecord& asset);

// The members of an asset without the braces around them, so that a caller can add some.
void write_asset_members(JsonWriter& json, const ledger::Ledger& ledger,
                         const assets::AssetRecord& asset);
void write_asset(JsonWriter& json, const ledger::Ledger& ledger, const assets::AssetRecord& asset);

}  // namespace hm::api
