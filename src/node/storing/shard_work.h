// SPDX-License-Identifier: Apache-2.0
// What a request does with the store, on a worker: blocking, without a ledger, and after somebody
// else has judged whether it may.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "node/storing/shard_message.h"
#include "ports/shard_store.h"

namespace hm::storing {

// `quota`: of the lease, for a put. Both kinds share it: puts of the two at the same time may
// exceed it by what is on its way.
Reply carry_out(ports::ShardStore& store, const Request& request, std::uint64_t quota);

// Whether it waits for the disk to have written something.
bool writes(const Request& request);

struct ReclaimReport {
  std::uint64_t dropped = 0;  // shards
  std::vector<ports::HolderId> not_dropped;
  std::optional<Error> error;  // why not
};
ReclaimReport reclaim(ports::ShardStore& store, const std::vector<ports::HolderId>& holders);

// A refusal, in words that say nothing about this machine but what the asking node has to know.
Refused refusal_of(const Error& error);

}  // namespace hm::storing
