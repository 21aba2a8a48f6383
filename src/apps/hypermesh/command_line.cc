// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <iterator>
#include <map>

#include "apps/hypermesh/command_line_containers.h"
#include "apps/hypermesh/command_line_leases.h"
#include "apps/hypermesh/command_line_sharing.h"
#include "apps/hypermesh/command_line_storage.h"
#include "apps/hypermesh/suggestion.h"

namespace hm::cli {
namespace {

// Above it are only numbers that the parser made of minus signs and overflows.
constexpr std::uint64_t kMaxHeight = INT64_MAX;

// The parser with everything that it writes into.
class Parser {
 public:
  Parser();

  void take_container_words(std::vector<std::string>& arguments) {
    cli::take_container_words(app, arguments, containers_);
  }
  // Puts the options of the subcommand that was given into `invocation`.
  void choose(const CLI::App* command) { chosen_.at(command)(); }

  CLI::App app{"HyperMesh: pool machines, with a ledger that no single member controls."};
  Invocation invocation;

 private:
  void add_lifecycle();
  void add_assets();
  void add_asset();
  void add_ledger();
  void add_key();
  void add_others();
  void add_terms(CLI::App* command, AssetTermsOptions& terms);
  void add_protection(CLI::App* command, NewProtection& protection);

  // A subcommand that, when given, becomes the invocation's command with the options in `target`.
  template <class Options>
  CLI::App* add(CLI::App* parent, const std::string& name, const std::string& help,
                Options& target) {
    CLI::App* command = parent->add_subcommand(name, help);
    chosen_[command] = [this, &target] { invocation.command = target; };
    return command;
  }

  std::map<const CLI::App*, std::function<void()>> chosen_;
  Dev dev_;
  DevStop dev_stop_;
  Up up_;
  Down down_;
  Invite invite_;
  Join join_;
  NodeDaemon node_;
  Status status_;
  AssetsList assets_, assets_ls_;
  AssetsShow assets_show_;
  AssetsWatch assets_watch_;
  AssetRegister register_;
  AssetUpdate update_;
  AssetTransfer transfer_;
  AssetRetire retire_;
  Nodes nodes_;
  Validators validators_;
  LedgerShow ledger_, ledger_show_;
  LedgerTail tail_;
  LedgerVerify verify_;
  LedgerExport export_;
  Wallet wallet_;
  WalletSend send_;
  KeyNew key_new_;
  KeyShow key_show_;
  KeyExport key_export_;
  KeyImport key_import_;
  KeyRotate key_rotate_;
  Doctor doctor_;
  Version version_;
  Completion completion_;
  ContainerCommands containers_;
  LeaseCommands leases_;
  SharingCommands sharing_;
  StorageCommands storage_;
};

Parser::Parser() {
  app.name("hypermesh");
  app.fallthrough();  // --json and --api may stand anywhere
  app.require_subcommand(0, 1);
  app.add_flag("--json", invocation.globals.json, "Print one JSON document to standard output");
  app.add_option("--api", invocation.globals.api, "The node to ask, e.g. http://[::1]:8445")
      ->envname("HYPERMESH_API");
  app.add_option("--key", invocation.globals.key, "The owner's key file, to sign with")
      ->envname("HYPERMESH_KEY");
  app.add_option("--passphrase-file", invocation.globals.passphrase_file,
                 "File with the passphrase of the key file (default: asked for)")
      ->envname("HYPERMESH_PASSPHRASE_FILE");
  const auto on_command = [this](const CLI::App* command, std::function<Command()> make) {
    chosen_[command] = [this, make = std::move(make)] { invocation.command = make(); };
  };
  add_lifecycle();
  add_container_commands(app, containers_, on_command);
  add_storage_commands(app, storage_, on_command);
  add_assets();
  add_asset();
  add_ledger();
  add_key();
  add_lease_commands(app, leases_, on_command);
  add_others();
  add_sharing_commands(app, sharing_, on_command);
}

void Parser::add_lifecycle() {
  CLI::App* dev = add(&app, "dev", "Start a mesh of several nodes on this machine", dev_);
  dev->add_option("--nodes", dev_.nodes, "How many nodes (default 4)")->check(CLI::Range(1, 64));
  dev->add_option("--dir", dev_.dir, "Folder of the mesh");
  dev->add_flag("--detach", dev_.detach, "Return when the first block is final");
  dev->add_option("--base-port", dev_.base_port, "First of two ports per node (default: free ones)")
      ->check(CLI::Range(1, 65000));
  CLI::App* stop = add(dev, "stop", "Stop the mesh; its data stays", dev_stop_);
  stop->add_option("--dir", dev_stop_.dir, "Folder of the mesh");

  CLI::App* up = add(&app, "up", "Start this machine's node", up_);
  up->add_option("--dir", up_.dir, "Folder of the node");
  up->add_option("--name", up_.name, "Name of a new node");
  up->add_flag("--foreground", up_.foreground, "Stay in the foreground");
  up->add_option("--api-port", up_.api_port, "Port of the API of a new node (default 8445)");
  up->add_option("--listen", up_.listen, "Where a new node listens, e.g. [2001:db8::1]:9292");
  CLI::App* down = add(&app, "down", "Stop this machine's node; its data stays", down_);
  down->add_option("--dir", down_.dir, "Folder of the node");

  CLI::App* invite = add(&app, "invite", "Make a code with which one machine may join", invite_);
  invite->add_option("--minutes", invite_.minutes, "How long it is valid (default 10)")
      ->check(CLI::Range(1, 60));
  CLI::App* join = add(&app, "join", "Join the mesh of an invitation", join_);
  join->add_option("code", join_.code, "The code that 'hypermesh invite' printed")->required();
  join->add_option("--dir", join_.dir, "Folder of the new node");
  join->add_option("--name", join_.name, "Name of the new node");
  join->add_flag("--foreground", join_.foreground, "Stay in the foreground");
  join->add_option("--api-port", join_.api_port, "Port of its API (default 8445)");
  join->add_option("--listen", join_.listen, "Where it listens, e.g. [2001:db8::1]:9292");

  CLI::App* node = add(&app, "node", "Run the daemon of one node", node_);
  node->add_option("--config", node_.config, "Its node.toml")->required();
  node->group("");  // hidden
}

void Parser::add_assets() {
  CLI::App* assets = add(&app, "assets", "List the assets of the mesh", assets_);
  assets->add_option("filter", assets_.filters, "Such as kind=cpu, memory>=16GiB, features=avx2");
  CLI::App* ls = add(assets, "ls", "List them", assets_ls_);
  ls->add_option("filter", assets_ls_.filters, "Such as kind=cpu, memory>=16GiB, features=avx2");
  CLI::App* show = add(assets, "show", "Show one in full", assets_show_);
  show->add_option("id", assets_show_.id, "Its id, or a unique prefix")->required();
  CLI::App* watch = add(assets, "watch", "Print changes as they become final", assets_watch_);
  watch->add_option("filter", assets_watch_.filters, "Such as kind=cpu");
}

void Parser::add_terms(CLI::App* command, AssetTermsOptions& terms) {
  command->add_option("--detected", terms.detected, "How much there is, e.g. 16GiB");
  command->add_option("--offered", terms.offered, "How much of it is offered");
  command->add_option("--available", terms.available, "How much of that is free");
  command->add_option("--unit", terms.unit, "bytes, millicores, bits_per_second, devices");
  command->add_option("--state", terms.state, "available, maintenance or failed");
  command->add_option("--level", terms.level, "public_network or full_public");
  command->add_option("--price", terms.price,
                      "CAES an hour for a unit, or AMOUNT/QUANTITY, or 'none'");
  command->add_option("--field", terms.fields, "A descriptor field, key=value; may be repeated")
      ->allow_extra_args(false);
}

void Parser::add_asset() {
  CLI::App* asset = app.add_subcommand("asset", "Change one asset");
  asset->require_subcommand(1);
  CLI::App* reg = add(asset, "register", "Register a new asset", register_);
  reg->add_option("--kind", register_.kind, "cpu, gpu, memory, storage, network, …")->required();
  reg->add_option("--node", register_.node, "The node it is on (default: the one asked)");
  add_terms(reg, register_.terms);
  CLI::App* update = add(asset, "update", "Change what an asset states", update_);
  update->add_option("id", update_.id, "Its id, or a unique prefix")->required();
  add_terms(update, update_.terms);
  CLI::App* transfer = add(asset, "transfer", "Give an asset to another owner", transfer_);
  transfer->add_option("id", transfer_.id, "Its id, or a unique prefix")->required();
  transfer->add_option("owner", transfer_.to, "The new owner's id, unique prefix or name")
      ->required();
  CLI::App* retire = add(asset, "retire", "Take an asset off the mesh for good", retire_);
  retire->add_option("id", retire_.id, "Its id, or a unique prefix")->required();
}

void Parser::add_ledger() {
  CLI::App* ledger = add(&app, "ledger", "Look at final blocks", ledger_);
  CLI::App* show = add(ledger, "show", "Show one block", ledger_show_);
  show->add_option("height", ledger_show_.height, "Its height, from 1 (default: the last)")
      ->check(CLI::Range(std::uint64_t{1}, kMaxHeight));
  CLI::App* tail = add(ledger, "tail", "List the last blocks", tail_);
  tail->add_option("-n,--count", tail_.count, "How many (default 10)")->check(CLI::Range(1, 100));
  tail->add_flag("-f,--follow", tail_.follow, "Go on with new ones");
  CLI::App* verify =
      add(ledger, "verify", "Replay from genesis; compare every root and certificate", verify_);
  verify->add_option("--dir", verify_.dir, "Folder of a stopped node (default: ask the node)");
  CLI::App* save = add(ledger, "export", "Write all final blocks to a file", export_);
  save->add_option("file", export_.file, "The file, or - for standard output")->required();
}

void Parser::add_protection(CLI::App* command, NewProtection& protection) {
  auto* file = command->add_option("--new-passphrase-file", protection.passphrase_file,
                                   "File with the passphrase to protect it (default: asked for)");
  command->add_flag("--no-passphrase", protection.none, "Keep the secret in the clear")
      ->excludes(file);
}

void Parser::add_key() {
  CLI::App* key = app.add_subcommand("key", "The files that hold an owner's keys");
  key->require_subcommand(1);
  CLI::App* fresh = add(key, "new", "Make the keys of a new owner", key_new_);
  fresh->add_option("file", key_new_.file, "The file to write")->required();
  add_protection(fresh, key_new_.protection);
  CLI::App* show = add(key, "show", "Show the public half; needs no passphrase", key_show_);
  show->add_option("file", key_show_.file, "The file (default: the one that signs)");
  CLI::App* save =
      add(key, "export", "Write the public keys, or a copy of the secret ones", key_export_);
  save->add_option("file", key_export_.file, "The file to write, or - for standard output")
      ->required();
  save->add_flag("--secret", key_export_.secret, "The secret keys, under a new passphrase");
  add_protection(save, key_export_.protection);
  CLI::App* load = add(key, "import", "Make a key file of an exported copy", key_import_);
  load->add_option("from", key_import_.from, "What 'key export --secret' wrote")->required();
  load->add_option("file", key_import_.file, "The file to write")->required();
  add_protection(load, key_import_.protection);
  CLI::App* rotate = add(key, "rotate", "Replace the owner's keys on the ledger", key_rotate_);
  rotate->add_option("--overlap", key_rotate_.overlap,
                     "Blocks for which the old key still signs operations (default 0)");
}

void Parser::add_others() {
  add(&app, "status", "The node, its chain and its peers", status_);
  add(&app, "nodes", "The nodes of the mesh", nodes_);
  add(&app, "validators", "Who orders operations, with which stake", validators_);
  CLI::App* wallet = add(&app, "wallet", "An owner's CAES: free, staked and held", wallet_);
  wallet->footer("Example:\n  hypermesh wallet alice");
  wallet->add_option("owner,--owner", wallet_.owner,
                     "Id, unique prefix or name (default: the node's)");
  CLI::App* send = add(wallet, "send", "Send CAES to another owner", send_);
  send->add_option("owner", send_.to, "Id, unique prefix or name")->required();
  send->add_option("amount", send_.amount, "Such as 12.5")->required();
  CLI::App* doctor = add(&app, "doctor", "What this machine can do, each 'no' explained", doctor_);
  doctor->add_option(
      "--dir", doctor_.dir,
      "Where data is or will be kept: its disk is measured, its nodes are looked at");
  auto* fix = doctor->add_flag("--fix", doctor_.fix,
                               "Take away what containers of nodes that do not run left behind");
  doctor->add_flag("--stop", doctor_.stop, "With --fix: end their detached containers too")
      ->needs(fix);
  add(&app, "version", "The version of this program", version_);
  CLI::App* completion = add(&app, "completion", "Completion script for a shell", completion_);
  completion->add_option("shell", completion_.shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
}

bool is_hidden(const CLI::App* app) { return app->get_group().empty(); }

std::vector<const CLI::App*> children_of(const CLI::App* app) {
  std::vector<const CLI::App*> children;
  for (const CLI::App* child : app->get_subcommands(nullptr)) {
    if (!is_hidden(child)) children.push_back(child);
  }
  return children;
}

std::vector<std::string> options_of(const CLI::App* app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app->get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

// The innermost subcommand that the parser understood.
const CLI::App* innermost(const CLI::App* app) {
  while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
  return app;
}

std::string path_of(const CLI::App* app) {
  std::string path = app->get_name();
  for (const CLI::App* parent = app->get_parent(); parent != nullptr;
       parent = parent->get_parent()) {
    path = parent->get_name() + " " + path;
  }
  return path;
}

// What the option that the parser complains about is for: the words begin with its name, or hold
// it.
std::string purpose_of(const CLI::App* at, const CLI::App& root, const std::string& complaint) {
  std::vector<const CLI::Option*> options = at->get_options();
  if (at != &root) std::ranges::copy(root.get_options(), std::back_inserter(options));
  for (const CLI::Option* option : options) {
    const std::string name = option->get_single_name();
    const std::string shown = option->get_positional() ? name : "--" + name;
    const bool first = complaint.starts_with(shown + " ") || complaint.starts_with(shown + ":");
    if (!first && complaint.find(" " + shown + " ") == std::string::npos) continue;
    return fmt::format("{} is: {}", shown, option->get_description());
  }
  return fmt::format("'{}' takes no such words", path_of(at));
}

Failure usage_failure(const CLI::App& root, const CLI::ParseError& error) {
  const CLI::App* at = innermost(&root);
  Failure failure{ExitCode::Usage, error.what(), purpose_of(at, root, error.what()),
                  fmt::format("{} --help", path_of(at))};
  const std::vector<std::string> rest = root.remaining(true);
  if (dynamic_cast<const CLI::ExtrasError*>(&error) == nullptr || rest.empty()) return failure;
  const std::string& word = rest.front();
  std::vector<std::string> names = options_of(at);
  if (at != &root) std::ranges::copy(options_of(&root), std::back_inserter(names));
  if (!word.starts_with('-')) {
    names.clear();
    for (const CLI::App* child : children_of(at)) names.push_back(child->get_name());
  }
  const bool option = word.starts_with('-');
  failure.what =
      fmt::format("'{}' is no {} of '{}'", word, option ? "option" : "command", path_of(at));
  const std::string near =
      suggestion_for(option ? word.substr(0, word.find('=')) : word, {names.begin(), names.end()});
  if (!near.empty()) failure.to_do = fmt::format("did you mean '{}'?", near);
  std::string known;
  for (const std::string& name : names) known += (known.empty() ? "" : " ") + name;
  failure.why = known.empty() ? "it takes no further words" : "there are: " + known;
  return failure;
}

CommandNode describe(const CLI::App* app) {
  CommandNode node{app->get_name(), app->get_description(), options_of(app), {}};
  for (const CLI::App* child : children_of(app)) node.children.push_back(describe(child));
  return node;
}

}  // namespace

std::variant<Invocation, HelpText, Failure> parse_command_line(std::vector<std::string> arguments) {
  Parser parser;
  if (arguments.empty()) return HelpText{parser.app.help()};
  if (arguments.size() == 1 && arguments[0] == "--version") arguments[0] = "version";
  parser.take_container_words(arguments);
  std::ranges::reverse(arguments);  // as CLI11 wants them
  try {
    parser.app.parse(std::move(arguments));
  } catch (const CLI::CallForHelp&) {
    return HelpText{parser.app.help()};
  } catch (const CLI::ParseError& error) {
    return usage_failure(parser.app, error);
  }
  if (parser.app.get_subcommands().empty()) return HelpText{parser.app.help()};
  parser.choose(innermost(&parser.app));
  return std::move(parser.invocation);
}

CommandNode command_tree() {
  const Parser parser;
  return describe(&parser.app);
}

}  // namespace hm::cli
