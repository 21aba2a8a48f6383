// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/mesh_file.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "platform/files/atomic_file.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kMaxMeshFile = std::size_t{1} << 20;
constexpr int kSchema = 1;

std::string path_in(const std::string& folder) { return folder + "/mesh.json"; }

std::string text_at(const ordered_json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

std::string format_mesh_file(const MeshFile& mesh) {
  ordered_json nodes = ordered_json::array();
  for (const MeshNode& node : mesh.nodes) {
    nodes.push_back({{"name", node.name},
                     {"owner", node.owner},
                     {"pid", node.pid},
                     {"api", node.api},
                     {"stoq", node.stoq},
                     {"dir", node.dir}});
  }
  const ordered_json document = {
      {"schema", kSchema}, {"chain_id", mesh.chain_id}, {"nodes", std::move(nodes)}};
  return document.dump(2, ' ', false, ordered_json::error_handler_t::replace);
}

Result<MeshFile> parse_mesh_file(std::string_view text, std::string_view source) {
  const ordered_json document = ordered_json::parse(text, nullptr, false);
  const auto corrupt = [&] {
    return fail(ErrorCode::Corrupt, fmt::format("{} does not describe a mesh", source),
                "it is written by 'hypermesh dev'; remove the folder to start afresh");
  };
  if (!document.is_object() || !document.contains("nodes") || !document["nodes"].is_array()) {
    return corrupt();
  }
  MeshFile mesh;
  mesh.chain_id = text_at(document, "chain_id");
  for (const ordered_json& entry : document["nodes"]) {
    if (!entry.is_object()) return corrupt();
    MeshNode node{text_at(entry, "name"), text_at(entry, "owner"), 0,
                  text_at(entry, "api"),  text_at(entry, "stoq"),  text_at(entry, "dir")};
    const auto pid = entry.find("pid");
    if (pid != entry.end() && pid->is_number_unsigned()) node.pid = pid->get<int>();
    if (node.name.empty() || node.dir.empty()) return corrupt();
    mesh.nodes.push_back(std::move(node));
  }
  return mesh;
}

Result<void> write_mesh_file(const std::string& folder, const MeshFile& mesh) {
  return files::write_file(path_in(folder), as_bytes(format_mesh_file(mesh) + "\n"),
                           files::Access::Public, files::Existing::Replace);
}

Result<MeshFile> read_mesh_file(const std::string& folder) {
  HM_TRY(const Bytes content,
         files::read_file(path_in(folder), kMaxMeshFile, files::Access::Public));
  return parse_mesh_file(as_text(content), path_in(folder));
}

}  // namespace hm::cli
