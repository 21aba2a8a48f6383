// SPDX-License-Identifier: Apache-2.0
#include "node/http_api/api.h"

#include <algorithm>
#include <array>

#include "core/api/limits.h"
#include "node/http_api/event_streams.h"
#include "node/http_api/limits.h"
#include "node/http_api/waiters.h"
#include "node/limits.h"

namespace hm::http_api {
namespace {

using ports::HttpFault;

api::ApiError error_of(HttpFault fault) {
  const auto error = [](std::uint16_t status, const char* code, const char* message) {
    return api::ApiError{.status = status, .code = code, .message = message, .details = {}};
  };
  switch (fault) {
    case HttpFault::Malformed: return error(400, "MALFORMED", "this is no HTTP/1.1 request");
    case HttpFault::HeadersTooLarge:
      return error(431, "HEADERS_TOO_LARGE", "the headers are too large");
    case HttpFault::BodyTooLarge: return error(413, "BODY_TOO_LARGE", "the body is too large");
    case HttpFault::RequestTimeout:
      return error(408, "TIMEOUT", "the request did not arrive in time");
    case HttpFault::TooManyConnections:
      return error(503, "TOO_MANY_CONNECTIONS", "all connections are in use; retry later");
    case HttpFault::TooManyStreams:
      return error(503, "TOO_MANY_STREAMS", "all streams are in use; retry later");
    case HttpFault::TooManyUploads:
      return error(503, "TOO_MANY_UPLOADS", "all uploads are in use; retry later");
    case HttpFault::TooManyWebSockets:
      return error(503, "TOO_MANY_WEB_SOCKETS", "all WebSockets are in use; retry later");
    case HttpFault::UpgradeRequired:
      return error(426, "UPGRADE_REQUIRED", "this path is a WebSocket (RFC 6455, version 13)");
    case HttpFault::BadUpgrade:
      return error(400, "BAD_UPGRADE", "this is no valid request for a WebSocket");
    case HttpFault::Unanswered: return error(500, "INTERNAL", "the request was dropped");
    case HttpFault::AnswerTimeout: return error(503, "TIMEOUT", "the answer took too long");
  }
  return error(500, "INTERNAL", "");
}

bool is_api(std::string_view path) { return path.starts_with("/api/"); }

bool is_about_containers(Endpoint endpoint) {
  return endpoint >= Endpoint::ListRuns && endpoint <= Endpoint::ImageStream;
}

bool is_about_storage(Endpoint endpoint) {
  return endpoint >= Endpoint::ListObjects && endpoint <= Endpoint::EndRecovery;
}

api::ApiError not_here(const char* message) {
  return {.status = 503, .code = "UNAVAILABLE", .message = message, .details = {}};
}

}  // namespace

api::ApiError bad_body(const api::BadRequest& bad) {
  return api::bad_request(
      bad.field.empty() ? "the body " + bad.problem : "'" + bad.field + "' " + bad.problem,
      bad.field);
}

Api::Api(node::Node& node, ApiConfig config, ApiHooks hooks)
    : node_(node),
      config_(std::move(config)),
      hooks_(std::move(hooks)),
      author_(node),
      streams_(std::make_unique<EventStreams>(node)),
      waiters_(std::make_unique<Waiters>(node)) {
  std::array<std::uint8_t, 4> random{};
  node_.ports().random.fill(random);
  id_prefix_ = to_hex(random);
  node_.add_observer(*this);
}

Api::~Api() { node_.remove_observer(*this); }

std::string Api::next_request_id() { return id_prefix_ + "-" + std::to_string(next_id_++); }

void Api::add_headers(ports::HttpResponse& response) const {
  const std::size_t used = std::min(node_.mempool().size(), node::kMaxPooledOperations);
  auto& headers = response.headers;
  headers.push_back({"X-API-Version", "1"});
  headers.push_back({"X-RateLimit-Limit", std::to_string(node::kMaxPooledOperations)});
  headers.push_back({"X-RateLimit-Remaining", std::to_string(node::kMaxPooledOperations - used)});
  headers.push_back({"X-RateLimit-Reset", node_.mempool().full() ? "1" : "0"});
  headers.push_back({"X-Content-Type-Options", "nosniff"});
  headers.push_back({"Cache-Control", "no-store"});
}

ports::HttpResponse Api::error_response(const api::ApiError& error, std::string_view request_id) {
  ++answers_[error.status];
  ports::HttpResponse response;
  response.status = error.status;
  response.body = api::encode(error, request_id, node_.ports().clock.wall());
  add_headers(response);
  if (error.status == 429 || error.status == 503) response.headers.push_back({"Retry-After", "1"});
  if (error.status == 401) response.headers.push_back({"WWW-Authenticate", "Bearer"});
  return response;
}

ports::HttpResponse Api::describe_fault(HttpFault fault) {
  return error_response(error_of(fault), next_request_id());
}

std::optional<ports::HttpResponse> Api::refuse_early(const ports::HttpRequest& head) {
  const RouteMatch found = match(head.method, head.path);
  const auto refuse = [&](const api::ApiError& error) {
    return error_response(error, next_request_id());
  };
  if (auto error = check_request(config_.guard, head, found.route)) return refuse(*error);
  if (found.route == nullptr) {
    if (found.allowed.empty()) {
      return refuse(api::not_found(is_api(head.path)
                                       ? "there is no such endpoint; see /api/v1/openapi.json"
                                       : "there is nothing here"));
    }
    auto response = refuse({.status = 405,
                            .code = "METHOD_NOT_ALLOWED",
                            .message = "this path answers " + found.allowed,
                            .details = {}});
    response.headers.push_back({"Allow", found.allowed});
    return response;
  }
  const auto caller = identify(config_.guard, head);
  if (!caller) return refuse(caller.error());
  if (found.route->access == Access::Admin && *caller != Caller::Admin) {
    return refuse(api::unauthenticated("this needs Authorization: Bearer with the admin token"));
  }
  // Overload costs no more than this look: nothing is read, decoded or verified.
  if (found.route->access == Access::Signed && node_.mempool().full()) {
    return refuse(api::too_many("the node has all the operations it can hold", 1));
  }
  return std::nullopt;
}

ports::HttpBodyMode Api::body_mode(const ports::HttpRequest& head) {
  const RouteMatch found = match(head.method, head.path);
  const bool is_streamed =
      found.route != nullptr && hooks_.storage &&
      (found.route->endpoint == Endpoint::PutObject || found.route->endpoint == Endpoint::PutPart ||
       found.route->endpoint == Endpoint::PutObjects);
  return is_streamed ? ports::HttpBodyMode::Pieces : ports::HttpBodyMode::Whole;
}

void Api::on_request(ports::HttpRequest request, std::unique_ptr<ports::HttpResponder> responder) {
  RouteMatch found = match(request.method, request.path);
  const auto caller = identify(config_.guard, request);
  Call call{.request = std::move(request),
            .parameter = std::move(found.parameter),
            .request_id = next_request_id(),
            .caller = caller.value_or(Caller::Anyone),
            .responder = std::move(responder)};
  if (found.route == nullptr) return answer(call, api::not_found("there is no such endpoint"));
  dispatch(found.route->endpoint, std::move(call));
}

void Api::dispatch(Endpoint endpoint, Call call) {
  if (is_about_containers(endpoint)) {
    if (hooks_.containers) return hooks_.containers(*this, endpoint, std::move(call));
    return answer(call, not_here("this node runs no containers"));
  }
  if (is_about_storage(endpoint)) {
    if (hooks_.storage) return hooks_.storage(*this, endpoint, std::move(call));
    return answer(call, not_here("this node stores no objects"));
  }
  switch (endpoint) {
    case Endpoint::ListAssets: return list_assets(std::move(call));
    case Endpoint::ShowAsset: return show_asset(std::move(call));
    case Endpoint::RegisterAsset: return register_asset(std::move(call));
    case Endpoint::UpdateAsset: return update_asset(std::move(call));
    case Endpoint::TransferAsset: return transfer_asset(std::move(call));
    case Endpoint::RetireAsset: return retire_asset(std::move(call));
    case Endpoint::SubmitOperations: return submit_operations(std::move(call));
    case Endpoint::ShowOperation: return show_operation(std::move(call));
    case Endpoint::ShowActor: return show_actor(std::move(call));
    case Endpoint::ConsensusState: return consensus_state(std::move(call));
    case Endpoint::ConsensusStatus: return consensus_status(std::move(call));
    case Endpoint::ByzantineStatus: return byzantine_status(std::move(call));
    case Endpoint::ListNodes: return list_nodes(std::move(call));
    case Endpoint::ListValidators: return list_validators(std::move(call));
    case Endpoint::ListBlocks: return list_blocks(std::move(call));
    case Endpoint::ShowBlock: return show_block(std::move(call));
    case Endpoint::ShowGenesis: return show_genesis(std::move(call));
    case Endpoint::ShowOwner: return show_owner(std::move(call));
    case Endpoint::ShowWallet: return show_wallet(std::move(call));
    case Endpoint::ListGrants: return list_grants(std::move(call));
    case Endpoint::ShowGrant: return show_grant(std::move(call));
    case Endpoint::ListGroups: return list_groups(std::move(call));
    case Endpoint::ShowGroup: return show_group(std::move(call));
    case Endpoint::ShowCertificates: return show_certificates(std::move(call));
    case Endpoint::ListFederations: return list_federations(std::move(call));
    case Endpoint::Decide: return decide(std::move(call));
    case Endpoint::SetLevel: return set_level(std::move(call));
    case Endpoint::Pause:
      return set_paused(std::move(call), assets::AssetState::Available,
                        assets::AssetState::Maintenance);
    case Endpoint::Resume:
      return set_paused(std::move(call), assets::AssetState::Maintenance,
                        assets::AssetState::Available);
    case Endpoint::RevokeLeases: return revoke_leases(std::move(call));
    case Endpoint::ListLeases: return list_leases(std::move(call));
    case Endpoint::ShowLease: return show_lease(std::move(call));
    case Endpoint::PlanLease: return plan_lease(std::move(call));
    case Endpoint::Who: return who(std::move(call));
    case Endpoint::Allocate: return allocate(std::move(call));
    case Endpoint::Release: return release(std::move(call));
    case Endpoint::ListTrust: return list_trust(std::move(call));
    case Endpoint::ShowTrust: return show_trust(std::move(call));
    case Endpoint::ShowSupply: return show_supply(std::move(call));
    case Endpoint::ShowStaking: return show_staking(std::move(call));
    case Endpoint::ShowRewards: return show_rewards(std::move(call));
    case Endpoint::ShowBill: return show_bill(std::move(call));
    case Endpoint::Status: return status(std::move(call));
    case Endpoint::Health: return health(std::move(call));
    case Endpoint::Hardware: return hardware(std::move(call));
    case Endpoint::Events: return events(std::move(call));
    case Endpoint::Metrics: return metrics(std::move(call));
    case Endpoint::OpenApi: return open_api(std::move(call));
    case Endpoint::CreateInvitation: return exchange(std::move(call), hooks_.invite, 201);
    case Endpoint::Join: return exchange(std::move(call), hooks_.join, 200);
    case Endpoint::Overview: return overview(std::move(call));
    default: return;  // about containers or storage
  }
}

void Api::answer(Call& call, api::JsonWriter json, std::uint16_t status) {
  ++answers_[status];
  ports::HttpResponse response;
  response.status = status;
  response.body = std::move(json).take();
  add_headers(response);
  call.responder->send(std::move(response));
}

void Api::answer(Call& call, const api::ApiError& error) {
  call.responder->send(error_response(error, call.request_id));
}

void Api::answer(Call& call, ports::HttpResponse response) {
  ++answers_[response.status];
  add_headers(response);
  call.responder->send(std::move(response));
}

std::shared_ptr<ports::HttpStream> Api::start_stream(Call& call, ports::HttpResponse head,
                                                     std::optional<std::uint64_t> length) {
  ++answers_[head.status];
  add_headers(head);
  return call.responder->start_stream(std::move(head), length);
}

void Api::on_final(const node::FinalEvent& event) { streams_->publish(event); }

}  // namespace hm::http_api
