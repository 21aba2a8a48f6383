// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/command_line.h"

#include <gtest/gtest.h>

#include "apps/hypermesh/completion.h"

namespace hm::cli {
namespace {

template <class Options>
Options parsed(std::vector<std::string> arguments, Globals* globals = nullptr) {
  const auto result = parse_command_line(std::move(arguments));
  const auto* invocation = std::get_if<Invocation>(&result);
  if (invocation == nullptr) {
    const auto* failure = std::get_if<Failure>(&result);
    ADD_FAILURE() << (failure != nullptr ? failure->what : "help");
    return {};
  }
  if (globals != nullptr) *globals = invocation->globals;
  const auto* options = std::get_if<Options>(&invocation->command);
  EXPECT_NE(options, nullptr) << "another command";
  return options == nullptr ? Options{} : *options;
}

Failure refused(std::vector<std::string> arguments) {
  const auto result = parse_command_line(std::move(arguments));
  const auto* failure = std::get_if<Failure>(&result);
  EXPECT_NE(failure, nullptr);
  return failure == nullptr ? Failure{} : *failure;
}

TEST(CommandLine, GlobalOptionsMayStandAnywhere) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--api", "[::1]:1", "--json", "status"},
        {"status", "--json", "--api", "[::1]:1"},
        {"--json", "status", "--api=[::1]:1"}}) {
    Globals globals;
    parsed<Status>(arguments, &globals);
    EXPECT_TRUE(globals.json);
    EXPECT_EQ(globals.api, "[::1]:1");
  }
}

TEST(CommandLine, InnermostSubcommandIsChosen) {
  EXPECT_EQ(parsed<DevStop>({"dev", "stop", "--dir", "/x"}).dir, "/x");
  const Dev dev = parsed<Dev>({"dev", "--nodes", "7", "--detach", "--base-port", "20000"});
  EXPECT_EQ(dev.nodes, 7u);
  EXPECT_TRUE(dev.detach);
  EXPECT_EQ(dev.base_port, 20000);
  EXPECT_EQ(parsed<AssetsShow>({"assets", "show", "cpu:01"}).id, "cpu:01");
  EXPECT_EQ(parsed<WalletSend>({"wallet", "send", "bob", "1.5"}).amount, "1.5");
  EXPECT_EQ(parsed<LedgerShow>({"ledger", "show", "7"}).height, 7u);
}

TEST(CommandLine, AssetsListsByDefaultAndTakesFilters) {
  EXPECT_TRUE(parsed<AssetsList>({"assets"}).filters.empty());
  EXPECT_EQ(parsed<AssetsList>({"assets", "kind=cpu", "memory>=1GiB"}).filters.size(), 2u);
  EXPECT_EQ(parsed<AssetsList>({"assets", "ls", "kind=cpu"}).filters.size(), 1u);
}

TEST(CommandLine, RepeatedFieldsDoNotSwallowTheId) {
  const auto update = parsed<AssetUpdate>(
      {"asset", "update", "--field", "a=1", "--field", "b=2", "cpu:01", "--offered", "5"});
  EXPECT_EQ(update.id, "cpu:01");
  EXPECT_EQ(update.terms.fields.size(), 2u);
  EXPECT_EQ(update.terms.offered, "5");
}

TEST(CommandLine, SharingTakesEveryOption) {
  const auto share = parsed<Share>({"share",
                                    "--with",
                                    "bob",
                                    "gpu",
                                    "50%",
                                    "--with",
                                    "group:family",
                                    "--level",
                                    "full_public",
                                    "--when",
                                    "idle",
                                    "--hours",
                                    "20-08",
                                    "--days",
                                    "mon-fri",
                                    "--utc-offset",
                                    "-05:00",
                                    "--price",
                                    "0.5/GiB",
                                    "--network",
                                    "mesh",
                                    "--at-most",
                                    "2",
                                    "--largest",
                                    "4GiB",
                                    "--longest",
                                    "24h",
                                    "--per-day",
                                    "3",
                                    "--notice",
                                    "10m",
                                    "--until",
                                    "30d",
                                    "--may-delegate",
                                    "1",
                                    "--from",
                                    "3f2a",
                                    "-y"});
  EXPECT_EQ(share.what, "gpu");
  EXPECT_EQ(share.with, (std::vector<std::string>{"bob", "group:family"}));
  EXPECT_EQ(share.level, "full_public");
  EXPECT_EQ(share.from, "3f2a");
  EXPECT_TRUE(share.yes);
  const GrantWords& words = share.words;
  EXPECT_EQ(words.share, "50%");
  EXPECT_EQ(words.when, "idle");
  EXPECT_EQ(words.hours, "20-08");
  EXPECT_EQ(words.days, "mon-fri");
  EXPECT_EQ(words.utc_offset, "-05:00");
  EXPECT_EQ(words.price, "0.5/GiB");
  EXPECT_EQ(words.network, "mesh");
  EXPECT_EQ(words.at_most, "2");
  EXPECT_EQ(words.largest, "4GiB");
  EXPECT_EQ(words.longest, "24h");
  EXPECT_EQ(words.per_day, "3");
  EXPECT_EQ(words.notice, "10m");
  EXPECT_EQ(words.until, "30d");
  EXPECT_EQ(words.may_delegate, "1");
}

TEST(CommandLine, TakingBackAndNamingPeople) {
  EXPECT_EQ(parsed<Unshare>({"unshare", "3f2a"}).what, "3f2a");
  EXPECT_TRUE(parsed<Unshare>({"unshare", "--all"}).all);
  EXPECT_TRUE(parsed<GrantsList>({"grants", "--to-me", "--of", "bob"}).to_me);
  EXPECT_TRUE(parsed<GrantsList>({"grants", "ls", "--mine"}).mine);
  EXPECT_EQ(parsed<GrantsShow>({"grants", "show", "3f2a"}).id, "3f2a");
  EXPECT_EQ(parsed<PolicyTestFile>({"policy", "test", "p.toml"}).file, "p.toml");
  EXPECT_EQ(parsed<Pause>({"pause"}).asset, "");
  EXPECT_EQ(parsed<Resume>({"resume", "gpu:01"}).asset, "gpu:01");
  EXPECT_TRUE(parsed<Revoke>({"revoke", "--all", "--now"}).now);
  EXPECT_EQ(parsed<GroupSet>({"group", "set", "lab", "bob", "cert:*"}).members.size(), 2u);
  EXPECT_EQ(parsed<GroupRemove>({"group", "rm", "lab"}).name, "lab");
  EXPECT_EQ(parsed<GroupShow>({"group", "show", "lab"}).name, "lab");
  EXPECT_EQ(parsed<GroupList>({"group", "ls", "--of", "bob"}).of, "bob");
  EXPECT_EQ(parsed<Certify>({"certify", "bob", "bob.lab.org"}).duration, "90d");
  EXPECT_EQ(parsed<FederateExport>({"federate", "export"}).file, "-");
  EXPECT_EQ(parsed<FederateSign>({"federate", "sign", "a", "--out", "b", "--for", "1d"}).out, "b");
  EXPECT_EQ(parsed<FederateRecord>({"federate", "record", "a"}).file, "a");
  parsed<FederateList>({"federate", "ls"});
}

// Each has an example to start from.
TEST(CommandLine, HelpOfSharingHasExamples) {
  for (const std::vector<std::string>& words : {std::vector<std::string>{"share"},
                                                {"unshare"},
                                                {"grants"},
                                                {"grants", "ls"},
                                                {"grants", "show"},
                                                {"policy", "test"},
                                                {"pause"},
                                                {"resume"},
                                                {"revoke"},
                                                {"group", "set"},
                                                {"group", "show"},
                                                {"group", "ls"},
                                                {"group", "rm"},
                                                {"certify"},
                                                {"federate", "export"},
                                                {"federate", "sign"},
                                                {"federate", "record"},
                                                {"federate", "ls"}}) {
    std::vector<std::string> arguments = words;
    arguments.emplace_back("--help");
    const auto result = parse_command_line(std::move(arguments));
    const auto* help = std::get_if<HelpText>(&result);
    ASSERT_NE(help, nullptr) << words.front();
    EXPECT_NE(help->text.find("hypermesh " + words.front()), std::string::npos) << words.front();
    EXPECT_NE(help->text.find("For example:"), std::string::npos) << words.front();
  }
}

TEST(CommandLine, MistypedWordsAreNamedWithWhatWasMeant) {
  const Failure command = refused({"sttatus"});
  EXPECT_EQ(command.exit, ExitCode::Usage);
  EXPECT_NE(command.what.find("'sttatus'"), std::string::npos);
  EXPECT_NE(command.to_do.find("'status'"), std::string::npos);
  EXPECT_NE(refused({"dev", "sotp"}).to_do.find("'stop'"), std::string::npos);
  EXPECT_NE(refused({"dev", "--detahc"}).to_do.find("'--detach'"), std::string::npos);
  EXPECT_EQ(refused({"dev", "--nodes", "0"}).exit, ExitCode::Usage);
  EXPECT_EQ(refused({"dev", "--nodes", "many"}).exit, ExitCode::Usage);
  EXPECT_EQ(refused({"assets", "show"}).exit, ExitCode::Usage);
  EXPECT_EQ(refused({"completion", "tcsh"}).exit, ExitCode::Usage);
}

// What a stranger may type wrong; each must be told in three lines.
TEST(CommandLine, EveryUsageErrorSaysWhatWhyAndWhatToDo) {
  const std::vector<std::vector<std::string>> mistakes = {
      {"bogus"},
      {"--bogus"},
      {"dev", "--nodes"},
      {"dev", "--nodes", "0"},
      {"dev", "--nodes", "abc"},
      {"dev", "extra"},
      {"dev", "--base-port", "70000"},
      {"up", "--api-port", "99999"},
      {"invite", "--minutes", "x"},
      {"join"},
      {"completion"},
      {"completion", "tcsh"},
      {"version", "extra"},
      {"assets", "show"},
      {"asset", "update"},
      {"asset"},
      {"wallet", "send", "owner2"},
      {"ledger", "show", "-1"},
      {"ledger", "show", "0"},
      {"ledger", "show", "abc"},
      {"ledger", "show", "18446744073709551616"},
      {"ledger", "tail", "-n", "0"},
      {"ledger", "export"},
      {"share", "gpu", "50%", "--revoke", "bob"},
      {"share", "gpu", "50%", "--with"},
      {"share", "gpu", "50%", "--wiht", "bob"},
      {"grants", "show"},
      {"policy"},
      {"policy", "test"},
      {"pause", "a", "b"},
      {"revoke", "a", "b"},
      {"group"},
      {"group", "set", "family"},
      {"group", "rm"},
      {"certify", "bob"},
      {"federate"},
      {"federate", "sign"},
  };
  for (const auto& arguments : mistakes) {
    const Failure failure = refused(arguments);
    const std::string& last = arguments.back();
    EXPECT_EQ(failure.exit, ExitCode::Usage) << last;
    EXPECT_FALSE(failure.what.empty()) << last;
    EXPECT_FALSE(failure.why.empty()) << last;
    EXPECT_FALSE(failure.to_do.empty()) << last;
  }
  EXPECT_NE(refused({"dev", "--nodes", "0"}).why.find("How many nodes"), std::string::npos);
  EXPECT_NE(refused({"up", "--api-port", "99999"}).why.find("Port of the API"), std::string::npos);
  EXPECT_NE(refused({"join"}).why.find("The code that"), std::string::npos);
}

TEST(Failures, AreWholeWhateverIsKnown) {
  for (const ExitCode exit : {ExitCode::Failure, ExitCode::Usage, ExitCode::NotReachable,
                              ExitCode::Denied, ExitCode::NoCapacity}) {
    const Failure whole = completed({exit, "it did not work", "", ""});
    EXPECT_FALSE(whole.why.empty());
    EXPECT_FALSE(whole.to_do.empty());
  }
  EXPECT_EQ(completed({ExitCode::Failure, "a", "b", "c"}).why, "b");
}

TEST(CommandLine, HelpIsHelpAndNamesEveryCommand) {
  const auto result = parse_command_line({"--help"});
  const auto* help = std::get_if<HelpText>(&result);
  ASSERT_NE(help, nullptr);
  for (const CommandNode& command : command_tree().children) {
    EXPECT_NE(help->text.find(command.name), std::string::npos) << command.name;
  }
  EXPECT_TRUE(std::holds_alternative<HelpText>(parse_command_line({"assets", "show", "--help"})));
  EXPECT_TRUE(std::holds_alternative<HelpText>(parse_command_line({})));
}

TEST(Completion, NamesCommandsAndOptionsButNotHiddenOnes) {
  const CommandNode root = command_tree();
  for (const std::string& script :
       {bash_completion(root), zsh_completion(root), fish_completion(root)}) {
    EXPECT_NE(script.find("validators"), std::string::npos);
    EXPECT_NE(script.find("detach"), std::string::npos);
    EXPECT_EQ(script.find("--config"), std::string::npos);
  }
}

}  // namespace
}  // namespace hm::cli
