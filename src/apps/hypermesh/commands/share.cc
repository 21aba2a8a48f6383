// SPDX-License-Identifier: Apache-2.0
// `hypermesh share`: grants, signed here with both halves of the owner's key, and assets that offer
// enough for them.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "apps/hypermesh/api_client.h"
#include "apps/hypermesh/asset_terms.h"
#include "apps/hypermesh/confirmation.h"
#include "apps/hypermesh/context.h"
#include "apps/hypermesh/grant_json.h"
#include "apps/hypermesh/local_node.h"
#include "apps/hypermesh/name_book.h"
#include "apps/hypermesh/owner_operation.h"
#include "apps/hypermesh/share_plan.h"
#include "core/privacy/level.h"
#include "platform/files/key_file.h"
#include "platform/files/owner_key_file.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

// The node may change an asset between looking and signing.
constexpr int kAttempts = 3;

// Exact in the numbers of JSON readers.
std::uint64_t fresh_number() {
  std::array<std::uint8_t, 6> random{};
  files::fill_random(random);
  std::uint64_t number = 0;
  for (const std::uint8_t byte : random) number = number << 8 | byte;
  return number;
}

Answer<OwnAsset> asset_of_json(const ordered_json& json, const identity::ChainId& chain) {
  const auto id = assets::AssetId::parse(chain, text_of(json, "id"));
  const auto node = identity::NodeId::parse(text_of(json, "node"));
  if (!id || !node) {
    return failed(ExitCode::Failure, "the node described an asset in an unknown way",
                  "its id or node is not of this chain",
                  "compare 'hypermesh version' on both sides");
  }
  HM_CLI_TRY(assets::AssetTerms terms, terms_of_json(json));
  return OwnAsset{*id, *node, number_of(json, "version"), std::move(terms)};
}

class Sharing {
 public:
  Sharing(const Context& context, ApiClient& client, const identity::OwnerKeys& keys,
          const identity::ChainId& chain)
      : context_(context), client_(client), keys_(keys), chain_(chain), book_(client, keys.id()) {}

  Outcome lend(const Share& options, const ShareRequest& request, const LocalTime& local);
  Outcome pass_on(const Share& options, const ShareRequest& request, const LocalTime& local);

 private:
  Answer<std::vector<OwnAsset>> own_assets(const Share& options, const ShareRequest& request);
  Answer<privacy::Grantee> grantee(const GranteeWord& word);
  Answer<std::vector<privacy::Grant>> grants_of(privacy::Grant base, const Share& options,
                                                const ShareRequest& request,
                                                const LocalTime& local);
  Outcome confirm(const Share& options, const ShareRequest& request,
                  const std::vector<OwnAsset>& assets) const;
  Answer<std::vector<privacy::Grant>> with_issued(const std::vector<privacy::Grant>& fresh);
  Outcome add(const std::vector<privacy::Grant>& grants);
  Outcome open(OwnAsset asset, const std::vector<privacy::Grant>& all, const ShareRequest& request,
               const LocalTime& local);
  Failure with_what_is_done(Failure failure) const;
  void tell_end() const;

  const Context& context_;
  ApiClient& client_;
  const identity::OwnerKeys& keys_;
  identity::ChainId chain_;
  NameBook book_;
  ordered_json grants_ = ordered_json::array();  // done so far
  ordered_json assets_ = ordered_json::array();
};

// All of the kind on the node that is asked, or the one that is named.
Answer<std::vector<OwnAsset>> Sharing::own_assets(const Share& options,
                                                  const ShareRequest& request) {
  const std::string self = keys_.id().to_string();
  std::vector<OwnAsset> found;
  if (!request.kind) {
    HM_CLI_TRY(const ordered_json json, client_.get("/assets/" + escape(options.what)));
    if (text_of(json, "owner") != self) {
      return failed(ExitCode::Denied, fmt::format("{} is not yours", text_of(json, "id")),
                    "only its owner may share it",
                    "pass on a grant that is to you with --from GRANT, or sign with --key FILE");
    }
    HM_CLI_TRY(OwnAsset asset, asset_of_json(json, chain_));
    found.push_back(std::move(asset));
  } else {
    HM_CLI_TRY(const auto node, find_node(client_, ""));
    HM_CLI_TRY(const auto list,
               all_pages(client_,
                         fmt::format("/assets?kind={}&owner={}&node={}",
                                     assets::name_of(*request.kind), self, node.to_string()),
                         "assets"));
    for (const ordered_json& json : list) {
      HM_CLI_TRY(OwnAsset asset, asset_of_json(json, chain_));
      found.push_back(std::move(asset));
    }
  }
  std::erase_if(found, [](const OwnAsset& asset) { return !is_lendable(asset.terms); });
  if (!found.empty()) return found;
  return failed(ExitCode::Failure,
                fmt::format("there is no {} of yours here to share", options.what),
                "the node has none, or none that may be lent: the machine itself needs it, or it "
                "is gone",
                "'hypermesh assets' lists them, 'lendable' in 'assets show' says which may be");
}

Answer<privacy::Grantee> Sharing::grantee(const GranteeWord& word) {
  HM_CLI_TRY(privacy::Grantee to,
             grantee_of(word, chain_, keys_.id(),
                        [this](const std::string& text) { return find_owner(client_, text); }));
  if (const auto* group = std::get_if<privacy::ToGroup>(&to)) {
    const auto found = client_.get("/privacy/groups/" + group->group.to_string());
    if (!found && found.error().exit != ExitCode::Failure) return std::unexpected(found.error());
    if (!found) {
      return failed(ExitCode::Failure, fmt::format("there is no group '{}'", word.name),
                    word.of.empty() ? "you keep none of this name"
                                    : fmt::format("{} keeps none of this name", word.of),
                    fmt::format("hypermesh group set {} MEMBER...", word.name));
    }
  }
  return to;
}

Answer<std::vector<privacy::Grant>> Sharing::grants_of(privacy::Grant base, const Share& options,
                                                       const ShareRequest& request,
                                                       const LocalTime& local) {
  std::vector<privacy::Grant> grants;
  for (const GranteeWord& word : request.with) {
    HM_CLI_TRY(base.to, grantee(word));
    base.number = fresh_number();
    HM_CLI_TRY(privacy::Grant grant, apply_words(base, options.words, local));
    grants.push_back(std::move(grant));
  }
  return grants;
}

// Asks once if any asset becomes known to more than now.
Outcome Sharing::confirm(const Share& options, const ShareRequest& request,
                         const std::vector<OwnAsset>& assets) const {
  if (!request.level) return {};
  const bool is_more = std::ranges::any_of(
      assets, [&](const OwnAsset& asset) { return asset.terms.level < *request.level; });
  if (!is_more) return {};
  return confirm_level(context_.terminal, *request.level,
                       options.yes ? AskFirst::No : AskFirst::Yes);
}

// The owner's grants on the ledger that still count, and the fresh ones.
Answer<std::vector<privacy::Grant>> Sharing::with_issued(const std::vector<privacy::Grant>& fresh) {
  HM_CLI_TRY(const auto records,
             all_pages(client_, "/privacy/grants?owner=" + keys_.id().to_string(), "grants"));
  std::vector<privacy::Grant> grants = fresh;
  for (const ordered_json& record : records) {
    HM_CLI_TRY(GrantRow row, grant_row_of_json(record));
    if (!row.revoked) grants.push_back(std::move(row.grant));
  }
  return grants;
}

// What went before stands, and whoever is told of the failure must know.
Failure Sharing::with_what_is_done(Failure failure) const {
  if (grants_.empty()) return failure;
  std::vector<std::string> ids;
  for (const ordered_json& grant : grants_) ids.push_back(short_id(text_of(grant, "id")));
  failure.to_do = fmt::format("these grants stand: {}; 'hypermesh unshare ID' takes one back",
                              fmt::join(ids, ", "));
  return failure;
}

Outcome Sharing::add(const std::vector<privacy::Grant>& grants) {
  for (const privacy::Grant& grant : grants) {
    const privacy::GrantId id = privacy::grant_id(chain_, grant);
    const ledger::AddGrant action{
        grant, keys_.sign(privacy::grant_statement(id), files::fresh_falcon_randomness())};
    const auto receipt = submit_as_owner(client_, keys_, action);
    if (!receipt) return std::unexpected(with_what_is_done(receipt.error()));
    const std::string sentence = describe(grant, book_.names());
    const std::string undo = "hypermesh unshare " + short_id(id.to_string());
    grants_.push_back({{"id", id.to_string()},
                       {"to", grantee_words(grant.to, book_.names())},
                       {"allows", sentence},
                       {"operation", text_of(*receipt, "id")},
                       {"height", number_of(*receipt, "height")},
                       {"undo", undo}});
    if (context_.globals.json) continue;
    context_.terminal.data(id.to_string());
    context_.terminal.talk("  " + printable(sentence));
    context_.terminal.talk("  undo: " + undo);
  }
  return {};
}

Outcome Sharing::open(OwnAsset asset, const std::vector<privacy::Grant>& all,
                      const ShareRequest& request, const LocalTime& local) {
  for (int attempt = 1;; ++attempt) {
    const unsigned percent = granted_percent(all, asset, local.now);
    const assets::AssetTerms terms = opened(asset.terms, percent, request.level);
    if (terms == asset.terms) return {};
    const auto receipt =
        submit_as_owner(client_, keys_, ledger::UpdateAsset{asset.id, asset.version, terms});
    if (receipt) {
      assets_.push_back({{"id", asset.id.to_string()},
                         {"offered", terms.quantity.offered},
                         {"unit", terms.quantity.unit},
                         {"level", assets::name_of(terms.level)},
                         {"operation", text_of(*receipt, "id")},
                         {"height", number_of(*receipt, "height")}});
      if (!context_.globals.json) {
        context_.terminal.talk(fmt::format("{} now offers {} of {} {}, at the level {}",
                                           asset.id.to_string(), terms.quantity.offered,
                                           terms.quantity.detected, terms.quantity.unit,
                                           assets::name_of(terms.level)));
      }
      return {};
    }
    const bool changed = receipt.error().why.find("version_mismatch") != std::string::npos;
    if (!changed || attempt == kAttempts)
      return std::unexpected(with_what_is_done(receipt.error()));
    HM_CLI_TRY(const ordered_json json, client_.get("/assets/" + escape(asset.id.to_string())));
    HM_CLI_TRY(asset, asset_of_json(json, chain_));
  }
}

void Sharing::tell_end() const {
  if (!context_.globals.json) return;
  const ordered_json document = {{"schema", 1}, {"grants", grants_}, {"assets", assets_}};
  context_.terminal.data(document.dump());
}

Outcome Sharing::lend(const Share& options, const ShareRequest& request, const LocalTime& local) {
  HM_CLI_TRY(const std::vector<OwnAsset> assets, own_assets(options, request));
  privacy::Grant base;
  base.owner = base.issuer = keys_.id();
  if (request.kind) {
    base.assets = {request.kind, assets.front().node, std::nullopt};
  } else {
    base.assets.asset = assets.front().id.hash;
  }
  HM_CLI_TRY(const auto grants, grants_of(base, options, request, local));
  bool is_something = false;
  for (const OwnAsset& asset : assets) {
    HM_CLI_TRY_VOID(check_effect(grants, asset, request.level));
    const unsigned percent = grants.front().share_percent;
    assets::AssetTerms nothing = asset.terms;
    nothing.quantity.offered = nothing.quantity.available = 0;
    is_something = is_something || opened(nothing, percent, {}).quantity.offered > 0;
  }
  if (!is_something) {
    return failed(ExitCode::Usage,
                  fmt::format("{} of {} is less than one unit", options.words.share, options.what),
                  "a share is rounded down to whole units, such as whole devices",
                  "share more: 100% of one device is one device");
  }
  HM_CLI_TRY(const auto all, with_issued(grants));
  HM_CLI_TRY_VOID(confirm(options, request, assets));
  HM_CLI_TRY_VOID(add(grants));
  for (const OwnAsset& asset : assets) HM_CLI_TRY_VOID(open(asset, all, request, local));
  tell_end();
  return {};
}

Outcome Sharing::pass_on(const Share& options, const ShareRequest& request,
                         const LocalTime& local) {
  HM_CLI_TRY(const ordered_json record, client_.get("/privacy/grants/" + escape(options.from)));
  HM_CLI_TRY(const GrantRow parent, grant_row_of_json(record));
  privacy::Grant base = parent.grant;
  base.parent = parent.id;
  base.issuer = keys_.id();
  base.delegations = 0;
  if (request.kind) {
    base.assets.kind = request.kind;
  } else {
    HM_CLI_TRY(const ordered_json json, client_.get("/assets/" + escape(options.what)));
    HM_CLI_TRY(const OwnAsset asset, asset_of_json(json, chain_));
    // The parent selects by what it names; the asset must have all of it.
    base.assets.asset = asset.id.hash;
  }
  HM_CLI_TRY(const auto grants, grants_of(base, options, request, local));
  for (const privacy::Grant& grant : grants) {
    const auto excess = privacy::excess_over(parent.grant, grant);
    if (!excess) continue;
    return failed(ExitCode::Usage,
                  fmt::format("grant {} does not reach so far", short_id(parent.id.to_string())),
                  fmt::format("what is passed on stays within it, and this exceeds its {}",
                              privacy::name_of(*excess)),
                  fmt::format("'hypermesh grants show {}' says what it allows",
                              short_id(parent.id.to_string())));
  }
  HM_CLI_TRY_VOID(add(grants));
  tell_end();
  return {};
}

}  // namespace

Outcome run(const Share& options, const Context& context) {
  const LocalTime local = local_time();
  HM_CLI_TRY(const ShareRequest request, check_share(options, local));
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(const auto keys, owner_keys(context.globals, client.endpoint()));
  HM_CLI_TRY(const auto chain, chain_of(client));
  Sharing sharing(context, client, keys, chain);
  return options.from.empty() ? sharing.lend(options, request, local)
                              : sharing.pass_on(options, request, local);
}

}  // namespace hm::cli
