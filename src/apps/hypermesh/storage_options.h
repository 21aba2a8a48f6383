// SPDX-License-Identifier: Apache-2.0
// The options of the commands about stored objects, as they were typed; part of command.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace hm::cli {

struct ObjectPut {
  std::vector<std::string> files;  // "-": standard input
  std::string as;
  std::optional<std::string> code;
  std::optional<std::string> profile;
  std::vector<std::string> with;      // owners, several separated by commas
  std::vector<std::string> metadata;  // key=value
  bool is_alone = false;
  bool no_compress = false;
  bool only_new = false;
  bool keep_going = false;
  bool resume = false;
};
struct ObjectGet {
  std::string name;  // or an id; with `recursive` a folder
  std::string out;   // file or folder; "-": standard output; empty: by the name
  std::optional<std::string> range;
  std::string as;  // of an object that another owner shares
  bool recursive = false;
  bool force = false;
  bool resume = false;
};
struct ObjectCat {
  std::string name;
  std::optional<std::string> range;
};
struct ObjectList {
  std::string prefix;
  bool details = false;
  bool recursive = false;
};
struct ObjectStat {
  std::string name;
};
struct ObjectShare {
  std::string name;
  std::vector<std::string> with;
  std::vector<std::string> revoke;
};
struct ObjectPin {
  std::string name;
  std::string as;
};
// Of runs and objects.
struct Remove {
  std::vector<std::string> names;
  bool recursive = false;
  bool yes = false;
  bool runs = false;     // only those
  bool objects = false;  // only those
};

struct StorageStatus {
  bool held = false;
};
struct StorageCollect {};
struct StorageUploads {
  std::string end;  // an id or a unique prefix; empty: they are listed
};
struct StorageDrain {
  std::string node;
};
struct StorageRecover {
  bool without_missing = false;
};

}  // namespace hm::cli
