// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/command_line_leases.h"

#include <CLI/CLI.hpp>
#include <string>

namespace hm::cli {
namespace {

constexpr const char* kLeaseHelp = "Its id, or a unique prefix";

// Adds subcommands, each with an example under its help.
class Adder {
 public:
  Adder(CLI::App& app, LeaseCommands& commands, const OnCommand& on_command)
      : app_(app), to_(commands), on_command_(on_command) {}

  void add_lease();
  void add_lease_acts(CLI::App* lease);
  void add_caes();
  void add_trust();

 private:
  template <class Options>
  CLI::App* add(CLI::App& parent, const std::string& name, const std::string& help,
                const std::string& example, Options& target) {
    CLI::App* command = parent.add_subcommand(name, help);
    command->footer("Example:\n  hypermesh " + example);
    on_command_(command, [&target] { return Command(target); });
    return command;
  }

  static void add_list_flags(CLI::App* command, LeaseList& list) {
    command->add_flag("--mine", list.mine, "Those of which the owner is the tenant");
    command->add_flag("--on-me", list.on_me, "Those of the owner's assets");
    command->add_flag("--all", list.all, "Everybody's");
    command->add_flag("--open", list.open, "Only those that have not ended");
  }

  CLI::App& app_;
  LeaseCommands& to_;
  const OnCommand& on_command_;
};

void Adder::add_lease() {
  CLI::App* lease = add(app_, "lease", "Use others' assets for a time", "lease --open", to_.list);
  add_list_flags(lease, to_.list);
  CLI::App* open =
      add(*lease, "open", "Lease a quantity of the best asset that fits",
          "lease open --on kind=cpu,logical_cores>=8 --quantity 2cores --for 1h", to_.open);
  open->add_option("--on", to_.open.filter, "What is wanted, e.g. kind=cpu,trust>=600,has:avx2")
      ->required();
  open->add_option("--quantity", to_.open.quantity, "How much, e.g. 2cores, 4GiB (default 1)");
  open->add_option("--for", to_.open.duration, "How long, e.g. 90s, 10m, 1h, 7d (default 1h)");
  open->add_option("--network", to_.open.network, "How far it may reach (default none)")
      ->check(CLI::IsMember({"none", "mesh", "internet"}));
  open->add_option("--highest-price", to_.open.highest_price,
                   "CAES an hour for a unit, e.g. 0.5 or 0.01/GiB (default: the dearest planned)");
  open->add_option("--choices", to_.open.choices, "How many assets to fall back to (default 8)")
      ->check(CLI::Range(1, 8));
  open->add_flag("--plan", to_.open.plan, "Say what would be leased; change nothing");
  open->add_flag("--explain", to_.open.explain,
                 "Say of every other asset why it is not chosen; change nothing");
  open->add_flag("--wait,!--no-wait", to_.open.wait, "Until it is accepted (the default)");
  CLI::App* ls = add(*lease, "ls", "List leases", "lease ls --mine --open", to_.ls);
  add_list_flags(ls, to_.ls);
  CLI::App* show = add(*lease, "show", "Show one in full", "lease show 5f2a91c0", to_.show);
  show->add_option("lease", to_.show.lease, kLeaseHelp)->required();
  add_lease_acts(lease);
}

void Adder::add_lease_acts(CLI::App* lease) {
  CLI::App* renew =
      add(*lease, "renew", "Make one longer", "lease renew 5f2a91c0 --for 1h", to_.renew);
  renew->add_option("lease", to_.renew.lease, kLeaseHelp)->required();
  renew->add_option("--for", to_.renew.duration, "How much longer, e.g. 10m, 1h")->required();
  CLI::App* close = add(*lease, "close", "End one of one's own; what was not used comes back",
                        "lease close 5f2a91c0", to_.close);
  close->add_option("lease", to_.close.lease, kLeaseHelp)->required();
  CLI::App* settle = add(*lease, "settle", "Have the provider paid for what was used so far",
                         "lease settle 5f2a91c0", to_.settle);
  settle->add_option("lease", to_.settle.lease, kLeaseHelp)->required();
  CLI::App* accept =
      add(*lease, "accept", "As the provider: take a request that the node has not taken",
          "lease accept 5f2a91c0", to_.accept);
  accept->add_option("lease", to_.accept.lease, kLeaseHelp)->required();
  CLI::App* decline = add(*lease, "decline", "As the provider: refuse a request",
                          "lease decline 5f2a91c0", to_.decline);
  decline->add_option("lease", to_.decline.lease, kLeaseHelp)->required();
}

void Adder::add_caes() {
  CLI::App* stake =
      add(app_, "stake", "Move CAES from the balance to the bond", "stake 100", to_.stake);
  stake->add_option("amount", to_.stake.amount, "Such as 12.5")->required();
  CLI::App* unstake = add(app_, "unstake", "Move CAES from the bond back, after the unbonding time",
                          "unstake 100", to_.unstake);
  unstake->add_option("amount", to_.unstake.amount, "Such as 12.5")->required();
  CLI::App* delegate =
      add(app_, "delegate", "Stake CAES with a validator for a part of its rewards",
          "delegate node2 100", to_.delegate);
  delegate->add_option("validator", to_.delegate.validator, "Its node's id, unique prefix or name")
      ->required();
  delegate->add_option("amount", to_.delegate.amount, "Such as 12.5")->required();
  CLI::App* undelegate = add(app_, "undelegate", "Take CAES back from a validator",
                             "undelegate node2 50", to_.undelegate);
  undelegate
      ->add_option("validator", to_.undelegate.validator, "Its node's id, unique prefix or name")
      ->required();
  auto* amount = undelegate->add_option("amount", to_.undelegate.amount, "At least so much comes");
  undelegate->add_flag("--all", to_.undelegate.all, "Everything that is there")->excludes(amount);
  CLI::App* allow = add(app_, "allow",
                        "What a node may spend on leases by itself, to renew and re-place services",
                        "allow 20 --node self\n'hypermesh allow 0' takes it away.", to_.allow);
  allow->add_option("amount", to_.allow.amount,
                    "CAES from now on, e.g. 12.5 (default: show what is left)");
  allow->add_option("--node", to_.allow.node,
                    "Id, unique prefix, name or self (default: self; to show: all of the owner's)");
  CLI::App* rewards =
      add(app_, "rewards", "What lending to others has earned", "rewards", to_.rewards);
  rewards->add_option("owner", to_.rewards.owner,
                      "Id, unique prefix or name (default: the node's)");
  CLI::App* bill =
      add(app_, "bill", "What leases cost, each line from its record", "bill --since 7d", to_.bill);
  bill->add_option("owner", to_.bill.owner, "Id, unique prefix or name (default: the node's)");
  bill->add_option("--since", to_.bill.since, "How far back, e.g. 7d (default: all that is kept)");
}

void Adder::add_trust() {
  add(app_, "who", "Who uses what on this machine, and how to end it", "who", to_.who);
  CLI::App* trust =
      add(app_, "trust", "How nodes kept their word, as a score", "trust node2", to_.trust);
  trust->add_option("node", to_.trust.node, "Id, unique prefix or name (default: all, in short)");
  CLI::App* show =
      add(*trust, "show", "One node's score and all its terms", "trust show node2", to_.trust_show);
  show->add_option("node", to_.trust_show.node, "Id, unique prefix or name")->required();
}

}  // namespace

void add_lease_commands(CLI::App& app, LeaseCommands& commands, const OnCommand& on_command) {
  Adder adder(app, commands, on_command);
  adder.add_lease();
  adder.add_caes();
  adder.add_trust();
}

}  // namespace hm::cli
