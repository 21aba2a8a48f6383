// SPDX-License-Identifier: Apache-2.0
// `hypermesh invite` and `join`: how a mesh grows by a machine of another owner.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "apps/hypermesh/api_client.h"
#include "apps/hypermesh/context.h"
#include "apps/hypermesh/genesis_file.h"
#include "apps/hypermesh/join_code.h"
#include "apps/hypermesh/join_messages.h"
#include "apps/hypermesh/local_node.h"
#include "apps/hypermesh/new_mesh.h"
#include "apps/hypermesh/passphrase.h"
#include "apps/hypermesh/start_node.h"
#include "core/api/text.h"
#include "foundation/base/hex.h"
#include "foundation/codec/reader.h"
#include "foundation/codec/writer.h"
#include "platform/files/atomic_file.h"
#include "platform/files/key_file.h"
#include "platform/files/owner_key_file.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kMaxBinding = 4096;  // one and a half KiB are needed

// The owner's keys in the folder; new ones, in the clear, if there are none.
Answer<identity::OwnerKeys> load_or_create_owner_keys(const std::string& path,
                                                      const Globals& globals) {
  auto keys = files::read_owner_keys(path, passphrase_source(globals));
  if (keys) return std::move(*keys);
  if (keys.error().code != ErrorCode::NotFound) return std::unexpected(failure_of(keys.error()));
  identity::OwnerKeys fresh = files::generate_owner_keys();
  HM_CLI_TRY_VOID(files::write_owner_keys(path, fresh, std::nullopt, files::Existing::Refuse));
  return fresh;
}

// The joiner's end of the exchange.
class Exchange {
 public:
  explicit Exchange(const JoinCode& code)
      : secret_(code.secret), client_(endpoint_of(code.address)) {}

  template <class Reply>
  Answer<Reply> step(JoinStep step, const Bytes& plaintext) {
    const auto number = static_cast<std::uint8_t>(step);
    const Bytes sealed = seal_for(secret_, Direction::ToInviter, number, plaintext);
    const auto answer = client_.post("/join", {{"invitation", to_hex(invitation_id_of(secret_))},
                                               {"step", std::to_string(number)},
                                               {"sealed", api::to_base64(sealed)}});
    if (!answer && answer.error().exit == ExitCode::NotReachable) {
      return failed(ExitCode::NotReachable,
                    fmt::format("the inviter does not answer: {}", client_.url()),
                    "it is away, or the invitation is used or expired and it listens no longer",
                    "ask for a new code: 'hypermesh invite' on the inviter's machine");
    }
    if (!answer) return std::unexpected(answer.error());
    const auto bytes = api::from_base64(text_of(*answer, "sealed"));
    const auto opened =
        bytes ? open_from(secret_, Direction::ToJoiner, number, *bytes) : std::optional<Bytes>();
    if (!opened) {
      return failed(ExitCode::Denied, fmt::format("{} is not the inviter", client_.url()),
                    "its answer was not sealed with the invitation's secret",
                    "check the network between the two machines, then ask for a new code");
    }
    auto reply = codec::decode<Reply>(*opened);
    if (!reply) {
      return failed(ExitCode::Failure, "the inviter's answer does not decode",
                    std::string(codec::name_of(reply.error())),
                    "compare 'hypermesh version' on both sides");
    }
    return std::move(*reply);
  }

 private:
  static http::HttpEndpoint endpoint_of(const stoq::Address& address) {
    const std::string text = address.to_string();
    return {text.substr(1, text.find(']') - 1), address.port};
  }

  InvitationSecret secret_;
  ApiClient client_;
};

// Decodes, validates, and compares with the fingerprint in the code.
Answer<ledger::Genesis> checked_genesis(const Bytes& bytes, const JoinCode& code) {
  auto genesis = ledger::decode_genesis(bytes);
  if (!genesis) {
    return failed(ExitCode::Failure, "the inviter's genesis does not decode",
                  ledger::explain(genesis.error()));
  }
  if (const auto valid = ledger::validate(*genesis); !valid) {
    return failed(ExitCode::Failure, "the inviter's genesis is not valid",
                  ledger::explain(valid.error()));
  }
  if (fingerprint_of(ledger::chain_id(*genesis)) != code.fingerprint) {
    return failed(ExitCode::Denied, "the inviter showed another chain than the code names",
                  "the fingerprints differ", "ask for a new code");
  }
  return std::move(*genesis);
}

// The binding signed first stays with the keys: a second try says the very same.
Answer<RegisterRequest> request_for(const NodeFolder& folder, const identity::ChainId& chain,
                                    const std::string& name, const identity::OwnerKeys& owner,
                                    const crypto::SigningKey& node_key) {
  RegisterRequest request;
  request.owner_name = name + ".owner";
  request.bundle = owner.bundle();
  const auto earlier = files::read_file(folder.binding(), kMaxBinding, files::Access::Public);
  if (earlier) {
    const auto binding = codec::decode<identity::NodeBinding>(*earlier);
    const auto keys = identity::validate(owner.bundle());
    if (binding && keys && binding->name == name && binding->owner == owner.id() &&
        identity::verify(*binding, *keys, identity::binding_context(chain))) {
      request.binding = *binding;
      return request;
    }
  }
  request.binding = identity::bind_node(owner, node_key, identity::binding_context(chain), name,
                                        files::fresh_falcon_randomness());
  HM_CLI_TRY_VOID(files::write_file(folder.binding(), codec::encode(request.binding),
                                    files::Access::Public, files::Existing::Replace));
  return request;
}

// The operation is signed only if it does what was asked, and nothing else.
Outcome check_proposal(const ledger::Operation& operation, const identity::ChainId& chain,
                       const RegisterRequest& request) {
  const auto* action = std::get_if<ledger::RegisterNode>(&operation.action);
  const ledger::Actor owner = request.binding.owner;
  if (action != nullptr && action->binding == request.binding && operation.actor == owner &&
      operation.chain_id == chain) {
    return {};
  }
  return failed(ExitCode::Denied, "the inviter asked to sign another operation",
                "only the registration of this node was agreed on", "do not join this mesh");
}

NodeConfig config_for(const Join& options, const std::string& name, const stoq::Address& listen,
                      const std::vector<JoinPeer>& peers) {
  NodeConfig config;
  config.name = name;
  if (options.api_port) config.api_port = *options.api_port;
  config.stoq_bind = listen;
  for (const JoinPeer& peer : peers) config.peers.push_back({peer.node, peer.addresses});
  return config;
}

// The three steps; returns what the new node's configuration needs.
Answer<NodeConfig> redeem(const Join& options, const NodeFolder& folder, const JoinCode& code,
                          const Context& context) {
  HM_CLI_TRY(const std::string name, new_node_name(options.name));
  HM_CLI_TRY(const stoq::Address listen, listen_address(options.listen));
  Exchange exchange(code);
  HM_CLI_TRY(const HelloReply hello, exchange.step<HelloReply>(JoinStep::Hello, {}));
  HM_CLI_TRY(const ledger::Genesis genesis, checked_genesis(hello.genesis, code));
  const identity::ChainId chain = ledger::chain_id(genesis);
  context.terminal.talk(
      fmt::format("joining chain {} ({})", chain.to_string(), genesis.chain_name));

  // Keys are kept before they are registered: a second try goes on with the same ones.
  HM_CLI_TRY_VOID(files::make_folder(folder.keys(), 0700));
  HM_CLI_TRY(const auto owner, load_or_create_owner_keys(folder.owner_key(), context.globals));
  HM_CLI_TRY(const auto node_key, files::load_or_create_node_key(folder.node_key()));
  HM_CLI_TRY(const RegisterRequest request, request_for(folder, chain, name, owner, node_key));
  HM_CLI_TRY(const RegisterReply proposal,
             exchange.step<RegisterReply>(JoinStep::Register, codec::encode(request)));
  HM_CLI_TRY_VOID(check_proposal(proposal.operation, chain, request));
  const ConfirmRequest confirm{ledger::sign(proposal.operation, owner.ed25519()).signature};
  HM_CLI_TRY(const ConfirmReply confirmed,
             exchange.step<ConfirmReply>(JoinStep::Confirm, codec::encode(confirm)));
  context.terminal.talk(fmt::format("registered in block {}", confirmed.height));

  const auto written = write_genesis_file(folder.genesis(), genesis);
  if (!written && written.error().code != ErrorCode::AlreadyExists) {
    return std::unexpected(failure_of(written.error()));
  }
  return config_for(options, name, listen, hello.peers);
}

}  // namespace

Outcome run(const Invite& options, const Context& context) {
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(const std::string token, admin_token(client.endpoint()));
  HM_CLI_TRY(const ordered_json answer,
             client.post("/invitations", {{"minutes", std::to_string(options.minutes)}}, token));
  if (context.globals.json) {
    context.terminal.data(answer.dump());
    return {};
  }
  context.terminal.data(text_of(answer, "code"));
  context.terminal.talk(fmt::format("valid once, for {} minutes; on the other machine:",
                                    text_of(answer, "expires_in_minutes")));
  context.terminal.talk("  hypermesh join CODE --listen [ADDRESS]:9292");
  return {};
}

Outcome run(const Join& options, const Context& context) {
  const auto code = parse_join_code(options.code);
  if (!code) {
    return failed(ExitCode::Usage, code.error().message, code.error().detail,
                  "a code begins with 'hm1-'");
  }
  const NodeFolder folder{absolute(options.dir.empty() ? default_node_folder() : options.dir)};
  const auto existing = read_node_config(folder.config());
  if (existing || existing.error().code != ErrorCode::NotFound) {
    return failed(ExitCode::Failure, fmt::format("there is a node in {} already", folder.path),
                  "a node belongs to one mesh", "name another folder with --dir");
  }
  HM_CLI_TRY(const NodeConfig config, redeem(options, folder, *code, context));
  const auto token = create_admin_token(folder);
  if (!token && !files::read_file(folder.admin_token(), 256, files::Access::Secret)) return token;
  HM_CLI_TRY_VOID(write_node_config(folder.config(), config));
  return start_node(context, folder, config, options.foreground);
}

}  // namespace hm::cli
