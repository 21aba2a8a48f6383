// SPDX-License-Identifier: Apache-2.0
// `hypermesh federate`: two meshes' roots recognise each other's certificates. One exports its
// part, the other signs, the first signs, and both record.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "apps/hypermesh/api_client.h"
#include "apps/hypermesh/context.h"
#include "apps/hypermesh/duration.h"
#include "apps/hypermesh/federation_file.h"
#include "apps/hypermesh/json_fields.h"
#include "apps/hypermesh/local_node.h"
#include "apps/hypermesh/owner_operation.h"
#include "apps/hypermesh/wall_clock.h"
#include "core/api/text.h"
#include "core/ledger/genesis.h"
#include "platform/files/atomic_file.h"
#include "platform/files/owner_key_file.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kDefaultDuration = "365d";

// This mesh's part of a record. Denied if the owner is not the mesh's root.
Answer<privacy::MeshRoot> own_root(ApiClient& client, const identity::OwnerId& owner,
                                   const identity::KeyBundle& bundle) {
  HM_CLI_TRY(const ordered_json answer, client.get("/ledger/genesis"));
  const auto bytes = api::from_base64(text_of(answer, "genesis"));
  const auto chain = identity::ChainId::parse(text_of(answer, "chain_id"));
  const auto genesis = bytes ? ledger::decode_genesis(*bytes) : fail(ledger::GenesisError{});
  if (!chain || !genesis || ledger::chain_id(*genesis) != *chain) {
    return failed(
        ExitCode::Failure, fmt::format("{} answered without a usable genesis", client.url()),
        "the node may be of another version", "compare 'hypermesh version' on both sides");
  }
  if (genesis->root != owner) {
    return failed(ExitCode::Denied, "this is not the key of the mesh's root",
                  fmt::format("the root of {} is the owner {}", genesis->chain_name,
                              genesis->root.to_string()),
                  "sign with the root's key: --key FILE");
  }
  return privacy::MeshRoot{*chain, genesis->chain_name, owner, bundle};
}

Outcome give(const Context& context, const std::string& file, const FederationFile& content,
             const std::string& next) {
  const std::string text = format_federation_file(content);
  if (file != "-") {
    HM_CLI_TRY_VOID(
        files::write_file(file, as_bytes(text), files::Access::Public, files::Existing::Refuse));
  }
  if (context.globals.json) {
    const ordered_json document = {{"schema", 1}, {"file", file}, {"document", text}};
    context.terminal.data(document.dump());
    return {};
  }
  context.terminal.data(file == "-" ? text : file);
  context.terminal.talk(next);
  return {};
}

Outcome check_same(const privacy::MeshRoot& ours, const privacy::MeshRoot& theirs) {
  if (ours.chain != theirs.chain) return {};
  return failed(ExitCode::Usage, "a mesh does not federate with itself",
                "the file is of the mesh that is asked",
                "exchange the files with the other mesh's root, or name its node with --api");
}

// The first signature of a new record.
Answer<FederationDraft> begin_record(const privacy::MeshRoot& ours, const privacy::MeshRoot& theirs,
                                     const FederateSign& options, const identity::OwnerKeys& keys) {
  HM_CLI_TRY_VOID(check_same(ours, theirs));
  HM_CLI_TRY(const std::uint64_t lasts,
             duration_of("--for", options.duration.value_or(std::string(kDefaultDuration))));
  const bool is_first = ours.chain < theirs.chain;
  FederationDraft draft;
  draft.federation = {is_first ? ours : theirs, is_first ? theirs : ours,
                      UnixMillis(wall_now().value + lasts)};
  (is_first ? draft.first : draft.second) =
      keys.sign(privacy::federation_statement(draft.federation), files::fresh_falcon_randomness());
  return draft;
}

// The second signature.
Answer<FederationDraft> complete_record(FederationDraft draft, const privacy::MeshRoot& ours,
                                        const FederateSign& options,
                                        const identity::OwnerKeys& keys) {
  if (options.duration) {
    return failed(ExitCode::Usage, "--for is for a new record",
                  "the other root has signed until when this one counts", "leave --for out");
  }
  const bool is_first = draft.federation.first == ours;
  if (!is_first && draft.federation.second != ours) {
    return failed(ExitCode::Denied, "the record is not about this mesh as it is now",
                  "its chain, name, root or keys differ from those here",
                  "begin again with 'hypermesh federate export'");
  }
  (is_first ? draft.first : draft.second) =
      keys.sign(privacy::federation_statement(draft.federation), files::fresh_falcon_randomness());
  return draft;
}

}  // namespace

Outcome run(const FederateExport& options, const Context& context) {
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(const std::string path, owner_key_file(context.globals, client.endpoint()));
  HM_CLI_TRY(const auto keys, files::read_public_owner_keys(path));
  HM_CLI_TRY(const auto root, own_root(client, keys.owner, keys.bundle));
  return give(context, options.file, root,
              fmt::format("for the other mesh's root: 'hypermesh federate sign FILE'. Read it this "
                          "fingerprint over the phone:\n  {}",
                          fingerprint_of(root)));
}

Outcome run(const FederateSign& options, const Context& context) {
  HM_CLI_TRY(const FederationFile file, read_federation_file(options.file));
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(const auto keys, owner_keys(context.globals, client.endpoint()));
  HM_CLI_TRY(const auto ours, own_root(client, keys.id(), keys.bundle()));
  if (const auto* theirs = std::get_if<privacy::MeshRoot>(&file)) {
    HM_CLI_TRY(const FederationDraft draft, begin_record(ours, *theirs, options, keys));
    context.terminal.talk(fmt::format("the root of {} has the fingerprint\n  {}", theirs->name,
                                      fingerprint_of(*theirs)));
    return give(context, options.out, draft,
                fmt::format("for the root of {}: 'hypermesh federate sign FILE'. Nothing counts "
                            "before both record it",
                            theirs->name));
  }
  HM_CLI_TRY(const FederationDraft draft,
             complete_record(std::get<FederationDraft>(file), ours, options, keys));
  const privacy::MeshRoot& theirs =
      draft.federation.first == ours ? draft.federation.second : draft.federation.first;
  context.terminal.talk(
      fmt::format("the root of {} has the fingerprint\n  {}", theirs.name, fingerprint_of(theirs)));
  return give(context, options.out, draft, "for both meshes: 'hypermesh federate record FILE'");
}

Outcome run(const FederateRecord& options, const Context& context) {
  HM_CLI_TRY(const FederationFile file, read_federation_file(options.file));
  const auto* draft = std::get_if<FederationDraft>(&file);
  if (draft == nullptr || !draft->first || !draft->second) {
    return failed(ExitCode::Usage, fmt::format("{} is not signed by both roots", options.file),
                  "each root signs once", "'hypermesh federate sign FILE' on each mesh first");
  }
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(const auto keys, owner_keys(context.globals, client.endpoint()));
  HM_CLI_TRY(
      const ordered_json receipt,
      submit_as_owner(client, keys,
                      ledger::RecordFederation{draft->federation, *draft->first, *draft->second}));
  const std::string until = format_moment(draft->federation.expiry.value);
  if (context.globals.json) {
    const ordered_json document = {{"schema", 1},
                                   {"first", draft->federation.first.chain.to_string()},
                                   {"second", draft->federation.second.chain.to_string()},
                                   {"expiry_ms", draft->federation.expiry.value},
                                   {"operation", text_of(receipt, "id")},
                                   {"height", number_of(receipt, "height")}};
    context.terminal.data(document.dump());
    return {};
  }
  context.terminal.data(text_of(receipt, "id"));
  context.terminal.talk(fmt::format("{} and {} recognise each other's certificates until {}",
                                    draft->federation.first.name, draft->federation.second.name,
                                    until));
  context.terminal.talk(
      "a record with a shorter --for, signed by both and recorded, ends it sooner");
  return {};
}

Outcome run(const FederateList&, const Context& context) {
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(const ordered_json answer, client.get("/privacy/federations"));
  if (context.globals.json) {
    context.terminal.data(answer.dump());
    return {};
  }
  std::vector<std::vector<Terminal::Cell>> cells;
  for (const ordered_json& row : list_of(answer, "federations")) {
    const std::string chain = text_of(row, "chain_id");
    const ordered_json& record = member_of(row, "federation");
    const bool is_first = text_of(member_of(record, "first"), "chain_id") == chain;
    const ordered_json& other = member_of(record, is_first ? "first" : "second");
    cells.push_back({{text_of(other, "name")},
                     {short_id(chain)},
                     {short_id(text_of(other, "owner"))},
                     {format_moment(number_of(record, "expiry_ms"))}});
  }
  context.terminal.table({"MESH", "CHAIN", "ROOT", "UNTIL"}, cells);
  return {};
}

}  // namespace hm::cli
