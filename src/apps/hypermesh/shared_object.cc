// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/shared_object.h"

#include <fmt/format.h>

#include <utility>

#include "apps/hypermesh/json_fields.h"
#include "apps/hypermesh/local_node.h"
#include "core/storage/manifest_box.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/wipe.h"
#include "node/storing/bundle.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

Answer<std::vector<storage::Manifest>> open_bundle(const storing::Bundle& bundle,
                                                   const identity::OwnerKeys& keys,
                                                   const std::string& id) {
  std::vector<storage::Manifest> manifests;
  bool is_other = false;  // for a reason that is not the key
  for (const storing::BundleEntry& entry : bundle.entries) {
    const auto box = sealed_box::decode(entry.box);
    if (!box) {
      is_other = true;
      continue;
    }
    auto manifest = storage::open_manifest(*box, keys.ml_kem(), entry.what);
    if (manifest) {
      manifests.push_back(std::move(*manifest));
    } else {
      is_other = is_other || manifest.error() != storage::StorageError::NotAReader;
    }
  }
  if (!manifests.empty()) return manifests;
  if (is_other) {
    return failed(ExitCode::Failure, fmt::format("what {} names cannot be opened", short_id(id)),
                  "it is damaged, or was made so that nobody can open it",
                  "ask its owner for the id again");
  }
  return failed(ExitCode::Denied, "you are not among its readers, or no longer",
                fmt::format("{} is sealed to other owners' keys than {}", short_id(id),
                            short_id(keys.id().to_string())),
                "ask its owner to share it with you: hypermesh share NAME --with " +
                    short_id(keys.id().to_string()));
}

}  // namespace

bool is_share_id(const std::string& text) { return crypto::Digest::parse(text).has_value(); }

Answer<std::vector<ordered_json>> attach_shared(const Globals& globals, ObjectAccess& access,
                                                const std::string& id, const std::string& as) {
  HM_CLI_TRY(const std::string bytes,
             access.client.get_bytes("/objects/bundle?root=" + id, access.token));
  HM_CLI_TRY(const storing::Bundle bundle, storing::decode_bundle(as_bytes(bytes)));
  HM_CLI_TRY(const auto keys, owner_keys(globals, access.client.endpoint()));
  HM_CLI_TRY(const auto manifests, open_bundle(bundle, keys, id));
  if (manifests.size() > 1 && !as.empty() && !as.ends_with('/')) {
    return failed(ExitCode::Usage, fmt::format("{} objects have this id", manifests.size()),
                  "one name cannot be that of all of them", fmt::format("--as {}/", as));
  }
  std::vector<ordered_json> objects;
  for (const storage::Manifest& manifest : manifests) {
    Bytes encoded = storage::encode(manifest);
    const crypto::WipeLater wiped(encoded);
    HM_CLI_TRY(const ordered_json answer,
               access.client.post_bytes(object_path("/objects/attach", as), encoded, access.token));
    objects.push_back(member_of(answer, "object"));
  }
  return objects;
}

}  // namespace hm::cli
