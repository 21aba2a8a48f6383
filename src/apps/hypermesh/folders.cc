// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/folders.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace hm::cli {

std::string state_home() {
  if (::geteuid() == 0) return "/var/lib/hypermesh";
  // A relative XDG path is to be ignored (XDG Base Directory Specification).
  if (const char* xdg = std::getenv("XDG_STATE_HOME"); xdg != nullptr && *xdg == '/') {
    return std::string(xdg) + "/hypermesh";
  }
  const char* home = std::getenv("HOME");
  return std::string(home != nullptr ? home : "/tmp") + "/.local/state/hypermesh";
}

std::string default_dev_folder() { return state_home() + "/dev"; }
std::string default_node_folder() { return state_home() + "/node"; }

std::string absolute(const std::string& path) {
  std::error_code error;
  const auto full = std::filesystem::absolute(path, error).lexically_normal();
  std::string text = error ? path : full.string();
  while (text.size() > 1 && text.ends_with('/')) text.pop_back();
  return text;
}

}  // namespace hm::cli
