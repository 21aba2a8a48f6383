// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/local_node.h"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "apps/hypermesh/node_config.h"
#include "apps/hypermesh/node_process.h"
#include "apps/hypermesh/passphrase.h"
#include "platform/files/atomic_file.h"

namespace hm::cli {
namespace {

constexpr std::size_t kMaxToken = 256;

// The configuration file of a process `hypermesh node --config FILE`; empty if it is none.
std::string config_of_process(const std::string& process_folder) {
  std::ifstream file(process_folder + "/cmdline", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::string> words;
  for (std::size_t at = 0; at < text.size() && words.size() < 5;) {
    const std::size_t end = std::min(text.find('\0', at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  if (words.size() != 4 || words[1] != "node" || words[2] != "--config") return {};
  return words[3];
}

}  // namespace

std::optional<NodeFolder> local_node(const http::HttpEndpoint& endpoint) {
  if (endpoint.address != "::1" && endpoint.address != "localhost") return std::nullopt;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename().string();
    int pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ptr !=
        name.data() + name.size()) {
      continue;
    }
    const std::string config_path = config_of_process(entry.path().string());
    if (config_path.empty()) continue;
    const auto config = read_node_config(config_path);
    if (!config || config->api_port != endpoint.port) continue;
    const NodeFolder folder{std::filesystem::path(config_path).parent_path().string()};
    // The words of a process prove nothing; the lock on the folder does.
    const auto holder = running_node(folder);
    if (holder && *holder == pid) return folder;
  }
  return std::nullopt;
}

Answer<std::string> owner_key_file(const Globals& globals, const http::HttpEndpoint& endpoint) {
  if (!globals.key.empty()) return globals.key;
  const auto folder = local_node(endpoint);
  if (folder) return folder->owner_key();
  return failed(ExitCode::Denied, "no key to sign with",
                fmt::format("{} is no node of this machine and user", http::to_url(endpoint)),
                "name the owner's key file: --key FILE, or HYPERMESH_KEY");
}

Answer<identity::OwnerKeys> owner_keys(const Globals& globals, const http::HttpEndpoint& endpoint) {
  HM_CLI_TRY(const std::string path, owner_key_file(globals, endpoint));
  return open_owner_keys(path, passphrase_source(globals));
}

Answer<std::string> admin_token(const http::HttpEndpoint& endpoint) {
  const auto folder = local_node(endpoint);
  if (!folder) {
    return failed(ExitCode::Denied, "this needs the admin token of the node",
                  fmt::format("{} is no node of this machine and user", http::to_url(endpoint)),
                  "run it on the node's machine, as its user");
  }
  HM_CLI_TRY(const Bytes content,
             files::read_file(folder->admin_token(), kMaxToken, files::Access::Secret));
  std::string token(as_text(content));
  while (token.ends_with('\n')) token.pop_back();
  return token;
}

}  // namespace hm::cli
