// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/federation_file.h"

#include <fmt/format.h>

#include "apps/hypermesh/toml_keys.h"
#include "foundation/codec/writer.h"
#include "platform/files/atomic_file.h"

namespace hm::cli {
namespace {

// Two meshes with keys and signatures in hex take some 20 KiB.
constexpr std::size_t kMaxFederationFile = 64 * 1024;
constexpr std::string_view kRootFormat = "hypermesh-mesh-root 1";
constexpr std::string_view kRecordFormat = "hypermesh-federation 1";

struct MeshPart {
  privacy::MeshRoot root;
  std::optional<identity::OwnerSignature> signature;
};

// `may_sign`: a signature may stand in the table, both halves or none.
enum class Signed : bool { No, Maybe };

Result<MeshPart> read_mesh(const toml::table& source, std::string where, Signed may_sign) {
  TableReader table(source, std::move(where));
  MeshPart part;
  part.root.chain = id_in<identity::ChainId>(table, "chain");
  part.root.name = table.text("name");
  part.root.owner = id_in<identity::OwnerId>(table, "owner");
  part.root.bundle = bundle_in(table);
  const bool is_signed = source.contains("signature") || source.contains("falcon_signature");
  if (may_sign == Signed::Maybe && is_signed) {
    part.signature = {signature_in(table, "signature"),
                      falcon_signature_in(table, "falcon_signature")};
  }
  if (!identity::is_valid_name(part.root.name)) table.refuse("name", "must be the name of a mesh");
  if (const auto keys = identity::validate(part.root.bundle); !keys) {
    table.refuse("ed25519", fmt::format("is no bundle of keys with the two others: {}",
                                        identity::name_of(keys.error())));
  }
  HM_TRY_VOID(table.finish());
  return part;
}

std::string format_mesh(const privacy::MeshRoot& root,
                        const std::optional<identity::OwnerSignature>& signature) {
  std::string text = fmt::format("\n[[mesh]]\nchain = \"{}\"\nname = \"{}\"\nowner = \"{}\"\n{}",
                                 root.chain.to_string(), root.name, root.owner.to_string(),
                                 format_bundle(root.bundle));
  if (signature) {
    text += fmt::format("signature = \"{}\"\nfalcon_signature = \"{}\"\n",
                        to_hex(signature->ed25519.bytes), to_hex(signature->falcon.bytes));
  }
  return text;
}

Result<void> check_signature(const MeshPart& part, const crypto::Digest& statement,
                             std::string_view source) {
  if (!part.signature) return {};
  const auto keys = identity::validate(part.root.bundle);
  if (keys && !identity::broken_half(*keys, statement, *part.signature)) return {};
  return fail(ErrorCode::InvalidArgument,
              fmt::format("{}: the signature of mesh '{}' does not verify", source, part.root.name),
              "the file was changed after it was signed, or signed with other keys");
}

Result<FederationDraft> draft_of(const std::vector<MeshPart>& parts, UnixMillis expiry,
                                 std::string_view source) {
  FederationDraft draft{
      {parts[0].root, parts[1].root, expiry}, parts[0].signature, parts[1].signature};
  if (const auto valid = privacy::validate(draft.federation); !valid) {
    return fail(ErrorCode::InvalidArgument, fmt::format("{} is no federation record", source),
                std::string(privacy::name_of(valid.error())));
  }
  const crypto::Digest statement = privacy::federation_statement(draft.federation);
  for (const MeshPart& part : parts) HM_TRY_VOID(check_signature(part, statement, source));
  return draft;
}

}  // namespace

std::string format_federation_file(const FederationFile& file) {
  if (const auto* root = std::get_if<privacy::MeshRoot>(&file)) {
    return fmt::format(
        "# One mesh's root, for the root of another mesh:\n"
        "# hypermesh federate sign FILE\nformat = \"{}\"\n{}",
        kRootFormat, format_mesh(*root, std::nullopt));
  }
  const auto& draft = std::get<FederationDraft>(file);
  return fmt::format(
      "# Two meshes recognise each other's certificates once both roots have signed.\n"
      "format = \"{}\"\nexpiry_ms = {}\n{}{}",
      kRecordFormat, draft.federation.expiry.value,
      format_mesh(draft.federation.first, draft.first),
      format_mesh(draft.federation.second, draft.second));
}

Result<FederationFile> parse_federation_file(std::string_view text, std::string_view source) {
  HM_TRY(const toml::table document, parse_toml(text, source));
  TableReader table(document, std::string(source));
  const std::string format = table.text("format");
  const bool is_record = format == kRecordFormat;
  if (!is_record && format != kRootFormat) {
    table.refuse("format", fmt::format("must be \"{}\" or \"{}\"", kRootFormat, kRecordFormat));
  }
  const UnixMillis expiry(is_record ? table.number("expiry_ms") : 0);
  const auto meshes = table.tables("mesh");
  if (meshes.size() != (is_record ? 2U : 1U)) {
    table.refuse("mesh", is_record ? "must be there twice" : "must be there once");
  }
  HM_TRY_VOID(table.finish());
  std::vector<MeshPart> parts;
  for (std::size_t i = 0; i < meshes.size(); ++i) {
    HM_TRY(MeshPart part, read_mesh(*meshes[i], fmt::format("{}: mesh {}", source, i + 1),
                                    is_record ? Signed::Maybe : Signed::No));
    parts.push_back(std::move(part));
  }
  if (!is_record) return FederationFile(parts[0].root);
  HM_TRY(FederationDraft draft, draft_of(parts, expiry, source));
  return FederationFile(std::move(draft));
}

Result<FederationFile> read_federation_file(const std::string& path) {
  HM_TRY(const Bytes content, files::read_file(path, kMaxFederationFile, files::Access::Public));
  return parse_federation_file(as_text(content), path);
}

std::string fingerprint_of(const privacy::MeshRoot& root) {
  return fmt::format("{} {}", root.owner.to_string(),
                     crypto::sha256(codec::encode(root.bundle)).to_string());
}

}  // namespace hm::cli
