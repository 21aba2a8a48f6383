// SPDX-License-Identifier: Apache-2.0
// One service: so many replicas, each on a machine of another owner. What is missing is placed;
// what fails is replaced, the new one first where there is room for it; what is too many is given
// back. An owner on whose machine one failed is left out for a while.
//
// Promises: what is done is remembered before, so that a later process neither has a replica twice
// nor loses one. What cannot be done now is said, and tried again after a pause that grows.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "node/hosting/replica.h"
#include "node/hosting/run_plan.h"

namespace hm::hosting {

class KeptService {
 public:
  // `record` is remembered already.
  KeptService(ServicePorts& ports, ServiceRecord record);

  // Goes on with what an earlier process remembered.
  void recall();
  void look();
  MonoTime next_due() const;

  // Each is remembered, or refused and not done.
  Result<void> scale(std::uint32_t replicas);
  Result<void> remove();

  const ServiceRecord& record() const { return record_; }
  const std::vector<std::shared_ptr<Replica>>& replicas() const { return replicas_; }
  std::size_t count(Standing standing) const;
  // "running", "starting", "replacing", "waiting", "removing".
  std::string_view state() const;
  // Why what is missing is not there; empty: nothing is in the way.
  const std::string& waiting() const { return waiting_; }
  // Removed, and nothing of it is there any more. It is forgotten when it is gone, too.
  bool is_over() const;
  bool is_gone() const;

 private:
  void take_trouble();
  void recover_some();
  void trim();
  void place_missing();
  bool place_one();
  Result<RunPlan> plan(const containers::RunSpec& spec);
  void pause(std::string why);
  std::size_t good() const;
  Result<void> save();
  MonoTime now() const { return ports_.node.ports().clock.now(); }
  UnixMillis wall() const { return ports_.node.ports().clock.wall(); }

  ServicePorts& ports_;
  ServiceRecord record_;
  Bytes remembered_;
  scheduling::Filter place_;
  std::vector<std::shared_ptr<Replica>> replicas_;  // by number
  std::string waiting_;
  MonoTime place_due_{};
  Duration place_pause_ = kPlacePause;
  std::set<std::uint64_t> told_;  // replicas whose trouble was taken
};

}  // namespace hm::hosting
