// SPDX-License-Identifier: Apache-2.0
// What a container used, over all its starts.
#pragma once

#include <cstdint>
#include <optional>

#include "foundation/base/time.h"
#include "platform/container_runtime/host.h"
#include "platform/container_runtime/state_folder.h"
#include "ports/container_runtime.h"

namespace hm::container_runtime {

// Integral of memory over time, by the trapezoidal rule over samples.
class MemoryIntegral {
 public:
  // What was added since the sample before, in whole byte-seconds.
  std::uint64_t sample(MonoTime now, std::uint64_t bytes);
  // The next sample begins anew.
  void pause() { last_.reset(); }

 private:
  struct Sample {
    MonoTime at;
    std::uint64_t bytes = 0;
  };
  std::optional<Sample> last_;
  double remainder_ = 0;
};

struct Counted {
  ports::ProcessExit exit;
  std::uint64_t seen = 0;  // as in ExitRecord
  UsageTotals totals;
};
// After the end of a start and before its control groups are removed; written down, so that it
// counts once.
Counted count_start(const Host& host, const Record& record, const ExitRecord& exit,
                    UsageTotals totals);

enum class Runs : std::uint8_t { No, Yes };
Result<ports::ContainerUsage> read_usage(const Host& host, const std::string& id, Runs runs,
                                         const UsageTotals& totals);

}  // namespace hm::container_runtime
