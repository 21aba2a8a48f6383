// SPDX-License-Identifier: Apache-2.0
#include "node/chain_store.h"

#include <algorithm>
#include <string>

#include "core/consensus/limits.h"
#include "foundation/codec/reader.h"
#include "foundation/codec/writer.h"

namespace hm::node {
namespace {

using crypto::Digest;
using ports::Space;
using ports::StoreWrite;

constexpr std::uint16_t kFormat = 4;

// Rows of Space::Meta.
Bytes text_key(std::string_view name) { return to_bytes(as_bytes(name)); }
Bytes format_key() { return text_key("format"); }
Bytes chain_key() { return text_key("chain"); }
Bytes head_key() { return text_key("head"); }

// Heights are written big-endian, so that keys sort by height.
Bytes height_key(std::uint64_t height, std::string_view prefix = {}) {
  Bytes key = text_key(prefix);
  for (int shift = 56; shift >= 0; shift -= 8) {
    key.push_back(static_cast<std::uint8_t>(height >> shift));
  }
  return key;
}
constexpr std::string_view kRootPrefix = "root/";
constexpr std::string_view kReceiptsPrefix = "receipts/";
constexpr std::string_view kHashPrefix = "hash/";

Bytes hash_key(const Digest& hash) {
  Bytes key = text_key(kHashPrefix);
  for (const std::uint8_t byte : hash.bytes) key.push_back(byte);  // insert() trips g++ 12 at -O2
  return key;
}

std::unexpected<Error> corrupt(std::string what) {
  return fail(ErrorCode::Corrupt, std::move(what),
              "move the data folder away and start again: the node fetches the chain from its "
              "peers");
}

template <class T>
Result<T> decode_row(const Bytes& value, const char* what) {
  auto decoded = codec::decode<T>(value);
  if (!decoded) return corrupt(std::string("the ledger store holds a damaged ") + what);
  return std::move(*decoded);
}

}  // namespace

Result<std::optional<ChainHead>> ChainStore::head(const identity::ChainId& chain) const {
  HM_TRY(const auto format, store_->get(Space::Meta, format_key()));
  if (!format) return std::optional<ChainHead>();
  HM_TRY(const auto format_number, decode_row<std::uint16_t>(*format, "format number"));
  if (format_number != kFormat) {
    return fail(ErrorCode::Unsupported,
                "the ledger store has format " + std::to_string(format_number) +
                    ", this program reads format " + std::to_string(kFormat),
                "use the program that wrote it");
  }
  HM_TRY(const auto chain_row, store_->get(Space::Meta, chain_key()));
  HM_TRY(const auto head_row, store_->get(Space::Meta, head_key()));
  if (!chain_row || !head_row) return corrupt("the ledger store has no chain or no head");
  HM_TRY(const auto stored_chain, decode_row<identity::ChainId>(*chain_row, "chain id"));
  if (stored_chain != chain) {
    return fail(ErrorCode::FailedPrecondition,
                "the data folder belongs to chain " + stored_chain.to_string() +
                    ", the genesis to chain " + chain.to_string(),
                "choose another data folder or the genesis file that belongs to this one");
  }
  HM_TRY(auto head, decode_row<ChainHead>(*head_row, "head"));
  return std::optional<ChainHead>(head);
}

Result<void> ChainStore::initialise(const ledger::Ledger& ledger) {
  ports::WriteBatch batch;
  for (ledger::StateEntry& entry : ledger.export_state()) {
    batch.push_back({Space::State, std::move(entry.key), std::move(entry.value)});
  }
  batch.push_back({Space::Meta, format_key(), codec::encode(kFormat)});
  batch.push_back({Space::Meta, chain_key(), codec::encode(ledger.chain().chain_id)});
  batch.push_back({Space::Meta, head_key(),
                   codec::encode(ChainHead{ledger.height(), ledger.head().hash, ledger.root()})});
  batch.push_back(
      {Space::Meta, height_key(ledger.height(), kRootPrefix), codec::encode(ledger.root())});
  HM_TRY_VOID(store_->write(batch));
  return store_->sync();
}

Result<void> ChainStore::append(const consensus::Block& block, const Digest& hash,
                                const consensus::Certificate& certificate,
                                const ledger::BlockOutcome& outcome) {
  const std::uint64_t height = block.header.height;
  ports::WriteBatch batch;
  batch.reserve(outcome.writes.size() + 6);
  for (const ledger::StateWrite& write : outcome.writes) {
    batch.push_back({Space::State, write.key, write.value});
  }
  batch.push_back({Space::Blocks, height_key(height), encode_final_block(block, certificate)});
  batch.push_back({Space::Meta, hash_key(hash), codec::encode(height)});
  if (!outcome.receipts.empty()) {
    batch.push_back(
        {Space::Meta, height_key(height, kReceiptsPrefix), codec::encode(outcome.receipts)});
  }
  batch.push_back({Space::Meta, height_key(height, kRootPrefix), codec::encode(outcome.root)});
  if (height > consensus::kMaxExecutionRoots) {
    batch.push_back({Space::Meta, height_key(height - consensus::kMaxExecutionRoots, kRootPrefix),
                     std::nullopt});
  }
  batch.push_back({Space::Meta, head_key(), codec::encode(ChainHead{height, hash, outcome.root})});
  return store_->write(batch);
}

Result<std::vector<ledger::StateEntry>> ChainStore::state() const {
  std::vector<ledger::StateEntry> entries;
  HM_TRY_VOID(store_->scan(Space::State, {}, {}, [&](ByteView key, ByteView value) {
    entries.push_back({to_bytes(key), to_bytes(value)});
    return true;
  }));
  return entries;
}

Result<std::optional<Bytes>> ChainStore::block(std::uint64_t height) const {
  return store_->get(Space::Blocks, height_key(height));
}

Result<std::optional<consensus::FinalBlock>> ChainStore::decoded_block(std::uint64_t height) const {
  HM_TRY(const auto row, block(height));
  if (!row) return std::optional<consensus::FinalBlock>();
  HM_TRY(auto decoded, decode_row<consensus::FinalBlock>(*row, "block"));
  return std::optional<consensus::FinalBlock>(std::move(decoded));
}

Result<std::optional<std::uint64_t>> ChainStore::height_of(const Digest& block_hash) const {
  HM_TRY(const auto row, store_->get(Space::Meta, hash_key(block_hash)));
  if (!row) return std::optional<std::uint64_t>();
  HM_TRY(const auto height, decode_row<std::uint64_t>(*row, "height"));
  return std::optional<std::uint64_t>(height);
}

Result<std::vector<ledger::Receipt>> ChainStore::receipts(std::uint64_t height) const {
  HM_TRY(const auto row, store_->get(Space::Meta, height_key(height, kReceiptsPrefix)));
  if (!row) return std::vector<ledger::Receipt>();
  return decode_row<std::vector<ledger::Receipt>>(*row, "list of receipts");
}

Result<std::vector<Bytes>> ChainStore::blocks(std::uint64_t from, std::size_t count,
                                              std::size_t max_bytes) const {
  std::vector<Bytes> found;
  std::size_t bytes = 0;
  std::uint64_t expected = from;
  HM_TRY_VOID(store_->scan(Space::Blocks, height_key(from), {}, [&](ByteView key, ByteView value) {
    const bool follows_on = std::ranges::equal(key, height_key(expected));
    const bool fits = found.empty() || bytes + value.size() <= max_bytes;
    if (!follows_on || !fits || found.size() == count) return false;
    bytes += value.size();
    ++expected;
    found.push_back(to_bytes(value));
    return true;
  }));
  return found;
}

Result<std::vector<std::pair<std::uint64_t, Digest>>> ChainStore::roots(std::uint64_t first,
                                                                        std::uint64_t last) const {
  std::vector<std::pair<std::uint64_t, Digest>> found;
  for (std::uint64_t height = first; height <= last; ++height) {
    HM_TRY(const auto row, store_->get(Space::Meta, height_key(height, kRootPrefix)));
    if (!row) continue;
    HM_TRY(const auto root, decode_row<Digest>(*row, "state root"));
    found.emplace_back(height, root);
  }
  return found;
}

}  // namespace hm::node
