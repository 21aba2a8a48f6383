// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/command_line_storage.h"

#include <CLI/CLI.hpp>
#include <string>

namespace hm::cli {
namespace {

using OnCommand = std::function<void(const CLI::App*, std::function<Command()>)>;

constexpr const char* kNameHelp = "The object's name, or its id";
constexpr const char* kRangeHelp =
    "Only these bytes: 0-99 (both included), 100- or -100 (the last)";

class Adder {
 public:
  Adder(CLI::App& app, StorageCommands& commands, const OnCommand& on_command)
      : app_(app), to_(commands), on_command_(on_command) {}

  void add_put();
  void add_get();
  void add_looking();
  void add_keeping();
  void add_storage();

 private:
  template <class Options>
  CLI::App* add(CLI::App& parent, const std::string& name, const std::string& help,
                const std::string& example, Options& target) {
    CLI::App* command = parent.add_subcommand(name, help);
    command->footer("For example:\n  hypermesh " + example);
    on_command_(command, [&target] { return Command(target); });
    return command;
  }

  CLI::App& app_;
  StorageCommands& to_;
  const OnCommand& on_command_;
};

void Adder::add_put() {
  ObjectPut& put = to_.put;
  CLI::App* command =
      add(app_, "put",
          "Store files with the nodes of other owners, sealed and so that losses are borne",
          "put report.pdf\n"
          "  hypermesh put --as backup/2026-01 --profile backup photos/\n"
          "  pg_dump shop | hypermesh put --as shop.sql -\n"
          "'hypermesh get' brings them back, 'hypermesh rm' removes them.\n"
          "A file above 64 MiB is sent in parts: what broke off goes on behind what is there when\n"
          "the same file, unchanged, is put again within a week.",
          put);
  command->add_option("file", put.files, "Files, folders, or - for standard input")->required();
  command->add_option(
      "--as", put.as,
      "What to call it (default: the last part of the path); of a folder, or with a "
      "final /, what the names begin with");
  command->add_option("--code", put.code,
                      "K+M, such as 4+2: any K parts bring it back, M may be lost (default: what "
                      "suits its size and the owners that lend)");
  command->add_option("--profile", put.profile, "How it is cut: standard, backup or whole")
      ->check(CLI::IsMember({"standard", "backup", "whole"}));
  command->add_option("--with", put.with, "Owners that may read it, too: OWNER[,OWNER]")
      ->allow_extra_args(false);
  command->add_flag("--private", put.is_alone,
                    "Under a secret of its own: nothing of it is stored once with other objects");
  command->add_flag("--no-compress", put.no_compress, "Store it as it is");
  command->add_flag("--new", put.only_new, "Only if nothing has the name");
  command->add_option("--meta", put.metadata, "KEY=VALUE to keep with it; may be repeated")
      ->allow_extra_args(false);
  command->add_flag("--keep-going", put.keep_going,
                    "Store the others where a file cannot be read; exit code 1 all the same");
  command->add_flag(
      "--resume", put.resume,
      "Leave out what is stored already with the same size and content, and refuse to "
      "send anew what broke off and has changed since");
}

void Adder::add_get() {
  ObjectGet& get = to_.get;
  CLI::App* command =
      add(app_, "get", "Bring a stored object back",
          "get report.pdf\n"
          "  hypermesh get -r photos -o ~/photos\n"
          "  hypermesh get backup.tar -o - | tar t\n"
          "  hypermesh get SHARE-ID --as from-bob.pdf     # what another owner shares",
          get);
  command
      ->add_option("name", get.name, "Its name, its id, or the id that 'hypermesh share' printed")
      ->required();
  command->add_option(
      "-o,--out", get.out,
      "File or folder, or - for standard output (default: here, the last part of the "
      "name)");
  command->add_option("--range", get.range, kRangeHelp);
  command->add_option("--as", get.as,
                      "What to call a shared object here (default: as its owner does)");
  command->add_flag("-r,--recursive", get.recursive, "Everything below this name");
  command->add_flag("--force", get.force, "Replace files that are there");
  command->add_flag("--resume", get.resume, "Go on with what an interrupted get left");
  CLI::App* cat =
      add(app_, "cat", "Write a stored object to standard output", "cat notes.txt", to_.cat);
  cat->add_option("name", to_.cat.name, kNameHelp)->required();
  cat->add_option("--range", to_.cat.range, kRangeHelp);
}

void Adder::add_looking() {
  CLI::App* list = add(app_, "ls", "List stored objects", "ls -l photos/", to_.list);
  list->add_option("prefix", to_.list.prefix, "What the names begin with");
  list->add_flag("-l,--long", to_.list.details, "Size, age, code and owner, too");
  list->add_flag("-R,--recursive", to_.list.recursive, "What is in folders, too");
  CLI::App* stat =
      add(app_, "stat", "Show one stored object, where its parts lie and what it bears",
          "stat report.pdf", to_.stat);
  stat->add_option("name", to_.stat.name, kNameHelp)->required();
}

void Adder::add_keeping() {
  CLI::App* pin = add(app_, "pin", "Make a copy of your own of an object that another owner shares",
                      "pin from-bob.pdf\n  hypermesh pin SHARE-ID --as from-bob.pdf", to_.pin);
  pin->add_option("name", to_.pin.name, "Its name here, or the id that its owner gave you")
      ->required();
  pin->add_option("--as", to_.pin.as, "What to call the copy (default: as it is called)");
  Remove& remove = to_.remove;
  CLI::App* rm =
      add(app_, "rm", "Remove stored objects; of runs: end them and forget them",
          "rm report.pdf\n  hypermesh rm -r photos\n  hypermesh rm web     # a run", remove);
  rm->add_option("name", remove.names, "Of an object, or a run by id, unique prefix or name")
      ->required();
  rm->add_flag("-r,--recursive", remove.recursive, "Every object below these names; asks before");
  rm->add_flag("-y,--yes", remove.yes, "Do not ask");
  auto* runs = rm->add_flag("--run", remove.runs, "Runs are meant, whatever else has the name");
  rm->add_flag("--object", remove.objects, "Objects are meant")->excludes(runs);
}

void Adder::add_storage() {
  CLI::App* storage = add(app_, "storage", "What is stored elsewhere, and kept here for others",
                          "storage\n  hypermesh storage drain node3", to_.status);
  constexpr const char* kHeld = "Ask each node what it keeps, too";
  storage->add_flag("--held", to_.status.held, kHeld);
  CLI::App* status = add(*storage, "status", "The leases, what is under way, and faults of nodes",
                         "storage status --held", to_.status_of);
  status->add_flag("--held", to_.status_of.held, kHeld);
  add(*storage, "gc", "Look for what nothing needs any more, now", "storage gc", to_.collect);
  CLI::App* uploads =
      add(*storage, "uploads", "What is stored in part, of files whose put broke off",
          "storage uploads\n  hypermesh storage uploads --end 1f2e3d4c", to_.uploads);
  uploads->add_option("--end", to_.uploads.end, "Give this one up: its id or a unique prefix");
  CLI::App* drain = add(*storage, "drain", "Move everything away from a node that leaves",
                        "storage drain node3", to_.drain);
  drain->add_option("node", to_.drain.node, "Its id, unique prefix or name")->required();
  CLI::App* recover =
      add(*storage, "recover", "Get a lost catalogue of objects back from the nodes that keep them",
          "storage recover", to_.recover);
  recover->add_flag("--without-missing", to_.recover.without_missing,
                    "Go on although something is not to be had; what is missing is dropped");
}

}  // namespace

void add_storage_commands(CLI::App& app, StorageCommands& commands, const OnCommand& on_command) {
  Adder adder(app, commands, on_command);
  adder.add_put();
  adder.add_get();
  adder.add_looking();
  adder.add_keeping();
  adder.add_storage();
}

}  // namespace hm::cli
