// SPDX-License-Identifier: Apache-2.0
// Assets as JSON: {id, kind, node, owner, address, state, level, quantity{detected, offered,
// available, unit}, descriptor{…}, proofs{space, stake, work, time: {verdict, reason, …}},
// version}.
#pragma once

#include "core/api/json_writer.h"
#include "core/assets/record.h"
#include "core/proofs/verdict.h"

namespace hm::api {

void write_descriptor(JsonWriter& json, const assets::Descriptor& descriptor);
void write_quantity(JsonWriter& json, const assets::Quantity& quantity);
void write_verdicts(JsonWriter& json, const proofs::FourVerdicts& verdicts);

// The members of an asset without the braces around them, so that a caller can add some.
void write_asset_members(JsonWriter& json, const assets::AssetRecord& asset,
                         const proofs::FourVerdicts& verdicts);
void write_asset(JsonWriter& json, const assets::AssetRecord& asset,
                 const proofs::FourVerdicts& verdicts);

}  // namespace hm::api
