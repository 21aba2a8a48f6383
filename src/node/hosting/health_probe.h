// SPDX-License-Identifier: Apache-2.0
// One look at whether a replica does what it should, by the tenant's own node: through a stream to
// its port, as users come, or by a command inside. What the provider says about it does not count.
//
// A provider can answer in the container's place, and can fake a command's exit at no cost. It
// cannot make a dead port pass for one that gives the service's answers.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/containers/service_spec.h"
#include "node/hosting/container_desk.h"

namespace hm::hosting {

class HealthProbe {
 public:
  // None: it passed. Otherwise why not, in words. Called once, not after the probe is gone.
  using Verdict = std::function<void(const std::optional<std::string>& failure)>;

  // Null: no stream can be had now, which says nothing about the replica. Requires: the check has a
  // kind. `host`: for the request of an Http check. Dropping it ends the look.
  static std::unique_ptr<HealthProbe> start(ContainerDesk& desk, const RunId& run,
                                            const containers::HealthCheck& check,
                                            const std::string& host, Verdict verdict);
  ~HealthProbe();
  HealthProbe(const HealthProbe&) = delete;
  HealthProbe& operator=(const HealthProbe&) = delete;

 private:
  class Ear;
  explicit HealthProbe(std::shared_ptr<Ear> ear) : ear_(std::move(ear)) {}
  std::shared_ptr<Ear> ear_;
};

}  // namespace hm::hosting
