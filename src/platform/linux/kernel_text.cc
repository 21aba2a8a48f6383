// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/kernel_text.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <system_error>

#include "platform/linux/limits.h"

namespace hm::linux {
namespace {

constexpr std::string_view kBlanks = " \t\r\n\v\f";

std::optional<std::uint64_t> parse_number(std::string_view text, int base) {
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<std::string_view> split_at(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

bool is_octal(char c) { return c >= '0' && c <= '7'; }

// The kernel writes blank, tab, newline and backslash in paths as \ooo.
std::string decode_octal(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && is_octal(text[i + 1]) && is_octal(text[i + 2]) &&
        is_octal(text[i + 3])) {
      const int code = (text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0');
      out.push_back(static_cast<char>(code));
      i += 3;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

bool has_option(std::string_view options, std::string_view wanted) {
  const auto parts = split_at(options, ',');
  return std::ranges::find(parts, wanted) != parts.end();
}

std::optional<std::uint32_t> parse_u32(std::string_view text) {
  const auto value = parse_u64(text);
  if (!value || *value > UINT32_MAX) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

// proc_pid_mountinfo(5): id parent major:minor root mount-point options [tags…] - type source super
std::optional<Mount> parse_mount(std::string_view line) {
  const std::vector<std::string_view> words = split_words(line);
  const auto dash = std::ranges::find(words, std::string_view("-"));
  if (dash - words.begin() < 6 || words.end() - dash < 4) return std::nullopt;
  const std::size_t colon = words[2].find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto major = parse_u32(words[2].substr(0, colon));
  const auto minor = parse_u32(words[2].substr(colon + 1));
  if (!major || !minor || !words[4].starts_with('/')) return std::nullopt;
  return Mount{.major = *major,
               .minor = *minor,
               .root = decode_octal(words[3]),
               .mount_point = decode_octal(words[4]),
               .filesystem = std::string(dash[1]),
               .source = decode_octal(dash[2]),
               .read_only = has_option(words[5], "ro") || has_option(dash[3], "ro"),
               .super_options = std::string(dash[3])};
}

bool is_parent(std::string_view folder, std::string_view path) {
  if (folder == "/") return path.starts_with('/');
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

}  // namespace

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::vector<std::string_view> split_lines(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.empty()) return {};
  return split_at(text, '\n');
}

std::vector<std::string_view> split_words(std::string_view text) {
  std::vector<std::string_view> words;
  while (true) {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return words;
    text.remove_prefix(first);
    const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

std::optional<std::uint64_t> parse_u64(std::string_view text) {
  return parse_number(trim(text), 10);
}

std::optional<std::uint64_t> parse_hex(std::string_view text) {
  text = trim(text);
  if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
  return parse_number(text, 16);
}

std::optional<std::vector<std::uint32_t>> parse_cpu_list(std::string_view text) {
  text = trim(text);
  std::vector<std::uint32_t> cpus;
  if (text.empty()) return cpus;
  std::set<std::uint32_t> unique;
  for (std::string_view part : split_at(text, ',')) {
    const std::size_t dash = part.find('-');
    const auto first = parse_number(part.substr(0, dash), 10);
    const auto last =
        dash == std::string_view::npos ? first : parse_number(part.substr(dash + 1), 10);
    if (!first || !last || *first > *last || *last >= kMaxCpus) return std::nullopt;
    for (std::uint64_t cpu = *first; cpu <= *last; ++cpu) {
      unique.insert(static_cast<std::uint32_t>(cpu));
    }
  }
  cpus.assign(unique.begin(), unique.end());
  return cpus;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  text = trim(text);
  if (text.empty()) return std::nullopt;
  unsigned shift = 0;
  switch (text.back()) {
    case 'K': shift = 10; break;
    case 'M': shift = 20; break;
    case 'G': shift = 30; break;
    default: break;
  }
  if (shift != 0) text.remove_suffix(1);
  const auto value = parse_number(text, 10);
  if (!value || *value > (UINT64_MAX >> shift)) return std::nullopt;
  return *value << shift;
}

std::map<std::string, std::uint64_t, std::less<>> parse_meminfo(std::string_view text) {
  std::map<std::string, std::uint64_t, std::less<>> fields;
  for (std::string_view line : split_lines(text)) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) continue;
    const std::vector<std::string_view> words = split_words(line.substr(colon + 1));
    if (words.empty() || words.size() > 2) continue;
    auto value = parse_number(words[0], 10);
    if (!value) continue;
    if (words.size() == 2) {
      if (words[1] != "kB" || *value > UINT64_MAX / 1024) continue;
      *value *= 1024;
    }
    fields.emplace(line.substr(0, colon), *value);
  }
  return fields;
}

std::vector<CpuinfoBlock> parse_cpuinfo(std::string_view text) {
  std::vector<CpuinfoBlock> blocks;
  CpuinfoBlock block;
  const auto finish = [&] {
    if (!block.empty() && blocks.size() < kMaxCpus) blocks.push_back(std::move(block));
    block.clear();
  };
  for (std::string_view line : split_lines(text)) {
    const std::size_t colon = line.find(':');
    if (trim(line).empty()) finish();
    if (colon == std::string_view::npos) continue;
    const std::string_view name = trim(line.substr(0, colon));
    if (!name.empty()) block.emplace(name, trim(line.substr(colon + 1)));
  }
  finish();
  return blocks;
}

std::vector<Mount> parse_mountinfo(std::string_view text) {
  std::vector<Mount> mounts;
  for (std::string_view line : split_lines(text)) {
    if (mounts.size() == kMaxMounts) break;
    if (auto mount = parse_mount(line)) mounts.push_back(std::move(*mount));
  }
  return mounts;
}

const Mount* mount_of(const std::vector<Mount>& mounts, std::string_view absolute_path) {
  const Mount* best = nullptr;
  for (const Mount& mount : mounts) {
    if (!is_parent(mount.mount_point, absolute_path)) continue;
    if (best == nullptr || mount.mount_point.size() >= best->mount_point.size()) best = &mount;
  }
  return best;
}

std::vector<CgroupMembership> parse_cgroups(std::string_view text) {
  std::vector<CgroupMembership> memberships;
  for (std::string_view line : split_lines(text)) {
    const std::size_t first = line.find(':');
    if (first == std::string_view::npos) continue;
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const auto hierarchy = parse_u32(line.substr(0, first));
    const std::string_view path = line.substr(second + 1);
    if (!hierarchy || !path.starts_with('/')) continue;
    CgroupMembership membership{
        .hierarchy = *hierarchy, .controllers = {}, .path = std::string(path)};
    const std::string_view names = line.substr(first + 1, second - first - 1);
    if (!names.empty()) {
      for (std::string_view name : split_at(names, ',')) membership.controllers.emplace_back(name);
    }
    memberships.push_back(std::move(membership));
  }
  return memberships;
}

}  // namespace hm::linux
