// SPDX-License-Identifier: Apache-2.0
// What nodes were measured doing, and the score made of it.
#include "core/api/lending_json.h"
#include "core/api/limits.h"
#include "node/http_api/api.h"
#include "node/http_api/paging.h"

namespace hm::http_api {
namespace {

trust::Behaviour behaviour_of(const ledger::Ledger& ledger, const identity::NodeId& node) {
  const auto found = ledger.tables().behaviours.find(node);
  return found != ledger.tables().behaviours.end() ? found->second : trust::Behaviour{};
}

}  // namespace

void Api::list_trust(Call call) {
  const auto page = Page<identity::NodeId>::of(call.request);
  if (!page) return answer(call, page.error());
  const ledger::Ledger& ledger = node_.ledger();
  api::JsonWriter json;
  json.begin_object().member("schema", api::kSchema);
  write_page(
      json, "nodes", ledger.tables().nodes, *page, ledger.height(),
      [](const auto&, const auto&) { return true; },
      [&](const auto& id, const auto&) {
        api::write_trust(json, id, behaviour_of(ledger, id), lending_now());
      });
  json.end_object();
  answer(call, std::move(json));
}

void Api::show_trust(Call call) {
  const auto node = find_node(call.parameter);
  if (!node) return answer(call, node.error());
  api::JsonWriter json;
  api::write_trust(json, *node, behaviour_of(node_.ledger(), *node), lending_now());
  answer(call, std::move(json));
}

}  // namespace hm::http_api
