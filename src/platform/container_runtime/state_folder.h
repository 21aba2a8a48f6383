// SPDX-License-Identifier: Apache-2.0
// What a container is, as files: <state>/<id>/ has
//   order           what it was made of (BCS); without it the container does not count as made
//   exit            how its process ended, by its monitor
//   usage           what its earlier starts used, by the daemon
//   log, log.old    what it wrote (output_log.h)
//   pid, attach.sock, console.sock, runtime.log, runtime/, bundle/    of the present start
//   files/          its root file system (root_filesystem.h); volumes/ where volumes are mounted
//   exec-<n>/       of one more process
//
// Calls block on the disk. Order files of detached containers are durable when written; nothing
// else is, and a machine that falls loses no more than it loses of the containers themselves.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "ports/container_runtime.h"

namespace hm::container_runtime {

struct Record {
  ports::ContainerOrder order;
  std::uint32_t restarts = 0;
  std::vector<std::string> layers;  // topmost first
  Bytes image_config;
  std::string network;  // path of its namespace
  std::string address;  // "fd00:1::2"; empty: none
  std::vector<std::uint32_t> processors;
  std::string runtime;       // that started it; its state is of use to no other
  std::string hidden_mount;  // from that
  static constexpr auto fields(auto& self) {
    return std::tie(self.order.id, self.order.spec, self.order.label, self.order.tenant,
                    self.restarts, self.layers, self.image_config, self.network, self.address,
                    self.processors, self.runtime, self.hidden_mount);
  }
};

// Sums over the starts before the present one, or over all if that has ended.
struct UsageTotals {
  std::uint32_t starts = 0;  // that are counted here
  std::uint64_t cpu_us = 0;
  std::uint64_t memory_peak_bytes = 0;
  std::uint64_t memory_byte_seconds = 0;
  std::uint64_t read_bytes = 0;
  std::uint64_t written_bytes = 0;
  std::uint64_t throttled_us = 0;
  bool operator==(const UsageTotals&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.starts, self.cpu_us, self.memory_peak_bytes, self.memory_byte_seconds,
                    self.read_bytes, self.written_bytes, self.throttled_us);
  }
};

struct ExitRecord {
  std::uint8_t code = 0;
  UnixMillis at;
  std::uint64_t seen = 0;  // offset in its output up to which a client had got it
};

// [a-z0-9][a-z0-9-]*, of bounded length.
bool is_id(std::string_view id);
bool is_tenant(std::string_view tenant);

enum class Durable : std::uint8_t { No, Yes };

class StateFolder {
 public:
  explicit StateFolder(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  std::string of(std::string_view id) const { return path_ + "/" + std::string(id); }
  // Folders of containers, finished or not, in order.
  std::vector<std::string> ids() const;

  // AlreadyExists if there is such a folder.
  Result<void> make(const std::string& id) const;
  Result<void> write_order(const Record& record, Durable durable) const;
  // NotFound without an order; Corrupt if it does not decode.
  Result<Record> read_order(const std::string& id) const;

  std::optional<ExitRecord> read_exit(const std::string& id) const;
  Result<void> write_exit(const std::string& id, const ExitRecord& exit) const;
  UsageTotals read_usage(const std::string& id) const;  // zeros if there is none
  void write_usage(const std::string& id, const UsageTotals& totals) const;

  // What belongs to one start only.
  void clear_start(const std::string& id) const;

 private:
  std::string path_;
};

}  // namespace hm::container_runtime
