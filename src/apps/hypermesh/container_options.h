// SPDX-License-Identifier: Apache-2.0
// The options of the commands about containers, services and images, as they were typed; part of
// command.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hm::cli {

struct ContainerRun {
  std::string image;
  std::vector<std::string> command;  // empty: the image's
  std::optional<std::string> cpu;
  std::optional<std::string> memory;
  std::optional<std::string> disk;
  bool pins = false;
  std::optional<std::uint32_t> pids;
  std::optional<std::string> net;
  std::vector<std::string> environment;
  std::vector<std::string> volumes;
  std::vector<std::string> scratch;
  std::vector<std::string> ports;
  bool input = false;
  bool terminal = false;
  bool detach = false;
  bool remove = false;
  std::string name;
  std::string user;
  std::string directory;
  std::optional<std::string> entrypoint;
  bool read_only = false;
  std::optional<std::string> isolation;
  std::optional<std::string> restart;
  std::optional<std::string> duration;
  std::optional<std::string> filter;
  bool local = false;
  bool explain = false;
  bool plan = false;
  std::optional<std::string> highest_price;
  std::optional<std::uint32_t> replicas;
  std::optional<std::uint32_t> quorum;
  std::optional<std::string> health;
  std::optional<std::string> health_interval;
  std::optional<std::string> health_timeout;
  std::optional<std::uint32_t> health_retries;
};
struct ContainerList {
  bool all = false;
  bool hosted = false;
};
struct ContainerLogs {
  std::string run;
  bool follow = false;
  std::optional<std::string> tail;
};
struct ContainerExec {
  std::string run;
  std::vector<std::string> command;
  std::vector<std::string> environment;
  std::string user;
  std::string directory;
  bool input = false;
  bool terminal = false;
};
struct ContainerAttach {
  std::string run;
};
struct ContainerStop {
  std::vector<std::string> runs;
  std::optional<std::string> grace;
};
struct ContainerKill {
  std::vector<std::string> runs;
  std::string signal = "KILL";
};
struct ContainerInspect {
  std::string run;
};
struct ContainerStats {
  std::vector<std::string> runs;
  bool once = false;
};
struct ContainerCopy {
  std::string from;
  std::string to;
};
struct ContainerForward {
  std::string run;
  std::vector<std::string> ports;
};

struct ServiceList {};
struct ServiceInspect {
  std::string name;
};
struct ServiceScale {
  std::string name;
  std::uint32_t replicas = 1;
};
struct ServiceRemove {
  std::vector<std::string> names;
};

struct ImageList {};
struct ImagePull {
  std::string reference;
  bool plain_http = false;
};
struct ImagePush {
  std::string reference;
  bool plain_http = false;
};
struct ImageImport {
  std::string file;  // "-": standard input
  std::string name;  // empty: the archive's
};
struct ImageExport {
  std::string reference;
  std::string file;  // "-": standard output
};
struct ImageRemove {
  std::vector<std::string> references;
};
struct ImagePrune {};

}  // namespace hm::cli
