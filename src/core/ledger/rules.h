// SPDX-License-Identifier: Apache-2.0
// The rules that need the state: one function, used by admission and by execution alike.
#pragma once

#include <cstdint>
#include <optional>

#include "core/ledger/fault.h"
#include "core/ledger/layer.h"
#include "core/ledger/operation.h"

namespace hm::ledger {

// The block that includes an operation.
struct Frame {
  std::uint64_t height = 0;
  UnixMillis time;
  FaultJudge judge = nullptr;  // none: no evidence proves anything
};

// Applies the operation to `layer`, or says which rule refuses it and leaves the layer untouched.
std::optional<Refused> execute(Layer& layer, const Frame& frame,
                               const PreparedOperation& operation);

// The bond an owner with `records_created` records needs for an action.
caesar::Amount bond_needed(const Policy& policy, const Action& action,
                           std::uint64_t records_created);

// True iff the record's progress shows this very operation at its sequence.
bool is_recent(const ActorProgress& progress, std::uint64_t sequence, const crypto::Digest& id);

}  // namespace hm::ledger
