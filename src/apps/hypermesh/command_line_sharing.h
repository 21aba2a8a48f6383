// SPDX-License-Identifier: Apache-2.0
// The part of the parser for sharing: grants, groups, federation, taking back. CLI11 is not seen
// from here.
#pragma once

#include <functional>

#include "apps/hypermesh/command.h"

namespace CLI {
class App;
}

namespace hm::cli {

// What the parser writes into; lives as long as the parser.
struct SharingCommands {
  Share share;
  std::vector<std::string> revoke_readers;  // of a stored object
  Unshare unshare;
  GrantsList grants, grants_ls;  // "grants" alone lists, too
  GrantsShow grants_show;
  PolicyTestFile policy_test;
  Pause pause;
  Resume resume;
  Revoke revoke;
  GroupSet group_set;
  GroupShow group_show;
  GroupList group_ls;
  GroupRemove group_rm;
  Certify certify;
  FederateExport federate_export;
  FederateSign federate_sign;
  FederateRecord federate_record;
  FederateList federate_ls;
};

// Told of each subcommand, with what makes the command of its options.
using OnCommand = std::function<void(const CLI::App*, std::function<Command()>)>;

void add_sharing_commands(CLI::App& app, SharingCommands& commands, const OnCommand& on_command);

}  // namespace hm::cli
