// SPDX-License-Identifier: Apache-2.0
// What a command works with: the global options and the terminal.
#pragma once

#include "apps/hypermesh/command.h"
#include "apps/hypermesh/failure.h"
#include "apps/hypermesh/terminal.h"

namespace hm::cli {

struct Context {
  Globals globals;
  Terminal terminal;
};

// One per subcommand, in commands/. Data goes to standard output before an Outcome is returned.
Outcome run(const Dev& options, const Context& context);
Outcome run(const DevStop& options, const Context& context);
Outcome run(const Up& options, const Context& context);
Outcome run(const Down& options, const Context& context);
Outcome run(const Invite& options, const Context& context);
Outcome run(const Join& options, const Context& context);
Outcome run(const NodeDaemon& options, const Context& context);
Outcome run(const Status& options, const Context& context);
Outcome run(const AssetsList& options, const Context& context);
Outcome run(const AssetsShow& options, const Context& context);
Outcome run(const AssetsWatch& options, const Context& context);
Outcome run(const AssetRegister& options, const Context& context);
Outcome run(const AssetUpdate& options, const Context& context);
Outcome run(const AssetTransfer& options, const Context& context);
Outcome run(const AssetRetire& options, const Context& context);
Outcome run(const Nodes& options, const Context& context);
Outcome run(const Validators& options, const Context& context);
Outcome run(const LedgerShow& options, const Context& context);
Outcome run(const LedgerTail& options, const Context& context);
Outcome run(const LedgerVerify& options, const Context& context);
Outcome run(const LedgerExport& options, const Context& context);
Outcome run(const Wallet& options, const Context& context);
Outcome run(const WalletSend& options, const Context& context);
Outcome run(const KeyNew& options, const Context& context);
Outcome run(const KeyShow& options, const Context& context);
Outcome run(const KeyExport& options, const Context& context);
Outcome run(const KeyImport& options, const Context& context);
Outcome run(const KeyRotate& options, const Context& context);
Outcome run(const Doctor& options, const Context& context);
Outcome run(const Version& options, const Context& context);
Outcome run(const Completion& options, const Context& context);
Outcome run(const LeaseOpen& options, const Context& context);
Outcome run(const LeaseList& options, const Context& context);
Outcome run(const LeaseShow& options, const Context& context);
Outcome run(const LeaseRenew& options, const Context& context);
Outcome run(const LeaseClose& options, const Context& context);
Outcome run(const LeaseSettle& options, const Context& context);
Outcome run(const LeaseAccept& options, const Context& context);
Outcome run(const LeaseDecline& options, const Context& context);
Outcome run(const Stake& options, const Context& context);
Outcome run(const Unstake& options, const Context& context);
Outcome run(const Delegate& options, const Context& context);
Outcome run(const Undelegate& options, const Context& context);
Outcome run(const Allow& options, const Context& context);
Outcome run(const Rewards& options, const Context& context);
Outcome run(const Bill& options, const Context& context);
Outcome run(const Who& options, const Context& context);
Outcome run(const Trust& options, const Context& context);
Outcome run(const TrustShow& options, const Context& context);
Outcome run(const Share& options, const Context& context);
Outcome run(const Unshare& options, const Context& context);
Outcome run(const GrantsList& options, const Context& context);
Outcome run(const GrantsShow& options, const Context& context);
Outcome run(const PolicyTestFile& options, const Context& context);
Outcome run(const Pause& options, const Context& context);
Outcome run(const Resume& options, const Context& context);
Outcome run(const Revoke& options, const Context& context);
Outcome run(const GroupSet& options, const Context& context);
Outcome run(const GroupShow& options, const Context& context);
Outcome run(const GroupList& options, const Context& context);
Outcome run(const GroupRemove& options, const Context& context);
Outcome run(const Certify& options, const Context& context);
Outcome run(const FederateExport& options, const Context& context);
Outcome run(const FederateSign& options, const Context& context);
Outcome run(const FederateRecord& options, const Context& context);
Outcome run(const FederateList& options, const Context& context);
Outcome run(const ContainerRun& options, const Context& context);
Outcome run(const ContainerList& options, const Context& context);
Outcome run(const ContainerLogs& options, const Context& context);
Outcome run(const ContainerExec& options, const Context& context);
Outcome run(const ContainerAttach& options, const Context& context);
Outcome run(const ContainerStop& options, const Context& context);
Outcome run(const ContainerKill& options, const Context& context);
Outcome run(const ContainerInspect& options, const Context& context);
Outcome run(const ContainerStats& options, const Context& context);
Outcome run(const ContainerCopy& options, const Context& context);
Outcome run(const ContainerForward& options, const Context& context);
Outcome run(const ServiceList& options, const Context& context);
Outcome run(const ServiceInspect& options, const Context& context);
Outcome run(const ServiceScale& options, const Context& context);
Outcome run(const ServiceRemove& options, const Context& context);
Outcome run(const ObjectPut& options, const Context& context);
Outcome run(const ObjectGet& options, const Context& context);
Outcome run(const ObjectCat& options, const Context& context);
Outcome run(const ObjectList& options, const Context& context);
Outcome run(const ObjectStat& options, const Context& context);
Outcome run(const ObjectShare& options, const Context& context);
Outcome run(const ObjectPin& options, const Context& context);
Outcome run(const Remove& options, const Context& context);
Outcome run(const StorageStatus& options, const Context& context);
Outcome run(const StorageCollect& options, const Context& context);
Outcome run(const StorageUploads& options, const Context& context);
Outcome run(const StorageDrain& options, const Context& context);
Outcome run(const StorageRecover& options, const Context& context);
Outcome run(const ImageList& options, const Context& context);
Outcome run(const ImagePull& options, const Context& context);
Outcome run(const ImagePush& options, const Context& context);
Outcome run(const ImageImport& options, const Context& context);
Outcome run(const ImageExport& options, const Context& context);
Outcome run(const ImageRemove& options, const Context& context);
Outcome run(const ImagePrune& options, const Context& context);

}  // namespace hm::cli
