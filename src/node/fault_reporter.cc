// SPDX-License-Identifier: Apache-2.0
#include "node/fault_reporter.h"

#include "foundation/base/log.h"
#include "foundation/codec/writer.h"

namespace hm::node {

FaultReporter::FaultReporter(Node& node, OwnOperations& operations)
    : node_(node), operations_(operations) {
  node_.add_observer(*this);
}

FaultReporter::~FaultReporter() { node_.remove_observer(*this); }

void FaultReporter::on_fault(const consensus::Evidence& evidence) {
  operations_.submit(ledger::ReportFault{codec::encode(evidence)},
                     [](const std::optional<ledger::Refused>& refused) {
                       if (!refused || refused->rule == ledger::Refusal::FaultKnown) return;
                       log::warning("node", "the ledger refused evidence of a fault",
                                    {{"why", ledger::explain(*refused)}});
                     });
}

}  // namespace hm::node
