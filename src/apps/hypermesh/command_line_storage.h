// SPDX-License-Identifier: Apache-2.0
// The part of the parser for stored objects. CLI11 is not seen from here.
#pragma once

#include <functional>

#include "apps/hypermesh/command.h"

namespace CLI {
class App;
}

namespace hm::cli {

// What the parser writes into; lives as long as the parser.
struct StorageCommands {
  ObjectPut put;
  ObjectGet get;
  ObjectCat cat;
  ObjectList list;
  ObjectStat stat;
  ObjectPin pin;
  Remove remove;
  StorageStatus status, status_of;  // "storage" alone shows it, too
  StorageCollect collect;
  StorageUploads uploads;
  StorageDrain drain;
  StorageRecover recover;
};

void add_storage_commands(
    CLI::App& app, StorageCommands& commands,
    const std::function<void(const CLI::App*, std::function<Command()>)>& on_command);

}  // namespace hm::cli
