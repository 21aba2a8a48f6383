// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/policy_file.h"

#include <map>

#include "apps/hypermesh/duration.h"
#include "apps/hypermesh/grant_words.h"
#include "apps/hypermesh/quantity.h"
#include "apps/hypermesh/toml_keys.h"
#include "platform/files/atomic_file.h"

namespace hm::cli {
namespace {

constexpr std::size_t kMaxPolicyFile = std::size_t{1} << 20;
constexpr std::size_t kMaxTests = 10'000;
constexpr std::uint64_t kFormat = 1;
constexpr std::string_view kAll = "all";
constexpr std::string_view kByRoot = "@root";

// What stands for a name of the file: no two names share one.
template <class Id>
Id stand_in(std::string_view domain, std::string_view name) {
  return Id{crypto::tagged_hash(domain, as_bytes(name)).bytes};
}

// Faults in the words of a table, told with the table.
template <class T>
Answer<T> told_at(const std::string& where, Answer<T> answer) {
  if (answer) return answer;
  Failure failure = std::move(answer.error());
  failure.exit = ExitCode::Failure;
  failure.what = fmt::format("{}: {}", where, failure.what);
  return std::unexpected(std::move(failure));
}

std::optional<std::string> maybe_text(TableReader& table, const toml::table& source,
                                      std::string_view key) {
  return source.contains(key) ? std::optional(table.text(key)) : std::nullopt;
}
std::optional<std::string> maybe_count(TableReader& table, const toml::table& source,
                                       std::string_view key) {
  return source.contains(key) ? std::optional(std::to_string(table.number(key))) : std::nullopt;
}

// The value that `parse` makes of a text, or of `fallback` where the key is missing.
template <class Parse>
auto parsed_in(TableReader& table, std::string_view key, std::string_view fallback,
               std::string_view problem, Parse parse) {
  const auto value = parse(table.text(key, fallback));
  if (!value) table.refuse(key, problem);
  return value.value_or(typename std::decay_t<decltype(value)>::value_type{});
}

GrantWords words_in(TableReader& table, const toml::table& source) {
  GrantWords words;
  words.share = table.text("share");
  words.network = maybe_text(table, source, "network");
  words.hours = maybe_text(table, source, "hours");
  words.days = maybe_text(table, source, "days");
  words.utc_offset = maybe_text(table, source, "utc_offset");
  words.when = maybe_text(table, source, "when");
  words.price = maybe_text(table, source, "price");
  words.at_most = maybe_count(table, source, "at_most");
  words.largest = maybe_text(table, source, "largest");
  words.longest = maybe_text(table, source, "longest");
  words.per_day = maybe_count(table, source, "per_day");
  words.notice = maybe_text(table, source, "notice");
  words.until = maybe_text(table, source, "until");
  words.may_delegate = maybe_count(table, source, "may_delegate");
  if (words.until && parse_duration(*words.until)) {
    table.refuse("until", "must be a day or a moment: a file does not know when it is read");
  }
  return words;
}

class PolicyReader {
 public:
  explicit PolicyReader(std::string_view source) : source_(source) {}

  Answer<privacy::PolicyDocument> read(const toml::table& document);

 private:
  using Table = const toml::table*;
  std::string where(std::string_view what, std::size_t index) const {
    return fmt::format("{}: {} {}", source_, what, index + 1);
  }
  Outcome read_person(Table source, const std::string& where);
  Outcome read_asset(Table source, const std::string& where);
  Outcome read_group(Table source, const std::string& where);
  Outcome read_grant(Table source, const std::string& where);
  Outcome read_test(Table source, const std::string& where);

  Answer<identity::OwnerId> person(const std::string& name) const;
  identity::OwnerId person_in(TableReader& table, std::string_view key) const;
  FindOwner find_person() const {
    return [this](const std::string& name) { return person(name); };
  }
  Answer<privacy::Grantee> grantee(const std::string& text) const;
  void select(TableReader& table, privacy::Grant& grant) const;
  void read_certificates(TableReader& table, privacy::PolicyTest& test) const;
  privacy::Request request_in(TableReader& table, const toml::table& source) const;
  void read_answer(TableReader& table, const toml::table& source, privacy::PolicyTest& test) const;

  std::string source_;
  LocalTime local_;
  identity::OwnerId owner_;
  std::map<std::string, identity::OwnerId> people_;
  std::map<std::string, privacy::AssetFacts> assets_;
  std::map<std::string, privacy::Grant> grants_;
  privacy::PolicyDocument document_;
};

Answer<identity::OwnerId> PolicyReader::person(const std::string& name) const {
  const auto found = people_.find(name);
  if (found != people_.end()) return found->second;
  return failed(ExitCode::Failure, fmt::format("'{}' is no person of this file", name),
                "everybody is named once, so that a mistyped name is found",
                fmt::format("add [[person]] name = \"{}\"", name));
}

identity::OwnerId PolicyReader::person_in(TableReader& table, std::string_view key) const {
  const std::string name = table.text(key);
  const auto found = people_.find(name);
  if (found != people_.end()) return found->second;
  table.refuse(key, fmt::format("names no [[person]] of this file: '{}'", name));
  return {};
}

Outcome PolicyReader::read_person(Table source, const std::string& where) {
  TableReader table(*source, where);
  const std::string name = table.text("name");
  if (!identity::is_valid_name(name)) table.refuse("name", "must be an owner's name");
  const bool is_new =
      people_.emplace(name, stand_in<identity::OwnerId>("hm.policy-person.v1", name)).second;
  if (!is_new) table.refuse("name", "is there twice");
  HM_CLI_TRY_VOID(table.finish());
  return {};
}

Outcome PolicyReader::read_asset(Table source, const std::string& where) {
  TableReader table(*source, where);
  const std::string name = table.text("name");
  privacy::AssetFacts asset;
  asset.hash = stand_in<crypto::Digest>("hm.policy-asset.v1", name);
  asset.owner = owner_;
  asset.kind = parsed_in(table, "kind", "", "must be a kind of asset", assets::parse_kind);
  if (assets::parse_kind(name) || name == kAll || name.empty()) {
    table.refuse("name", "must not be a kind, 'all' or nothing");
  }
  asset.node = stand_in<identity::NodeId>("hm.policy-node.v1", table.text("node", "node"));
  asset.level =
      parsed_in(table, "level", "public_network", "must be a privacy level", assets::parse_level);
  asset.state = parsed_in(table, "state", "available", "must be a state", assets::parse_state);
  const std::string_view quantity = "must be a quantity, such as \"16GiB\"";
  asset.detected = parsed_in(table, "detected", "", quantity, parse_quantity);
  asset.free = source->contains("free") ? parsed_in(table, "free", "", quantity, parse_quantity)
                                        : asset.detected;
  if (source->contains("price")) {
    asset.price = parsed_in(table, "price", "", "must be a price, such as \"0.5\"", parse_price);
  }
  if (!assets_.emplace(name, asset).second) table.refuse("name", "is there twice");
  HM_CLI_TRY_VOID(table.finish());
  return {};
}

Outcome PolicyReader::read_group(Table source, const std::string& where) {
  TableReader table(*source, where);
  privacy::Group group{owner_, table.text("name"), {}};
  const std::vector<std::string> members = table.texts("members");
  HM_CLI_TRY_VOID(table.finish());
  for (const std::string& text : members) {
    HM_CLI_TRY(const GranteeWord word, told_at(where, parse_grantee(text)));
    HM_CLI_TRY(privacy::GroupMember member, told_at(where, group_member_of(word, find_person())));
    group.members.push_back(std::move(member));
  }
  const bool is_twice = std::ranges::find(document_.groups, group.name, &privacy::Group::name) !=
                        document_.groups.end();
  const auto valid = privacy::validate(group);
  if (valid && !is_twice) {
    document_.groups.push_back(std::move(group));
    return {};
  }
  return failed(ExitCode::Failure, fmt::format("{}: no such group can be", where),
                valid ? "another one has this name" : std::string(privacy::name_of(valid.error())),
                "correct the file and try again");
}

Answer<privacy::Grantee> PolicyReader::grantee(const std::string& text) const {
  HM_CLI_TRY(const GranteeWord word, parse_grantee(text));
  const bool is_known = word.kind != GranteeWord::Kind::Group ||
                        std::ranges::find(document_.groups, word.name, &privacy::Group::name) !=
                            document_.groups.end();
  if (!is_known || (word.kind == GranteeWord::Kind::Group && !word.of.empty())) {
    return failed(ExitCode::Failure, fmt::format("'{}' is no group of this file", text),
                  "only groups that the file holds can be tested",
                  fmt::format("add [[group]] name = \"{}\"", word.name));
  }
  return grantee_of(word, document_.chain, owner_, find_person());
}

// What the grant is for: all, a kind, or an asset of the file.
void PolicyReader::select(TableReader& table, privacy::Grant& grant) const {
  const std::string what = table.text("what");
  if (const auto asset = assets_.find(what); asset != assets_.end()) {
    grant.assets.asset = asset->second.hash;
  } else if (const auto kind = assets::parse_kind(what)) {
    grant.assets.kind = kind;
  } else if (what != kAll) {
    table.refuse("what", "must be a kind, \"all\", or the name of an [[asset]]");
  }
  if (const std::string node = table.text("node", ""); !node.empty()) {
    grant.assets.node = stand_in<identity::NodeId>("hm.policy-node.v1", node);
  }
}

Outcome PolicyReader::read_grant(Table source, const std::string& where) {
  TableReader table(*source, where);
  const std::string name = table.text("name");
  const std::string to = table.text("to");
  privacy::Grant grant;
  grant.owner = grant.issuer = owner_;
  if (source->contains("from")) {
    if (const auto parent = grants_.find(table.text("from")); parent != grants_.end()) {
      grant = parent->second;
      grant.parent = privacy::grant_id(document_.chain, parent->second);
      grant.delegations = 0;
    } else {
      table.refuse("from", "names no earlier [[grant]] of this file");
    }
    grant.issuer = person_in(table, "by");
  }
  grant.number = document_.grants.size();
  select(table, grant);
  const GrantWords words = words_in(table, *source);
  if (grants_.contains(name) || name.empty()) table.refuse("name", "must be there once");
  HM_CLI_TRY_VOID(table.finish());
  HM_CLI_TRY(grant.to, told_at(where, grantee(to)));
  HM_CLI_TRY(grant, told_at(where, apply_words(grant, words, local_)));
  grants_.emplace(name, grant);
  document_.grants.push_back(std::move(grant));
  return {};
}

// "bob.lab.example.org@carol"; "@root": by this mesh's root or that of a federated one.
void PolicyReader::read_certificates(TableReader& table, privacy::PolicyTest& test) const {
  for (const std::string& text : table.texts("certificates")) {
    const std::size_t at = std::min(text.find('@'), text.size());
    privacy::PolicyCertificate certificate;
    certificate.name = text.substr(0, at);
    certificate.by_root = text.substr(at) == kByRoot;
    const auto issuer = people_.find(text.substr(std::min(at + 1, text.size())));
    if (issuer != people_.end()) certificate.issuer = issuer->second;
    if (!privacy::is_valid_name(certificate.name) ||
        (issuer == people_.end() && !certificate.by_root)) {
      table.refuse("certificates", "must be NAME@PERSON or NAME@root");
    }
    test.certificates.push_back(std::move(certificate));
  }
}

privacy::Request PolicyReader::request_in(TableReader& table, const toml::table& source) const {
  privacy::Request request;
  const std::string action = table.text("action", "lease");
  if (action == "discover") {
    request.action = privacy::Action::Discover;
  } else if (action != "lease") {
    table.refuse("action", "must be \"lease\" or \"discover\"");
  }
  const bool is_lease = request.action == privacy::Action::Lease;
  request.quantity = parsed_in(table, "quantity", is_lease ? "1" : "0",
                               "must be a quantity, such as \"4GiB\"", parse_quantity);
  request.duration_ms = parsed_in(table, "duration", is_lease ? "1h" : "0s",
                                  "must be a time, such as \"2h\"", parse_duration);
  request.network = parsed_in(table, "network", "none",
                              "must be \"none\", \"mesh\" or \"internet\"", privacy::parse_network);
  if (source.contains("highest_price")) {
    request.highest_price =
        parsed_in(table, "highest_price", "", "must be a price, such as \"0.5\"", parse_price);
  }
  return request;
}

std::optional<privacy::Idleness> parse_machine(std::string_view text) {
  if (text == "idle") return privacy::Idleness::Idle;
  if (text == "active") return privacy::Idleness::Active;
  if (text == "unknown") return privacy::Idleness::Unknown;
  return std::nullopt;
}

std::optional<privacy::Rule> parse_rule(std::string_view text) {
  for (std::uint8_t i = 0; i <= static_cast<std::uint8_t>(privacy::kLastRule); ++i) {
    if (privacy::name_of(static_cast<privacy::Rule>(i)) == text) {
      return static_cast<privacy::Rule>(i);
    }
  }
  return std::nullopt;
}

void PolicyReader::read_answer(TableReader& table, const toml::table& source,
                               privacy::PolicyTest& test) const {
  const std::string expects = table.text("expects");
  if (expects == "allow") {
    test.expects = privacy::Outcome::Allow;
  } else if (expects != "deny") {
    table.refuse("expects", "must be \"allow\" or \"deny\"");
  }
  if (!source.contains("rule")) return;
  test.rule = parse_rule(table.text("rule"));
  if (!test.rule || test.expects == privacy::Outcome::Allow) {
    table.refuse("rule", "must be the rule that denies, such as \"outside_hours\"");
  }
}

Outcome PolicyReader::read_test(Table source, const std::string& where) {
  TableReader table(*source, where);
  privacy::PolicyTest test;
  test.name = table.text("name");
  test.requester = person_in(table, "who");
  if (const auto asset = assets_.find(table.text("asset")); asset != assets_.end()) {
    test.asset = asset->second;
  } else {
    table.refuse("asset", "names no [[asset]] of this file");
  }
  read_certificates(table, test);
  test.request = request_in(table, *source);
  test.moment.now = parsed_in(table, "at", "", "must be a moment, such as \"2030-01-07T21:00\"",
                              [this](std::string_view text) { return parse_moment(text, local_); });
  test.moment.idleness = parsed_in(table, "machine", "unknown",
                                   "must be \"idle\", \"active\" or \"unknown\"", parse_machine);
  test.use.leased =
      parsed_in(table, "in_use", "0", "must be a quantity, such as \"4GiB\"", parse_quantity);
  const auto count = [&](std::string_view key) {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(table.number(key, 0), UINT32_MAX));
  };
  test.use.open_leases = count("open_leases");
  test.use.opened_today = count("opened_today");
  read_answer(table, *source, test);
  const auto twin = std::ranges::find(document_.tests, test.name, &privacy::PolicyTest::name);
  if (test.name.empty() || twin != document_.tests.end()) {
    table.refuse("name", "must be there once");
  }
  HM_CLI_TRY_VOID(table.finish());
  document_.tests.push_back(std::move(test));
  return {};
}

Answer<privacy::PolicyDocument> PolicyReader::read(const toml::table& document) {
  TableReader table(document, source_);
  if (table.number("format") != kFormat) table.refuse("format", "must be 1");
  const std::string owner = table.text("owner");
  local_.utc_offset =
      parsed_in(table, "utc_offset", "+00:00", "must be a distance from UTC, such as \"+02:00\"",
                parse_utc_offset);
  const auto people = table.tables("person");
  const auto assets = table.tables("asset");
  const auto groups = table.tables("group");
  const auto grants = table.tables("grant");
  const auto tests = table.tables("test");
  if (tests.empty() || tests.size() > kMaxTests) {
    table.refuse("test", "must be there: a policy without tests says nothing about itself");
  }
  HM_CLI_TRY_VOID(table.finish());
  const auto read_all = [&](const auto& tables, std::string_view what, auto read_one) -> Outcome {
    for (std::size_t i = 0; i < tables.size(); ++i) {
      HM_CLI_TRY_VOID((this->*read_one)(tables[i], where(what, i)));
    }
    return {};
  };
  HM_CLI_TRY_VOID(read_all(people, "person", &PolicyReader::read_person));
  HM_CLI_TRY(owner_, told_at(source_, person(owner)));
  HM_CLI_TRY_VOID(read_all(assets, "asset", &PolicyReader::read_asset));
  HM_CLI_TRY_VOID(read_all(groups, "group", &PolicyReader::read_group));
  HM_CLI_TRY_VOID(read_all(grants, "grant", &PolicyReader::read_grant));
  HM_CLI_TRY_VOID(read_all(tests, "test", &PolicyReader::read_test));
  return std::move(document_);
}

}  // namespace

Answer<privacy::PolicyDocument> parse_policy(std::string_view text, std::string_view source) {
  HM_CLI_TRY(const toml::table document, parse_toml(text, source));
  return PolicyReader(source).read(document);
}

Answer<privacy::PolicyDocument> read_policy(const std::string& path) {
  HM_CLI_TRY(const Bytes content, files::read_file(path, kMaxPolicyFile, files::Access::Public));
  return parse_policy(as_text(content), path);
}

}  // namespace hm::cli
