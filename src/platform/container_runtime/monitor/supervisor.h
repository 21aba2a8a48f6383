// SPDX-License-Identifier: Apache-2.0
// Watches over one process that the OCI runtime starts: forwards its streams to the client against
// allowance, keeps what it writes in the log, and tells how it ended.
//
// A container's own process (Mode::Run) goes on without a client, and its output into the log; one
// more process in a container (Mode::Exec) has no log and is killed with its client.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "foundation/base/bytes.h"
#include "platform/container_runtime/monitor/client.h"
#include "platform/container_runtime/monitor/launch.h"
#include "platform/container_runtime/output_log.h"

namespace hm::container_runtime {

enum class Mode : std::uint8_t { Run, Exec };

struct MonitorOptions {
  Mode mode = Mode::Run;
  Console console = Console::Pipes;
  std::vector<std::string> groups;   // control groups of its own, if it lives for a while
  std::string hidden_mount;          // from the OCI runtime and the container; empty: none
  std::string network;               // path of the network namespace
  std::vector<std::string> runtime;  // the command that starts the process, detached
};

class Supervisor {
 public:
  // The current folder is the state folder; `folder` is open on it.
  Supervisor(MonitorOptions options, int folder, int signals, Descriptor client);
  // Returns when all is over.
  void run();

 private:
  enum class Phase : std::uint8_t { Launching, Running, Exited, Failed };
  struct Source {
    Descriptor fd;
    std::uint8_t lane = 0;
  };
  struct Exit {
    std::uint8_t code = 0;
    std::uint64_t unix_millis = 0;
  };

  bool is_over() const;
  void wait();
  void leave_groups();

  void reap();
  void on_runtime_ended(int status);
  void on_process_ended(int status);
  bool is_in_network() const;
  void fail(std::string reason);
  void lose_client();
  void end_orphan();
  void write_exit_file() const;

  void handle_frame(ByteView frame);
  void attach(std::uint64_t offset);
  void detach();
  void resize(std::uint16_t rows, std::uint16_t columns);
  void take_input(ByteView bytes);
  void write_input();
  void close_input();
  void take_client();
  void take_terminal();

  bool wants_output() const;
  void read_source(Source& source);
  void on_output(std::uint8_t lane, ByteView bytes);
  void drain();
  void close_empty_sources();
  void replay();
  void send_output(std::uint8_t lane, ByteView bytes);
  bool has_sources() const;
  void flush();

  MonitorOptions options_;
  int folder_;
  int signals_;
  Descriptor network_;
  Client client_;
  bool is_served_ = true;  // until the loss of the client was seen
  Descriptor listener_;
  Phase phase_ = Phase::Launching;
  pid_t runtime_ = -1;
  pid_t process_ = -1;
  std::map<pid_t, int> ended_early_;  // children that ended before the runtime told which one it is
  Exit exit_;
  std::string reason_;
  std::optional<std::uint64_t> leave_groups_at_;

  Descriptor input_;
  Descriptor errors_;  // of the runtime, while it starts a process with a terminal
  Descriptor console_;
  Descriptor slave_;
  std::vector<Source> sources_;
  std::uint16_t rows_ = 0;
  std::uint16_t columns_ = 0;

  Bytes unwritten_;  // input
  bool input_ends_ = false;

  std::optional<OutputLog> log_;
  std::optional<LogReader> reader_;
  bool is_attached_ = false;
  bool is_live_ = true;  // everything before what is read next was sent or is pending
  std::uint64_t allowance_ = 0;
  std::uint64_t sent_ = 0;         // offset in the output after the last byte sent
  std::uint64_t attached_at_ = 0;  // sent_ then
  std::uint64_t pending_end_ = 0;
  Bytes pending_;  // a frame of output that did not go out yet
  bool is_watched_ = false;

  // What the client is still to be told, in this order.
  bool tell_start_ = false;
  bool tell_attached_ = false;
  std::uint32_t tell_taken_ = 0;
  bool tell_logged_ = false;
  bool tell_exit_ = false;
  bool told_exit_ = false;
  bool told_end_ = false;
};

}  // namespace hm::container_runtime
