// SPDX-License-Identifier: Apache-2.0
// The options of the commands about leases, CAES and trust; part of command.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace hm::cli {

struct LeaseOpen {
  std::string filter;
  std::optional<std::string> quantity;
  std::optional<std::string> duration;
  std::optional<std::string> network;
  std::optional<std::string> highest_price;
  std::optional<std::uint32_t> choices;
  bool explain = false;  // nothing is leased: why not the others
  bool plan = false;     // nothing is leased: what would be
  bool wait = true;      // until somebody has accepted it
};
struct LeaseList {
  bool mine = false;
  bool on_me = false;  // neither: both
  bool all = false;
  bool open = false;
};
struct LeaseShow {
  std::string lease;
};
struct LeaseRenew {
  std::string lease;
  std::string duration;
};
struct LeaseClose {
  std::string lease;
};
struct LeaseSettle {
  std::string lease;
};
struct LeaseAccept {
  std::string lease;
};
struct LeaseDecline {
  std::string lease;
};

struct Stake {
  std::string amount;
};
struct Unstake {
  std::string amount;
};
struct Delegate {
  std::string validator;
  std::string amount;
};
struct Undelegate {
  std::string validator;
  std::string amount;
  bool all = false;
};
struct Allow {
  std::string amount;  // empty: what is allowed is shown
  std::string node;    // empty: this one; shown are all of the owner's
};
struct Rewards {
  std::string owner;  // empty: the node's
};
struct Bill {
  std::string owner;  // empty: the node's
  std::string since;  // empty: all that the ledger still keeps
};

struct Who {};
struct Trust {
  std::string node;  // empty: every node in short
};
struct TrustShow {
  std::string node;
};

}  // namespace hm::cli
