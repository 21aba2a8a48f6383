// SPDX-License-Identifier: Apache-2.0
// Containers on this machine. They live in processes of their own, so that they outlive this one:
// after a restart existing() has them, with what they were started for.
//
// All calls and callbacks on the event loop; nothing blocks. A callback is called once, later,
// never from within the call. A container's limits are the kernel's; what this machine cannot limit
// is in facts(), and is never silently left out.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/containers/run_spec.h"
#include "foundation/base/bytes.h"
#include "foundation/base/error.h"
#include "foundation/base/result.h"
#include "foundation/base/time.h"
#include "ports/image_store.h"

namespace hm::ports {

enum class ContainerState : std::uint8_t { Created, Running, Exited };

struct ProcessExit {
  std::uint8_t code = 0;  // as a shell has it: 128 + number of the signal that ended it
  bool out_of_memory = false;
  UnixMillis at;
};

// Counters since the container was created, over all its starts, as its control groups and its
// network have them. Absent: not measured on this machine.
struct ContainerUsage {
  std::optional<std::uint64_t> cpu_us;
  std::optional<std::uint64_t> memory_bytes;  // now
  std::optional<std::uint64_t> memory_peak_bytes;
  std::optional<std::uint64_t> memory_byte_seconds;  // integral of the above
  std::optional<std::uint64_t> disk_bytes;           // of the writable layer, now
  std::optional<std::uint64_t> read_bytes;
  std::optional<std::uint64_t> written_bytes;
  std::optional<std::uint64_t> received_bytes;  // by its network interface
  std::optional<std::uint64_t> sent_bytes;
  std::optional<std::uint32_t> pids;
  std::optional<std::uint64_t> throttled_us;
};

// The other end of a stream into a container: of its own process, of one more, of a copy, of a
// connection. Bytes flow against allowance in both directions, so that neither side's memory grows.
class ContainerStreamListener {
 public:
  virtual ~ContainerStreamListener() = default;
  enum class Lane : std::uint8_t { Out, Error };
  virtual void on_output(Lane lane, ByteView bytes) = 0;
  // So many bytes of what was written went in.
  virtual void on_taken(std::size_t bytes) = 0;
  // The last call: all output came. `exit` is absent if it did not end by itself.
  virtual void on_end(const Result<ProcessExit>& exit) = 0;
};

// Dropping it detaches: a container's own process goes on, everything else is ended.
class ContainerStream {
 public:
  virtual ~ContainerStream() = default;
  // At most kMaxPendingInput bytes may be written and not yet taken.
  virtual void write(Bytes bytes) = 0;
  virtual void close_input() = 0;
  // More bytes may come by on_output(). None come before the first call.
  virtual void allow(std::size_t bytes) = 0;
  virtual void signal(int number) = 0;
  virtual void resize(std::uint16_t rows, std::uint16_t columns) = 0;
};
inline constexpr std::size_t kMaxPendingInput = 256 * 1024;

using StreamResult = Result<std::unique_ptr<ContainerStream>>;

// What a container is made of. `label` is the caller's, kept with the container.
struct ContainerOrder {
  std::string id;  // [a-z0-9][a-z0-9-]*, unique on this machine
  containers::RunSpec spec;
  Bytes label;
  std::string tenant;  // [a-z0-9-]+: whose volumes the spec's names mean; empty if it has none
};

struct ExistingContainer {
  ContainerOrder order;
  ContainerState state = ContainerState::Created;
  std::optional<ProcessExit> exit;
  std::uint32_t restarts = 0;
};

// What this machine can do for containers.
struct RuntimeFacts {
  std::string runtime;  // "runc 1.1.5", empty: none works
  std::string cgroups;  // "v1", "v2", "hybrid"
  // What cannot be had, each with its reason: "write limits hold for direct I/O only (cgroup v1)".
  std::vector<std::string> missing;
  bool has_network = false;  // other network classes than none
};

enum class CopyDirection : std::uint8_t { Into, OutOf };

class ContainerRuntime {
 public:
  virtual ~ContainerRuntime() = default;

  virtual const RuntimeFacts& facts() const = 0;
  // Why this order cannot be carried out here, before anything is leased or shipped.
  virtual Result<void> check(const containers::RunSpec& spec) const = 0;
  // What was found when this runtime was opened, and what was made since.
  virtual std::vector<ExistingContainer> existing() const = 0;

  // Makes its root file system, control groups and network, and starts its process. The stream of
  // the process is attached from its first byte on if `listener` is not null.
  virtual void start(ContainerOrder order, UnpackedImage image, ContainerStreamListener* listener,
                     std::function<void(StreamResult)> done) = 0;
  // Starts an exited container's process again, in the same root file system.
  virtual void restart(const std::string& id, std::function<void(Result<void>)> done) = 0;
  // One at a time; a later one replaces an earlier. From now on, or, where nobody was attached,
  // from where the last one stopped.
  virtual void attach(const std::string& id, ContainerStreamListener& listener,
                      std::function<void(StreamResult)> done) = 0;
  virtual void exec(const std::string& id, const containers::ProcessSpec& process,
                    ContainerStreamListener& listener, std::function<void(StreamResult)> done) = 0;
  // Files as a tar stream, below `path`, which is resolved inside the container's root.
  virtual void copy(const std::string& id, CopyDirection direction, const std::string& path,
                    ContainerStreamListener& listener, std::function<void(StreamResult)> done) = 0;
  // A TCP connection to a port on which something in the container listens.
  virtual void connect(const std::string& id, std::uint16_t port, ContainerStreamListener& listener,
                       std::function<void(StreamResult)> done) = 0;
  // What it wrote, as kept: the last `tail` bytes, and then, with Follow::Yes, what comes.
  enum class Follow : std::uint8_t { No, Yes };
  virtual void logs(const std::string& id, std::size_t tail, Follow follow,
                    ContainerStreamListener& listener, std::function<void(StreamResult)> done) = 0;

  // To its own process. `number` 0: the image's stop signal.
  virtual void signal(const std::string& id, int number,
                      std::function<void(Result<void>)> done) = 0;
  // Ends every process in it at once.
  virtual void kill(const std::string& id, std::function<void(Result<void>)> done) = 0;
  virtual void usage(const std::string& id, std::function<void(Result<ContainerUsage>)> done) = 0;
  // Ends it if it runs, and removes everything it had but volumes. Fine if there is none.
  virtual void remove(const std::string& id, std::function<void(Result<void>)> done) = 0;

  // Called whenever a container's own process has ended.
  virtual void on_exit(std::function<void(const std::string& id, const ProcessExit&)> handler) = 0;
};

}  // namespace hm::ports
