// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "apps/hypermesh/command_line.h"
#include "apps/hypermesh/completion.h"

namespace hm::cli {
namespace {

using Words = std::vector<std::string>;

template <class Options>
Options parsed(Words arguments, Globals* globals = nullptr) {
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

Failure refused(Words arguments) {
  const auto result = parse_command_line(std::move(arguments));
  const auto* failure = std::get_if<Failure>(&result);
  EXPECT_NE(failure, nullptr);
  return failure == nullptr ? Failure{} : *failure;
}

TEST(ContainerCommandLine, RunTakesEveryOption) {
  const auto run = parsed<ContainerRun>({"run",         "--cpu",        "0.5",
                                         "--memory",    "256M",         "--disk",
                                         "1G",          "--pins",       "--pids",
                                         "64",          "--net",        "mesh",
                                         "-e",          "A=1",          "-e",
                                         "B",           "-v",           "data:/data:1G:ro",
                                         "--tmpfs",     "/s:1M",        "-p",
                                         "8080:80",     "-it",          "-d",
                                         "--rm",        "--name",       "web",
                                         "--user",      "1000",         "--workdir",
                                         "/srv",        "--entrypoint", "/bin/init",
                                         "--read-only", "--isolation",  "container+",
                                         "--restart",   "always",       "--for",
                                         "8h",          "--on",         "node=node2",
                                         "--explain",   "--plan",       "--highest-price",
                                         "0.5",         "alpine",       "sh"});
  EXPECT_EQ(run.image, "alpine");
  EXPECT_EQ(run.command, Words{"sh"});
  EXPECT_EQ(run.cpu, "0.5");
  EXPECT_EQ(run.memory, "256M");
  EXPECT_EQ(run.disk, "1G");
  EXPECT_TRUE(run.pins && run.input && run.terminal && run.detach && run.remove && run.read_only &&
              run.explain && run.plan);
  EXPECT_EQ(run.pids, 64U);
  EXPECT_EQ(run.net, "mesh");
  EXPECT_EQ(run.environment, (Words{"A=1", "B"}));
  EXPECT_EQ(run.volumes, Words{"data:/data:1G:ro"});
  EXPECT_EQ(run.scratch, Words{"/s:1M"});
  EXPECT_EQ(run.ports, Words{"8080:80"});
  EXPECT_EQ(run.name, "web");
  EXPECT_EQ(run.user, "1000");
  EXPECT_EQ(run.directory, "/srv");
  EXPECT_EQ(run.entrypoint, "/bin/init");
  EXPECT_EQ(run.isolation, "container+");
  EXPECT_EQ(run.restart, "always");
  EXPECT_EQ(run.duration, "8h");
  EXPECT_EQ(run.filter, "node=node2");
  EXPECT_EQ(run.highest_price, "0.5");
}

// Whatever stands behind the image is not ours, even if we have an option of that name.
TEST(ContainerCommandLine, WordsBehindTheImageAreTheContainers) {
  Globals globals;
  const auto run = parsed<ContainerRun>(
      {"run", "alpine", "sh", "-c", "echo $0", "--json", "--cpu", "9", "--help", "--", "-d"},
      &globals);
  EXPECT_EQ(run.image, "alpine");
  EXPECT_EQ(run.command,
            (Words{"sh", "-c", "echo $0", "--json", "--cpu", "9", "--help", "--", "-d"}));
  EXPECT_FALSE(globals.json);
  EXPECT_FALSE(run.cpu || run.detach);
  const auto exec =
      parsed<ContainerExec>({"exec", "-it", "--user", "root", "web", "ls", "-it", "--user", "x"});
  EXPECT_EQ(exec.run, "web");
  EXPECT_EQ(exec.command, (Words{"ls", "-it", "--user", "x"}));
  EXPECT_EQ(exec.user, "root");
  EXPECT_TRUE(exec.input && exec.terminal);
}

TEST(ContainerCommandLine, ADoubleDashMayStandBeforeTheImage) {
  EXPECT_EQ(parsed<ContainerRun>({"run", "--", "alpine", "ls"}).command, Words{"ls"});
  EXPECT_EQ(parsed<ContainerRun>({"run", "-d", "--", "alpine"}).image, "alpine");
  EXPECT_EQ(parsed<ContainerExec>({"exec", "--", "web", "--", "ls"}).command, (Words{"--", "ls"}));
}

// An option's value is no image, however the option is written.
TEST(ContainerCommandLine, ValuesOfOptionsAreSeenAsSuch) {
  EXPECT_EQ(parsed<ContainerRun>({"run", "--cpu", "1", "alpine"}).image, "alpine");
  EXPECT_EQ(parsed<ContainerRun>({"run", "--cpu=1", "alpine"}).image, "alpine");
  EXPECT_EQ(parsed<ContainerRun>({"run", "-e", "A=1", "alpine"}).image, "alpine");
  EXPECT_EQ(parsed<ContainerRun>({"run", "-eA=1", "alpine"}).environment, Words{"A=1"});
  EXPECT_EQ(parsed<ContainerRun>({"run", "-ie", "A=1", "alpine", "x"}).command, Words{"x"});
  Globals globals;
  const auto run = parsed<ContainerRun>(
      {"--api", "run", "--json", "run", "--key", "exec", "-d", "alpine", "--api", "x"}, &globals);
  EXPECT_EQ(run.image, "alpine");
  EXPECT_EQ(run.command, (Words{"--api", "x"}));
  EXPECT_EQ(globals.api, "run");
  EXPECT_EQ(globals.key, "exec");
  EXPECT_TRUE(globals.json);
}

// Neither an image nor a run is a command of ours because it is called like one.
TEST(ContainerCommandLine, NamesOfCommandsMayBeImagesAndRuns) {
  EXPECT_EQ(parsed<ContainerRun>({"run", "status"}).image, "status");
  EXPECT_EQ(parsed<ContainerRun>({"run", "run", "run"}).command, Words{"run"});
  EXPECT_EQ(parsed<ContainerExec>({"exec", "logs", "ps"}).run, "logs");
}

TEST(ContainerCommandLine, LookingAndActing) {
  EXPECT_TRUE(parsed<ContainerList>({"ps", "--all"}).all);
  EXPECT_TRUE(parsed<ContainerList>({"ps", "--hosted"}).hosted);
  const auto logs = parsed<ContainerLogs>({"logs", "-f", "--tail", "4Ki", "web"});
  EXPECT_TRUE(logs.follow);
  EXPECT_EQ(logs.tail, "4Ki");
  EXPECT_EQ(parsed<ContainerAttach>({"attach", "web"}).run, "web");
  const auto stop = parsed<ContainerStop>({"stop", "--grace", "30s", "a", "b"});
  EXPECT_EQ(stop.runs, (Words{"a", "b"}));
  EXPECT_EQ(stop.grace, "30s");
  EXPECT_EQ(parsed<ContainerKill>({"kill", "a"}).signal, "KILL");
  EXPECT_EQ(parsed<ContainerKill>({"kill", "--signal", "HUP", "a"}).signal, "HUP");
  EXPECT_EQ(parsed<ContainerInspect>({"inspect", "a"}).run, "a");
  EXPECT_TRUE(parsed<ContainerStats>({"stats", "--once"}).runs.empty());
  EXPECT_EQ(parsed<ContainerStats>({"stats", "a"}).runs, Words{"a"});
  EXPECT_EQ(parsed<ContainerCopy>({"cp", "-", "a:/srv"}).from, "-");
  EXPECT_EQ(parsed<ContainerForward>({"forward", "a", "80:80", "[::1]:1:2"}).ports.size(), 2U);
}

TEST(ContainerCommandLine, Images) {
  parsed<ImageList>({"image"});
  parsed<ImageList>({"image", "ls"});
  EXPECT_TRUE(parsed<ImagePull>({"image", "pull", "--plain-http", "r:5000/a"}).plain_http);
  EXPECT_EQ(parsed<ImagePush>({"image", "push", "r:5000/a"}).reference, "r:5000/a");
  EXPECT_EQ(parsed<ImageImport>({"image", "import", "a.tar", "--name", "a"}).name, "a");
  EXPECT_EQ(parsed<ImageImport>({"image", "import", "-"}).file, "-");
  EXPECT_EQ(parsed<ImageExport>({"image", "export", "a", "-"}).file, "-");
  EXPECT_EQ(parsed<ImageRemove>({"image", "rm", "a", "b"}).references.size(), 2U);
  parsed<ImagePrune>({"image", "prune"});
}

TEST(ContainerCommandLine, EveryUsageErrorSaysWhatWhyAndWhatToDo) {
  const std::vector<Words> mistakes = {
      {"run"},
      {"run", "-d"},
      {"run", "--"},
      {"run", "--cpus", "1", "alpine"},
      {"run", "--cpu"},
      {"run", "--pids", "0", "alpine"},
      {"run", "--pids", "many", "alpine"},
      {"run", "--net", "world", "alpine"},
      {"run", "--isolation", "vm", "alpine"},
      {"run", "--local", "--on", "node=a", "alpine"},
      {"exec"},
      {"exec", "-x", "web", "ls"},
      {"logs"},
      {"logs", "a", "b"},
      {"stop"},
      {"kill"},
      {"inspect"},
      {"cp", "a"},
      {"forward", "a"},
      {"image", "pull"},
      {"image", "imprt", "a.tar"},
  };
  for (const Words& arguments : mistakes) {
    const Failure failure = refused(arguments);
    EXPECT_EQ(failure.exit, ExitCode::Usage) << arguments.back();
    EXPECT_FALSE(failure.what.empty()) << arguments.back();
    EXPECT_FALSE(failure.why.empty()) << arguments.back();
    EXPECT_FALSE(failure.to_do.empty()) << arguments.back();
  }
  EXPECT_NE(refused({"run", "--cpus", "1", "alpine"}).to_do.find("'--cpu'"), std::string::npos);
  EXPECT_NE(refused({"image", "imprt", "a"}).to_do.find("'import'"), std::string::npos);
}

TEST(ContainerCommandLine, EveryHelpHasAnExampleAndSizesSayWhichPower) {
  for (const Words& words : {Words{"run"},
                             {"ps"},
                             {"logs"},
                             {"exec"},
                             {"attach"},
                             {"stop"},
                             {"kill"},
                             {"rm"},
                             {"inspect"},
                             {"stats"},
                             {"cp"},
                             {"forward"},
                             {"image"},
                             {"image", "pull"},
                             {"image", "import"}}) {
    Words arguments = words;
    arguments.emplace_back("--help");
    const auto result = parse_command_line(std::move(arguments));
    const auto* help = std::get_if<HelpText>(&result);
    ASSERT_NE(help, nullptr) << words.front();
    EXPECT_NE(help->text.find("For example:\n  hypermesh " + words.front()), std::string::npos)
        << words.front();
    if (words.front() == "run") {
      EXPECT_NE(help->text.find("powers of 1000"), std::string::npos);
    }
  }
}

TEST(ContainerCommandLine, CompletionKnowsTheCommands) {
  const std::string script = bash_completion(command_tree());
  for (const char* word : {"forward", "inspect", "--restart", "--highest-price", "image/prune"}) {
    EXPECT_NE(script.find(word), std::string::npos) << word;
  }
}

TEST(ContainerCommandLine, ServicesAreMadeByRunAndHaveCommandsOfTheirOwn) {
  const auto run = parsed<ContainerRun>(
      {"run", "-d", "--replicas", "1", "--health", "exec:test -e /x", "--health-interval", "2s",
       "--health-timeout", "1s", "--health-retries", "4", "--name", "web", "img", "--health", "x"});
  EXPECT_EQ(run.replicas, 1U);
  EXPECT_EQ(run.health, "exec:test -e /x");
  EXPECT_EQ(run.health_interval, "2s");
  EXPECT_EQ(run.health_timeout, "1s");
  EXPECT_EQ(run.health_retries, 4U);
  EXPECT_EQ(run.command, (Words{"--health", "x"})) << "the container's";
  (void)parsed<ServiceList>({"service"});
  (void)parsed<ServiceList>({"service", "ls"});
  EXPECT_EQ(parsed<ServiceInspect>({"service", "inspect", "web"}).name, "web");
  EXPECT_EQ(parsed<ServiceScale>({"service", "scale", "web", "16"}).replicas, 16U);
  EXPECT_EQ(parsed<ServiceRemove>({"service", "rm", "a", "b"}).names.size(), 2U);
  EXPECT_EQ(refused({"service", "scale", "web", "17"}).exit, ExitCode::Usage);
  EXPECT_EQ(refused({"service", "scale", "web", "0"}).exit, ExitCode::Usage);
  EXPECT_EQ(refused({"service", "inspect"}).exit, ExitCode::Usage);
  EXPECT_EQ(refused({"run", "--replicas", "17", "img"}).exit, ExitCode::Usage);
}

}  // namespace
}  // namespace hm::cli
