// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/service_view.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "apps/hypermesh/api_client.h"
#include "apps/hypermesh/duration.h"
#include "apps/hypermesh/json_fields.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

Style style_of(const std::string& state) {
  if (state == "running" || state == "healthy") return Style::Good;
  if (state == "waiting" || state == "replacing" || state == "failing") return Style::Warn;
  return Style::Plain;
}

std::string since(std::uint64_t at_ms, UnixMillis now) {
  return at_ms == 0 || at_ms > now.value ? "now" : format_duration(now.value - at_ms);
}

std::string check_words(const ordered_json& health) {
  const std::string kind = text_of(health, "kind");
  if (kind == "none") return "none: its node's word is taken";
  const std::string what = kind == "exec" ? text_of(health, "command")
                                          : text_of(health, "port") + text_of(health, "path");
  return fmt::format("{}:{} every {}, {} for an answer, {} failures count", kind, what,
                     format_duration(number_of(health, "interval_ms")),
                     format_duration(number_of(health, "timeout_ms")), text_of(health, "retries"));
}

std::string healthy_of(const ordered_json& service) {
  return fmt::format("{}/{}", number_of(service, "healthy"), number_of(service, "replicas"));
}

}  // namespace

std::vector<std::string> service_heads() {
  return {"SERVICE", "IMAGE", "HEALTHY", "AGE", "STATE", "WHY"};
}

std::vector<Terminal::Cell> service_row(const ordered_json& service, UnixMillis now) {
  const std::string state = text_of(service, "state");
  return {{text_of(service, "name"), Style::Bold},
          {text_of(service, "image_name"), Style::Plain},
          {healthy_of(service), Style::Plain},
          {since(number_of(service, "created_ms"), now), Style::Plain},
          {state, style_of(state)},
          {text_of(service, "waiting"), Style::Plain}};
}

std::vector<std::pair<std::string, std::string>> service_lines(const ordered_json& service,
                                                               UnixMillis now) {
  std::vector<std::pair<std::string, std::string>> lines;
  const auto line = [&](const char* name, std::string value) {
    if (!value.empty()) lines.emplace_back(name, std::move(value));
  };
  line("service", text_of(service, "name"));
  line("state", text_of(service, "state"));
  line("waits", text_of(service, "waiting"));
  line("healthy", healthy_of(service));
  line("image", text_of(service, "image_name"));
  line("check", check_words(member_of(service, "health")));
  line("on", text_of(service, "on"));
  line("leases",
       fmt::format("for {}, renewed", format_duration(number_of(service, "duration_ms"))));
  const std::string price = text_of(service, "highest_price");
  line("price", price.empty() ? "" : fmt::format("at most {} CAES an hour for each", price));
  line("age", since(number_of(service, "created_ms"), now));
  line("placed", fmt::format("{} replicas so far", number_of(service, "placed")));
  return lines;
}

std::vector<std::string> replica_heads() {
  return {"REPLICA", "RUN", "OWNER", "NODE", "AGE", "STATE", "WHY"};
}

std::vector<Terminal::Cell> replica_row(const ordered_json& replica, UnixMillis now) {
  const std::string state = text_of(replica, "state");
  const std::string why = text_of(replica, "why");
  const std::string failure = text_of(replica, "last_failure");
  const std::string run = text_of(replica, "run");
  return {{text_of(replica, "number"), Style::Bold},
          {run.empty() ? "-" : short_id(run), Style::Plain},
          {text_of(replica, "owner_name"), Style::Plain},
          {text_of(replica, "node_name"), Style::Plain},
          {since(number_of(replica, "since_ms"), now), Style::Plain},
          {state, style_of(state)},
          {why.empty() ? failure : why, Style::Plain}};
}

std::vector<std::string> left_out_heads() { return {"LEFT OUT", "NODE", "FOR", "TIMES", "WHY"}; }

std::vector<Terminal::Cell> left_out_row(const ordered_json& entry, UnixMillis now) {
  const std::uint64_t until = number_of(entry, "until_ms");
  return {{text_of(entry, "owner_name"), Style::Bold},
          {text_of(entry, "node_name"), Style::Plain},
          {until > now.value ? format_duration(until - now.value) : "-", Style::Plain},
          {text_of(entry, "times"), Style::Plain},
          {text_of(entry, "why"), Style::Plain}};
}

}  // namespace hm::cli
