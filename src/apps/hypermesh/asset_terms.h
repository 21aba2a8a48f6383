// SPDX-License-Identifier: Apache-2.0
// The terms of an asset from the command line's options and from the API's JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "apps/hypermesh/command.h"
#include "apps/hypermesh/failure.h"
#include "core/assets/record.h"

namespace hm::cli {

// What a new asset of this kind starts from: nothing detected, the kind's usual unit.
assets::AssetTerms new_terms(assets::AssetKind kind);

// `terms` with what the options say. Offering less than is available leaves that much available.
// What the ledger would refuse is refused here by name.
Answer<assets::AssetTerms> apply_terms(assets::AssetTerms terms, const AssetTermsOptions& options);

// The terms of an asset object of the API.
Answer<assets::AssetTerms> terms_of_json(const nlohmann::ordered_json& asset);

}  // namespace hm::cli
