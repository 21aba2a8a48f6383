// SPDX-License-Identifier: Apache-2.0
// `hypermesh storage recover`: a node whose catalogue of objects is lost or old gets it back. The
// sealed manifests come from the nodes that keep them and are opened here, with the owner's key.
#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "apps/hypermesh/json_fields.h"
#include "apps/hypermesh/local_node.h"
#include "apps/hypermesh/object_access.h"
#include "core/storage/manifest_box.h"
#include "foundation/crypto/wipe.h"
#include "node/storing/bundle.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

std::string names_of(const ordered_json& nodes) {
  std::string words;
  for (const ordered_json& node : nodes) {
    const std::string name = text_of(node, "node_name");
    words += (words.empty() ? "" : ", ") + (name.empty() ? short_id(text_of(node, "node")) : name);
  }
  return words;
}

class Recovering {
 public:
  Recovering(const Context& context, ObjectAccess& access, const identity::OwnerKeys& keys)
      : context_(context), access_(access), keys_(keys) {}

  // What cannot be had or opened is remembered, and the others come all the same.
  void take_bundle(const std::string& root);
  // It ends the recovery, after which what is missing is dropped: only if nothing is, or if the
  // user says so.
  Outcome check_whole(bool without_missing) const;
  Outcome tell(bool is_complete) const;

 private:
  void take(const storage::Manifest& manifest, const crypto::Digest& box, const std::string& root);
  void leave_out(const std::string& what, const std::string& why);

  const Context& context_;
  ObjectAccess& access_;
  const identity::OwnerKeys& keys_;
  std::map<std::string, ordered_json> objects_;  // by name
  ordered_json left_out_ = ordered_json::array();
};

void Recovering::leave_out(const std::string& what, const std::string& why) {
  left_out_.push_back({{"what", what}, {"why", why}});
}

void Recovering::take(const storage::Manifest& manifest, const crypto::Digest& box,
                      const std::string& root) {
  Bytes encoded = storage::encode(manifest);
  const crypto::WipeLater wiped(encoded);
  const auto answer = access_.client.post_bytes(
      fmt::format("/storage/recovery/object?bundle={}&commitment={}", root, box.to_string()),
      encoded, access_.token);
  const std::string& name = manifest.description.name;
  if (answer) {
    objects_[name] = member_of(*answer, "object");
  } else {
    leave_out(name, fmt::format("{}: {}", answer.error().what, answer.error().why));
  }
}

void Recovering::take_bundle(const std::string& root) {
  const auto bytes = access_.client.get_bytes("/objects/bundle?root=" + root, access_.token);
  const std::string what = "the manifests in " + short_id(root);
  if (!bytes) {
    leave_out(what, bytes.error().what);
    return;
  }
  const auto bundle = storing::decode_bundle(as_bytes(*bytes));
  if (!bundle) {
    leave_out(what, bundle.error().message);
    return;
  }
  for (const storing::BundleEntry& entry : bundle->entries) {
    const auto box = sealed_box::decode(entry.box);
    if (!box) {
      leave_out(what, "one of them is damaged");
      continue;
    }
    const auto manifest = storage::open_manifest(*box, keys_.ml_kem(), entry.what);
    if (manifest) {
      take(*manifest, crypto::Digest{box->commitment}, root);
    } else {
      leave_out(what, std::string(storage::explain(manifest.error())));
    }
  }
}

Outcome Recovering::check_whole(bool without_missing) const {
  if (left_out_.empty() || without_missing) return {};
  std::string words;
  for (const ordered_json& each : left_out_) {
    words += fmt::format("{}{}: {}", words.empty() ? "" : "; ", text_of(each, "what"),
                         text_of(each, "why"));
  }
  return failed(ExitCode::Failure,
                fmt::format("{} objects are there again, {} could not be had", objects_.size(),
                            left_out_.size()),
                printable(words),
                "nothing is dropped yet: run it again, or end it with --without-missing");
}

Outcome Recovering::tell(bool is_complete) const {
  if (context_.globals.json) {
    ordered_json all = ordered_json::array();
    for (const auto& [name, object] : objects_) all.push_back(object);
    context_.terminal.data(ordered_json({{"schema", 1},
                                         {"objects", std::move(all)},
                                         {"left_out", left_out_},
                                         {"complete", is_complete}})
                               .dump());
    return {};
  }
  for (const auto& [name, object] : objects_) context_.terminal.data(printable(name));
  for (const ordered_json& each : left_out_) {
    context_.terminal.talk(
        printable(fmt::format("left out: {}: {}", text_of(each, "what"), text_of(each, "why"))));
  }
  context_.terminal.talk(fmt::format(
      "{} objects are there again; {}", objects_.size(),
      is_complete ? "they are all that the ledger has this node's commitment to"
                  : "that is not exactly what the ledger has this node's commitment to"));
  return {};
}

}  // namespace

Outcome run(const StorageRecover& options, const Context& context) {
  HM_CLI_TRY(ObjectAccess access, object_access(context.globals));
  HM_CLI_TRY(const auto keys, owner_keys(context.globals, access.client.endpoint()));
  HM_CLI_TRY(const ordered_json begun,
             access.client.post("/storage/recovery", ordered_json::object(), access.token));
  const ordered_json& silent = list_of(begun, "silent");
  if (!silent.empty() && !options.without_missing) {
    return failed(
        ExitCode::Failure,
        fmt::format("nodes that keep something of this one do not answer: {}", names_of(silent)),
        "what only they have would not be recovered, and is dropped when they are back",
        "wait for them, or go on with --without-missing");
  }
  Recovering recovering(context, access, keys);
  const ordered_json& bundles = list_of(begun, "bundles");
  context.terminal.talk(fmt::format("{} bundles of manifests and {} parts of objects were found",
                                    bundles.size(), number_of(begun, "shards")));
  for (const ordered_json& root : bundles) {
    if (root.is_string()) recovering.take_bundle(root.get<std::string>());
  }
  HM_CLI_TRY_VOID(recovering.check_whole(options.without_missing));
  HM_CLI_TRY(const ordered_json ended,
             access.client.post("/storage/recovery/end", ordered_json::object(), access.token));
  return recovering.tell(text_of(ended, "complete") == "true");
}

}  // namespace hm::cli
