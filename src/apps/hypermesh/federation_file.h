// SPDX-License-Identifier: Apache-2.0
// What two meshes' roots send each other as text: first one's own part, then the record that both
// sign. Signatures that are there are checked when the file is read.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/privacy/group.h"
#include "foundation/base/error.h"
#include "foundation/base/result.h"

namespace hm::cli {

struct FederationDraft {
  privacy::Federation federation;
  std::optional<identity::OwnerSignature> first;  // by the root of federation.first
  std::optional<identity::OwnerSignature> second;
  bool operator==(const FederationDraft&) const = default;
};

using FederationFile = std::variant<privacy::MeshRoot, FederationDraft>;

std::string format_federation_file(const FederationFile& file);
// Strict; `source` names the text in errors.
Result<FederationFile> parse_federation_file(std::string_view text, std::string_view source);
Result<FederationFile> read_federation_file(const std::string& path);

// What two people compare by another way than the one that the file came: the root's id and a hash
// of its keys.
std::string fingerprint_of(const privacy::MeshRoot& root);

}  // namespace hm::cli
