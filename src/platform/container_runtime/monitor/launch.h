// SPDX-License-Identifier: Apache-2.0
// Starts the OCI runtime with the pipes, or the socket for a terminal, through which the
// container's process will be spoken to.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "platform/container_runtime/descriptor.h"

namespace hm::container_runtime {

enum class Console : std::uint8_t { Pipes, Pty };

// The monitor's own ends; all in non-blocking mode.
struct Streams {
  Descriptor input;
  Descriptor output;
  Descriptor errors;   // with a terminal: of the OCI runtime only
  Descriptor console;  // listens for the terminal
};

struct Launch {
  pid_t pid = -1;  // of the OCI runtime; -1: `reason`
  std::string reason;
  Streams streams;
};

struct LaunchOrder {
  std::vector<std::string> command;  // its first is the OCI runtime's path
  Console console = Console::Pipes;
  int folder = -1;           // the state folder, which is the current one too
  int network = -1;          // the network namespace in which it runs, and what it starts
  std::string hidden_mount;  // out of its sight, and of that of what it starts; empty: nothing
};
// The OCI runtime has the three standard descriptors and no other: a folder's would be a way out
// for a container whose working directory leads to it. It ends if the monitor does.
Launch launch(const LaunchOrder& order);

// Takes the terminal's master end off the connection that waits at `console`, and holds its slave
// end open: without that the master reports an end whenever no process has the terminal open.
struct Terminal {
  Descriptor master;
  Descriptor slave;
};
Terminal accept_terminal(int console);

}  // namespace hm::container_runtime
