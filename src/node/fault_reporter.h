// SPDX-License-Identifier: Apache-2.0
// Puts evidence of a validator's fault on the ledger, where it costs stake. Whichever node sees the
// fault reports it; the first report counts and the ledger refuses the others.
#pragma once

#include "node/node.h"
#include "node/own_operations.h"

namespace hm::node {

class FaultReporter final : public NodeObserver {
 public:
  FaultReporter(Node& node, OwnOperations& operations);
  ~FaultReporter() override;

  // NodeObserver
  void on_final(const FinalEvent&) override {}
  void on_fault(const consensus::Evidence& evidence) override;

 private:
  Node& node_;
  OwnOperations& operations_;
};

}  // namespace hm::node
