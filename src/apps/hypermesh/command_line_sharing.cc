// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/command_line_sharing.h"

#include <CLI/CLI.hpp>
#include <string>

namespace hm::cli {
namespace {

class Adder {
 public:
  Adder(SharingCommands& commands, const OnCommand& on_command)
      : commands_(commands), on_command_(on_command) {}

  void add_share(CLI::App& app) const;
  void add_unshare(CLI::App& app) const;
  void add_grants(CLI::App& app) const;
  void add_taking_back(CLI::App& app) const;
  void add_groups(CLI::App& app) const;
  void add_federation(CLI::App& app) const;

 private:
  template <class Options>
  CLI::App* add(CLI::App& parent, const std::string& name, const std::string& help, Options& target,
                const std::string& example) const {
    CLI::App* command = parent.add_subcommand(name, help);
    command->footer("For example:\n  hypermesh " + example);
    on_command_(command, [&target] { return Command(target); });
    return command;
  }

  SharingCommands& commands_;
  const OnCommand& on_command_;
};

void add_grant_words(CLI::App& command, GrantWords& words) {
  command.add_option("--network", words.network, "How far it may reach: none, mesh or internet");
  command.add_option("--hours", words.hours, "Daily hours, e.g. 20-08 or 20:30-06:00");
  command.add_option("--days", words.days,
                     "Days on which the hours begin, e.g. mon-fri or sat,sun");
  command.add_option("--utc-offset", words.utc_offset,
                     "Where the hours are local, e.g. +02:00 (default: this machine's)");
  command.add_option("--when", words.when, "always, or idle: only while nobody uses the machine");
  command.add_option("--price", words.price,
                     "CAES an hour for a unit, or AMOUNT/QUANTITY; 0 lends for nothing (default: "
                     "the asset's own price)");
  command.add_option("--at-most", words.at_most, "Leases at one time");
  command.add_option("--largest", words.largest, "Quantity of one lease, e.g. 4GiB");
  command.add_option("--longest", words.longest, "Time of one lease, renewals included, e.g. 24h");
  command.add_option("--per-day", words.per_day, "Leases opened in a day (UTC)");
  command.add_option("--notice", words.notice,
                     "What a tenant is given before an ordinary reclaim, e.g. 10m (default: none)");
  command.add_option("--until", words.until, "A day, a moment, or a time from now, e.g. 30d");
  command.add_option("--may-delegate", words.may_delegate,
                     "How often it may be passed on, 0 to 4 (default: 0)");
}

// What only a grant says means a grant, so that a forgotten share is noticed.
Command share_command(const SharingCommands& commands) {
  const Share& share = commands.share;
  const GrantWords& words = share.words;
  const bool is_grant = !words.share.empty() || share.level || !share.from.empty() ||
                        words.network || words.hours || words.days || words.when || words.price ||
                        words.at_most || words.largest || words.longest || words.per_day ||
                        words.notice || words.until || words.may_delegate;
  if (is_grant) return share;
  return ObjectShare{share.what, share.with, commands.revoke_readers};
}

void Adder::add_share(CLI::App& app) const {
  Share& share = commands_.share;
  CLI::App* command =
      add(app, "share", "Let others lease a part of what is yours, or read a stored object", share,
          "share gpu 50% --with bob --price 0 --when idle --hours 20-08\n"
          "  hypermesh share cpu 25% --level public_network --price 0.5 --until 30d\n"
          "'hypermesh unshare' takes it back.\n"
          "  hypermesh share report.pdf --with bob,carol\n"
          "  hypermesh share report.pdf --revoke bob");
  on_command_(command, [&commands = commands_] { return share_command(commands); });
  command
      ->add_option(
          "what", share.what,
          "cpu, gpu, memory, storage, network, or an asset's id; or a stored object's name")
      ->required();
  auto* part = command->add_option("share", share.words.share,
                                   "The part that may be leased, e.g. 50%; none: a stored object "
                                   "is meant");
  command
      ->add_option("--with", share.with,
                   "OWNER, group:NAME, cert:PATTERN[@ISSUER] or anyone; may be repeated. Of an "
                   "object: OWNER[,OWNER]")
      ->allow_extra_args(false);
  command
      ->add_option(
          "--revoke", commands_.revoke_readers,
          "Of an object: store it anew under secrets that these do not have: OWNER[,OWNER]")
      ->allow_extra_args(false)
      ->excludes(part);
  command->add_option("--level", share.level,
                      "Who learns of it: private_network, p2p, public_network or full_public "
                      "(default: as it is)");
  add_grant_words(*command, share.words);
  command->add_option("--from", share.from, "Pass on this grant, which is to you");
  command->add_flag("-y,--yes", share.yes, "Do not ask before a level discloses more");
}

void Adder::add_unshare(CLI::App& app) const {
  Unshare& unshare = commands_.unshare;
  CLI::App* command = add(app, "unshare", "Take grants back; running leases go on", unshare,
                          "unshare 3f2a1b04\n  hypermesh unshare gpu\n"
                          "'hypermesh revoke' ends running leases.");
  command->add_option("what", unshare.what,
                      "A grant's id or unique prefix, or a kind: all your grants for it");
  command->add_flag("--all", unshare.all, "Every grant that you issued");
}

void Adder::add_grants(CLI::App& app) const {
  const auto options_of = [](CLI::App* command, GrantsList& list) {
    command->add_option("--of", list.of, "For the assets of this owner");
    command->add_flag("--mine", list.mine, "For your assets (the default)");
    command->add_flag("--to-me", list.to_me, "That mean you");
  };
  CLI::App* grants = add(app, "grants", "List who may lease what", commands_.grants,
                         "grants --to-me\n  hypermesh grants show 3f2a1b04");
  options_of(grants, commands_.grants);
  options_of(add(*grants, "ls", "List them", commands_.grants_ls, "grants ls --of alice"),
             commands_.grants_ls);
  CLI::App* show =
      add(*grants, "show", "Show one in full", commands_.grants_show, "grants show 3f2a1b04");
  show->add_option("id", commands_.grants_show.id, "Its id, or a unique prefix")->required();

  CLI::App* policy = app.add_subcommand("policy", "Policy files: grants with their own tests");
  policy->require_subcommand(1);
  CLI::App* test = add(*policy, "test", "Run the tests in a policy file; needs no node",
                       commands_.policy_test, "policy test policy.toml");
  test->add_option("file", commands_.policy_test.file, "The file, see docs/guide/lending.md")
      ->required();
}

void Adder::add_taking_back(CLI::App& app) const {
  CLI::App* pause = add(app, "pause", "Lend nothing new of this machine for now", commands_.pause,
                        "pause\n  hypermesh pause gpu:0198aaaa\n'hypermesh resume' undoes it.");
  pause->add_option("asset", commands_.pause.asset, "One asset (default: everything on the node)");
  CLI::App* resume = add(app, "resume", "Lend again after a pause", commands_.resume,
                         "resume\n'hypermesh pause' undoes it.");
  resume->add_option("asset", commands_.resume.asset,
                     "One asset (default: everything on the node)");
  CLI::App* revoke =
      add(app, "revoke", "End leases of this machine", commands_.revoke,
          "revoke 5b10c2d9\n  hypermesh revoke --all --now\n"
          "A lease that ended does not come back. 'hypermesh unshare' keeps new ones away.");
  revoke->add_option("lease", commands_.revoke.lease, "The lease's id or unique prefix");
  revoke->add_flag("--all", commands_.revoke.all, "Every lease on the node");
  revoke->add_flag("--now", commands_.revoke.now, "At once, without the notice of the grant");
}

void Adder::add_groups(CLI::App& app) const {
  CLI::App* group = app.add_subcommand("group", "Groups of people for 'share --with group:NAME'");
  group->require_subcommand(1);
  CLI::App* set = add(*group, "set", "Make a group, or replace its members", commands_.group_set,
                      "group set family bob carol cert:*.lab.example.org@dave");
  set->add_option("name", commands_.group_set.name, "The group's name")->required();
  set->add_option("members", commands_.group_set.members, "OWNER or cert:PATTERN[@ISSUER]")
      ->required();
  CLI::App* show = add(*group, "show", "Show the members of a group of yours", commands_.group_show,
                       "group show family");
  show->add_option("name", commands_.group_show.name, "The group's name")->required();
  CLI::App* list = add(*group, "ls", "List groups", commands_.group_ls, "group ls --of alice");
  list->add_option("--of", commands_.group_ls.of, "Of this owner (default: yours)");
  CLI::App* remove = add(*group, "rm", "Remove a group; grants to it then mean nobody",
                         commands_.group_rm, "group rm family\n'hypermesh group set' undoes it.");
  remove->add_option("name", commands_.group_rm.name, "The group's name")->required();

  CLI::App* certify = add(app, "certify", "Certify that an owner goes by a name", commands_.certify,
                          "certify bob bob.lab.example.org --for 90d\n"
                          "Certifying again with a shorter --for undoes it.");
  certify->add_option("owner", commands_.certify.subject, "Its id, unique prefix or name")
      ->required();
  certify->add_option("name", commands_.certify.name, "The name, e.g. bob.lab.example.org")
      ->required();
  certify->add_option("--for", commands_.certify.duration, "How long it counts (default 90d)");
}

void Adder::add_federation(CLI::App& app) const {
  CLI::App* federate = app.add_subcommand("federate", "Recognise another mesh's certificates");
  federate->require_subcommand(1);
  CLI::App* save = add(*federate, "export", "Write this mesh's root for the other mesh's root",
                       commands_.federate_export, "federate export ours.toml");
  save->add_option("file", commands_.federate_export.file, "The file (default: standard output)");
  CLI::App* sign =
      add(*federate, "sign", "Sign with this mesh's root: the other's export, or the record",
          commands_.federate_sign, "federate sign theirs.toml --out record.toml --for 365d");
  sign->add_option("file", commands_.federate_sign.file, "What the other mesh's root sent")
      ->required();
  sign->add_option("--out", commands_.federate_sign.out, "The file (default: standard output)");
  sign->add_option("--for", commands_.federate_sign.duration,
                   "How long a new record counts (default 365d)");
  CLI::App* record = add(*federate, "record", "Put a record that both roots signed on the ledger",
                         commands_.federate_record, "federate record record.toml");
  record->add_option("file", commands_.federate_record.file, "The file with both signatures")
      ->required();
  add(*federate, "ls", "List the meshes that are recognised", commands_.federate_ls, "federate ls");
}

}  // namespace

void add_sharing_commands(CLI::App& app, SharingCommands& commands, const OnCommand& on_command) {
  const Adder adder(commands, on_command);
  adder.add_share(app);
  adder.add_unshare(app);
  adder.add_grants(app);
  adder.add_taking_back(app);
  adder.add_groups(app);
  adder.add_federation(app);
}

}  // namespace hm::cli
