// SPDX-License-Identifier: Apache-2.0
// DIR/mesh.json: what `hypermesh dev` started, for programs:
// {schema, chain_id, nodes:[{name, owner, pid, api, stoq, dir}]}.
#pragma once

#include <string>
#include <vector>

#include "foundation/base/result.h"

namespace hm::cli {

struct MeshNode {
  std::string name;
  std::string owner;  // its name
  int pid = 0;        // 0: not running when the file was written
  std::string api;    // "http://[::1]:8445"
  std::string stoq;   // "[::1]:9292"
  std::string dir;    // absolute
  bool operator==(const MeshNode&) const = default;
};

struct MeshFile {
  std::string chain_id;
  std::vector<MeshNode> nodes;
  bool operator==(const MeshFile&) const = default;
};

std::string format_mesh_file(const MeshFile& mesh);
Result<MeshFile> parse_mesh_file(std::string_view text, std::string_view source);

Result<void> write_mesh_file(const std::string& folder, const MeshFile& mesh);
// NotFound if there is no mesh in the folder.
Result<MeshFile> read_mesh_file(const std::string& folder);

}  // namespace hm::cli
