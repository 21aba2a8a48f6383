// SPDX-License-Identifier: Apache-2.0
// What joiner and inviter say to each other, sealed with the invitation's secret, in three steps:
// 1 the inviter shows the chain; 2 it sponsors the newcomer's owner and proposes the operation that
// registers the newcomer's node; 3 the newcomer's owner has signed it. All BCS.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "core/identity/key_bundle.h"
#include "core/identity/node_binding.h"
#include "core/ledger/operation.h"
#include "core/stoq/address.h"

namespace hm::cli {

enum class JoinStep : std::uint8_t { Hello = 1, Register = 2, Confirm = 3 };

struct JoinPeer {
  identity::NodeId node;
  std::vector<stoq::Address> addresses;
  bool operator==(const JoinPeer&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.node, self.addresses); }
};

struct HelloReply {
  Bytes genesis;  // as ledger::encode makes it
  std::vector<JoinPeer> peers;
  static constexpr auto fields(auto& self) { return std::tie(self.genesis, self.peers); }
};

struct RegisterRequest {
  std::string owner_name;
  identity::KeyBundle bundle;
  identity::NodeBinding binding;
  bool operator==(const RegisterRequest&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.owner_name, self.bundle, self.binding);
  }
};

struct RegisterReply {
  ledger::Operation operation;  // for the newcomer's owner to sign
  static constexpr auto fields(auto& self) { return std::tie(self.operation); }
};

struct ConfirmRequest {
  crypto::Signature signature;
  static constexpr auto fields(auto& self) { return std::tie(self.signature); }
};

struct ConfirmReply {
  std::uint64_t height = 0;  // of the block with the operation
  static constexpr auto fields(auto& self) { return std::tie(self.height); }
};

}  // namespace hm::cli
