// SPDX-License-Identifier: Apache-2.0
#include "core/api/request.h"

#include <utility>

#include "core/api/json_members.h"
#include "core/api/limits.h"
#include "core/api/text.h"

namespace hm::api {
namespace {

Decoded<assets::DescriptorValue> descriptor_value(const Json& json, const std::string& path) {
  if (json.is_number_unsigned()) return json.get<std::uint64_t>();
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_string()) return json.get<std::string>();
  if (!json.is_array()) {
    return bad(path, "is not a whole number, text, true, false or list of texts");
  }
  std::vector<std::string> items;
  for (const Json& item : json) {
    if (!item.is_string()) return bad(path, "holds something that is not a text");
    items.push_back(item.get<std::string>());
  }
  return items;
}

Decoded<std::optional<assets::Descriptor>> take_descriptor(Members& members) {
  auto json = members.take("descriptor");
  if (auto alias = members.take("spec")) {
    if (json) return bad("spec", "says the same as descriptor; give one");
    json = std::move(alias);
  }
  if (!json) return std::optional<assets::Descriptor>{};
  if (!json->is_object()) return bad("descriptor", "is not an object");
  assets::Descriptor descriptor;
  for (const auto& [name, value] : json->items()) {
    HM_TRY(auto entry, descriptor_value(value, "descriptor." + name));
    descriptor.emplace(name, std::move(entry));
  }
  return std::optional(std::move(descriptor));
}

Decoded<std::optional<assets::AssetState>> take_state(Members& members) {
  HM_TRY(const auto name, members.text("state"));
  if (!name) return std::optional<assets::AssetState>{};
  const auto state = assets::parse_state(*name);
  if (!state) return bad("state", "is not a state of assets");
  return state;
}

Decoded<std::optional<assets::PrivacyLevel>> take_level(Members& members) {
  HM_TRY(const auto name, members.text("level"));
  if (!name) return std::optional<assets::PrivacyLevel>{};
  const auto level = assets::parse_level(*name);
  if (!level) return bad("level", "is not a privacy level");
  return level;
}

// Absent, null (no price) or a price in a text.
Decoded<std::optional<std::optional<caesar::Price>>> take_price(Members& members) {
  using Price = std::optional<caesar::Price>;
  const auto json = members.take("price");
  if (!json) return std::optional<Price>{};
  if (json->is_null()) return std::optional<Price>(std::in_place);
  const auto price =
      json->is_string() ? caesar::parse_price(json->get<std::string>()) : std::nullopt;
  if (!price) return bad("price", "is not a price in a text, such as \"0.25\" or \"0.25/1024\"");
  return std::optional<Price>(*price);
}

Decoded<assets::CitedRecords> take_proofs(Members& members, const char* name = "proofs") {
  assets::CitedRecords cited;
  auto json = members.take(name);
  if (!json) return cited;
  HM_TRY(Members proofs, Members::of(std::move(*json), name));
  HM_TRY(cited.space, proofs.digest("space"));
  HM_TRY(cited.work, proofs.digest("work"));
  HM_TRY_VOID(proofs.finish());
  return cited;
}

Decoded<std::optional<SignedRequest>> take_signed(Members& members) {
  const auto json = members.take("operation");
  if (!json) return std::optional<SignedRequest>{};
  auto bytes =
      json->is_string() ? bytes_of_text(json->get_ref<const std::string&>()) : std::nullopt;
  if (!bytes) return bad("operation", "is not base64 or hex of a signed operation");
  HM_TRY_VOID(members.finish());
  return std::optional(SignedRequest{std::move(*bytes)});
}

Decoded<assets::AssetKind> take_kind(Members& members) {
  HM_TRY(auto kind, members.text("kind"));
  HM_TRY(auto type, members.text("type"));
  if (kind && type) return bad("type", "says the same as kind; give one");
  if (!kind) kind = std::move(type);
  if (!kind) return bad("kind", "is missing");
  for (char& c : *kind) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  const auto parsed = assets::parse_kind(*kind);
  if (!parsed) return bad("kind", "is not a kind of asset");
  return *parsed;
}

Decoded<assets::Quantity> take_quantity(Members& members) {
  auto json = members.take("quantity");
  if (!json) return bad("quantity", "is missing");
  HM_TRY(Members quantity, Members::of(std::move(*json), "quantity"));
  HM_TRY(const auto detected, quantity.number("detected"));
  HM_TRY(const auto offered, quantity.number("offered"));
  HM_TRY(const auto available, quantity.number("available"));
  HM_TRY(auto unit, quantity.text("unit"));
  HM_TRY_VOID(quantity.finish());
  if (!detected) return bad("quantity.detected", "is missing");
  if (!unit) return bad("quantity.unit", "is missing");
  const std::uint64_t offer = offered.value_or(0);
  return assets::Quantity{*detected, offer, available.value_or(offer), std::move(*unit)};
}

}  // namespace

Result<WriteRequest<RegisterRequest>, BadRequest> decode_register(std::string_view body) {
  HM_TRY(Members members, parse_members(body));
  HM_TRY(auto sealed, take_signed(members));
  if (sealed) return std::move(*sealed);
  RegisterRequest request;
  HM_TRY(request.kind, take_kind(members));
  HM_TRY(request.terms.quantity, take_quantity(members));
  HM_TRY(auto descriptor, take_descriptor(members));
  HM_TRY(const auto state, take_state(members));
  HM_TRY(const auto level, take_level(members));
  HM_TRY(const auto price, take_price(members));
  HM_TRY(request.proofs, take_proofs(members));
  HM_TRY_VOID(members.finish());
  if (descriptor) request.terms.descriptor = std::move(*descriptor);
  if (state) request.terms.state = *state;
  if (level) request.terms.level = *level;
  if (price) request.terms.price = *price;
  return request;
}

Result<WriteRequest<UpdateRequest>, BadRequest> decode_update(std::string_view body) {
  HM_TRY(Members members, parse_members(body));
  HM_TRY(auto sealed, take_signed(members));
  if (sealed) return std::move(*sealed);
  UpdateRequest request;
  HM_TRY(request.expected_version, members.number("expected_version"));
  if (auto json = members.take("quantity")) {
    HM_TRY(Members quantity, Members::of(std::move(*json), "quantity"));
    HM_TRY(request.detected, quantity.number("detected"));
    HM_TRY(request.offered, quantity.number("offered"));
    HM_TRY(request.available, quantity.number("available"));
    HM_TRY(request.unit, quantity.text("unit"));
    HM_TRY_VOID(quantity.finish());
  }
  HM_TRY(request.descriptor, take_descriptor(members));
  HM_TRY(request.state, take_state(members));
  HM_TRY(request.level, take_level(members));
  HM_TRY(request.price, take_price(members));
  HM_TRY(request.proofs, take_proofs(members));
  HM_TRY_VOID(members.finish());
  return request;
}

Result<WriteRequest<TransferRequest>, BadRequest> decode_transfer(std::string_view body) {
  HM_TRY(Members members, parse_members(body));
  HM_TRY(auto sealed, take_signed(members));
  if (sealed) return std::move(*sealed);
  HM_TRY(const auto to, members.text("to"));
  if (!to) return bad("to", "is missing");
  const auto owner = identity::OwnerId::parse(*to);
  if (!owner) return bad("to", "is not an owner id of 64 lower-case hex digits");
  TransferRequest request{.to = *owner, .expected_version = {}, .proofs = {}};
  HM_TRY(request.expected_version, members.number("expected_version"));
  if (const auto required = members.take("consensus_required"); required && *required != true) {
    return bad("consensus_required", "can only be true: every change goes through consensus");
  }
  HM_TRY(request.proofs, take_proofs(members));
  HM_TRY_VOID(members.finish());
  return request;
}

Result<WriteRequest<RetireRequest>, BadRequest> decode_retire(std::string_view body) {
  if (body.empty()) return RetireRequest{};
  HM_TRY(Members members, parse_members(body));
  HM_TRY(auto sealed, take_signed(members));
  if (sealed) return std::move(*sealed);
  RetireRequest request;
  HM_TRY(request.expected_version, members.number("expected_version"));
  HM_TRY_VOID(members.finish());
  return request;
}

Result<std::vector<Bytes>, BadRequest> decode_batch(std::string_view body) {
  HM_TRY(Json json, parse_json(body));
  if (json.is_object()) {
    HM_TRY(Members members, Members::of(std::move(json), ""));
    auto list = members.take("operations");
    if (!list) return bad("operations", "is missing");
    HM_TRY_VOID(members.finish());
    json = std::move(*list);
  }
  if (!json.is_array() || json.empty()) return bad("operations", "is not a list with an operation");
  if (json.size() > kMaxBatchOperations) return bad("operations", "has too many entries");
  std::vector<Bytes> operations;
  operations.reserve(json.size());
  for (std::size_t i = 0; i < json.size(); ++i) {
    auto bytes =
        json[i].is_string() ? bytes_of_text(json[i].get_ref<const std::string&>()) : std::nullopt;
    if (!bytes) {
      return bad("operations[" + std::to_string(i) + "]", "is not base64 or hex in a text");
    }
    operations.push_back(std::move(*bytes));
  }
  return operations;
}

Result<std::map<std::string, std::string>, BadRequest> decode_texts(std::string_view body) {
  std::map<std::string, std::string> texts;
  if (body.empty()) return texts;
  HM_TRY(Json json, parse_json(body));
  if (!json.is_object()) return bad("", "is not an object");
  for (const auto& [name, value] : json.items()) {
    if (!value.is_string()) return bad(name, "is not a text");
    const auto& text = value.get_ref<const std::string&>();
    if (text.size() > kMaxSealedText) return bad(name, "is too long");
    texts.emplace(name, text);
  }
  return texts;
}

}  // namespace hm::api
