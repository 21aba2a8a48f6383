// SPDX-License-Identifier: Apache-2.0
// What the command line can ask for: one struct of options per subcommand. command_line.h parses
// into them; commands/*.cc carries them out, each through `run(options, context)`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "apps/hypermesh/container_options.h"
#include "apps/hypermesh/lease_options.h"
#include "apps/hypermesh/sharing_options.h"
#include "apps/hypermesh/storage_options.h"

namespace hm::cli {

struct Dev {
  std::optional<std::uint32_t> nodes;  // of a new mesh: 4; of an existing one: as it is
  std::string dir;
  bool detach = false;
  std::optional<std::uint16_t> base_port;
};
struct DevStop {
  std::string dir;
};
struct Up {
  std::string dir;
  std::string name;  // of a new node; empty: from the host's name
  bool foreground = false;
  std::optional<std::uint16_t> api_port;
  std::string listen;  // "[::1]:9292"
};
struct Down {
  std::string dir;
};
struct Invite {
  std::uint32_t minutes = 10;
};
struct Join {
  std::string code;
  std::string dir;
  std::string name;
  bool foreground = false;
  std::optional<std::uint16_t> api_port;
  std::string listen;
};
struct NodeDaemon {  // hidden
  std::string config;
};

struct Status {};
struct AssetsList {
  std::vector<std::string> filters;
};
struct AssetsShow {
  std::string id;
};
struct AssetsWatch {
  std::vector<std::string> filters;
};

// What `asset register` and `asset update` may say; absent means unchanged or the default.
struct AssetTermsOptions {
  std::optional<std::string> detected;
  std::optional<std::string> offered;
  std::optional<std::string> available;
  std::optional<std::string> unit;
  std::optional<std::string> state;
  std::optional<std::string> level;
  std::optional<std::string> price;
  std::vector<std::string> fields;  // key=value
};
struct AssetRegister {
  std::string kind;
  std::string node;
  AssetTermsOptions terms;
};
struct AssetUpdate {
  std::string id;
  AssetTermsOptions terms;
};
struct AssetTransfer {
  std::string id;
  std::string to;
};
struct AssetRetire {
  std::string id;
};

struct Nodes {};
struct Validators {};
struct LedgerShow {
  std::optional<std::uint64_t> height;  // absent: the last one
};
struct LedgerTail {
  std::uint32_t count = 10;
  bool follow = false;
};
struct LedgerVerify {
  std::string dir;  // a stopped node's folder; empty: everything the node answers
};
struct LedgerExport {
  std::string file;  // "-": standard output
};
struct Wallet {
  std::string owner;  // empty: the node's
};
struct WalletSend {
  std::string to;
  std::string amount;
};
// How a key file that is written is protected.
struct NewProtection {
  std::string passphrase_file;  // empty: asked for on the terminal
  bool none = false;
};
struct KeyNew {
  std::string file;
  NewProtection protection;
};
struct KeyShow {
  std::string file;  // empty: what other commands would sign with
};
struct KeyExport {
  std::string file;  // "-": standard output
  bool secret = false;
  NewProtection protection;
};
struct KeyImport {
  std::string from;
  std::string file;
  NewProtection protection;
};
struct KeyRotate {
  std::uint64_t overlap = 0;  // blocks
};
struct Doctor {
  std::string dir;
  bool fix = false;
  bool stop = false;  // detached containers of nodes that do not run, too
};
struct Version {};
struct Completion {
  std::string shell;
};

using Command = std::variant<
    Version, Dev, DevStop, Up, Down, Invite, Join, NodeDaemon, Status, AssetsList, AssetsShow,
    AssetsWatch, AssetRegister, AssetUpdate, AssetTransfer, AssetRetire, Nodes, Validators,
    LedgerShow, LedgerTail, LedgerVerify, LedgerExport, Wallet, WalletSend, KeyNew, KeyShow,
    KeyExport, KeyImport, KeyRotate, Doctor, Completion, LeaseOpen, LeaseList, LeaseShow,
    LeaseRenew, LeaseClose, LeaseSettle, LeaseAccept, LeaseDecline, Stake, Unstake, Delegate,
    Undelegate, Allow, Rewards, Bill, Who, Trust, TrustShow, Share, Unshare, GrantsList, GrantsShow,
    PolicyTestFile, Pause, Resume, Revoke, GroupSet, GroupShow, GroupList, GroupRemove, Certify,
    FederateExport, FederateSign, FederateRecord, FederateList, ContainerRun, ContainerList,
    ContainerLogs, ContainerExec, ContainerAttach, ContainerStop, ContainerKill, ContainerInspect,
    ContainerStats, ContainerCopy, ContainerForward, ImageList, ImagePull, ImagePush, ImageImport,
    ImageExport, ImageRemove, ImagePrune, ServiceList, ServiceInspect, ServiceScale, ServiceRemove,
    ObjectPut, ObjectGet, ObjectCat, ObjectList, ObjectStat, ObjectShare, ObjectPin, Remove,
    StorageStatus, StorageCollect, StorageUploads, StorageDrain, StorageRecover>;

struct Globals {
  bool json = false;
  std::string api;  // --api or HYPERMESH_API; empty: found by default
  std::string key;  // --key or HYPERMESH_KEY: the owner's key file; empty: found by default
  std::string passphrase_file;  // --passphrase-file or HYPERMESH_PASSPHRASE_FILE
};

struct Invocation {
  Globals globals;
  Command command;
};

}  // namespace hm::cli
