// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/bill_view.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "apps/hypermesh/api_client.h"
#include "apps/hypermesh/duration.h"
#include "apps/hypermesh/json_fields.h"
#include "apps/hypermesh/lease_view.h"
#include "core/ledger/lease.h"
#include "core/ledger/row_key.h"
#include "foundation/base/hex.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

// What totals have that is a sum over their lines.
constexpr std::array<const char*, 4> kAmounts = {"paid", "fee", "reward", "earned"};
constexpr std::array<const char*, 3> kCounts = {"counted_ms", "counted_intervals",
                                                "disputed_intervals"};

void check_amount(const std::vector<ordered_json>& lines, const ordered_json& totals,
                  const char* key, std::vector<std::string>& faults) {
  if (!totals.contains(key)) return;
  caesar::Amount sum;
  for (const ordered_json& line : lines) {
    const auto amount = amount_of(line, key);
    const auto more = amount ? caesar::checked_add(sum, *amount) : std::nullopt;
    if (!more) {
      faults.push_back(fmt::format("lease {} has no usable '{}'", text_of(line, "lease"), key));
      return;
    }
    sum = *more;
  }
  if (amount_of(totals, key) == sum) return;
  faults.push_back(fmt::format("the total of '{}' is given as {}, its lines add up to {}", key,
                               text_of(totals, key), caesar::to_string(sum)));
}

void check_count(const std::vector<ordered_json>& lines, const ordered_json& totals,
                 const char* key, std::vector<std::string>& faults) {
  if (!totals.contains(key)) return;
  std::uint64_t sum = 0;
  for (const ordered_json& line : lines) sum += number_of(line, key);
  if (number_of(totals, key) == sum) return;
  faults.push_back(fmt::format("the total of '{}' is given as {}, its lines add up to {}", key,
                               text_of(totals, key), sum));
}

std::vector<Terminal::Cell> line_start(const ordered_json& line) {
  const std::string key = text_of(line, "state_key");
  return {{short_id(text_of(line, "lease")), Style::Plain},
          {key, Style::Dim},
          {short_id(text_of(line, "asset")), Style::Plain},
          {lease_quantity(line), Style::Plain},
          {lease_price(line), Style::Plain},
          {format_duration(number_of(line, "counted_ms")), Style::Plain},
          {lease_use(line), Style::Plain},
          {text_of(line, "state"), Style::Plain},
          {text_of(line, "paid"), Style::Bold},
          {text_of(line, "fee"), Style::Plain}};
}

}  // namespace

std::string lease_state_key(const std::string& lease) {
  const auto id = ledger::LeaseId::parse(lease);
  return id ? to_hex(ledger::row_key(ledger::Table::Lease, *id)) : std::string();
}

std::vector<std::string> bill_faults(const std::vector<ordered_json>& lines,
                                     const ordered_json& totals) {
  std::vector<std::string> faults;
  for (const ordered_json& line : lines) {
    const std::string lease = text_of(line, "lease");
    const std::string key = lease_state_key(lease);
    if (key.empty()) {
      faults.push_back(fmt::format("a line names no lease: '{}'", lease));
    } else if (text_of(line, "state_key") != key) {
      faults.push_back(fmt::format("the line of lease {} names another record: '{}'", lease,
                                   text_of(line, "state_key")));
    }
  }
  if (!totals.is_object()) {
    faults.emplace_back("there are no totals");
    return faults;
  }
  for (const char* key : kAmounts) check_amount(lines, totals, key, faults);
  for (const char* key : kCounts) check_count(lines, totals, key, faults);
  return faults;
}

std::vector<std::string> bill_heads() {
  return {"LEASE",     "RECORD", "ASSET", "QUANTITY", "PRICE",
          "DELIVERED", "USED",   "STATE", "PAID",     "OF IT FEE"};
}

std::vector<std::vector<Terminal::Cell>> bill_rows(const std::vector<ordered_json>& lines) {
  std::vector<std::vector<Terminal::Cell>> rows;
  for (const ordered_json& line : lines) rows.push_back(line_start(line));
  return rows;
}

std::vector<std::string> reward_heads() {
  std::vector<std::string> heads = bill_heads();
  heads.insert(heads.end(), {"REWARD", "EARNED"});
  return heads;
}

std::vector<std::vector<Terminal::Cell>> reward_rows(const std::vector<ordered_json>& lines) {
  std::vector<std::vector<Terminal::Cell>> rows;
  for (const ordered_json& line : lines) {
    rows.push_back(line_start(line));
    rows.back().push_back({text_of(line, "reward"), Style::Plain});
    rows.back().push_back({text_of(line, "earned"), Style::Bold});
  }
  return rows;
}

}  // namespace hm::cli
