// SPDX-License-Identifier: Apache-2.0
// The HTTP API of a node: routes, rights and answers over node::Node. Every answer carries
// X-API-Version and the state of the operation pool as X-RateLimit-*; every refusal has the one
// error shape. Reads never wait; writes may wait for finality. All calls on the loop thread.
// docs/api/openapi.json is the reference.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/error.h"
#include "core/api/json_writer.h"
#include "core/api/request.h"
#include "node/http_api/author.h"
#include "node/http_api/guard.h"
#include "node/http_api/metrics.h"
#include "node/http_api/router.h"
#include "node/lease_market.h"
#include "node/node.h"
#include "ports/hardware_probe.h"
#include "ports/http.h"

namespace hm::http_api {

struct ApiConfig {
  GuardConfig guard;
  std::string program_version;
};

class Api;
struct Call;

// What only the composition root knows. An empty function means that this process has no such
// thing, and the API says so.
struct ApiHooks {
  using Texts = std::map<std::string, std::string>;
  using Reply = std::function<void(Result<Texts>)>;

  // The last hardware snapshot, or null before the first.
  std::function<const ports::HardwareSnapshot*()> hardware;
  // What each connected peer's packets take there and back.
  std::function<std::map<identity::NodeId, Duration>()> round_trips;
  // Stop and go on lending everything of this node, also after a restart. Without them only the
  // assets' states on the ledger change.
  std::function<Result<void>()> pause;
  std::function<Result<void>()> resume;
  // Adds the metrics of transport, server and process.
  std::function<void(MetricsText&)> metrics;
  // Makes an invitation; only an administrator gets here.
  std::function<void(Texts request, Reply reply)> invite;
  // Everything about containers and images (node/container_api).
  std::function<void(Api&, Endpoint, Call)> containers;
  // Everything about stored objects (node/storage_api).
  std::function<void(Api&, Endpoint, Call)> storage;
  // Redeems one; anybody gets here, the code decides.
  std::function<void(Texts request, Reply reply)> join;
};

// 400 for a body that does not decode.
api::ApiError bad_body(const api::BadRequest& bad);

// A request on its way to its answer.
struct Call {
  ports::HttpRequest request;
  std::string parameter;  // what stood for the route's "{name}"
  std::string request_id;
  Caller caller = Caller::Anyone;
  std::unique_ptr<ports::HttpResponder> responder;
};

class EventStreams;
class Waiters;

class Api final : public ports::HttpHandler, public node::NodeObserver {
 public:
  Api(node::Node& node, ApiConfig config, ApiHooks hooks);
  ~Api() override;

  // ports::HttpHandler
  ports::HttpResponse describe_fault(ports::HttpFault fault) override;
  std::optional<ports::HttpResponse> refuse_early(const ports::HttpRequest& head) override;
  ports::HttpBodyMode body_mode(const ports::HttpRequest& head) override;
  void on_request(ports::HttpRequest request,
                  std::unique_ptr<ports::HttpResponder> responder) override;
  // node::NodeObserver
  void on_final(const node::FinalEvent& event) override;

  Author& author() { return author_; }

  void answer(Call& call, api::JsonWriter json, std::uint16_t status = 200);
  void answer(Call& call, const api::ApiError& error);
  // An answer that is not JSON; the headers of every answer are added.
  void answer(Call& call, ports::HttpResponse response);
  // The same, as ports::HttpResponder::start_stream has it.
  std::shared_ptr<ports::HttpStream> start_stream(Call& call, ports::HttpResponse head,
                                                  std::optional<std::uint64_t> length);

 private:
  friend class Waiters;

  // api.cc
  std::string next_request_id();
  void add_headers(ports::HttpResponse& response) const;
  ports::HttpResponse error_response(const api::ApiError& error, std::string_view request_id);
  void dispatch(Endpoint endpoint, Call call);

  // api_assets.cc
  void list_assets(Call call);
  void show_asset(Call call);
  void register_asset(Call call);
  void update_asset(Call call);
  void transfer_asset(Call call);
  void retire_asset(Call call);
  Result<const assets::AssetRecord*, api::ApiError> find_asset(std::string_view text) const;
  Result<identity::OwnerId, api::ApiError> find_owner(std::string_view text) const;
  // The same, or "self": the owner of this node.
  Result<identity::OwnerId, api::ApiError> named_owner(std::string_view text) const;
  Result<identity::NodeId, api::ApiError> find_node(std::string_view text) const;
  // Writes: signed by the caller (`sealed`, which must be about this asset), or by the node.
  void write_sealed(Call call, Bytes operation, std::string_view action,
                    const crypto::Digest* asset);
  void write_as_node(Call call, Author::Draft draft, crypto::Digest asset);
  void answer_write(Call& call, const OperationOutcome& outcome, const crypto::Digest& asset);
  // `write_applied` writes what the operation was about, and says the status of the answer.
  void answer_outcome(Call& call, const OperationOutcome& outcome,
                      const std::function<std::uint16_t(api::JsonWriter&)>& write_applied);

  // api_privacy.cc
  void list_grants(Call call);
  void show_grant(Call call);
  void list_groups(Call call);
  void show_group(Call call);
  void show_certificates(Call call);
  void list_federations(Call call);
  void decide(Call call);

  // api_leases.cc
  void list_leases(Call call);
  void show_lease(Call call);
  void plan_lease(Call call);
  void who(Call call);
  void allocate(Call call);
  void release(Call call);
  void write_lease_operation(Call call, Bytes operation, const ledger::LeaseId& id,
                             std::uint16_t status);
  Result<ledger::LeaseId, api::ApiError> find_lease(std::string_view text) const;

  // api_trust.cc
  void list_trust(Call call);
  void show_trust(Call call);

  // api_caesar.cc
  void show_wallet(Call call);
  void show_supply(Call call);
  void show_staking(Call call);
  void show_rewards(Call call);
  void show_bill(Call call);

  // api_lending_admin.cc: what the node signs for its owner.
  void set_level(Call call);
  void set_paused(Call call, assets::AssetState from, assets::AssetState to);
  void revoke_leases(Call call);
  struct NodeBatch;
  void start_batch(Call call, std::shared_ptr<NodeBatch> batch);
  void run_batch(std::shared_ptr<NodeBatch> batch);
  Result<const assets::AssetRecord*, api::ApiError> find_own_asset(std::string_view text) const;
  // The moment as the ledger will see it in the next block.
  UnixMillis lending_now() const;

  // api_operations.cc
  // Waits for the receipts of operations signed by the caller, at most kDefaultWait.
  void submit_and_wait(std::vector<Bytes> operations,
                       std::function<void(std::vector<OperationOutcome>)> done);
  void submit_operations(Call call);
  enum class BodyForm : std::uint8_t { Raw, List };
  void answer_submission(Call& call, const std::vector<OperationOutcome>& outcomes, BodyForm form);
  void show_operation(Call call);
  void show_actor(Call call);

  // api_ledger.cc
  void list_blocks(Call call);
  void show_block(Call call);
  void show_genesis(Call call);
  void show_owner(Call call);
  void list_nodes(Call call);
  // In microseconds: of the connected peers, and 0 of this node.
  node::RoundTrips round_trips() const;
  void list_validators(Call call);

  // api_consensus.cc
  void consensus_state(Call call);
  void consensus_status(Call call);
  void byzantine_status(Call call);

  // api_system.cc
  void status(Call call);
  void health(Call call);
  void hardware(Call call);
  void events(Call call);
  void metrics(Call call);
  void open_api(Call call);
  void overview(Call call);
  void exchange(Call call, const std::function<void(ApiHooks::Texts, ApiHooks::Reply)>& hook,
                std::uint16_t status);

  node::Node& node_;
  ApiConfig config_;
  ApiHooks hooks_;
  Author author_;
  std::unique_ptr<EventStreams> streams_;
  std::unique_ptr<Waiters> waiters_;
  std::string id_prefix_;
  std::uint64_t next_id_ = 1;
  std::map<std::uint16_t, std::uint64_t> answers_;  // by status
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace hm::http_api
