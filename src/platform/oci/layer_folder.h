// SPDX-License-Identifier: Apache-2.0
// The folder into which one layer is unpacked. Whatever names the layer has and whatever symbolic
// links it made before, nothing outside the folder is made, changed or read: every name is resolved
// below the folder's own descriptor by openat2 with RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS and
// RESOLVE_NO_MAGICLINKS, and the last part is never followed.
//
// Corrupt names the entry that could not be made because of what the layer has; the system's
// refusals keep their own codes.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "platform/oci/file_handle.h"

namespace hm::oci {

// A name below the folder, in parts without "", "." and "..". No parts: the folder itself.
struct EntryPath {
  std::vector<std::string> parts;

  std::string text() const;         // "etc/passwd"
  std::string parent_text() const;  // "etc"
  bool is_root() const { return parts.empty(); }
  const std::string& name() const { return parts.back(); }
  // The same with another last part.
  EntryPath sibling(std::string name) const;
  EntryPath parent() const;
};

// Refuses what is absolute, has "..", a part or a whole that no file system takes.
Result<EntryPath> parse_entry_path(std::string_view text);

struct EntryAttribute {
  std::string name;
  Bytes value;
};

struct EntryStatus {
  mode_t mode = 0;  // permission bits with set-id and sticky
  uid_t uid = 0;    // on this machine: shifted
  gid_t gid = 0;
  timespec modified{};
  std::vector<EntryAttribute> attributes;
};

class LayerFolder {
 public:
  // `owner` is who gets folders that the layer names no entry for.
  static Result<LayerFolder> open(const std::string& path, uid_t owner);

  Result<void> make_folder(const EntryPath& path, const EntryStatus& status);
  // The new file, open for writing; give it to finish_file() when its content is in.
  Result<FileHandle> create_file(const EntryPath& path);
  Result<void> finish_file(const FileHandle& file, const EntryPath& path,
                           const EntryStatus& status);
  Result<void> make_symlink(const EntryPath& path, const std::string& target,
                            const EntryStatus& status);
  Result<void> make_hard_link(const EntryPath& path, const EntryPath& target);
  Result<void> make_fifo(const EntryPath& path, const EntryStatus& status);

  // What is below this name in lower layers is gone. What this layer has there itself stays.
  Result<void> make_whiteout(const EntryPath& path);
  // Nothing of the folder's content in lower layers shows through.
  Result<void> make_opaque(const EntryPath& path);

  // The times of folders, which change while they are filled. Call it once, at the end.
  Result<void> finish();

 private:
  struct FolderTime {
    EntryPath path;
    timespec modified;
  };

  LayerFolder(FileHandle root, uid_t owner) : root_(std::move(root)), owner_(owner) {}
  // The descriptor of the folder in which `path` lies; made if it is not there. Valid until the
  // next call.
  Result<int> parent_of(const EntryPath& path);
  Result<FileHandle> walk(const EntryPath& folder);
  Result<void> step_into(int parent, const std::string& name, const EntryPath& path);
  // Makes something at a name, in place of a file or whiteout that this layer put there before.
  template <class Make>
  Result<void> replace(const EntryPath& path, Make make);

  FileHandle root_;
  uid_t owner_;
  std::string cached_parent_;
  FileHandle cached_;
  std::vector<FolderTime> times_;
  std::uint64_t time_bytes_ = 0;
};

}  // namespace hm::oci
