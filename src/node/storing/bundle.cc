// SPDX-License-Identifier: Apache-2.0
#include "node/storing/bundle.h"

#include <algorithm>
#include <utility>

#include "foundation/base/check.h"
#include "foundation/codec/reader.h"
#include "foundation/codec/writer.h"
#include "node/storing/keeper_limits.h"
#include "ports/shard_store.h"

namespace hm::storing {
namespace {

// Owner, id, version, lengths: more than any entry has beside its box and its id.
constexpr std::size_t kEntryHead = 64;
constexpr std::size_t kMaxBundle = ports::kMaxShardBytes;

std::size_t size_of(const BundleEntry& entry) {
  return entry.box.size() + entry.what.object.size() + kEntryHead;
}

}  // namespace

std::vector<std::size_t> bundle(std::vector<BundleEntry> entries, std::vector<Bytes>& bundles) {
  std::vector<std::size_t> counts;
  Bundle next;
  std::size_t size = kEntryHead;
  const auto end = [&] {
    counts.push_back(next.entries.size());
    bundles.push_back(codec::encode(std::exchange(next, {})));
    size = kEntryHead;
  };
  for (BundleEntry& entry : entries) {
    HM_CHECK(entry.box.size() <= kMaxBundledBox);
    if (!next.entries.empty() && size + size_of(entry) > kBundleBytes) end();
    size += size_of(entry);
    next.entries.push_back(std::move(entry));
  }
  if (!next.entries.empty()) end();
  return counts;
}

Result<Bundle> decode_bundle(ByteView bytes) {
  auto bundle = codec::decode<Bundle>(bytes.first(std::min(bytes.size(), kMaxBundle + 1)));
  if (!bundle || bytes.size() > kMaxBundle || bundle->entries.empty()) {
    return fail(ErrorCode::Corrupt, "these bytes are no bundle of sealed manifests",
                "the id names something else that is stored");
  }
  return std::move(*bundle);
}

}  // namespace hm::storing
