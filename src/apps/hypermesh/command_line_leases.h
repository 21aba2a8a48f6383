// SPDX-License-Identifier: Apache-2.0
// The part of the parser for leases, CAES and trust. CLI11 is not seen from here.
#pragma once

#include <functional>

#include "apps/hypermesh/command.h"

namespace CLI {
class App;
}

namespace hm::cli {

// What the parser writes into; lives as long as the parser.
struct LeaseCommands {
  LeaseOpen open;
  LeaseList list, ls;  // "lease" alone lists, too
  LeaseShow show;
  LeaseRenew renew;
  LeaseClose close;
  LeaseSettle settle;
  LeaseAccept accept;
  LeaseDecline decline;
  Stake stake;
  Unstake unstake;
  Delegate delegate;
  Undelegate undelegate;
  Allow allow;
  Rewards rewards;
  Bill bill;
  Who who;
  Trust trust;
  TrustShow trust_show;
};

// Told of each subcommand, with what makes the command of its options.
using OnCommand = std::function<void(const CLI::App*, std::function<Command()>)>;

void add_lease_commands(CLI::App& app, LeaseCommands& commands, const OnCommand& on_command);

}  // namespace hm::cli
