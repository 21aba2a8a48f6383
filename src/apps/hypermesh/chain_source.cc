// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/chain_source.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "apps/hypermesh/genesis_file.h"
#include "apps/hypermesh/node_config.h"
#include "core/api/text.h"
#include "foundation/codec/reader.h"
#include "platform/rocksdb/rocksdb_store.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::uint64_t kProgressEvery = 1000;  // blocks

Failure wrong_chain(const node::VerifyFailure& failure) {
  return {ExitCode::Failure, fmt::format("block {} does not verify", failure.height), failure.what,
          "this copy of the chain is damaged or forged: fetch it anew from the peers"};
}

Failure not_understood(const ApiClient& client, std::string_view what) {
  return {ExitCode::Failure, fmt::format("{} did not answer with {}", client.url(), what),
          "the node may be of another version", "compare 'hypermesh version' on both sides"};
}

Answer<ledger::Genesis> fetch_genesis(ApiClient& client) {
  HM_CLI_TRY(const ordered_json answer, client.get("/ledger/genesis"));
  const auto bytes = api::from_base64(text_of(answer, "genesis"));
  if (!bytes) return std::unexpected(not_understood(client, "a genesis"));
  auto genesis = ledger::decode_genesis(*bytes);
  if (!genesis) {
    return failed(ExitCode::Failure, "the node's genesis does not decode",
                  ledger::explain(genesis.error()));
  }
  if (const auto valid = ledger::validate(*genesis); !valid) {
    return failed(ExitCode::Failure, "the node's genesis is not valid",
                  ledger::explain(valid.error()));
  }
  return std::move(*genesis);
}

}  // namespace

Answer<node::VerifyReport> verify_folder(const NodeFolder& folder, const Progress& progress) {
  HM_CLI_TRY(const NodeConfig config, read_node_config(folder.config()));
  HM_CLI_TRY(const auto genesis,
             read_genesis_file((std::filesystem::path(folder.path) / config.genesis).string()));
  HM_CLI_TRY(const auto store,
             rocksdb_store::RocksDbStore::open_read_only(folder.data() + "/ledger"));
  HM_CLI_TRY(const auto verified, node::verify_store(genesis, node::ChainStore(*store), progress));
  if (!verified) return std::unexpected(wrong_chain(verified.error()));
  return *verified;
}

Outcome each_block(ApiClient& client, const std::function<bool(const Bytes& encoded)>& visit) {
  for (std::uint64_t next = 1; next != 0;) {
    HM_CLI_TRY(const ordered_json page,
               client.get(fmt::format("/ledger/blocks?from={}&limit=100&encoded=1", next)));
    if (!page.contains("blocks") || !page["blocks"].is_array()) {
      return std::unexpected(not_understood(client, "blocks"));
    }
    for (const ordered_json& block : page["blocks"]) {
      const auto bytes = api::from_base64(text_of(block, "encoded"));
      if (!bytes) return std::unexpected(not_understood(client, "encoded blocks"));
      if (!visit(*bytes)) return {};
    }
    const std::uint64_t following = number_of(page, "next_from");
    if (following != 0 && following <= next) {
      return std::unexpected(not_understood(client, "blocks in order"));
    }
    next = following;
  }
  return {};
}

Answer<node::VerifyReport> verify_node(ApiClient& client, const Progress& progress) {
  HM_CLI_TRY(const auto genesis, fetch_genesis(client));
  node::ChainVerifier verifier(genesis);
  std::optional<Failure> wrong;
  HM_CLI_TRY_VOID(each_block(client, [&](const Bytes& encoded) {
    const auto block = codec::decode<consensus::FinalBlock>(encoded);
    if (!block) {
      wrong = wrong_chain({verifier.report().height + 1, "it does not decode"});
      return false;
    }
    const auto added = verifier.add(*block);
    if (!added) {
      wrong = wrong_chain(added.error());
      return false;
    }
    const std::uint64_t height = block->block.header.height;
    if (height % kProgressEvery == 0) progress(height);
    return true;
  }));
  if (wrong) return std::unexpected(std::move(*wrong));
  return verifier.report();
}

}  // namespace hm::cli
