// SPDX-License-Identifier: Apache-2.0
// `hypermesh asset`: register, update, transfer, retire, signed here with the owner's key.
#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "apps/hypermesh/api_client.h"
#include "apps/hypermesh/asset_terms.h"
#include "apps/hypermesh/context.h"
#include "apps/hypermesh/local_node.h"
#include "apps/hypermesh/owner_operation.h"
#include "apps/hypermesh/parties.h"
#include "apps/hypermesh/wall_clock.h"
#include "platform/files/key_file.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

// The asset as the node knows it, and its parsed id.
struct Found {
  ordered_json json;
  assets::AssetId id;
  std::uint64_t version = 0;
};

Answer<Found> find_asset(ApiClient& client, const std::string& text) {
  HM_CLI_TRY(ordered_json asset, client.get("/assets/" + escape(text)));
  HM_CLI_TRY(const auto chain, chain_of(client));
  const auto id = assets::AssetId::parse(chain, text_of(asset, "id"));
  if (!id) {
    return failed(ExitCode::Failure, fmt::format("{} answered with another asset id", client.url()),
                  std::string(assets::name_of(id.error())));
  }
  const std::uint64_t version = number_of(asset, "version");
  return Found{std::move(asset), *id, version};
}

Outcome submit_and_tell(const Context& context, ApiClient& client, const identity::OwnerKeys& keys,
                        const ledger::Action& action, const assets::AssetId& id) {
  HM_CLI_TRY(const ordered_json receipt, submit_as_owner(client, keys, action));
  if (context.globals.json) {
    const ordered_json document = {{"schema", 1},
                                   {"asset", id.to_string()},
                                   {"action", ledger::name_of(action)},
                                   {"operation", text_of(receipt, "id")},
                                   {"status", "applied"},
                                   {"height", number_of(receipt, "height")}};
    context.terminal.data(document.dump());
  } else {
    context.terminal.data(id.to_string());
    context.terminal.talk(fmt::format("applied in block {}", number_of(receipt, "height")));
  }
  return {};
}

}  // namespace

Outcome run(const AssetRegister& options, const Context& context) {
  const auto kind = assets::parse_kind(options.kind);
  if (!kind) {
    return failed(ExitCode::Usage, fmt::format("'{}' is no kind of asset", options.kind),
                  "the kinds are cpu, gpu, memory, storage, network, container and economic",
                  "for example --kind storage");
  }
  HM_CLI_TRY(const assets::AssetTerms terms, apply_terms(new_terms(*kind), options.terms));
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(const auto keys, owner_keys(context.globals, client.endpoint()));
  HM_CLI_TRY(const auto chain, chain_of(client));
  HM_CLI_TRY(const auto node, find_node(client, options.node));
  std::array<std::uint8_t, assets::kUuidRandomSize> random{};
  files::fill_random(random);
  const auto id = assets::AssetId::make(chain, *kind, wall_now(), random);
  return submit_and_tell(context, client, keys, ledger::RegisterAsset{id, node, terms}, id);
}

Outcome run(const AssetUpdate& options, const Context& context) {
  const AssetTermsOptions& given = options.terms;
  if (!given.detected && !given.offered && !given.available && !given.unit && !given.state &&
      !given.level && !given.price && given.fields.empty()) {
    return failed(ExitCode::Usage, "nothing to update was given",
                  "an operation that changes nothing would only use up a sequence number",
                  "for example --offered 16GiB; see 'hypermesh asset update --help'");
  }
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(const auto keys, owner_keys(context.globals, client.endpoint()));
  HM_CLI_TRY(const Found found, find_asset(client, options.id));
  HM_CLI_TRY(assets::AssetTerms present, terms_of_json(found.json));
  HM_CLI_TRY(const assets::AssetTerms terms, apply_terms(std::move(present), options.terms));
  return submit_and_tell(context, client, keys, ledger::UpdateAsset{found.id, found.version, terms},
                         found.id);
}

Outcome run(const AssetTransfer& options, const Context& context) {
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(const auto keys, owner_keys(context.globals, client.endpoint()));
  HM_CLI_TRY(const Found found, find_asset(client, options.id));
  HM_CLI_TRY(const auto to, find_owner(client, options.to));
  return submit_and_tell(context, client, keys, ledger::TransferAsset{found.id, found.version, to},
                         found.id);
}

Outcome run(const AssetRetire& options, const Context& context) {
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(const auto keys, owner_keys(context.globals, client.endpoint()));
  HM_CLI_TRY(const Found found, find_asset(client, options.id));
  return submit_and_tell(context, client, keys, ledger::RetireAsset{found.id, found.version},
                         found.id);
}

}  // namespace hm::cli
