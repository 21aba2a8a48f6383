// SPDX-License-Identifier: Apache-2.0
// JSON of grants, groups, leases, stake and trust.
#pragma once

#include "core/api/json_writer.h"
#include "core/ledger/ledger.h"
#include "core/ledger/lending_records.h"
#include "core/trust/score.h"

namespace hm::api {

void write_grant(JsonWriter& json, const privacy::Grant& grant);
void write_members(JsonWriter& json, const std::vector<privacy::GroupMember>& members);
void write_certificate(JsonWriter& json, const privacy::Certificate& certificate);
void write_federation(JsonWriter& json, const privacy::Federation& federation);

// {"id", "grant", "height", "revoked", "use": {…}}
void write_grant_record(JsonWriter& json, const privacy::GrantId& id,
                        const ledger::GrantRecord& record, const ledger::GrantUseRecord* use);
void write_group_record(JsonWriter& json, const privacy::GroupId& id,
                        const ledger::GroupRecord& record);

void write_choice(JsonWriter& json, const ledger::LeaseChoice& choice);
// The members of a lease without the braces around them, so that a caller can add some.
void write_lease_members(JsonWriter& json, const ledger::LeaseId& id,
                         const ledger::LeaseRecord& lease);
void write_lease(JsonWriter& json, const ledger::LeaseId& id, const ledger::LeaseRecord& lease);
void write_lease_change_members(JsonWriter& json, const ledger::LeaseChange& change);

// allowed, grant?, price?, notice_ms?, rule?, given?, wanted?, message
void write_decision_members(JsonWriter& json, const privacy::Decision& decision);

// {minted, burned, balances, escrows, bonds, pools}, {validators, providers, starter}
void write_supply(JsonWriter& json, const caesar::Supply& supply);
void write_pools(JsonWriter& json, const caesar::Pools& pools);
void write_economy(JsonWriter& json, const caesar::Economy& economy);

// {"node", "score", "terms": [{"name", "count", "contribution"}]}; counts are in thousandths.
void write_trust(JsonWriter& json, const identity::NodeId& node, const trust::Behaviour& behaviour,
                 UnixMillis now);

}  // namespace hm::api
