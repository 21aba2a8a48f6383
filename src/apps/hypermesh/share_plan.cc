// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/share_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/privacy/level.h"

namespace hm::cli {
namespace {

using assets::PrivacyLevel;

constexpr std::string_view kLendableField = "lendable";  // of the descriptor; set by the node

Answer<PrivacyLevel> read_level(const std::string& text) {
  const auto level = assets::parse_level(text);
  if (!level) {
    return failed(ExitCode::Usage, fmt::format("'{}' is no privacy level", text),
                  "the levels are private, private_network, p2p, public_network, full_public",
                  "for example --level public_network");
  }
  if (*level == PrivacyLevel::Private) {
    return failed(ExitCode::Usage, "what is private is shared with nobody",
                  "a private asset is not on the ledger, so that no grant can take effect on it",
                  "leave --level out, or name a more open one");
  }
  return *level;
}

// Whom the level itself stands for.
Answer<std::vector<GranteeWord>> everybody_at(PrivacyLevel level) {
  switch (level) {
    case PrivacyLevel::PublicNetwork:
      return std::vector<GranteeWord>{{GranteeWord::Kind::Certificate, "*", ""}};
    case PrivacyLevel::FullPublic:
      return std::vector<GranteeWord>{{GranteeWord::Kind::Anyone, "", ""}};
    case PrivacyLevel::PrivateNetwork:
      return failed(ExitCode::Usage, "private_network does not say which groups",
                    "at that level the members of named groups learn of the asset",
                    "name them: --with group:NAME");
    case PrivacyLevel::P2P:
    case PrivacyLevel::Private:
      return failed(ExitCode::Usage, "p2p does not say which peers",
                    "at that level each peer that is named learns of the asset",
                    "name them: --with OWNER");
  }
  return std::vector<GranteeWord>{};
}

Answer<std::vector<GranteeWord>> read_with(const Share& options,
                                           std::optional<PrivacyLevel> level) {
  if (options.with.empty() && level) return everybody_at(*level);
  if (options.with.empty()) {
    return failed(ExitCode::Usage, "nobody is named, so nothing is shared",
                  "--with may be OWNER, group:NAME, cert:PATTERN[@ISSUER] or anyone; --level "
                  "public_network or full_public names everybody there",
                  fmt::format("for example hypermesh share {} {} --with bob", options.what,
                              options.words.share));
  }
  std::vector<GranteeWord> with;
  for (const std::string& text : options.with) {
    HM_CLI_TRY(GranteeWord word, parse_grantee(text));
    if (std::ranges::find(with, word) != with.end()) {
      return failed(ExitCode::Usage, fmt::format("--with {} is there twice", text),
                    "two equal grants give no more than one", "name each once");
    }
    with.push_back(std::move(word));
  }
  return with;
}

// A grantee of this kind, to ask what a level admits.
privacy::Grantee specimen(const GranteeWord& word) {
  switch (word.kind) {
    case GranteeWord::Kind::Owner: return privacy::ToOwner{};
    case GranteeWord::Kind::Group: return privacy::ToGroup{};
    case GranteeWord::Kind::Certificate: return privacy::CertificatePattern{};
    case GranteeWord::Kind::Anyone: return privacy::ToAnyone{};
  }
  return privacy::ToAnyone{};
}

std::string_view needed_level(const privacy::Grantee& to) {
  for (const PrivacyLevel level : {PrivacyLevel::PrivateNetwork, PrivacyLevel::P2P,
                                   PrivacyLevel::PublicNetwork, PrivacyLevel::FullPublic}) {
    if (privacy::admits(level, to)) return assets::name_of(level);
  }
  return assets::name_of(PrivacyLevel::FullPublic);
}

Failure not_admitted(PrivacyLevel level, const privacy::Grantee& to, const std::string& where) {
  const bool is_anyone = std::holds_alternative<privacy::ToAnyone>(to);
  return {ExitCode::Usage,
          fmt::format("{} does not admit {}", where,
                      is_anyone ? "anyone" : "the holders of a certificate"),
          fmt::format("the level {} is for {}", assets::name_of(level),
                      level == PrivacyLevel::PublicNetwork ? "owners, groups and certificates"
                                                           : "owners and groups"),
          fmt::format("--level {} admits them", needed_level(to))};
}

Outcome check_change(const OwnAsset& asset, PrivacyLevel level) {
  const PrivacyLevel present = asset.terms.level;
  if (level == present) return {};
  if (assets::shows_full_record(present) && assets::shows_full_record(level)) return {};
  if (assets::shows_full_record(present)) {
    return failed(
        ExitCode::Failure,
        fmt::format("{} cannot come down to {}", asset.id.to_string(), assets::name_of(level)),
        "the ledger has its full record, and does not forget",
        "leave --level out: the grants alone say who may lease it");
  }
  return failed(
      ExitCode::Failure,
      fmt::format("{} cannot come to {} from here", asset.id.to_string(), assets::name_of(level)),
      "the ledger has a commitment only; what it covers is known to its node",
      "change the level on the asset's own node first");
}

bool selects(const privacy::AssetSelector& selector, const OwnAsset& asset) {
  return (!selector.kind || *selector.kind == asset.id.kind) &&
         (!selector.node || *selector.node == asset.node) &&
         (!selector.asset || *selector.asset == asset.id.hash);
}

// Without overflow, rounded down as the ledger does.
std::uint64_t part_of(std::uint64_t whole, unsigned percent) {
  return whole / privacy::kWholeShare * percent +
         whole % privacy::kWholeShare * percent / privacy::kWholeShare;
}

}  // namespace

Answer<ShareRequest> check_share(const Share& options, const LocalTime& local) {
  ShareRequest request;
  request.kind = assets::parse_kind(options.what);
  if (options.level) {
    HM_CLI_TRY(request.level, read_level(*options.level));
  }
  if (request.level && !options.from.empty()) {
    return failed(ExitCode::Usage, "--from and --level do not go together",
                  "the level of an asset is its owner's, not that of a grant that is passed on",
                  "leave --level out");
  }
  HM_CLI_TRY(request.with, read_with(options, request.level));
  for (const GranteeWord& word : request.with) {
    if (request.level && !privacy::admits(*request.level, specimen(word))) {
      return std::unexpected(
          not_admitted(*request.level, specimen(word), fmt::format("--level {}", *options.level)));
    }
  }
  // The words are read again once it is known whose grant it is; here only for their faults.
  privacy::Grant probe;
  probe.to = privacy::ToAnyone{};
  HM_CLI_TRY_VOID(apply_words(probe, options.words, local));
  return request;
}

bool is_lendable(const assets::AssetTerms& terms) {
  if (terms.state == assets::AssetState::Retired || terms.state == assets::AssetState::Failed) {
    return false;
  }
  const auto field = terms.descriptor.find(std::string(kLendableField));
  if (field == terms.descriptor.end()) return true;  // registered by hand
  const bool* lendable = std::get_if<bool>(&field->second);
  return lendable == nullptr || *lendable;
}

unsigned granted_percent(std::span<const privacy::Grant> grants, const OwnAsset& asset,
                         UnixMillis now) {
  unsigned percent = 0;
  for (const privacy::Grant& grant : grants) {
    // What was passed on takes from the grant that it comes from.
    if (grant.parent || !selects(grant.assets, asset)) continue;
    if (grant.expiry && *grant.expiry <= now) continue;
    percent += grant.share_percent;
  }
  return std::min<unsigned>(percent, privacy::kWholeShare);
}

assets::AssetTerms opened(assets::AssetTerms terms, unsigned percent,
                          std::optional<assets::PrivacyLevel> level) {
  assets::Quantity& quantity = terms.quantity;
  const std::uint64_t wanted = part_of(quantity.detected, percent);
  if (wanted > quantity.offered) {
    quantity.available += wanted - quantity.offered;
    quantity.offered = wanted;
  }
  if (level) terms.level = *level;
  return terms;
}

Outcome check_effect(std::span<const privacy::Grant> grants, const OwnAsset& asset,
                     std::optional<assets::PrivacyLevel> level) {
  if (level) HM_CLI_TRY_VOID(check_change(asset, *level));
  const PrivacyLevel at = level.value_or(asset.terms.level);
  for (const privacy::Grant& grant : grants) {
    if (!privacy::admits(at, grant.to)) {
      return std::unexpected(not_admitted(at, grant.to, asset.id.to_string()));
    }
    if (!grant.price && !asset.terms.price) {
      return failed(ExitCode::Usage, "nobody says what it costs",
                    fmt::format("neither --price nor {} names a price, and without one nothing "
                                "is leased",
                                asset.id.to_string()),
                    "--price 0 lends for nothing, --price 0.5 for half a CAES an hour and unit");
    }
  }
  return {};
}

}  // namespace hm::cli
