// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/object_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "apps/hypermesh/api_client.h"
#include "apps/hypermesh/json_fields.h"
#include "apps/hypermesh/quantity.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

std::string bytes_words(std::uint64_t bytes) { return format_quantity(bytes, "bytes"); }

std::string age_of(const ordered_json& entry, const char* key, UnixMillis now) {
  const std::uint64_t at = number_of(entry, key);
  return at == 0 || at > now.value ? std::string("now") : format_age(now.value - at) + " ago";
}

std::string party(const ordered_json& entry, const char* name, const char* id) {
  const std::string text = text_of(entry, name);
  return text.empty() ? short_id(text_of(entry, id)) : text;
}

std::string owners_words(const ordered_json& owners) {
  std::string words;
  for (const ordered_json& owner : owners) {
    words += (words.empty() ? "" : ", ") + party(owner, "owner_name", "owner");
  }
  return words;
}

bool is_true(const ordered_json& entry, const char* key) { return text_of(entry, key) == "true"; }

std::string losses_words(std::uint64_t losses) {
  if (losses == 0) return "no loss is borne";
  return fmt::format("{} {} may lose what they hold", losses, losses == 1 ? "owner" : "owners");
}

}  // namespace

std::vector<std::string> object_heads() { return {"SIZE", "STORED", "CODE", "OWNER", "NAME"}; }

std::vector<Terminal::Cell> object_row(const ordered_json& object, UnixMillis now) {
  const bool is_own = text_of(object, "origin") == "own";
  return {{bytes_words(number_of(object, "size"))},
          {age_of(object, "stored_ms", now)},
          {text_of(object, "code")},
          {is_own ? "own" : party(object, "owner_name", "owner")},
          {printable(text_of(object, "name"))}};
}

std::vector<Terminal::Cell> folder_row(const std::string& folder) {
  return {{""}, {""}, {""}, {""}, {printable(folder), Style::Bold}};
}

std::vector<NamedLine> object_lines(const ordered_json& answer, UnixMillis now) {
  const ordered_json& object = member_of(answer, "object");
  const ordered_json& health = member_of(answer, "health");
  const bool is_own = text_of(object, "origin") == "own";
  std::vector<NamedLine> lines = {
      {"name", text_of(object, "name")},
      {"id", text_of(object, "id")},
      {"content", text_of(object, "content")},
      {"size", bytes_words(number_of(object, "size"))},
      {"version", text_of(object, "version")},
      {"stored", age_of(object, "stored_ms", now)},
      {"owner", party(object, "owner_name", "owner") + (is_own ? "" : ", who shares it")},
      {"code", text_of(object, "code")}};
  if (const ordered_json& readers = list_of(object, "readers"); !readers.empty()) {
    lines.emplace_back("readers", owners_words(readers));
    lines.emplace_back("share id", text_of(object, "share_id"));
  }
  for (const auto& [key, value] : member_of(object, "metadata").items()) {
    lines.emplace_back("meta " + key, value.is_string() ? value.get<std::string>() : value.dump());
  }
  if (!is_own) {
    lines.emplace_back("state", "its owner keeps it; 'hypermesh pin' makes a copy of your own");
    return lines;
  }
  const std::uint64_t shards = number_of(health, "shards");
  const std::uint64_t healthy = number_of(health, "healthy");
  const std::uint64_t bears = number_of(health, "bears");
  std::string state = "cannot be read now: too much of it is lost or away";
  if (is_true(health, "readable")) {
    state = shards == 0
                ? std::string("whole")
                : fmt::format("{} of {} parts are there; {}", healthy, shards, losses_words(bears));
  }
  lines.emplace_back("state", state);
  return lines;
}

std::vector<std::string> holder_heads() { return {"NODE", "OWNER", "PARTS", "BYTES", "STATE"}; }

std::vector<Terminal::Cell> holder_row(const ordered_json& holder) {
  const bool is_there = is_true(holder, "reachable");
  const bool stands = is_true(holder, "stands");
  const std::string state = !stands ? "its lease ends" : is_there ? "there" : "not connected";
  return {{printable(party(holder, "node_name", "node"))},
          {printable(party(holder, "owner_name", "owner"))},
          {text_of(holder, "shards")},
          {bytes_words(number_of(holder, "bytes"))},
          {state, is_there && stands ? Style::Good : Style::Warn}};
}

std::string rate_words(std::uint64_t bytes, std::chrono::milliseconds elapsed) {
  const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(1, elapsed.count()));
  const double rate = static_cast<double>(bytes) * 1000 / static_cast<double>(ms);
  return fmt::format("{} in {}, {}/s", bytes_words(bytes), format_age(ms),
                     bytes_words(static_cast<std::uint64_t>(rate)));
}

std::vector<NamedLine> stored_lines(const ordered_json& report, std::chrono::milliseconds elapsed) {
  const ordered_json& object = member_of(report, "object");
  const std::uint64_t shared = number_of(report, "shared_bytes");
  std::vector<NamedLine> lines = {{"name", text_of(object, "name")},
                                  {"id", text_of(object, "id")},
                                  {"content", text_of(object, "content")},
                                  {"code", text_of(report, "words")}};
  std::string sent = bytes_words(number_of(report, "stored_bytes")) + " sent";
  if (shared > 0) sent += fmt::format(", {} were stored before", bytes_words(shared));
  if (const std::uint64_t resumed = number_of(report, "resumed_bytes"); resumed > 0) {
    sent +=
        fmt::format("; {} of it were there from a put that was broken off", bytes_words(resumed));
  }
  lines.emplace_back("stored", sent);
  lines.emplace_back("rate", rate_words(number_of(report, "plain_bytes"), elapsed));
  if (const std::uint64_t unplaced = number_of(report, "unplaced"); unplaced > 0) {
    lines.emplace_back("missing", fmt::format("{} parts that nobody took yet; the node goes on "
                                              "looking for places",
                                              unplaced));
  }
  if (!list_of(object, "readers").empty()) {
    lines.emplace_back("share id", text_of(object, "share_id"));
  }
  return lines;
}

std::vector<NamedLine> storage_lines(const ordered_json& status) {
  const ordered_json& own = member_of(status, "own");
  const ordered_json& others = member_of(status, "for_others");
  const ordered_json& counters = member_of(own, "counters");
  std::uint64_t used = 0;
  std::uint64_t quantity = 0;
  for (const ordered_json& lease : list_of(own, "leases")) {
    used += number_of(lease, "used");
    quantity += number_of(lease, "quantity");
  }
  std::vector<NamedLine> lines;
  const std::string trouble = text_of(own, "trouble");
  lines.emplace_back("state", trouble.empty() ? "works" : trouble);
  lines.emplace_back("elsewhere",
                     fmt::format("{} used of {} leased", bytes_words(used), bytes_words(quantity)));
  lines.emplace_back("on ledger",
                     fmt::format("commitment {}{}", text_of(own, "commitment"),
                                 is_true(own, "pending") ? "; changes wait for the next" : ""));
  lines.emplace_back(
      "repair", fmt::format("{} waiting, {} parts made anew since the node started",
                            text_of(own, "repairs_waiting"), text_of(counters, "shards_repaired")));
  lines.emplace_back("audits",
                     fmt::format("{} passed, {} failed", text_of(counters, "audits_passed"),
                                 text_of(counters, "audits_failed")));
  if (others.is_null()) {
    lines.emplace_back("for others", "this node keeps nothing");
  } else {
    lines.emplace_back(
        "for others",
        fmt::format("{} in {} parts under {} leases; {} on disk, {} parts damaged",
                    bytes_words(number_of(others, "shard_bytes")), text_of(others, "shards"),
                    text_of(others, "leases"), bytes_words(number_of(others, "disk_bytes")),
                    text_of(others, "damaged")));
  }
  return lines;
}

std::vector<std::string> storage_lease_heads() {
  return {"LEASE", "NODE", "OWNER", "USED", "OF", "HELD", "ENDS", "STATE"};
}

std::vector<Terminal::Cell> storage_lease_row(const ordered_json& lease, UnixMillis now) {
  const bool is_there = is_true(lease, "reachable");
  const std::uint64_t until = number_of(lease, "until_ms");
  std::string held = "-";
  if (lease.contains("held")) held = bytes_words(number_of(lease, "held"));
  if (lease.contains("held_unknown")) held = "?";
  return {{short_id(text_of(lease, "lease"))},
          {printable(party(lease, "node_name", "node"))},
          {printable(party(lease, "owner_name", "owner"))},
          {bytes_words(number_of(lease, "used"))},
          {bytes_words(number_of(lease, "quantity"))},
          {held},
          {until > now.value ? "in " + format_age(until - now.value) : "now"},
          {is_there ? "there" : "not connected", is_there ? Style::Good : Style::Warn}};
}

std::vector<std::string> upload_heads() {
  return {"UPLOAD", "NAME", "THERE", "OF", "BEGUN", "ENDS"};
}

std::vector<Terminal::Cell> upload_row(const ordered_json& upload, UnixMillis now) {
  const std::uint64_t ends = number_of(upload, "ends_ms");
  const bool is_known = !member_of(upload, "bytes").is_null();
  return {{short_id(text_of(upload, "id"))},
          {printable(text_of(upload, "name"))},
          {bytes_words(number_of(upload, "stored_bytes"))},
          {is_known ? bytes_words(number_of(upload, "bytes")) : "?"},
          {age_of(upload, "begun_ms", now)},
          {ends > now.value ? "in " + format_age(ends - now.value) : "now"}};
}

std::vector<std::string> fault_heads() { return {"WHEN", "NODE", "FAULT", "PART", "WORDS"}; }

std::vector<Terminal::Cell> fault_row(const ordered_json& fault, UnixMillis now) {
  return {{age_of(fault, "at_ms", now)},
          {printable(party(fault, "node_name", "node"))},
          {text_of(fault, "fault"), Style::Bad},
          {short_id(text_of(fault, "shard"))},
          {printable(text_of(fault, "words"))}};
}

}  // namespace hm::cli
