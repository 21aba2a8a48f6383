// SPDX-License-Identifier: Apache-2.0
// `hypermesh group` and `hypermesh certify`: how people come to be meant by grants that do not name
// them.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "apps/hypermesh/api_client.h"
#include "apps/hypermesh/context.h"
#include "apps/hypermesh/duration.h"
#include "apps/hypermesh/grant_json.h"
#include "apps/hypermesh/local_node.h"
#include "apps/hypermesh/name_book.h"
#include "apps/hypermesh/owner_operation.h"
#include "apps/hypermesh/wall_clock.h"
#include "platform/files/owner_key_file.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

Answer<std::vector<GroupRow>> groups_of(ApiClient& client, const identity::OwnerId& owner) {
  HM_CLI_TRY(const auto records,
             all_pages(client, "/privacy/groups?owner=" + owner.to_string(), "groups"));
  std::vector<GroupRow> rows;
  for (const ordered_json& record : records) {
    HM_CLI_TRY(GroupRow row, group_row_of_json(record));
    rows.push_back(std::move(row));
  }
  return rows;
}

Answer<std::optional<GroupRow>> group_named(ApiClient& client, const identity::OwnerId& owner,
                                            const std::string& name) {
  if (!identity::is_valid_name(name)) {
    return failed(ExitCode::Usage, fmt::format("'{}' is no name of a group", name),
                  "a name is 1 to 63 of a-z, 0-9, '.', '_' and '-', letters or digits at its ends",
                  "for example family");
  }
  HM_CLI_TRY(auto rows, groups_of(client, owner));
  for (GroupRow& row : rows) {
    if (row.group.name == name) return std::optional(std::move(row));
  }
  return std::optional<GroupRow>();
}

std::unexpected<Failure> no_such_group(const std::string& name) {
  return failed(ExitCode::Failure, fmt::format("you keep no group '{}'", name), "nobody is in it",
                "'hypermesh group ls' lists them; 'hypermesh group set' makes one");
}

std::vector<std::string> member_words(const privacy::Group& group, const GrantNames& names) {
  std::vector<std::string> words;
  for (const privacy::GroupMember& member : group.members) {
    words.push_back(std::visit(
        [&](const auto& one) { return grantee_words(privacy::Grantee(one), names); }, member));
  }
  return words;
}

std::string set_command(const privacy::Group& group, const GrantNames& names) {
  return fmt::format("hypermesh group set {} {}", group.name,
                     fmt::join(member_words(group, names), " "));
}

Answer<std::vector<privacy::GroupMember>> members_of(ApiClient& client, const GroupSet& options) {
  std::vector<privacy::GroupMember> members;
  for (const std::string& text : options.members) {
    HM_CLI_TRY(const GranteeWord word, parse_grantee(text));
    HM_CLI_TRY(privacy::GroupMember member, group_member_of(word, [&](const std::string& name) {
                 return find_owner(client, name);
               }));
    members.push_back(std::move(member));
  }
  const auto valid = privacy::validate(privacy::Group{{}, options.name, members});
  if (valid) return members;
  return failed(ExitCode::Usage,
                fmt::format("every node would refuse the group '{}'", options.name),
                std::string(privacy::name_of(valid.error())),
                fmt::format("at most {} members, each once", privacy::kMaxGroupMembers));
}

Outcome tell(const Context& context, const std::string& name, const privacy::GroupId& id,
             const ordered_json& receipt, const std::string& done, const std::string& undo) {
  if (context.globals.json) {
    const ordered_json document = {{"schema", 1},
                                   {"group", id.to_string()},
                                   {"name", name},
                                   {"operation", text_of(receipt, "id")},
                                   {"height", number_of(receipt, "height")},
                                   {"undo", undo}};
    context.terminal.data(document.dump());
    return {};
  }
  context.terminal.data(id.to_string());
  context.terminal.talk(fmt::format("{}, in block {}", done, number_of(receipt, "height")));
  context.terminal.talk(printable("undo: " + undo));
  return {};
}

}  // namespace

Outcome run(const GroupSet& options, const Context& context) {
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(const auto keys, owner_keys(context.globals, client.endpoint()));
  HM_CLI_TRY(const auto chain, chain_of(client));
  HM_CLI_TRY(const auto before, group_named(client, keys.id(), options.name));
  HM_CLI_TRY(const auto members, members_of(client, options));
  NameBook book(client, keys.id());
  const std::string undo =
      before ? set_command(before->group, book.names()) : "hypermesh group rm " + options.name;
  HM_CLI_TRY(
      const ordered_json receipt,
      submit_as_owner(client, keys,
                      ledger::SetGroup{options.name, before ? before->version : 0, members}));
  return tell(context, options.name, privacy::group_id(chain, keys.id(), options.name), receipt,
              fmt::format("group {} has {} member{}", options.name, members.size(),
                          members.size() == 1 ? "" : "s"),
              undo);
}

Outcome run(const GroupShow& options, const Context& context) {
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(const auto self, own_id(context.globals, client));
  HM_CLI_TRY(const auto row, group_named(client, self, options.name));
  if (!row) return no_such_group(options.name);
  NameBook book(client, self);
  const std::vector<std::string> words = member_words(row->group, book.names());
  if (context.globals.json) {
    const ordered_json document = {{"schema", 1},
                                   {"group", row->id.to_string()},
                                   {"name", row->group.name},
                                   {"version", row->version},
                                   {"members", words}};
    context.terminal.data(document.dump());
    return {};
  }
  for (const std::string& word : words) context.terminal.data(printable(word));
  context.terminal.talk("change it: " + printable(set_command(row->group, book.names())));
  return {};
}

Outcome run(const GroupList& options, const Context& context) {
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(const auto owner, owner_or_own(context.globals, client, options.of));
  HM_CLI_TRY(const auto rows, groups_of(client, owner));
  NameBook book(client, owner);
  ordered_json groups = ordered_json::array();
  std::vector<std::vector<Terminal::Cell>> cells;
  for (const GroupRow& row : rows) {
    const auto words = member_words(row.group, book.names());
    groups.push_back({{"group", row.id.to_string()},
                      {"name", row.group.name},
                      {"version", row.version},
                      {"members", words}});
    cells.push_back({{row.group.name},
                     {short_id(row.id.to_string())},
                     {fmt::format("{}", fmt::join(words, " "))}});
  }
  if (context.globals.json) {
    const ordered_json document = {{"schema", 1}, {"owner", owner.to_string()}, {"groups", groups}};
    context.terminal.data(document.dump());
    return {};
  }
  context.terminal.table({"NAME", "GROUP", "MEMBERS"}, cells);
  return {};
}

Outcome run(const GroupRemove& options, const Context& context) {
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(const auto keys, owner_keys(context.globals, client.endpoint()));
  HM_CLI_TRY(const auto row, group_named(client, keys.id(), options.name));
  if (!row) return no_such_group(options.name);
  NameBook book(client, keys.id());
  const std::string undo = set_command(row->group, book.names());
  HM_CLI_TRY(const ordered_json receipt,
             submit_as_owner(client, keys, ledger::SetGroup{options.name, row->version, {}}));
  return tell(context, options.name, row->id, receipt,
              fmt::format("group {} is gone; grants to it mean nobody now", options.name), undo);
}

Outcome run(const Certify& options, const Context& context) {
  HM_CLI_TRY(const std::uint64_t lasts, duration_of("--for", options.duration));
  if (!privacy::is_valid_name(options.name)) {
    return failed(ExitCode::Usage, fmt::format("'{}' is no name to certify", options.name),
                  "a name is a DNS name in lower case, without '*'",
                  "for example bob.lab.example.org");
  }
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(const auto keys, owner_keys(context.globals, client.endpoint()));
  HM_CLI_TRY(const auto chain, chain_of(client));
  HM_CLI_TRY(const auto subject, find_owner(client, options.subject));
  if (subject == keys.id()) {
    return failed(ExitCode::Usage, "nobody certifies itself",
                  "a certificate is another owner's word",
                  "sign with the issuer's key: --key FILE");
  }
  const privacy::Certificate certificate{chain, keys.id(), subject, options.name,
                                         UnixMillis(wall_now().value + lasts)};
  const auto signature =
      keys.sign(privacy::certificate_statement(certificate), files::fresh_falcon_randomness());
  HM_CLI_TRY(const ordered_json receipt,
             submit_as_owner(client, keys, ledger::RecordCertificate{certificate, signature}));
  // One issuer has one certificate for a subject: the next takes its place.
  const std::string undo =
      fmt::format("hypermesh certify {} {} --for 1m", options.subject, options.name);
  if (context.globals.json) {
    const ordered_json document = {{"schema", 1},
                                   {"issuer", keys.id().to_string()},
                                   {"subject", subject.to_string()},
                                   {"name", options.name},
                                   {"expiry_ms", certificate.expiry.value},
                                   {"operation", text_of(receipt, "id")},
                                   {"height", number_of(receipt, "height")},
                                   {"undo", undo}};
    context.terminal.data(document.dump());
    return {};
  }
  context.terminal.data(text_of(receipt, "id"));
  context.terminal.talk(fmt::format("{} is certified as {} until {}", printable(options.subject),
                                    options.name, format_moment(certificate.expiry.value)));
  context.terminal.talk(printable("undo, by one that ends in a minute: " + undo));
  return {};
}

}  // namespace hm::cli
