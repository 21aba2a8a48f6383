// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/invitations.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/api/error.h"
#include "core/api/json_writer.h"
#include "core/api/request.h"
#include "core/api/text.h"
#include "core/ledger/refusal.h"
#include "foundation/base/hex.h"
#include "foundation/base/log.h"
#include "foundation/codec/reader.h"
#include "foundation/codec/writer.h"
#include "platform/files/owner_key_file.h"

namespace hm::cli {
namespace {

constexpr std::uint32_t kDefaultMinutes = 10;
// An operation is final in milliseconds, or the mesh has no quorum.
constexpr std::chrono::seconds kFinalLimit{20};
constexpr std::string_view kPath = "/api/v1/join";
// A sealed request is about 5 KiB, keys and signatures, and a third more in base64.
constexpr std::size_t kMaxJoinBody = 16 * 1024;
constexpr std::size_t kMaxJoinConnections = 32;
// What a sponsor gives: ten times the largest bond that a node with assets needs.
constexpr std::uint64_t kBondFactor = 10;

std::unexpected<Error> unknown_invitation() {
  return fail(ErrorCode::PermissionDenied, "this invitation is unknown, used or expired",
              "ask for a new one: 'hypermesh invite' on the inviter's machine");
}

std::unexpected<Error> not_sealed() {
  return fail(ErrorCode::PermissionDenied,
              "the request was not sealed with the invitation's secret", "copy the whole code");
}

caesar::Amount newcomer_bond(const ledger::Policy& policy) {
  const auto largest = std::max({policy.bond_register_node, policy.bond_register_asset,
                                 policy.bond_update_asset, caesar::caes(1)});
  return caesar::scale(largest, kBondFactor, 1).value_or(largest);
}

// The IP address of "[ip]:port".
std::string ip_of(const stoq::Address& address) {
  const std::string text = address.to_string();
  return text.substr(1, text.find(']') - 1);
}

}  // namespace

// Serves the exchange, and only that, to those who cannot reach the API.
class Invitations::Listener final : public ports::HttpHandler {
 public:
  explicit Listener(Invitations& owner) : owner_(owner) {}

  ports::HttpResponse describe_fault(ports::HttpFault) override {
    return response(400,
                    error(api::bad_request("only the exchange of an invitation is served here")));
  }
  std::optional<ports::HttpResponse> refuse_early(const ports::HttpRequest& head) override {
    if (head.method == ports::HttpMethod::Post && head.path == kPath) return std::nullopt;
    return response(404,
                    error(api::not_found("only the exchange of an invitation is served here")));
  }
  void on_request(ports::HttpRequest request,
                  std::unique_ptr<ports::HttpResponder> responder) override {
    auto texts = api::decode_texts(request.body);
    if (!texts) {
      responder->send(response(400, error(api::bad_request("the body " + texts.error().problem))));
      return;
    }
    const std::shared_ptr<ports::HttpResponder> shared(std::move(responder));
    owner_.join(*texts, [this, shared, alive = std::weak_ptr(alive_)](Result<Texts> reply) {
      if (alive.expired()) return;
      if (!reply) {
        const api::ApiError refused = api::from_error(reply.error());
        shared->send(response(refused.status, error(refused)));
        return;
      }
      api::JsonWriter json;
      json.begin_object();
      for (const auto& [name, text] : *reply) json.member(name, text);
      json.end_object();
      shared->send(response(200, std::move(json).take()));
    });
  }

 private:
  std::string error(const api::ApiError& refused) const {
    return api::encode(refused, "join", owner_.node_.ports().clock.wall());
  }
  static ports::HttpResponse response(std::uint16_t status, std::string body) {
    ports::HttpResponse response;
    response.status = status;
    response.body = std::move(body);
    return response;
  }

  Invitations& owner_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

Invitations::Invitations(boost::asio::io_context& loop, node::Node& node, NodeFolder folder,
                         const NodeConfig& config)
    : loop_(loop), node_(node), folder_(std::move(folder)), config_(config) {
  expiry_timer_ = node_.ports().timers.create([this] { drop_expired(); });
}

Invitations::~Invitations() = default;

void Invitations::invite(const Texts& request, const Reply& reply) {
  std::uint32_t minutes = kDefaultMinutes;
  if (const auto text = request.find("minutes"); text != request.end()) {
    const auto number = api::parse_number(text->second);
    if (!number || *number == 0 || *number > kMaxInvitationMinutes) {
      return reply(fail(ErrorCode::InvalidArgument, "an invitation is valid for 1 to 60 minutes"));
    }
    minutes = static_cast<std::uint32_t>(*number);
  }
  auto code = create(minutes);
  if (!code) return reply(fail(std::move(code).error()));
  reply(Texts{{"code", std::move(*code)}, {"expires_in_minutes", std::to_string(minutes)}});
}

Result<std::string> Invitations::create(std::uint32_t minutes) {
  drop_expired();
  if (open_.size() >= kMaxOpenInvitations) {
    return fail(ErrorCode::NoCapacity, "too many invitations are open", "wait until some expire");
  }
  // Found out here, not by the newcomer.
  HM_TRY(const auto keys, sponsor_keys());
  const stoq::Address address =
      config_.stoq_advertised.empty() ? config_.stoq_bind : config_.stoq_advertised.front();
  if (address.is_unspecified()) {
    return fail(ErrorCode::FailedPrecondition,
                "the node does not know at which address others reach it",
                "set advertised = [\"[ADDRESS]:PORT\"] below [stoq] in node.toml and restart it");
  }
  HM_TRY_VOID(listen());  // what is open is added below
  JoinCode code;
  code.address = address;
  code.fingerprint = fingerprint_of(node_.chain_id());
  node_.ports().random.fill(code.secret);
  const MonoTime expires = node_.ports().clock.now() + std::chrono::minutes(minutes);
  open_[invitation_id_of(code.secret)] = Invitation{.secret = code.secret, .expires = expires};
  drop_expired();
  log::info("join", "invitation made", {{"minutes", minutes}, {"address", address.to_string()}});
  return format_join_code(code);
}

void Invitations::forget_expired() {
  const MonoTime now = node_.ports().clock.now();
  std::erase_if(open_, [&](const auto& entry) { return entry.second.expires <= now; });
}

// Not from within a request to the listener: it closes it when nothing is open.
void Invitations::drop_expired() {
  forget_expired();
  if (open_.empty()) {
    server_.reset();
    return;
  }
  const auto next =
      std::ranges::min_element(open_, {}, [](const auto& entry) { return entry.second.expires; });
  expiry_timer_->arm(next->second.expires);
}

Result<void> Invitations::listen() {
  if (server_ != nullptr) return {};
  http::HttpServerConfig server;
  server.address = ip_of(config_.stoq_bind);
  server.port = config_.stoq_bind.port;  // TCP beside STOQ's UDP
  server.max_body_bytes = kMaxJoinBody;
  server.max_connections = kMaxJoinConnections;
  listener_ = std::make_unique<Listener>(*this);
  HM_TRY(server_, http::HttpServer::start(loop_, *listener_, server));
  return {};
}

void Invitations::join(const Texts& request, const Reply& reply) {
  forget_expired();
  const auto text = [&](const char* name) {
    const auto found = request.find(name);
    return found == request.end() ? std::string() : found->second;
  };
  InvitationId id{};
  const auto step = api::parse_number(text("step"));
  const auto sealed = api::from_base64(text("sealed"));
  if (!from_hex_exact(text("invitation"), id) || !sealed || !step || *step < 1 || *step > 3) {
    return reply(fail(ErrorCode::InvalidArgument, "this is not a step of joining"));
  }
  const auto found = open_.find(id);
  if (found == open_.end()) return reply(unknown_invitation());
  Invitation& invitation = found->second;
  const auto plaintext =
      open_from(invitation.secret, Direction::ToInviter, static_cast<std::uint8_t>(*step), *sealed);
  if (!plaintext) return reply(not_sealed());
  if (invitation.busy) {
    return reply(fail(ErrorCode::Busy, "an operation of this invitation is on its way"));
  }
  switch (static_cast<JoinStep>(*step)) {
    case JoinStep::Hello: return answer(id, JoinStep::Hello, hello(), reply);
    case JoinStep::Register: {
      auto decoded = codec::decode<RegisterRequest>(*plaintext);
      if (!decoded) return reply(fail(ErrorCode::InvalidArgument, "the request does not decode"));
      return register_owner(id, std::move(*decoded), reply);
    }
    case JoinStep::Confirm: {
      const auto decoded = codec::decode<ConfirmRequest>(*plaintext);
      if (!decoded) return reply(fail(ErrorCode::InvalidArgument, "the request does not decode"));
      return confirm(id, *decoded, reply);
    }
  }
}

Bytes Invitations::hello() const {
  HelloReply reply;
  reply.genesis = ledger::encode(node_.genesis());
  const stoq::Address own =
      config_.stoq_advertised.empty() ? config_.stoq_bind : config_.stoq_advertised.front();
  reply.peers.push_back({node_.id(), {own}});
  for (const PeerAddress& peer : config_.peers) reply.peers.push_back({peer.node, peer.addresses});
  return codec::encode(reply);
}

// Step 2. A newcomer whose answer was lost asks again with the same keys; anybody else is late.
void Invitations::register_owner(const InvitationId& id, RegisterRequest request,
                                 const Reply& reply) {
  Invitation& invitation = open_.at(id);
  if (invitation.claim && *invitation.claim != request) return reply(unknown_invitation());
  const identity::OwnerId newcomer = request.binding.owner;
  if (node_.ledger().owner(newcomer) != nullptr) {
    invitation.claim = std::move(request);
    return propose_node(id, reply);
  }
  if (newcomer != identity::owner_id_of(request.bundle)) {
    return reply(fail(ErrorCode::InvalidArgument, "the binding names an owner that is not known"));
  }
  auto operation = sponsor(request);
  if (!operation) return reply(fail(std::move(operation).error()));
  invitation.claim = std::move(request);
  invitation.busy = true;
  submit(*operation, [this, id, reply](Result<std::uint64_t> height) {
    const auto found = open_.find(id);
    if (found == open_.end()) return reply(unknown_invitation());
    found->second.busy = false;
    if (!height) {
      found->second.claim.reset();
      return reply(fail(std::move(height).error()));
    }
    propose_node(id, reply);
  });
}

// The daemon runs unattended: it sponsors with keys that need no passphrase.
Result<identity::OwnerKeys> Invitations::sponsor_keys() const {
  return files::read_owner_keys(folder_.owner_key(), [](const std::string& path) {
    return fail(ErrorCode::FailedPrecondition,
                fmt::format("{} has a passphrase, and the node that invites runs unattended", path),
                "give the node an owner's key file without one: 'hypermesh key export --secret "
                "--no-passphrase'");
  });
}

Result<ledger::SignedOperation> Invitations::sponsor(const RegisterRequest& request) const {
  HM_TRY(const auto keys, sponsor_keys());
  const auto sequence = node_.ledger().next_sequence(keys.id());
  if (!sequence) {
    return fail(ErrorCode::FailedPrecondition,
                "the inviter's owner is not registered on this chain");
  }
  const ledger::Policy& policy = node_.ledger().policy();
  const caesar::Amount bond = newcomer_bond(policy);
  ledger::Operation operation;
  operation.chain_id = node_.chain_id();
  operation.actor = keys.id();
  operation.sequence = *sequence;
  operation.anchor = node_.ledger().anchor();
  operation.expiry_height = operation.anchor.height + policy.expiry_max_ahead;
  operation.action = ledger::RegisterOwner{request.owner_name, request.bundle, bond, bond};
  return ledger::sign(std::move(operation), keys.ed25519());
}

void Invitations::propose_node(const InvitationId& id, const Reply& reply) {
  Invitation& invitation = open_.at(id);
  const identity::OwnerId newcomer = invitation.claim->binding.owner;
  ledger::Operation operation;
  operation.chain_id = node_.chain_id();
  operation.actor = newcomer;
  operation.sequence = node_.ledger().next_sequence(newcomer).value_or(1);
  operation.anchor = node_.ledger().anchor();
  operation.expiry_height = operation.anchor.height + node_.ledger().policy().expiry_max_ahead;
  operation.action = ledger::RegisterNode{invitation.claim->binding};
  invitation.operation = operation;
  answer(id, JoinStep::Register, codec::encode(RegisterReply{operation}), reply);
}

void Invitations::confirm(const InvitationId& id, const ConfirmRequest& request,
                          const Reply& reply) {
  Invitation& invitation = open_.at(id);
  if (!invitation.operation) {
    return reply(fail(ErrorCode::FailedPrecondition, "nothing was proposed to be signed yet"));
  }
  const auto keys = identity::validate(invitation.claim->bundle);
  if (!keys) return reply(fail(ErrorCode::InvalidArgument, "the owner's key bundle is not valid"));
  invitation.busy = true;
  submit({*invitation.operation, keys->ed25519, request.signature},
         [this, id, reply](Result<std::uint64_t> height) {
           const auto found = open_.find(id);
           if (found == open_.end()) return reply(unknown_invitation());
           found->second.busy = false;
           if (!height) return reply(fail(std::move(height).error()));
           log::info("join", "a node joined",
                     {{"node", found->second.claim->binding.node().to_string()},
                      {"name", found->second.claim->binding.name}});
           answer(id, JoinStep::Confirm, codec::encode(ConfirmReply{*height}), reply);
           open_.erase(id);  // used
           // Not here and now: the answer goes through the server that this may close.
           expiry_timer_->arm(node_.ports().clock.now() + std::chrono::seconds(1));
         });
}

void Invitations::submit(const ledger::SignedOperation& operation,
                         std::function<void(Result<std::uint64_t>)> done) {
  // Whichever comes first, admission's refusal, the receipt or the limit, answers; once.
  struct Waiting {
    std::function<void(Result<std::uint64_t>)> done;
    std::unique_ptr<ports::Timer> timer;
    node::WatchId watch = 0;
    void finish(Result<std::uint64_t> result) {
      if (done) std::exchange(done, nullptr)(std::move(result));
    }
  };
  auto waiting = std::make_shared<Waiting>();
  waiting->done = std::move(done);
  // The watch keeps `waiting` alive, and `waiting` its timer.
  const std::weak_ptr<Waiting> weak = waiting;
  waiting->timer = node_.ports().timers.create([this, weak, alive = std::weak_ptr(alive_)] {
    const auto late = weak.lock();
    if (!late || alive.expired()) return;
    if (late->watch != 0) node_.unwatch(late->watch);
    late->finish(fail(ErrorCode::Unavailable, "the operation did not become final in time",
                      "too few validators answer"));
  });
  waiting->timer->arm(node_.ports().clock.now() + kFinalLimit);
  const auto on_receipt = [waiting](const node::FinalReceipt& receipt) {
    if (receipt.receipt.refused) {
      waiting->finish(fail(ErrorCode::FailedPrecondition, "the ledger refused the operation",
                           ledger::explain(*receipt.receipt.refused)));
    } else {
      waiting->finish(receipt.height);
    }
  };
  node_.submit(codec::encode(operation), [this, waiting, on_receipt, alive = std::weak_ptr(alive_)](
                                             const node::Admission& admission) {
    if (alive.expired()) return;
    if (const auto* admitted = std::get_if<node::Admitted>(&admission)) {
      waiting->watch = node_.watch(admitted->id, on_receipt);
    } else if (const auto* refused = std::get_if<ledger::Refused>(&admission)) {
      waiting->finish(fail(ErrorCode::FailedPrecondition, "the ledger refused the operation",
                           ledger::explain(*refused)));
    } else {
      waiting->finish(fail(ErrorCode::Busy, "the node takes no operations now", "try again"));
    }
  });
}

void Invitations::answer(const InvitationId& id, JoinStep step, const Bytes& plaintext,
                         const Reply& reply) {
  const Bytes sealed = seal_for(open_.at(id).secret, Direction::ToJoiner,
                                static_cast<std::uint8_t>(step), plaintext);
  reply(Texts{{"sealed", api::to_base64(sealed)}});
}

}  // namespace hm::cli
