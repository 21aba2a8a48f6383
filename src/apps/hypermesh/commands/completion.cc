// SPDX-License-Identifier: Apache-2.0
// `hypermesh completion SHELL`: a script made from the very table that parses the command line.
#include "apps/hypermesh/completion.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "apps/hypermesh/context.h"

namespace hm::cli {
namespace {

// Calls `visit` with every command and the words that lead to it, e.g. "dev stop".
void walk(const CommandNode& node, const std::string& path, const auto& visit) {
  visit(path, node);
  for (const CommandNode& child : node.children) {
    walk(child, path.empty() ? child.name : path + " " + child.name, visit);
  }
}

std::vector<std::string> words_after(const CommandNode& root, const CommandNode& node) {
  std::vector<std::string> words;
  for (const CommandNode& child : node.children) words.push_back(child.name);
  words.insert(words.end(), node.options.begin(), node.options.end());
  if (&node != &root) words.insert(words.end(), root.options.begin(), root.options.end());
  return words;
}

// In single quotes for a shell.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out.push_back(c);
    }
  }
  return out + "'";
}

// The words typed so far that are commands, joined; shared by bash and zsh.
constexpr std::string_view kPathLoop = R"(  local path="" word
  for word in "${words_so_far[@]}"; do
    case "$word" in -*) continue ;; esac
    case " $known " in *" ${path:+$path/}$word "*) path="${path:+$path/}$word" ;; esac
  done
)";

}  // namespace

std::string bash_completion(const CommandNode& root) {
  std::string known;
  std::string cases;
  walk(root, "", [&](std::string path, const CommandNode& node) {
    std::ranges::replace(path, ' ', '/');
    if (!path.empty()) known += " " + path;
    cases += fmt::format("    {}) candidates=\"{}\" ;;\n", quoted(path),
                         fmt::join(words_after(root, node), " "));
  });
  return fmt::format(
      "# bash completion; source it: eval \"$(hypermesh completion bash)\"\n"
      "_hypermesh() {{\n"
      "  local known=\"{}\" candidates=\"\"\n"
      "  local words_so_far=(\"${{COMP_WORDS[@]:1:COMP_CWORD-1}}\")\n{}"
      "  case \"$path\" in\n{}  esac\n"
      "  COMPREPLY=($(compgen -W \"$candidates\" -- \"${{COMP_WORDS[COMP_CWORD]}}\"))\n"
      "}}\ncomplete -o default -F _hypermesh hypermesh\n",
      known, kPathLoop, cases);
}

std::string zsh_completion(const CommandNode& root) {
  std::string known;
  std::string cases;
  walk(root, "", [&](std::string path, const CommandNode& node) {
    std::ranges::replace(path, ' ', '/');
    if (!path.empty()) known += " " + path;
    cases += fmt::format("    {}) candidates=({}) ;;\n", quoted(path),
                         fmt::join(words_after(root, node), " "));
  });
  // "path" is tied to PATH in zsh, so the loop's variable gets another name.
  std::string loop(kPathLoop);
  for (std::size_t at = 0; (at = loop.find("path", at)) != std::string::npos; at += 7) {
    loop.replace(at, 4, "command");
  }
  return fmt::format(
      "#compdef hypermesh\n"
      "# zsh completion; source it: eval \"$(hypermesh completion zsh)\"\n"
      "_hypermesh() {{\n"
      "  local known=\"{}\"\n  local -a candidates words_so_far\n"
      "  words_so_far=(\"${{(@)words[2,CURRENT-1]}}\")\n{}"
      "  case \"$command\" in\n{}  esac\n"
      "  compadd -- $candidates\n"
      "}}\ncompdef _hypermesh hypermesh\n",
      known, loop, cases);
}

std::string fish_completion(const CommandNode& root) {
  std::string text = "# fish completion; source it: hypermesh completion fish | source\n";
  walk(root, "", [&](const std::string& path, const CommandNode& node) {
    std::string condition;
    if (path.empty()) {
      condition = "__fish_use_subcommand";
    } else {
      for (std::size_t at = 0; at < path.size();) {
        const std::size_t end = std::min(path.find(' ', at), path.size());
        condition += fmt::format("{}__fish_seen_subcommand_from {}",
                                 condition.empty() ? "" : "; and ", path.substr(at, end - at));
        at = end + 1;
      }
    }
    for (const CommandNode& child : node.children) {
      text += fmt::format("complete -c hypermesh -f -n {} -a {} -d {}\n", quoted(condition),
                          child.name, quoted(child.description));
    }
    for (const std::string& option : node.options) {
      text += fmt::format("complete -c hypermesh -n {} -l {}\n",
                          path.empty() ? "true" : quoted(condition), option.substr(2));
    }
  });
  return text;
}

Outcome run(const Completion& options, const Context& context) {
  const CommandNode root = command_tree();
  if (options.shell == "zsh") {
    context.terminal.data(zsh_completion(root));
  } else if (options.shell == "fish") {
    context.terminal.data(fish_completion(root));
  } else {
    context.terminal.data(bash_completion(root));
  }
  return {};
}

}  // namespace hm::cli
