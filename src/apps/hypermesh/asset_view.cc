// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/asset_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "apps/hypermesh/api_client.h"
#include "apps/hypermesh/quantity.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::array<const char*, 4> kProofs = {"space", "stake", "work", "time"};

const ordered_json& member(const ordered_json& object, const char* key) {
  static const ordered_json kNothing;
  if (!object.is_object()) return kNothing;
  const auto found = object.find(key);
  return found == object.end() ? kNothing : *found;
}

std::string amount(const ordered_json& asset, const char* which) {
  // The machine did not say how much there is; 0 would be a lie.
  if (text_of(member(asset, "descriptor"), "quantity_unknown") == "true") return "unknown";
  const ordered_json& quantity = member(asset, "quantity");
  return format_quantity(number_of(quantity, which), text_of(quantity, "unit"));
}

// As much of each id as tells it from the others, and at least its kind and its time in short.
std::size_t short_length(const std::vector<ordered_json>& assets) {
  std::vector<std::string> ids;
  for (const ordered_json& asset : assets) {
    const std::string id = text_of(asset, "id");
    ids.push_back(id.substr(std::min(id.size(), id.find(':') + 1)));
  }
  std::ranges::sort(ids);
  std::size_t length = 13;  // "0198aaaa-bbbb", the time of making
  for (std::size_t i = 1; i < ids.size(); ++i) {
    const auto differ = std::ranges::mismatch(ids[i - 1], ids[i]);
    length = std::max(length, static_cast<std::size_t>(differ.in1 - ids[i - 1].begin()) + 1);
  }
  return length;
}

std::string id_in_short(const ordered_json& asset, std::size_t length) {
  const std::string id = text_of(asset, "id");
  return id.substr(0, id.find(':') + 1 + length);
}

// The name if the API gives one, otherwise the start of the id.
std::string party(const ordered_json& asset, const char* which) {
  const std::string name = text_of(asset, fmt::format("{}_name", which));
  return name.empty() ? short_id(text_of(asset, which)) : name;
}

Style style_of_state(const std::string& state) {
  if (state == "available") return Style::Good;
  if (state == "failed") return Style::Bad;
  return state == "retired" ? Style::Dim : Style::Warn;
}

}  // namespace

std::string in_words(const ordered_json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return value.is_null() ? "unknown" : value.dump();
  std::string text;
  for (const ordered_json& item : value) text += (text.empty() ? "" : ", ") + in_words(item);
  return text;
}

std::string asset_title(const ordered_json& asset) {
  const ordered_json& descriptor = member(asset, "descriptor");
  for (const char* key :
       {"brand", "model", "name", "mount_point", "mount", "device", "interface"}) {
    const ordered_json& value = member(descriptor, key);
    if (value.is_string() && !value.get<std::string>().empty()) return value.get<std::string>();
  }
  return {};
}

std::string proofs_in_short(const ordered_json& asset) {
  std::string text;
  for (const char* proof : kProofs) {
    const std::string verdict = text_of(member(member(asset, "proofs"), proof), "verdict");
    const char mark = verdict == "proven" ? '+' : verdict == "refused" ? '!' : '?';
    text += fmt::format("{}{}{}", text.empty() ? "" : " ", proof, mark);
  }
  return text;
}

void print_assets(const Terminal& terminal, const std::vector<ordered_json>& assets) {
  const std::size_t id_length = short_length(assets);
  std::vector<std::vector<Terminal::Cell>> rows;
  for (const ordered_json& asset : assets) {
    const std::string state = text_of(asset, "state");
    rows.push_back({{id_in_short(asset, id_length), Style::Plain},
                    {party(asset, "node"), Style::Plain},
                    {party(asset, "owner"), Style::Plain},
                    {state, style_of_state(state)},
                    {text_of(asset, "level"), Style::Plain},
                    {amount(asset, "detected"), Style::Plain},
                    {amount(asset, "offered"), Style::Plain},
                    {amount(asset, "available"), Style::Plain},
                    {proofs_in_short(asset), Style::Plain},
                    {asset_title(asset), Style::Dim}});
  }
  terminal.table({"ASSET", "NODE", "OWNER", "STATE", "LEVEL", "DETECTED", "OFFERED", "AVAILABLE",
                  "PROOFS", "WHAT"},
                 rows);
}

void print_asset(const Terminal& terminal, const ordered_json& asset) {
  const auto line = [&](std::string_view name, const std::string& value) {
    terminal.data(fmt::format("{:<12} {}", name, printable(value)));
  };
  for (const char* key : {"id", "kind", "state", "level", "node", "owner", "address", "version"}) {
    line(key, text_of(asset, key));
  }
  const ordered_json& quantity = member(asset, "quantity");
  for (const char* key : {"detected", "offered", "available"}) {
    line(key, fmt::format("{} ({})", amount(asset, key), number_of(quantity, key)));
  }
  if (asset.contains("price")) line("price", text_of(asset, "price") + " CAES during one hour");
  terminal.data(terminal.styled(Style::Bold, "descriptor"));
  for (const auto& [key, value] : member(asset, "descriptor").items()) {
    terminal.data(fmt::format("  {:<22} {}", printable(key), printable(in_words(value))));
  }
  terminal.data(terminal.styled(Style::Bold, "proofs"));
  for (const char* proof : kProofs) {
    const ordered_json& verdict = member(member(asset, "proofs"), proof);
    terminal.data(fmt::format("  {:<6} {:<9} {}", proof, text_of(verdict, "verdict"),
                              printable(text_of(verdict, "reason"))));
  }
}

}  // namespace hm::cli
