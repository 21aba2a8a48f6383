// SPDX-License-Identifier: Apache-2.0
// Blocks, owners' keys, nodes and validators.
#include <algorithm>

#include "core/api/ledger_json.h"
#include "core/api/limits.h"
#include "core/api/text.h"
#include "core/consensus/certificate.h"
#include "foundation/codec/reader.h"
#include "node/http_api/api.h"
#include "node/http_api/limits.h"

namespace hm::http_api {
namespace {

void write_block_members(api::JsonWriter& json, const consensus::FinalBlock& final_block,
                         std::size_t operations, const consensus::ValidatorSet& validators) {
  const consensus::BlockHeader& header = final_block.block.header;
  json.member("height", header.height);
  json.member("hash", consensus::hash_of(header).to_string());
  json.member("view", header.view);
  json.member("time", api::to_rfc3339(UnixMillis(header.time_ms)));
  json.key("proposer");
  if (header.proposer < validators.size()) {
    json.value(validators.at(header.proposer).node.to_string());
  } else {
    json.null();
  }
  json.member("parent", header.parent_hash.to_string());
  json.member("operations", operations);
  json.member("payload_bytes", final_block.block.payload.size());
  json.key("executed").begin_object();
  json.member("height", header.exec.height).member("state_root", header.exec.root.to_string());
  json.end_object();
  const consensus::Certificate& certificate = final_block.certificate;
  json.key("certificate").begin_object();
  json.member("kind", consensus::name_of(certificate.statement.kind));
  json.member("view", certificate.statement.view);
  json.member("block", certificate.statement.block.to_string());
  json.key("signers").begin_array();
  for (std::size_t i = 0; i < validators.size(); ++i) {
    const auto index = static_cast<consensus::ValidatorIndex>(i);
    if (i / 8 < certificate.signers.size() && consensus::has_signer(certificate, index)) {
      json.value(validators.at(index).node.to_string());
    }
  }
  json.end_array().end_object();
}

api::ApiError damaged(const Error& error) { return api::from_error(error); }

}  // namespace

void Api::list_blocks(Call call) {
  const std::uint64_t height = node_.ledger().height();
  std::uint64_t limit = api::kDefaultBlocks;
  if (const auto text = call.request.query_value("limit")) {
    const auto number = api::parse_number(*text);
    if (!number || *number == 0 || *number > api::kMaxBlocks) {
      return answer(
          call, api::bad_request("limit is a number from 1 to " + std::to_string(api::kMaxBlocks),
                                 "limit"));
    }
    limit = *number;
  }
  std::uint64_t from = height >= limit ? height - limit + 1 : 1;
  if (const auto text = call.request.query_value("from")) {
    const auto number = api::parse_number(*text);
    if (!number) return answer(call, api::bad_request("from is a height", "from"));
    from = std::max<std::uint64_t>(*number, 1);
  }
  const auto encoded = node_.chain().blocks(from, limit, kMaxListedBlockBytes);
  if (!encoded) return answer(call, damaged(encoded.error()));

  const bool encoded_too = call.request.query_value("encoded") == "1";
  api::JsonWriter json;
  json.begin_object().member("schema", api::kSchema).member("height", height);
  json.key("blocks").begin_array();
  for (const Bytes& bytes : *encoded) {
    const auto block = codec::decode<consensus::FinalBlock>(bytes);
    if (!block) {
      return answer(call, damaged({ErrorCode::Corrupt, "a stored block does not decode", {}}));
    }
    const auto payload = ledger::decode_payload(block->block.payload);
    json.begin_object();
    write_block_members(json, *block, payload ? payload->operations.size() : 0,
                        node_.replica().validators());
    if (encoded_too) json.member("encoded", api::to_base64(bytes));
    json.end_object();
  }
  json.end_array().key("next_from");
  const std::uint64_t next = from + encoded->size();
  if (next <= height) {
    json.value(next);
  } else {
    json.null();
  }
  json.end_object();
  answer(call, std::move(json));
}

void Api::show_block(Call call) {
  std::optional<std::uint64_t> height = api::parse_number(call.parameter);
  if (!height) {
    const auto hash = crypto::Digest::parse(call.parameter);
    if (!hash) {
      return answer(call, api::bad_request("a block is named by its height or its whole hash"));
    }
    const auto found = node_.chain().height_of(*hash);
    if (!found) return answer(call, damaged(found.error()));
    height = *found;
  }
  const auto missing = [&] {
    return api::not_found("there is no final block '" + call.parameter + "' here");
  };
  if (!height) return answer(call, missing());
  const auto stored = node_.chain().decoded_block(*height);
  if (!stored) return answer(call, damaged(stored.error()));
  if (!*stored) return answer(call, missing());
  const auto payload = ledger::decode_payload((*stored)->block.payload);
  const auto receipts = node_.chain().receipts(*height);
  if (!payload || !receipts || receipts->size() != payload->operations.size()) {
    return answer(call, damaged({ErrorCode::Corrupt, "the stored block contradicts itself", {}}));
  }
  api::JsonWriter json;
  json.begin_object().member("schema", api::kSchema);
  write_block_members(json, **stored, receipts->size(), node_.replica().validators());
  json.key("receipts").begin_array();
  for (std::size_t i = 0; i < receipts->size(); ++i) {
    json.begin_object();
    const auto sealed = codec::decode<ledger::SignedOperation>(payload->operations[i]);
    const ledger::Receipt& receipt = (*receipts)[i];
    if (sealed) {
      api::write_operation_members(json, {receipt.operation, sealed->operation, sealed->key});
    } else {
      json.member("id", receipt.operation.to_string());
    }
    json.member("status", receipt.refused ? "refused" : "applied");
    if (receipt.refused) api::write_refused(json.key("refused"), *receipt.refused);
    json.end_object();
  }
  json.end_array().end_object();
  answer(call, std::move(json));
}

void Api::show_genesis(Call call) {
  api::JsonWriter json;
  json.begin_object().member("schema", api::kSchema);
  json.member("chain_id", node_.chain_id().to_string());
  json.member("genesis", api::to_base64(ledger::encode(node_.genesis()))).end_object();
  answer(call, std::move(json));
}

void Api::show_owner(Call call) {
  const auto owner = named_owner(call.parameter);
  if (!owner) return answer(call, owner.error());
  const ledger::Ledger& ledger = node_.ledger();
  const ledger::OwnerKeyRecord& keys = *ledger.owner_keys(*owner);
  api::JsonWriter json;
  json.begin_object().member("schema", api::kSchema);
  json.member("owner", owner->to_string()).member("name", ledger.owner(*owner)->name);
  json.member("since_height", keys.since_height);
  json.key("keys").begin_object();
  for (const auto& [algorithm, key] : keys.bundle.keys) {
    json.member(identity::algorithm_name(algorithm), api::to_base64(key));
  }
  json.end_object();
  if (keys.retiring) {
    json.key("retiring").begin_object();
    json.member("ed25519", api::to_base64(keys.retiring->key.bytes));
    json.member("until_height", keys.retiring->until_height).end_object();
  }
  json.member("bundle", api::to_base64(codec::encode(keys.bundle)));
  json.member("height", ledger.height()).end_object();
  answer(call, std::move(json));
}

node::RoundTrips Api::round_trips() const {
  if (!hooks_.round_trips) return node::round_trips_from(node_.id(), {});
  return node::round_trips_from(node_.id(), hooks_.round_trips());
}

void Api::list_nodes(Call call) {
  const ledger::Ledger& ledger = node_.ledger();
  const auto measured = round_trips();
  api::JsonWriter json;
  json.begin_object().member("schema", api::kSchema).key("nodes").begin_array();
  for (const auto& [id, node] : ledger.tables().nodes) {
    const bool is_self = id == node_.id();
    json.begin_object();
    json.member("id", id.to_string()).member("name", node.binding.name);
    json.member("owner", node.binding.owner.to_string());
    json.member("key", node.binding.node_key.to_string());
    json.member("validator", ledger.tables().validators.contains(id));
    json.member("self", is_self);
    json.member("connected", is_self || node_.peers().contains(id));
    if (const auto found = measured.find(id); found != measured.end()) {
      json.member("rtt_us", found->second);
    }
    json.member("assets", ledger.index().of_node(id).size());
    json.member("allowance", caesar::to_string(node.allowance));
    if (const auto* commitment = ledger.storage_commitment(id)) {
      json.key("storage_commitment").begin_object();
      json.member("generation", commitment->generation);
      json.member("objects", commitment->objects.to_string());
      json.member("shards", commitment->shards.to_string());
      json.member("height", commitment->changed_height).end_object();
    }
    json.member("registered_height", node.registered_height);
    json.end_object();
  }
  json.end_array().end_object();
  answer(call, std::move(json));
}

void Api::list_validators(Call call) {
  const consensus::Replica& replica = node_.replica();
  const consensus::ValidatorSet& validators = replica.validators();
  const ledger::Ledger& ledger = node_.ledger();
  api::JsonWriter json;
  json.begin_object().member("schema", api::kSchema);
  json.member("total_stake", std::to_string(validators.total_stake()));
  json.member("leader", validators.at(replica.leader(replica.view())).node.to_string());
  json.key("validators").begin_array();
  for (const consensus::Validator& validator : validators.all()) {
    const auto* node = ledger.node(validator.node);
    const bool is_self = validator.node == node_.id();
    json.begin_object().member("node", validator.node.to_string());
    if (node != nullptr) {
      json.member("name", node->binding.name).member("owner", node->binding.owner.to_string());
    }
    json.member("key", validator.key.to_string());
    json.member("stake", caesar::to_string(caesar::Amount(validator.stake)));
    json.member("stake_units", std::to_string(validator.stake));
    json.member("self", is_self);
    json.member("connected", is_self || node_.peers().contains(validator.node));
    json.end_object();
  }
  json.end_array().end_object();
  answer(call, std::move(json));
}

}  // namespace hm::http_api
