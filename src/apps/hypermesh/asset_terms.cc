// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/asset_terms.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "apps/hypermesh/api_client.h"
#include "apps/hypermesh/quantity.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

std::string_view usual_unit(assets::AssetKind kind) {
  switch (kind) {
    case assets::AssetKind::Cpu: return "millicores";
    case assets::AssetKind::Memory:
    case assets::AssetKind::Storage: return "bytes";
    case assets::AssetKind::Network: return "bits_per_second";
    case assets::AssetKind::Gpu: return "devices";
    case assets::AssetKind::Container:
    case assets::AssetKind::Economic: return "units";
    case assets::AssetKind::Concealed: return "basis_points";
  }
  return "units";
}

Outcome set_number(std::uint64_t& target, const std::optional<std::string>& text,
                   std::string_view option) {
  if (!text) return {};
  const auto number = parse_quantity(*text);
  if (!number) {
    return failed(ExitCode::Usage, fmt::format("'{}' is not a number for {}", *text, option),
                  "a number may carry k, M, G, T or Ki, Mi, Gi, Ti and B", "for example 16GiB");
  }
  target = *number;
  return {};
}

// A whole number, true or false, or text.
assets::DescriptorValue value_of(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == text.npos;
  if (const auto number = parse_quantity(text); digits && number) return *number;
  return std::string(text);
}

Outcome set_words(assets::AssetTerms& terms, const AssetTermsOptions& options) {
  if (options.unit) terms.quantity.unit = *options.unit;
  if (options.state) {
    const auto state = assets::parse_state(*options.state);
    if (!state) {
      return failed(ExitCode::Usage, fmt::format("'{}' is no state", *options.state),
                    "an owner may set available, maintenance and failed",
                    "for example --state maintenance");
    }
    terms.state = *state;
  }
  if (options.level) {
    const auto level = assets::parse_level(*options.level);
    if (!level) {
      return failed(ExitCode::Usage, fmt::format("'{}' is no privacy level", *options.level),
                    "the levels are private, private_network, p2p, public_network, full_public",
                    "for example --level public_network");
    }
    terms.level = *level;
  }
  if (options.price) {
    const auto price = parse_price(*options.price);
    if (!price && *options.price != "none") {
      return failed(ExitCode::Usage, fmt::format("'{}' is no price", *options.price),
                    "a price is CAES for a unit (or so many) during one hour, or 'none'",
                    "for example --price 0.5 or --price 0.01/GiB");
    }
    terms.price = price;
  }
  for (const std::string& field : options.fields) {
    const std::size_t equals = field.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return failed(ExitCode::Usage, fmt::format("'{}' is no descriptor field", field),
                    "a field is key=value", "for example --field model=X1");
    }
    terms.descriptor[field.substr(0, equals)] = value_of(field.substr(equals + 1));
  }
  return {};
}

std::optional<assets::DescriptorValue> descriptor_value(const ordered_json& value) {
  if (value.is_number_unsigned()) return value.get<std::uint64_t>();
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return std::nullopt;
  std::vector<std::string> items;
  for (const ordered_json& item : value) {
    if (!item.is_string()) return std::nullopt;
    items.push_back(item.get<std::string>());
  }
  return items;
}

}  // namespace

assets::AssetTerms new_terms(assets::AssetKind kind) {
  assets::AssetTerms terms;
  terms.quantity.unit = usual_unit(kind);
  return terms;
}

Answer<assets::AssetTerms> apply_terms(assets::AssetTerms terms, const AssetTermsOptions& options) {
  assets::Quantity& quantity = terms.quantity;
  HM_CLI_TRY_VOID(set_number(quantity.detected, options.detected, "--detected"));
  HM_CLI_TRY_VOID(set_number(quantity.offered, options.offered, "--offered"));
  quantity.available = std::min(quantity.available, quantity.offered);
  HM_CLI_TRY_VOID(set_number(quantity.available, options.available, "--available"));
  HM_CLI_TRY_VOID(set_words(terms, options));
  if (const auto valid = assets::validate(terms); !valid) {
    return failed(ExitCode::Usage, "these terms are refused by every node",
                  std::string(assets::name_of(valid.error())),
                  "available ≤ offered ≤ detected; only public levels are kept in the clear");
  }
  return terms;
}

Answer<assets::AssetTerms> terms_of_json(const ordered_json& asset) {
  const auto damaged = [] {
    return failed(ExitCode::Failure, "the node described the asset in an unknown way",
                  "it may be of another version", "compare 'hypermesh version' on both sides");
  };
  if (!asset.is_object() || !asset.contains("quantity") || !asset.contains("descriptor")) {
    return damaged();
  }
  assets::AssetTerms terms;
  const ordered_json& quantity = asset["quantity"];
  // Answers take what is leased off what is available; the terms do not.
  terms.quantity = {number_of(quantity, "detected"), number_of(quantity, "offered"),
                    number_of(quantity, "available") + number_of(quantity, "leased"),
                    text_of(quantity, "unit")};
  terms.quantity.available = std::min(terms.quantity.available, terms.quantity.offered);
  auto state = assets::parse_state(text_of(asset, "state"));
  // Leases make these of an asset that its owner calls available.
  if (state == assets::AssetState::Allocated || state == assets::AssetState::InUse) {
    state = assets::AssetState::Available;
  }
  const auto level = assets::parse_level(text_of(asset, "level"));
  if (!state || !level || !asset["descriptor"].is_object()) return damaged();
  terms.state = *state;
  terms.level = *level;
  for (const auto& [key, value] : asset["descriptor"].items()) {
    const auto parsed = descriptor_value(value);
    if (!parsed) return damaged();
    terms.descriptor[key] = *parsed;
  }
  if (asset.contains("commitment")) {
    terms.commitment = crypto::Digest::parse(text_of(asset, "commitment"));
    if (!terms.commitment) return damaged();
  }
  if (const auto price = caesar::parse_price(text_of(asset, "price"))) {
    terms.price = *price;
  }
  return terms;
}

}  // namespace hm::cli
