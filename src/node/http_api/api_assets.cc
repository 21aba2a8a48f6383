// SPDX-License-Identifier: Apache-2.0
// Assets: listing, lookup, and the writes of a single asset.
#include <algorithm>
#include <functional>
#include <type_traits>

#include "core/api/asset_json.h"
#include "core/api/ledger_json.h"
#include "core/api/limits.h"
#include "core/api/request.h"
#include "core/api/text.h"
#include "core/ledger/records.h"
#include "core/ledger/row_key.h"
#include "foundation/codec/reader.h"
#include "node/http_api/api.h"
#include "node/http_api/lookup.h"
#include "node/http_api/paging.h"

namespace hm::http_api {
namespace {

using api::ApiError;

struct AssetFilter {
  std::optional<assets::AssetKind> kind;
  std::optional<assets::AssetState> state;
  std::optional<identity::OwnerId> owner;
  std::optional<identity::NodeId> node;

  bool admits(const ledger::Ledger& ledger, const assets::AssetRecord& asset) const {
    return (!kind || asset.id.kind == *kind) && (!owner || asset.owner == *owner) &&
           (!node || asset.node == *node) && (!state || api::state_now(ledger, asset) == *state);
  }
};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

// The value of `name` or of its older name.
std::optional<std::string_view> query_of(const ports::HttpRequest& request, std::string_view name,
                                         std::string_view alias) {
  const auto value = request.query_value(name);
  return value ? value : request.query_value(alias);
}

// The asset that an action is about.
const assets::AssetId* asset_of(const ledger::Action& action) {
  return std::visit(
      [](const auto& known) -> const assets::AssetId* {
        if constexpr (requires { known.id; }) {
          return &known.id;
        } else {
          return nullptr;
        }
      },
      action);
}

}  // namespace

Result<identity::OwnerId, ApiError> Api::named_owner(std::string_view text) const {
  const auto* own_node = node_.ledger().node(node_.id());
  if (text == "self" && own_node != nullptr) return own_node->binding.owner;
  return find_owner(text);
}

Result<identity::OwnerId, ApiError> Api::find_owner(std::string_view text) const {
  return find_row(text, node_.ledger().tables().owners, "owner", std::identity{},
                  [](const auto& row) -> std::string_view { return row.name; });
}

Result<identity::NodeId, ApiError> Api::find_node(std::string_view text) const {
  return find_row(text, node_.ledger().tables().nodes, "node", std::identity{},
                  [](const auto& row) -> std::string_view { return row.binding.name; });
}

Result<const assets::AssetRecord*, ApiError> Api::find_asset(std::string_view text) const {
  const ledger::Ledger& ledger = node_.ledger();
  const auto missing = [&] {
    return fail(api::not_found("no asset is called '" + std::string(text) + "'"));
  };
  if (std::ranges::count(text, ':') == 2) {
    const auto id = assets::AssetId::parse(node_.chain_id(), text);
    if (id) {
      const auto* asset = ledger.asset(id->hash);
      if (asset == nullptr) return missing();
      return asset;
    }
    constexpr std::size_t kHashDigits = 64;
    if (text.size() > text.rfind(':') + kHashDigits) {
      ApiError error =
          api::bad_request("this is not an asset id: " + std::string(assets::name_of(id.error())));
      error.code = "ASSET_ID_INVALID";
      return fail(std::move(error));
    }
  }
  if (const auto address = assets::Address::parse(text)) {
    const auto* asset = ledger.asset_at(*address);
    if (asset == nullptr) return missing();
    return asset;
  }
  const auto hash = ledger.index().find(text);
  if (hash) return ledger.asset(*hash);
  switch (hash.error()) {
    case ledger::PrefixError::Ambiguous: return fail(ambiguous(text));
    case ledger::PrefixError::Malformed:
      return fail(
          api::bad_request("'" + std::string(text) + "' is no asset id, prefix or address"));
    case ledger::PrefixError::NotFound: return missing();
  }
  return missing();
}

void Api::list_assets(Call call) {
  AssetFilter filter;
  if (const auto text = query_of(call.request, "kind", "type")) {
    filter.kind = assets::parse_kind(lower(*text));
    if (!filter.kind) return answer(call, api::bad_request("no kind is called so", "kind"));
  }
  if (const auto text = query_of(call.request, "state", "status")) {
    filter.state = assets::parse_state(lower(*text));
    if (!filter.state) return answer(call, api::bad_request("no state is called so", "state"));
  }
  if (const auto text = call.request.query_value("owner")) {
    const auto owner = find_owner(*text);
    if (!owner) return answer(call, owner.error());
    filter.owner = *owner;
  }
  if (const auto text = call.request.query_value("node")) {
    const auto node = find_node(*text);
    if (!node) return answer(call, node.error());
    filter.node = *node;
  }
  const auto page = Page<crypto::Digest>::of(call.request);
  if (!page) return answer(call, page.error());

  const ledger::Ledger& ledger = node_.ledger();
  api::JsonWriter json;
  json.begin_object().member("schema", api::kSchema);
  write_page(
      json, "assets", ledger.tables().assets, *page, ledger.height(),
      [&](const auto&, const auto& asset) { return filter.admits(ledger, asset); },
      [&](const auto&, const auto& asset) { api::write_asset(json, ledger, asset); });
  json.end_object();
  answer(call, std::move(json));
}

void Api::show_asset(Call call) {
  const auto asset = find_asset(call.parameter);
  if (!asset) return answer(call, asset.error());
  const ledger::Ledger& ledger = node_.ledger();
  api::JsonWriter json;
  json.begin_object();
  api::write_asset_members(json, ledger, **asset);
  if (call.request.query_value("proof") == "1") {
    const Bytes key = ledger::row_key(ledger::Table::Asset, (*asset)->id.hash);
    json.member("state_height", ledger.height()).key("state_proof");
    api::write_state_proof(json, key, ledger.prove(key));
  }
  json.end_object();
  answer(call, std::move(json));
}

void Api::register_asset(Call call) {
  auto request = api::decode_register(call.request.body);
  if (!request) return answer(call, bad_body(request.error()));
  if (auto* sealed = std::get_if<api::SignedRequest>(&*request)) {
    return write_sealed(std::move(call), std::move(sealed->operation), "register_asset", nullptr);
  }
  auto& fields = std::get<api::RegisterRequest>(*request);
  std::array<std::uint8_t, assets::kUuidRandomSize> random{};
  node_.ports().random.fill(random);
  const auto id =
      assets::AssetId::make(node_.chain_id(), fields.kind, node_.ports().clock.wall(), random);
  write_as_node(std::move(call),
                {.action = ledger::RegisterAsset{id, node_.id(), std::move(fields.terms)},
                 .proofs = fields.proofs},
                id.hash);
}

void Api::update_asset(Call call) {
  const auto asset = find_asset(call.parameter);
  if (!asset) return answer(call, asset.error());
  auto request = api::decode_update(call.request.body);
  if (!request) return answer(call, bad_body(request.error()));
  const assets::AssetRecord& record = **asset;
  if (auto* sealed = std::get_if<api::SignedRequest>(&*request)) {
    return write_sealed(std::move(call), std::move(sealed->operation), "update_asset",
                        &record.id.hash);
  }
  auto& fields = std::get<api::UpdateRequest>(*request);
  assets::AssetTerms terms = record.terms;
  if (fields.descriptor) terms.descriptor = std::move(*fields.descriptor);
  if (fields.detected) terms.quantity.detected = *fields.detected;
  if (fields.offered) terms.quantity.offered = *fields.offered;
  if (fields.available) {
    terms.quantity.available = *fields.available;
  } else if (fields.offered) {
    // Offering less than is available leaves that much available; offering more adds nothing.
    terms.quantity.available = std::min(terms.quantity.available, *fields.offered);
  }
  if (fields.unit) terms.quantity.unit = std::move(*fields.unit);
  if (fields.state) terms.state = *fields.state;
  if (fields.level) terms.level = *fields.level;
  if (fields.price) terms.price = *fields.price;
  const std::uint64_t version = fields.expected_version.value_or(record.version);
  const crypto::Digest hash = record.id.hash;
  write_as_node(std::move(call),
                {.action = ledger::UpdateAsset{record.id, version, std::move(terms)},
                 .proofs = fields.proofs},
                hash);
}

void Api::transfer_asset(Call call) {
  const auto asset = find_asset(call.parameter);
  if (!asset) return answer(call, asset.error());
  auto request = api::decode_transfer(call.request.body);
  if (!request) return answer(call, bad_body(request.error()));
  const assets::AssetRecord& record = **asset;
  if (auto* sealed = std::get_if<api::SignedRequest>(&*request)) {
    return write_sealed(std::move(call), std::move(sealed->operation), "transfer_asset",
                        &record.id.hash);
  }
  const auto& fields = std::get<api::TransferRequest>(*request);
  const std::uint64_t version = fields.expected_version.value_or(record.version);
  const crypto::Digest hash = record.id.hash;
  write_as_node(
      std::move(call),
      {.action = ledger::TransferAsset{record.id, version, fields.to}, .proofs = fields.proofs},
      hash);
}

void Api::retire_asset(Call call) {
  const auto asset = find_asset(call.parameter);
  if (!asset) return answer(call, asset.error());
  auto request = api::decode_retire(call.request.body);
  if (!request) return answer(call, bad_body(request.error()));
  const assets::AssetRecord& record = **asset;
  if (auto* sealed = std::get_if<api::SignedRequest>(&*request)) {
    return write_sealed(std::move(call), std::move(sealed->operation), "retire_asset",
                        &record.id.hash);
  }
  const auto& fields = std::get<api::RetireRequest>(*request);
  const std::uint64_t version = fields.expected_version.value_or(record.version);
  const crypto::Digest hash = record.id.hash;
  write_as_node(std::move(call), {.action = ledger::RetireAsset{record.id, version}, .proofs = {}},
                hash);
}

void Api::write_sealed(Call call, Bytes operation, std::string_view action,
                       const crypto::Digest* asset) {
  const auto sealed = codec::decode<ledger::SignedOperation>(operation);
  if (!sealed) {
    return answer(call, api::refused({.rule = ledger::Refusal::Malformed}));
  }
  const assets::AssetId* about = asset_of(sealed->operation.action);
  if (ledger::name_of(sealed->operation.action) != action || about == nullptr ||
      (asset != nullptr && about->hash != *asset)) {
    return answer(
        call, api::bad_request("the signed operation is not the one of this path", "operation"));
  }
  auto shared = std::make_shared<Call>(std::move(call));
  std::vector<Bytes> operations;
  operations.push_back(std::move(operation));
  submit_and_wait(std::move(operations), [this, shared, hash = about->hash](auto outcomes) {
    std::visit([&](const auto& known) { answer_write(*shared, known, hash); }, outcomes.front());
  });
}

void Api::write_as_node(Call call, Author::Draft draft, crypto::Digest asset) {
  if (call.caller != Caller::Admin) {
    return answer(call, api::unauthenticated(
                            "this needs an operation signed by the owner, or the admin token"));
  }
  auto shared = std::make_shared<Call>(std::move(call));
  author_.submit(std::move(draft), [this, shared, asset](const OperationOutcome& outcome) {
    answer_write(*shared, outcome, asset);
  });
}

// Answers with the asset as it is once the write is applied.
void Api::answer_write(Call& call, const OperationOutcome& outcome, const crypto::Digest& asset) {
  answer_outcome(call, outcome, [&](api::JsonWriter& json) -> std::uint16_t {
    const auto* record = node_.ledger().asset(asset);
    if (record == nullptr) return 200;
    api::write_asset_members(json, node_.ledger(), *record);
    return record->version == 1 ? 201 : 200;
  });
}

void Api::answer_outcome(Call& call, const OperationOutcome& outcome,
                         const std::function<std::uint16_t(api::JsonWriter&)>& write_applied) {
  if (const auto* refused = std::get_if<ledger::Refused>(&outcome)) {
    return answer(call, api::refused(*refused));
  }
  if (std::holds_alternative<node::Busy>(outcome)) {
    return answer(call, api::too_many("the node has all the operations it can hold", 1));
  }
  if (const auto* halted = std::get_if<node::Halted>(&outcome)) {
    return answer(
        call, api::from_error(
                  {ErrorCode::Unavailable, "the node takes no operations: " + halted->reason, {}}));
  }
  api::JsonWriter json;
  json.begin_object();
  if (const auto* admitted = std::get_if<node::Admitted>(&outcome)) {
    json.member("operation", admitted->id.to_string()).member("status", "pending").end_object();
    return answer(call, std::move(json));
  }
  const auto& final_receipt = std::get<node::FinalReceipt>(outcome);
  if (final_receipt.receipt.refused) {
    return answer(call, api::refused(*final_receipt.receipt.refused));
  }
  const std::uint16_t status = write_applied(json);
  json.member("operation", final_receipt.receipt.operation.to_string());
  json.member("status", "applied").member("height", final_receipt.height);
  json.end_object();
  answer(call, std::move(json), status);
}

}  // namespace hm::http_api
