// SPDX-License-Identifier: Apache-2.0
// Loads the library and reads all GPUs once. Blocking, and as reliable as the driver: callers run
// it on a thread that may be lost.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "platform/nvml/nvml_api.h"
#include "ports/hardware_probe.h"

namespace hm::nvml {

// More than the sixteen GPUs and seven MIG slices each of the largest single machines.
inline constexpr unsigned kMaxGpus = 64;
inline constexpr unsigned kMaxMigSlices = 16;

class Library {
 public:
  // `path` empty: the usual names. Loading happens at the first read().
  explicit Library(std::string path) : path_(std::move(path)) {}
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  // Items and notes of kind Gpu. Loads and initialises if that has not succeeded before.
  ports::HardwareSnapshot read();

 private:
  // None once the library is loaded and initialised; otherwise why it is not.
  std::optional<std::string> open();
  void close();

  std::string path_;
  void* handle_ = nullptr;
  Functions functions_;
};

}  // namespace hm::nvml
