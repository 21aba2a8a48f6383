// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/command_line_containers.h"

#include <CLI/CLI.hpp>
#include <iterator>
#include <optional>

namespace hm::cli {
namespace {

constexpr const char* kRunHelp = "Its id, a unique prefix, or its name";
constexpr const char* kPortHelp =
    "[ADDRESS:]LOCAL:CONTAINER, such as 8080:80 or [::1]:8080:80 (default address [::1]); a local "
    "port of 0 is a free one";
constexpr const char* kVariableHelp = "NAME=VALUE, or NAME for its value here; may be repeated";

using OnCommand = std::function<void(const CLI::App*, std::function<Command()>)>;

// Adds subcommands, each with an example under its help.
class Adder {
 public:
  Adder(CLI::App& app, ContainerCommands& commands, const OnCommand& on_command)
      : app_(app), to_(commands), on_command_(on_command) {}

  void add_run();
  void add_run_limits(CLI::App* command);
  void add_run_place(CLI::App* command);
  void add_looking();
  void add_acting();
  void add_carrying();
  void add_health(CLI::App* command);
  void add_service();
  void add_image();

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
  ContainerCommands& to_;
  const OnCommand& on_command_;
};

void Adder::add_run() {
  ContainerRun& run = to_.run;
  CLI::App* command =
      add(app_, "run", "Run a container on a machine of the mesh",
          "run --cpu 0.5 --memory 256M --net none alpine:3.20 echo hello\n"
          "  hypermesh run -it --on trust>=600,owner=bob alpine:3.20 sh\n"
          "  hypermesh run -d --name web --for 8h --net mesh registry.example/web:1\n"
          "  hypermesh run -d --name web --replicas 3 --health http:8080/ready "
          "registry.example/web:1\n"
          "Sizes: M and G are powers of 1000, Mi and Gi of 1024.",
          run);
  command->add_option("image", run.image, "Such as alpine:3.20; what follows it is the command")
      ->required();
  add_run_limits(command);
  add_run_place(command);
  command->add_option("-e,--env", run.environment, kVariableHelp)->allow_extra_args(false);
  command
      ->add_option("-v,--volume", run.volumes,
                   "NAME:/path[:SIZE][:ro], storage on the machine that stays (default 1G); may be "
                   "repeated")
      ->allow_extra_args(false);
  command
      ->add_option("--tmpfs", run.scratch,
                   "/path[:SIZE], in memory (default 64Mi, or less than the memory); may be "
                   "repeated")
      ->allow_extra_args(false);
  command
      ->add_option("-p,--publish", run.ports,
                   std::string(kPortHelp) + "; as long as it is attached; may be repeated")
      ->allow_extra_args(false);
  command->add_flag("-i,--interactive", run.input, "Pass standard input on");
  command->add_flag("-t,--tty", run.terminal, "Give it a terminal");
  command->add_flag("-d,--detach", run.detach, "Print its id and leave it running");
  command->add_flag("--rm", run.remove,
                    "Forget it when it has ended (attached: always; detached: an hour later)");
  command->add_option("--name", run.name, "What to call it; also its host name");
  command->add_option("--user", run.user, "Who it runs as: name or id, with :GROUP if need be");
  command->add_option("--workdir", run.directory, "Where it begins, an absolute path");
  command->add_option("--entrypoint", run.entrypoint, "What to start in place of the image's");
  command->add_flag("--read-only", run.read_only, "Let it write to volumes and --tmpfs only");
  command->add_option("--restart", run.restart,
                      "no (default), on-failure, on-failure:N or always, while its lease lasts");
}

void Adder::add_run_limits(CLI::App* command) {
  ContainerRun& run = to_.run;
  command->add_option("--cpu", run.cpu,
                      "Processors, such as 0.5, 2 or 1500m (default 0.5; with --pins 1)");
  command->add_flag("--pins", run.pins, "Whole processors of its own");
  command->add_option("--memory", run.memory, "Such as 256M or 1Gi, swap included (default 256Mi)");
  command->add_option("--disk", run.disk,
                      "What it may write, such as 1G (default: in its memory, counted there)");
  command->add_option("--pids", run.pids, "Processes and threads at one time (default 512)")
      ->check(CLI::Range(1, 32'768));
  command->add_option("--net", run.net, "How far it may reach: none (default), mesh or internet")
      ->check(CLI::IsMember({"none", "mesh", "internet"}));
  command
      ->add_option("--isolation", run.isolation,
                   "container (default), or container+: no capability, and a read-only root")
      ->check(CLI::IsMember({"container", "container+"}));
}

void Adder::add_run_place(CLI::App* command) {
  ContainerRun& run = to_.run;
  command->add_option("--for", run.duration, "How long it may run, e.g. 10m, 1h, 7d (default 1h)");
  auto* filter = command->add_option(
      "--on", run.filter, "Which machine's cpu, e.g. node=node2 or owner!=mallory,trust>=600");
  command->add_flag("--local", run.local, "On the node that is asked; takes no lease")
      ->excludes(filter);
  command->add_option("--highest-price", run.highest_price,
                      "The most that all of it may cost, in CAES an hour, e.g. 0.5");
  command
      ->add_option("--replicas", run.replicas,
                   "On machines of so many owners (1 to 16). The result is what most of them give; "
                   "with -d a service, of which so many are kept running")
      ->check(CLI::Range(1, 16));
  add_health(command);
  command->add_option("--quorum", run.quorum,
                      "How many of the replicas must agree (default: more than half)");
  command->add_flag("--plan", run.plan, "Say where it would run and for what; change nothing");
  command->add_flag("--explain", run.explain, "Say of every other machine why not; change nothing");
}

void Adder::add_health(CLI::App* command) {
  ContainerRun& run = to_.run;
  command->add_option("--health", run.health,
                      "How this node sees that a replica does what it should: tcp:PORT, "
                      "http:PORT/path or exec:COMMAND");
  command->add_option("--health-interval", run.health_interval, "Between checks (default 10s)");
  command->add_option("--health-timeout", run.health_timeout,
                      "For an answer (default 5s, or the interval)");
  command
      ->add_option("--health-retries", run.health_retries,
                   "Failures in a row after which it is replaced (default 3)")
      ->check(CLI::Range(1, 100));
}

void Adder::add_service() {
  constexpr const char* kName = "The service's name";
  CLI::App* service =
      add(app_, "service", "Services, which are kept running", "service", to_.services);
  add(*service, "ls", "List them", "service ls", to_.service_ls);
  CLI::App* inspect = add(*service, "inspect", "Show one with its replicas and whom it leaves out",
                          "service inspect web", to_.service_inspect);
  inspect->add_option("name", to_.service_inspect.name, kName)->required();
  CLI::App* scale = add(*service, "scale", "Say how many replicas are wanted",
                        "service scale web 3", to_.service_scale);
  scale->add_option("name", to_.service_scale.name, kName)->required();
  scale->add_option("replicas", to_.service_scale.replicas, "1 to 16")
      ->required()
      ->check(CLI::Range(1, 16));
  CLI::App* remove = add(*service, "rm", "End them, and wait until nothing of them is left",
                         "service rm web", to_.service_rm);
  remove->add_option("name", to_.service_rm.names, kName)->required();
}

void Adder::add_looking() {
  CLI::App* list = add(app_, "ps", "List runs", "ps --all", to_.list);
  list->add_flag("--all", to_.list.all, "Those that have ended, too");
  list->add_flag("--hosted", to_.list.hosted, "What runs on this node, whoever's it is");
  CLI::App* logs = add(app_, "logs", "Show what a run wrote", "logs -f web", to_.logs);
  logs->add_option("run", to_.logs.run, kRunHelp)->required();
  logs->add_flag("-f,--follow", to_.logs.follow, "Go on with what comes");
  logs->add_option("--tail", to_.logs.tail, "Only the last so many bytes, e.g. 4Ki (default 1Mi)");
  CLI::App* inspect = add(app_, "inspect", "Show a run in full", "inspect web --json", to_.inspect);
  inspect->add_option("run", to_.inspect.run, kRunHelp)->required();
  CLI::App* stats = add(app_, "stats", "What runs use", "stats --once web", to_.stats);
  stats->add_option("run", to_.stats.runs, std::string(kRunHelp) + " (default: all that run)");
  stats->add_flag("--once", to_.stats.once, "Say it once");
}

void Adder::add_acting() {
  CLI::App* exec =
      add(app_, "exec", "Start one more process in a run", "exec -it web sh", to_.exec);
  exec->add_option("run", to_.exec.run, std::string(kRunHelp) + "; what follows it is the command")
      ->required();
  exec->add_flag("-i,--interactive", to_.exec.input, "Pass standard input on");
  exec->add_flag("-t,--tty", to_.exec.terminal, "Give it a terminal");
  exec->add_option("-e,--env", to_.exec.environment, kVariableHelp)->allow_extra_args(false);
  exec->add_option("--user", to_.exec.user, "Who it runs as: name or id, with :GROUP if need be");
  exec->add_option("--workdir", to_.exec.directory, "Where it begins, an absolute path");
  CLI::App* attach =
      add(app_, "attach", "Go on with a run's own input and output", "attach web", to_.attach);
  attach->add_option("run", to_.attach.run, kRunHelp)->required();
  CLI::App* stop =
      add(app_, "stop", "Ask runs to end, then end them", "stop --grace 30s web", to_.stop);
  stop->add_option("run", to_.stop.runs, kRunHelp)->required();
  stop->add_option("--grace", to_.stop.grace, "What they have to end by themselves (default 10s)");
  CLI::App* kill = add(app_, "kill", "Send a signal to runs", "kill --signal HUP web", to_.kill);
  kill->add_option("run", to_.kill.runs, kRunHelp)->required();
  kill->add_option("--signal", to_.kill.signal,
                   "Its name or number, e.g. TERM or 9 (default KILL)");
}

void Adder::add_carrying() {
  CLI::App* copy = add(app_, "cp", "Copy files into a run or out of it",
                       "cp site/ web:/srv\n  hypermesh cp web:/var/log - | tar t", to_.copy);
  copy->add_option("from", to_.copy.from, "A file or folder, RUN:/path, or - for tar on input")
      ->required();
  copy->add_option("to", to_.copy.to, "The same, - for tar on output")->required();
  CLI::App* forward = add(app_, "forward", "Reach ports of a run from here, until Ctrl-C",
                          "forward web 8080:80", to_.forward);
  forward->add_option("run", to_.forward.run, kRunHelp)->required();
  forward->add_option("ports", to_.forward.ports, kPortHelp)->required();
}

void Adder::add_image() {
  CLI::App* image = add(app_, "image", "Images of containers", "image", to_.images);
  add(*image, "ls", "List them", "image ls", to_.image_ls);
  constexpr const char* kPlain = "Speak HTTP without TLS to the registry";
  CLI::App* pull = add(*image, "pull", "Fetch one from its registry",
                       "image pull registry.example/alpine:3.20", to_.pull);
  pull->add_option("reference", to_.pull.reference, "REGISTRY/NAME[:TAG][@DIGEST]")->required();
  pull->add_flag("--plain-http", to_.pull.plain_http, kPlain);
  CLI::App* push = add(*image, "push", "Send one to its registry",
                       "image push registry.example/alpine:3.20", to_.push);
  push->add_option("reference", to_.push.reference, "REGISTRY/NAME[:TAG]")->required();
  push->add_flag("--plain-http", to_.push.plain_http, kPlain);
  CLI::App* load = add(*image, "import", "Take the images of an archive (OCI or docker save)",
                       "image import alpine.tar --name alpine:3.20", to_.load);
  load->add_option("file", to_.load.file,
                   "The archive, a folder with an OCI layout, or - for standard input")
      ->required();
  load->add_option("--name", to_.load.name, "What to call it (default: as the archive does)");
  CLI::App* save = add(*image, "export", "Write one as an OCI archive",
                       "image export alpine:3.20 alpine.tar", to_.save);
  save->add_option("reference", to_.save.reference, "Its name")->required();
  save->add_option("file", to_.save.file, "The file, or - for standard output")->required();
  CLI::App* remove = add(*image, "rm", "Take names away; 'prune' frees the space",
                         "image rm alpine:3.20", to_.image_rm);
  remove->add_option("reference", to_.image_rm.references, "Its name")->required();
  add(*image, "prune", "Remove what no name and no run needs", "image prune", to_.prune);
}

// The option that a word is, without its value; none: the parser will say.
const CLI::Option* option_of(const std::vector<const CLI::App*>& apps, const std::string& name) {
  for (const CLI::App* app : apps) {
    if (const CLI::Option* option = app->get_option_no_throw(name); option != nullptr) {
      return option;
    }
  }
  return nullptr;
}

// True iff the word after `word` is its value. `word` begins with '-' and is not "--".
bool takes_next(const std::vector<const CLI::App*>& apps, const std::string& word) {
  const auto wants_value = [&](const std::string& name) {
    const CLI::Option* option = option_of(apps, name);
    return option != nullptr && option->get_items_expected_max() > 0;
  };
  if (word.starts_with("--")) return word.find('=') == std::string::npos && wants_value(word);
  // Short ones may stand together: "-it", "-de" and then the value, "-eA=1".
  for (std::size_t at = 1; at < word.size(); ++at) {
    if (wants_value(std::string{'-', word[at]})) return at + 1 == word.size();
  }
  return false;
}

// The first word at `from` or later that is neither an option nor an option's value.
std::optional<std::size_t> first_positional(const std::vector<const CLI::App*>& apps,
                                            const std::vector<std::string>& words,
                                            std::size_t from) {
  for (std::size_t at = from; at < words.size(); ++at) {
    const std::string& word = words[at];
    if (word == "--") {
      if (at + 1 < words.size()) return at + 1;
      return std::nullopt;
    }
    if (word.size() < 2 || word.front() != '-') return at;
    if (takes_next(apps, word)) ++at;
  }
  return std::nullopt;
}

}  // namespace

void add_container_commands(CLI::App& app, ContainerCommands& commands,
                            const OnCommand& on_command) {
  Adder adder(app, commands, on_command);
  adder.add_run();
  adder.add_looking();
  adder.add_acting();
  adder.add_carrying();
  adder.add_service();
  adder.add_image();
}

void take_container_words(const CLI::App& app, std::vector<std::string>& arguments,
                          ContainerCommands& commands) {
  const auto name = first_positional({&app}, arguments, 0);
  if (!name || (arguments[*name] != "run" && arguments[*name] != "exec")) return;
  const bool runs = arguments[*name] == "run";
  const CLI::App* command = app.get_subcommand(arguments[*name]);
  const auto subject = first_positional({command, &app}, arguments, *name + 1);
  if (!subject) return;
  const auto rest = arguments.begin() + static_cast<std::ptrdiff_t>(*subject) + 1;
  std::vector<std::string>& words = runs ? commands.run.command : commands.exec.command;
  words.assign(std::make_move_iterator(rest), std::make_move_iterator(arguments.end()));
  arguments.erase(rest, arguments.end());
  // Whatever it is called, it is no subcommand.
  if (arguments[*subject - 1] != "--") arguments.insert(arguments.end() - 1, "--");
}

}  // namespace hm::cli
