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

}  // namespace hm::cli
