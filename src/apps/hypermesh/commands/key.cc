// SPDX-License-Identifier: Apache-2.0
// `hypermesh key`: the files that hold an owner's keys, and replacing the keys on the ledger.
#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "apps/hypermesh/api_client.h"
#include "apps/hypermesh/context.h"
#include "apps/hypermesh/local_node.h"
#include "apps/hypermesh/owner_operation.h"
#include "apps/hypermesh/passphrase.h"
#include "core/api/text.h"
#include "foundation/base/hex.h"
#include "foundation/codec/writer.h"
#include "platform/files/owner_key_file.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

std::string fingerprint_of(const Bytes& key) { return crypto::sha256(key).to_string(); }

// What can be told of keys without a secret.
void show_keys(const std::string& path, const files::PublicOwnerKeys& keys,
               const Context& context) {
  if (context.globals.json) {
    ordered_json document = {{"schema", 1},
                             {"file", path},
                             {"owner", keys.owner.to_string()},
                             {"passphrase", keys.is_protected},
                             {"keys", ordered_json::object()}};
    for (const auto& [algorithm, key] : keys.bundle.keys) {
      document["keys"][std::string(identity::algorithm_name(algorithm))] = {
          {"fingerprint", fingerprint_of(key)}, {"bytes", key.size()}};
    }
    context.terminal.data(document.dump());
    return;
  }
  context.terminal.data(fmt::format("owner        {}", keys.owner.to_string()));
  for (const auto& [algorithm, key] : keys.bundle.keys) {
    context.terminal.data(
        fmt::format("{:<12} {}", identity::algorithm_name(algorithm), fingerprint_of(key)));
  }
  context.terminal.data(fmt::format("passphrase   {}", keys.is_protected ? "yes" : "no"));
}

Outcome write_and_show(const std::string& path, const identity::OwnerKeys& keys,
                       const NewProtection& protection, const Context& context) {
  HM_CLI_TRY(std::optional<std::string> passphrase, new_passphrase(protection));
  const auto written = files::write_owner_keys(path, keys, passphrase, files::Existing::Refuse);
  if (!written) {
    const bool exists = written.error().code == ErrorCode::AlreadyExists;
    return std::unexpected(failure_of(
        written.error(), exists ? "a key file is never overwritten: name another one" : ""));
  }
  show_keys(path, {keys.id(), keys.bundle(), passphrase.has_value()}, context);
  context.terminal.talk(
      fmt::format("written to {}; a lost key cannot be recreated: keep a copy "
                  "('hypermesh key export --secret')",
                  path));
  return {};
}

// The file that the other commands would sign with.
Answer<std::string> default_key_file(const Globals& globals) {
  if (!globals.key.empty()) return globals.key;
  HM_CLI_TRY(const ApiClient client, ApiClient::connect(globals));
  return owner_key_file(globals, client.endpoint());
}

// The height since which the ledger has these keys for their owner, if it has.
Answer<std::optional<std::uint64_t>> registered_since(ApiClient& client,
                                                      const identity::OwnerKeys& keys) {
  HM_CLI_TRY(const ordered_json owner, client.get("/owners/" + keys.id().to_string()));
  const auto bundle = api::from_base64(text_of(owner, "bundle"));
  if (!bundle || *bundle != codec::encode(keys.bundle())) return std::nullopt;
  return number_of(owner, "since_height");
}

// The keys that follow: of an earlier try that was interrupted, or new ones, on the disk before
// anything is signed with them.
Answer<identity::OwnerKeys> next_keys(const std::string& path, const identity::OwnerKeys& current,
                                      const std::optional<std::string>& passphrase) {
  const auto known = [&](const std::string&) -> Result<std::string> {
    if (passphrase) return *passphrase;
    return fail(ErrorCode::PermissionDenied, fmt::format("{} has a passphrase", path),
                "remove it if it is not of an interrupted rotation");
  };
  auto earlier = files::read_owner_keys(path, known);
  if (earlier && earlier->id() == current.id()) return std::move(*earlier);
  if (earlier) {
    return failed(ExitCode::Failure, fmt::format("{} holds the keys of another owner", path),
                  "it is not of an interrupted rotation of this one", "move it elsewhere");
  }
  if (earlier.error().code != ErrorCode::NotFound) {
    return std::unexpected(failure_of(earlier.error()));
  }
  auto fresh = files::generate_owner_keys().as_owner(current.id());
  HM_CLI_TRY_VOID(files::write_owner_keys(path, fresh, passphrase, files::Existing::Refuse));
  return fresh;
}

// The new file takes the old one's name; the old one stays beside it, for what was sealed to its
// keys. The name holds a working key at every moment.
Answer<std::string> move_into_place(const std::string& path, const std::string& next,
                                    std::uint64_t height) {
  const std::string retired = fmt::format("{}.retired-{}", path, height);
  std::error_code error;
  std::filesystem::create_hard_link(path, retired, error);
  if (!error || error == std::errc::file_exists) {
    error.clear();
    std::filesystem::rename(next, path, error);
  }
  if (!error) return retired;
  return failed(ExitCode::Failure, fmt::format("the new keys stay in {}", next), error.message(),
                fmt::format("the ledger has the new keys: move {} to {} yourself", next, path));
}

// Has the ledger take the next keys, unless it has them from an earlier try; the height at which.
Answer<std::uint64_t> replace_on_ledger(ApiClient& client, const identity::OwnerKeys& current,
                                        const identity::OwnerKeys& next, std::uint64_t overlap) {
  HM_CLI_TRY(auto since, registered_since(client, next));
  if (since) return *since;
  const auto make = [&](const ledger::Operation& operation) -> ledger::Action {
    return ledger::RotateKeys{identity::sign_rotation(
        current, next, {operation.chain_id, current.id(), operation.sequence}, overlap,
        {files::fresh_falcon_randomness(), files::fresh_falcon_randomness()})};
  };
  auto receipt = submit_as_owner(client, current, make);
  if (receipt) return number_of(*receipt, "height");
  // The operation of an earlier try may have become final in the meantime.
  HM_CLI_TRY(since, registered_since(client, next));
  if (since) return *since;
  return std::unexpected(std::move(receipt).error());
}

}  // namespace

Outcome run(const KeyNew& options, const Context& context) {
  return write_and_show(absolute(options.file), files::generate_owner_keys(), options.protection,
                        context);
}

Outcome run(const KeyShow& options, const Context& context) {
  std::string path = options.file;
  if (path.empty()) {
    HM_CLI_TRY(path, default_key_file(context.globals));
  }
  HM_CLI_TRY(const auto keys, files::read_public_owner_keys(path));
  show_keys(path, keys, context);
  return {};
}

Outcome run(const KeyExport& options, const Context& context) {
  HM_CLI_TRY(const std::string path, default_key_file(context.globals));
  if (options.secret) {
    if (options.file == "-") {
      return failed(ExitCode::Usage, "secret keys are not written to standard output",
                    "a terminal or a pipe keeps copies", "name a file");
    }
    HM_CLI_TRY(const auto keys, open_owner_keys(path, passphrase_source(context.globals)));
    return write_and_show(absolute(options.file), keys, options.protection, context);
  }
  HM_CLI_TRY(const auto keys, files::read_public_owner_keys(path));
  const std::string text = files::format_public_owner_keys(keys);
  if (options.file == "-") {
    context.terminal.data(std::string_view(text).substr(0, text.size() - 1));
    return {};
  }
  HM_CLI_TRY_VOID(files::write_file(absolute(options.file), as_bytes(text), files::Access::Public,
                                    files::Existing::Refuse));
  return {};
}

Outcome run(const KeyImport& options, const Context& context) {
  HM_CLI_TRY(const auto keys, open_owner_keys(options.from, passphrase_source(context.globals)));
  return write_and_show(absolute(options.file), keys, options.protection, context);
}

Outcome run(const KeyRotate& options, const Context& context) {
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(const std::string path, owner_key_file(context.globals, client.endpoint()));
  std::optional<std::string> passphrase;
  const auto source = passphrase_source(context.globals);
  HM_CLI_TRY(const auto current,
             open_owner_keys(path, [&](const std::string& file) -> Result<std::string> {
               HM_TRY(passphrase, source(file));
               return *passphrase;
             }));
  const std::string next_path = path + ".next";
  HM_CLI_TRY(const auto next, next_keys(next_path, current, passphrase));
  HM_CLI_TRY(const std::uint64_t height, replace_on_ledger(client, current, next, options.overlap));
  HM_CLI_TRY(const std::string retired, move_into_place(path, next_path, height));
  show_keys(path, {next.id(), next.bundle(), passphrase.has_value()}, context);
  context.terminal.talk(
      fmt::format("replaced in block {}; the old keys are in {}", height, retired));
  return {};
}

}  // namespace hm::cli
