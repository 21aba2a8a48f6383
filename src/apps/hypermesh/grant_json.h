// SPDX-License-Identifier: Apache-2.0
// Grants, groups and their parts out of the API's JSON (core/api/lending_json.h), strictly: what is
// not understood is a Failure, never a guess.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "apps/hypermesh/failure.h"
#include "core/privacy/group.h"

namespace hm::cli {

// A grant on the ledger and what is in use under it.
struct GrantRow {
  privacy::GrantId id;
  privacy::Grant grant;
  bool revoked = false;
  std::uint64_t open_leases = 0;
};
Answer<GrantRow> grant_row_of_json(const nlohmann::ordered_json& record);
Answer<privacy::Grant> grant_of_json(const nlohmann::ordered_json& grant);

struct GroupRow {
  privacy::GroupId id;
  privacy::Group group;
  std::uint64_t version = 0;
};
Answer<GroupRow> group_row_of_json(const nlohmann::ordered_json& record);

}  // namespace hm::cli
