// SPDX-License-Identifier: Apache-2.0
// The tables as key and value bytes, both ways. docs/protocols/ledger.md §5 lists the rows.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "core/ledger/ledger.h"
#include "core/ledger/tables.h"

namespace hm::ledger {

// The value under a state key; empty if the key is absent or of no table.
std::optional<Bytes> value_of(const Tables& tables, ByteView key);

// Every row, sorted by key.
std::vector<StateEntry> entries_of(const Tables& tables);

// The tables of these rows, in any order. Refuses rows that are malformed, twice there, under a key
// that is not theirs, or that contradict each other; and a state that lacks what every state has.
Result<Tables, RestoreError> tables_of(std::span<const StateEntry> entries);

}  // namespace hm::ledger
