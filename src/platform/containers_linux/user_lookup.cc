// SPDX-License-Identifier: Apache-2.0
#include "platform/containers_linux/user_lookup.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "platform/containers_linux/file_descriptor.h"
#include "platform/linux/kernel_text.h"

namespace hm::containers_linux {
namespace {

using containers::kMappedIds;
using containers::UserIds;

// Thousands of users; an image has tens.
constexpr std::size_t kMaxAccountBytes = 1U << 20U;
constexpr std::size_t kMaxGroups = 64;
constexpr std::size_t kMaxHomeBytes = 1024;

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(at);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<std::uint32_t> parse_id(std::string_view text) {
  // parse_u64 forgives white space, which passwd(5) does not have.
  if (text.empty() || text.front() < '0' || text.front() > '9' || text.back() < '0') return {};
  const auto number = linux::parse_u64(text);
  if (!number || *number >= kMappedIds) return {};
  return static_cast<std::uint32_t>(*number);
}

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

struct Account {
  std::string_view name;
  std::uint32_t user = 0;
  std::uint32_t group = 0;
  std::string_view home;
};

// passwd(5): name:password:uid:gid:comment:home:shell
std::optional<Account> parse_account(std::string_view line) {
  const auto parts = split(line, ':');
  if (parts.size() != 7 || parts[0].empty()) return {};
  const auto user = parse_id(parts[2]);
  const auto group = parse_id(parts[3]);
  if (!user || !group) return {};
  return Account{.name = parts[0], .user = *user, .group = *group, .home = parts[5]};
}

struct Group {
  std::string_view name;
  std::uint32_t id = 0;
  std::string_view members;  // separated by commas
};

// group(5): name:password:gid:members
std::optional<Group> parse_group(std::string_view line) {
  const auto parts = split(line, ':');
  if (parts.size() != 4 || parts[0].empty()) return {};
  const auto id = parse_id(parts[2]);
  if (!id) return {};
  return Group{.name = parts[0], .id = *id, .members = parts[3]};
}

std::optional<Account> find_account(std::string_view passwd, std::string_view user) {
  const auto number = is_number(user) ? parse_id(user) : std::nullopt;
  for (const std::string_view line : linux::split_lines(passwd)) {
    const auto account = parse_account(line);
    if (account && (number ? account->user == *number : account->name == user)) return account;
  }
  return {};
}

Result<std::uint32_t> find_group(std::string_view text, std::string_view wanted) {
  if (is_number(wanted)) {
    if (const auto id = parse_id(wanted)) return *id;
    return fail(ErrorCode::InvalidArgument, "no such group id: " + std::string(wanted));
  }
  for (const std::string_view line : linux::split_lines(text)) {
    const auto group = parse_group(line);
    if (group && group->name == wanted) return group->id;
  }
  return fail(ErrorCode::NotFound, "the image has no group " + std::string(wanted),
              "/etc/group does not list it");
}

std::vector<std::uint32_t> groups_of(std::string_view text, std::string_view user) {
  std::vector<std::uint32_t> all;
  for (const std::string_view line : linux::split_lines(text)) {
    const auto group = parse_group(line);
    if (!group || std::ranges::find(all, group->id) != all.end()) continue;
    const auto members = split(group->members, ',');
    if (std::ranges::find(members, user) == members.end()) continue;
    all.push_back(group->id);
    if (all.size() == kMaxGroups) break;
  }
  return all;
}

std::string read_inside(int root, const char* path) {
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  const FileDescriptor fd(static_cast<int>(::syscall(SYS_openat2, root, path, &how, sizeof how)));
  struct stat info{};
  // A device or a pipe would be the host's to read.
  if (!fd || ::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) return {};
  std::string text;
  std::array<char, 16384> buffer;
  while (text.size() < kMaxAccountBytes) {
    const ssize_t count = ::read(fd.get(), buffer.data(), buffer.size());
    if (count <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return text;
}

}  // namespace

Result<UserIds> resolve_user_in(std::string_view passwd, std::string_view group,
                                std::string_view user) {
  const std::size_t colon = user.find(':');
  const std::string_view name = user.empty() ? "0" : user.substr(0, colon);
  UserIds ids;
  const auto account = find_account(passwd, name);
  if (account) {
    ids.user = account->user;
    ids.group = account->group;
    const bool is_home = account->home.starts_with('/') && account->home.size() <= kMaxHomeBytes;
    if (is_home) ids.home = account->home;
  } else if (const auto number = is_number(name) ? parse_id(name) : std::nullopt) {
    ids.user = *number;
  } else if (is_number(name)) {
    return fail(ErrorCode::InvalidArgument, "no such user id: " + std::string(name),
                "a container has the ids 0 to " + std::to_string(kMappedIds - 1));
  } else {
    return fail(ErrorCode::NotFound, "the image has no user " + std::string(name),
                "/etc/passwd does not list it");
  }
  if (colon != std::string_view::npos) {
    HM_TRY(ids.group, find_group(group, user.substr(colon + 1)));
  } else if (account) {
    ids.groups = groups_of(group, account->name);
  }
  return ids;
}

Result<UserIds> resolve_user(const std::string& root, std::string_view user) {
  const FileDescriptor folder(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return fail(system_error("cannot open " + root));
  return resolve_user_in(read_inside(folder.get(), "etc/passwd"),
                         read_inside(folder.get(), "etc/group"), user);
}

}  // namespace hm::containers_linux
