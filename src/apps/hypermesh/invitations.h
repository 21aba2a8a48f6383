// SPDX-License-Identifier: Apache-2.0
// The inviter's side of joining: makes codes, and serves those who redeem them, each once and for a
// few minutes. While an invitation is open, its exchange is also served on the node's STOQ address
// over TCP, because the API stays on loopback; nothing but the exchange is served there.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/hypermesh/folders.h"
#include "apps/hypermesh/join_code.h"
#include "apps/hypermesh/join_messages.h"
#include "apps/hypermesh/node_config.h"
#include "foundation/base/time.h"
#include "node/http_api/api.h"
#include "node/node.h"
#include "platform/http/http_server.h"

namespace boost::asio {
class io_context;
}

namespace hm::cli {

// Each keeps a secret and, once claimed, an operation; an operator makes them by hand.
inline constexpr std::size_t kMaxOpenInvitations = 16;
inline constexpr std::uint32_t kMaxInvitationMinutes = 60;

class Invitations {
 public:
  using Texts = http_api::ApiHooks::Texts;
  using Reply = http_api::ApiHooks::Reply;

  // All references outlive it. On the loop's thread.
  Invitations(boost::asio::io_context& loop, node::Node& node, NodeFolder folder,
              const NodeConfig& config);
  ~Invitations();
  Invitations(const Invitations&) = delete;
  Invitations& operator=(const Invitations&) = delete;

  // {minutes?} → {code, expires_in_minutes, address}. Needs the owner's key file in the folder.
  void invite(const Texts& request, const Reply& reply);
  // {invitation, step, sealed} → {sealed}.
  void join(const Texts& request, const Reply& reply);

 private:
  struct Invitation {
    InvitationSecret secret{};
    MonoTime expires;
    std::optional<RegisterRequest> claim;        // set by step 2; another one is refused
    std::optional<ledger::Operation> operation;  // what step 3 must sign
    bool busy = false;                           // an operation of it is on its way
  };
  class Listener;

  Result<std::string> create(std::uint32_t minutes);
  void forget_expired();
  void drop_expired();
  Result<void> listen();
  Bytes hello() const;
  void register_owner(const InvitationId& id, RegisterRequest request, const Reply& reply);
  void propose_node(const InvitationId& id, const Reply& reply);
  void confirm(const InvitationId& id, const ConfirmRequest& request, const Reply& reply);
  Result<identity::OwnerKeys> sponsor_keys() const;
  Result<ledger::SignedOperation> sponsor(const RegisterRequest& request) const;
  // Submits and waits until it is final.
  void submit(const ledger::SignedOperation& operation,
              std::function<void(Result<std::uint64_t>)> done);
  void answer(const InvitationId& id, JoinStep step, const Bytes& plaintext, const Reply& reply);

  boost::asio::io_context& loop_;
  node::Node& node_;
  NodeFolder folder_;
  NodeConfig config_;
  std::map<InvitationId, Invitation> open_;
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<http::HttpServer> server_;
  std::unique_ptr<ports::Timer> expiry_timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace hm::cli
