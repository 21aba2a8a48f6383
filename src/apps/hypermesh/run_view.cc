// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/run_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "apps/hypermesh/api_client.h"
#include "apps/hypermesh/container_words.h"
#include "apps/hypermesh/duration.h"
#include "apps/hypermesh/json_fields.h"
#include "apps/hypermesh/lease_view.h"
#include "apps/hypermesh/quantity.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kMaxCommandWidth = 32;

std::string joined(const ordered_json& list, std::string_view between) {
  std::string text;
  for (const ordered_json& item : list) {
    if (!text.empty()) text += between;
    text += item.is_string() ? item.get<std::string>() : item.dump();
  }
  return text;
}

std::string command_of(const ordered_json& run) {
  std::string text = joined(list_of(member_of(run, "spec"), "command"), " ");
  if (text.size() > kMaxCommandWidth) text = text.substr(0, kMaxCommandWidth - 3) + "...";
  return text;
}

std::string image_of(const ordered_json& run) {
  const std::string name = text_of(run, "image_name");
  return name.empty() ? short_id(text_of(member_of(run, "spec"), "image")) : name;
}

std::string age(std::uint64_t since_ms, UnixMillis now) {
  return since_ms == 0 || since_ms > now.value ? std::string() : format_age(now.value - since_ms);
}

// Empty if it is not measured there.
std::string bytes_used(const ordered_json& usage, const char* key) {
  return usage.contains(key) ? format_quantity(number_of(usage, key), "bytes") : "-";
}

std::string two(const ordered_json& usage, const char* first, const char* second) {
  return fmt::format("{} / {}", bytes_used(usage, first), bytes_used(usage, second));
}

std::string percent(std::uint64_t cpu_us, std::uint64_t elapsed_ms) {
  if (elapsed_ms == 0) return "-";
  // A processor's percent are ten microseconds of each millisecond.
  const std::uint64_t tenths = cpu_us / elapsed_ms;
  return fmt::format("{}.{}%", tenths / 10, tenths % 10);
}

std::string mount_words(const ordered_json& volume) {
  return fmt::format("{} at {}, {}{}", text_of(volume, "name"), text_of(volume, "path"),
                     format_quantity(number_of(volume, "bytes"), "bytes"),
                     text_of(volume, "read_only") == "true" ? ", read only" : "");
}

}  // namespace

std::string cores_in_words(std::uint64_t millicores) {
  std::string text = fmt::format("{}.{:03}", millicores / 1000, millicores % 1000);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return fmt::format("{} {}", text, millicores == 1000 ? "core" : "cores");
}

std::string run_state(const ordered_json& run) {
  const ordered_json& report = member_of(run, "report");
  std::string phase = text_of(run, "phase");
  if (phase.empty() || (phase != "ended" && report.is_object())) phase = text_of(report, "phase");
  const ordered_json& own = member_of(run, "exit");
  const ordered_json& exit = own.is_object() ? own : member_of(report, "exit");
  if (phase != "ended") return phase;
  if (exit.is_object()) {
    return fmt::format("ended with {}{}", number_of(exit, "code"),
                       text_of(exit, "out_of_memory") == "true" ? ", out of memory" : "");
  }
  const std::string failure = text_of(run, "failure");
  return failure.empty() ? "ended" : "ended: " + failure;
}

std::vector<std::string> run_heads() {
  return {"RUN", "NAME", "SERVICE", "IMAGE", "NODE", "AGE", "COMMAND", "STATE"};
}

std::vector<Terminal::Cell> run_row(const ordered_json& run, UnixMillis now) {
  const std::string state = run_state(run);
  const Style style = state == "running"                  ? Style::Good
                      : state.starts_with("ended with 0") ? Style::Dim
                      : state.starts_with("ended")        ? Style::Warn
                                                          : Style::Plain;
  return {{short_id(text_of(run, "run")), Style::Bold},
          {text_of(run, "name"), Style::Plain},
          {text_of(run, "service"), Style::Plain},
          {image_of(run), Style::Plain},
          {text_of(run, "node_name"), Style::Plain},
          {age(number_of(run, "created_ms"), now), Style::Plain},
          {command_of(run), Style::Plain},
          {state, style}};
}

std::vector<std::string> hosted_heads() {
  return {"RUN", "TENANT", "CORES", "MEMORY", "NETWORK", "LEASES", "STATE"};
}

std::vector<Terminal::Cell> hosted_row(const ordered_json& run) {
  const ordered_json& spec = member_of(run, "spec");
  std::string listed;
  for (const ordered_json& lease : list_of(run, "leases")) {
    if (!lease.is_string()) continue;
    listed += (listed.empty() ? "" : " ") + short_id(lease.get_ref<const std::string&>());
  }
  return {{short_id(text_of(run, "run")), Style::Bold},
          {text_of(run, "tenant_name"), Style::Plain},
          {cores_in_words(number_of(spec, "cpu_millicores")), Style::Plain},
          {format_quantity(number_of(spec, "memory_bytes"), "bytes"), Style::Plain},
          {text_of(spec, "network"), Style::Plain},
          {listed.empty() ? "own" : listed, Style::Plain},
          {run_state(run), Style::Plain}};
}

std::vector<std::pair<std::string, std::string>> run_lines(const ordered_json& run,
                                                           UnixMillis now) {
  const ordered_json& spec = member_of(run, "spec");
  const ordered_json& report = member_of(run, "report");
  std::vector<std::pair<std::string, std::string>> lines;
  const auto line = [&](std::string name, std::string value) {
    if (!value.empty()) lines.emplace_back(std::move(name), std::move(value));
  };
  line("run", text_of(run, "run"));
  line("name", text_of(run, "name"));
  line("service", text_of(run, "service"));
  line("state", run_state(run));
  line("image", fmt::format("{} ({})", image_of(run), text_of(spec, "image")));
  line("node", fmt::format("{} ({})", text_of(run, "node_name"), text_of(run, "node")));
  line("began", moment_from_now(number_of(run, "created_ms"), now));
  line("command", joined(list_of(spec, "command"), " "));
  line("variables", joined(list_of(spec, "environment"), " "));
  line("cores", cores_in_words(number_of(spec, "cpu_millicores")) +
                    (text_of(spec, "pinned") == "true" ? ", its own" : ""));
  line("memory", format_quantity(number_of(spec, "memory_bytes"), "bytes"));
  const std::uint64_t disk = number_of(spec, "disk_bytes");
  line("disk", disk == 0 ? "in its memory" : format_quantity(disk, "bytes"));
  line("pids", text_of(spec, "pids"));
  line("network", text_of(spec, "network"));
  line("isolation", text_of(spec, "isolation"));
  for (const ordered_json& volume : list_of(spec, "volumes")) line("volume", mount_words(volume));
  for (const ordered_json& scratch : list_of(spec, "scratch")) {
    line("tmpfs", fmt::format("{}, {}", text_of(scratch, "path"),
                              format_quantity(number_of(scratch, "bytes"), "bytes")));
  }
  const ordered_json& restart = member_of(spec, "restart");
  line("restarts",
       fmt::format("{} so far; {}", number_of(report, "restarts"), text_of(restart, "when")));
  for (const ordered_json& lease : list_of(run, "leases")) {
    if (lease.is_string()) line("lease", lease.get<std::string>());
  }
  const ordered_json& usage = member_of(report, "usage");
  if (usage.is_object() && !usage.empty()) {
    line("used", fmt::format("{} ms of processors; memory {} now, {} at most",
                             number_of(usage, "cpu_us") / 1000, bytes_used(usage, "memory_bytes"),
                             bytes_used(usage, "memory_peak_bytes")));
  }
  return lines;
}

std::vector<std::string> UsageLooks::heads() {
  return {"RUN",  "NAME",           "CPU",      "CPU TIME", "MEMORY / LIMIT", "DISK",
          "PIDS", "READ / WRITTEN", "IN / OUT", "THROTTLED"};
}

std::vector<Terminal::Cell> UsageLooks::row(const ordered_json& run, UnixMillis now) {
  const std::string id = text_of(run, "run");
  const ordered_json& report = member_of(run, "report");
  const ordered_json& usage = member_of(report, "usage");
  const std::uint64_t cpu = number_of(usage, "cpu_us");
  const std::uint64_t began = number_of(report, "started_ms");
  const auto [found, is_new] = looks_.try_emplace(id);
  Look& look = found->second;
  if (!usage.contains("cpu_us")) {
    look.share = "-";
  } else if (is_new) {
    look = {cpu, now, percent(cpu, began == 0 || began > now.value ? 0 : now.value - began)};
  } else if (cpu > look.cpu_us) {
    look = {cpu, now, percent(cpu - look.cpu_us, now.value - look.at.value)};
  }
  const std::uint64_t throttled = number_of(usage, "throttled_us") / 1000;
  return {{short_id(id), Style::Bold},
          {text_of(run, "name"), Style::Plain},
          {look.share, Style::Plain},
          {usage.contains("cpu_us") ? fmt::format("{} ms", cpu / 1000) : "-", Style::Plain},
          {fmt::format("{} / {}", bytes_used(usage, "memory_bytes"),
                       format_quantity(number_of(member_of(run, "spec"), "memory_bytes"), "bytes")),
           Style::Plain},
          {bytes_used(usage, "disk_bytes"), Style::Plain},
          {usage.contains("pids") ? text_of(usage, "pids") : "-", Style::Plain},
          {two(usage, "read_bytes", "written_bytes"), Style::Plain},
          {two(usage, "received_bytes", "sent_bytes"), Style::Plain},
          {usage.contains("throttled_us") ? fmt::format("{} ms", throttled) : "-", Style::Plain}};
}

std::vector<std::string> image_heads() {
  return {"REFERENCE", "MANIFEST", "SIZE", "PLATFORM", "MADE"};
}

std::vector<Terminal::Cell> image_row(const ordered_json& image, UnixMillis now) {
  const std::string made = age(number_of(image, "created_ms"), now);
  return {{text_of(image, "reference"), Style::Bold},
          {short_id(text_of(image, "manifest")), Style::Plain},
          {format_quantity(number_of(image, "bytes"), "bytes"), Style::Plain},
          {text_of(image, "platform"), Style::Plain},
          {made.empty() ? "-" : made + " ago", Style::Plain}};
}

}  // namespace hm::cli
