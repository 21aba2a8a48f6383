// SPDX-License-Identifier: Apache-2.0
// The part of the parser for containers, services and images. CLI11 is not seen from here.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "apps/hypermesh/command.h"

namespace CLI {
class App;
}

namespace hm::cli {

// What the parser writes into; lives as long as the parser.
struct ContainerCommands {
  ContainerRun run;
  ContainerList list;
  ContainerLogs logs;
  ContainerExec exec;
  ContainerAttach attach;
  ContainerStop stop;
  ContainerKill kill;
  ContainerInspect inspect;
  ContainerStats stats;
  ContainerCopy copy;
  ContainerForward forward;
  ServiceList services, service_ls;  // "service" alone lists, too
  ServiceInspect service_inspect;
  ServiceScale service_scale;
  ServiceRemove service_rm;
  ImageList images, image_ls;  // "image" alone lists, too
  ImagePull pull;
  ImagePush push;
  ImageImport load;
  ImageExport save;
  ImageRemove image_rm;
  ImagePrune prune;
};

void add_container_commands(
    CLI::App& app, ContainerCommands& commands,
    const std::function<void(const CLI::App*, std::function<Command()>)>& on_command);

// Of 'run' and 'exec' everything behind the image or the run belongs to the container, whatever it
// looks like. Takes it out of `arguments` before they are parsed, into the command's options.
void take_container_words(const CLI::App& app, std::vector<std::string>& arguments,
                          ContainerCommands& commands);

}  // namespace hm::cli
