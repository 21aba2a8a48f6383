// SPDX-License-Identifier: Apache-2.0
#include "node/http_api/router.h"

#include <array>
#include <optional>

namespace hm::http_api {
namespace {

using ports::HttpMethod;

constexpr HttpMethod kGet = HttpMethod::Get;
constexpr HttpMethod kPost = HttpMethod::Post;
constexpr HttpMethod kPut = HttpMethod::Put;
constexpr HttpMethod kPatch = HttpMethod::Patch;
constexpr HttpMethod kDelete = HttpMethod::Delete;

constexpr std::array kRoutes = std::to_array<Route>({
    {kGet, "/api/v1/assets", Endpoint::ListAssets, Access::Read},
    {kGet, "/api/v1/assets/{id}", Endpoint::ShowAsset, Access::Read},
    {kPost, "/api/v1/assets/register", Endpoint::RegisterAsset, Access::Signed},
    {kPost, "/api/v1/assets/create", Endpoint::RegisterAsset, Access::Signed},
    {kPost, "/api/v1/assets/{id}/update", Endpoint::UpdateAsset, Access::Signed},
    {kPost, "/api/v1/assets/{id}/transfer", Endpoint::TransferAsset, Access::Signed},
    {kPost, "/api/v1/assets/{id}/retire", Endpoint::RetireAsset, Access::Signed},
    {kPost, "/api/v1/operations", Endpoint::SubmitOperations, Access::Signed},
    {kGet, "/api/v1/operations/{id}", Endpoint::ShowOperation, Access::Read},
    {kGet, "/api/v1/actors/{id}", Endpoint::ShowActor, Access::Read},
    {kGet, "/api/v1/consensus/state", Endpoint::ConsensusState, Access::Read},
    {kGet, "/api/v1/consensus/status", Endpoint::ConsensusStatus, Access::Read},
    {kGet, "/api/v1/byzantine/status", Endpoint::ByzantineStatus, Access::Read},
    {kGet, "/api/v1/nodes", Endpoint::ListNodes, Access::Read},
    {kGet, "/api/v1/validators", Endpoint::ListValidators, Access::Read},
    {kGet, "/api/v1/ledger/blocks", Endpoint::ListBlocks, Access::Read},
    {kGet, "/api/v1/ledger/blocks/{id}", Endpoint::ShowBlock, Access::Read},
    {kGet, "/api/v1/ledger/genesis", Endpoint::ShowGenesis, Access::Read},
    {kGet, "/api/v1/owners/{owner}", Endpoint::ShowOwner, Access::Read},
    {kGet, "/api/v1/wallet/{owner}", Endpoint::ShowWallet, Access::Read},
    {kGet, "/api/v1/privacy/grants", Endpoint::ListGrants, Access::Read},
    {kGet, "/api/v1/privacy/grants/{id}", Endpoint::ShowGrant, Access::Read},
    {kGet, "/api/v1/privacy/groups", Endpoint::ListGroups, Access::Read},
    {kGet, "/api/v1/privacy/groups/{id}", Endpoint::ShowGroup, Access::Read},
    {kGet, "/api/v1/privacy/certificates/{owner}", Endpoint::ShowCertificates, Access::Read},
    {kGet, "/api/v1/privacy/federations", Endpoint::ListFederations, Access::Read},
    {kPost, "/api/v1/privacy/decide", Endpoint::Decide, Access::Read},
    {kPost, "/api/v1/privacy/level", Endpoint::SetLevel, Access::Admin},
    {kPost, "/api/v1/privacy/pause", Endpoint::Pause, Access::Admin},
    {kPost, "/api/v1/privacy/resume", Endpoint::Resume, Access::Admin},
    {kPost, "/api/v1/privacy/revoke", Endpoint::RevokeLeases, Access::Admin},
    {kGet, "/api/v1/leases", Endpoint::ListLeases, Access::Read},
    {kGet, "/api/v1/leases/{id}", Endpoint::ShowLease, Access::Read},
    {kPost, "/api/v1/leases/plan", Endpoint::PlanLease, Access::Read},
    {kGet, "/api/v1/who", Endpoint::Who, Access::Read},
    {kPost, "/api/v1/assets/{id}/allocate", Endpoint::Allocate, Access::Signed},
    {kPost, "/api/v1/assets/{id}/release", Endpoint::Release, Access::Signed},
    {kGet, "/api/v1/trust", Endpoint::ListTrust, Access::Read},
    {kGet, "/api/v1/trust/{node}", Endpoint::ShowTrust, Access::Read},
    {kGet, "/api/v1/caesar/supply", Endpoint::ShowSupply, Access::Read},
    {kGet, "/api/v1/caesar/wallet/{owner}", Endpoint::ShowWallet, Access::Read},
    {kGet, "/api/v1/caesar/staking", Endpoint::ShowStaking, Access::Read},
    {kGet, "/api/v1/caesar/rewards/{owner}", Endpoint::ShowRewards, Access::Read},
    {kGet, "/api/v1/caesar/bill/{owner}", Endpoint::ShowBill, Access::Read},
    {kGet, "/api/v1/containers", Endpoint::ListRuns, Access::Admin},
    {kPost, "/api/v1/containers", Endpoint::StartRun, Access::Admin},
    {kGet, "/api/v1/containers/hosted", Endpoint::ListHosted, Access::Admin},
    {kGet, "/api/v1/containers/runtime", Endpoint::ShowRuntime, Access::Admin},
    {kGet, "/api/v1/containers/stream", Endpoint::ContainerStream, Access::Admin},
    {kGet, "/api/v1/containers/{run}", Endpoint::ShowRun, Access::Admin},
    {kDelete, "/api/v1/containers/{run}", Endpoint::RemoveRun, Access::Admin},
    {kPost, "/api/v1/containers/{run}/stop", Endpoint::StopRun, Access::Admin},
    {kPost, "/api/v1/containers/{run}/signal", Endpoint::SignalRun, Access::Admin},
    {kGet, "/api/v1/services", Endpoint::ListServices, Access::Admin},
    {kPost, "/api/v1/services", Endpoint::CreateService, Access::Admin},
    {kGet, "/api/v1/services/{service}", Endpoint::ShowService, Access::Admin},
    {kPatch, "/api/v1/services/{service}", Endpoint::ScaleService, Access::Admin},
    {kDelete, "/api/v1/services/{service}", Endpoint::RemoveService, Access::Admin},
    {kGet, "/api/v1/images", Endpoint::ListImages, Access::Admin},
    {kDelete, "/api/v1/images", Endpoint::RemoveImage, Access::Admin},
    {kGet, "/api/v1/images/find", Endpoint::FindImage, Access::Admin},
    {kGet, "/api/v1/images/stream", Endpoint::ImageStream, Access::Admin},
    {kPost, "/api/v1/images/collect", Endpoint::CollectImages, Access::Admin},
    {kGet, "/api/v1/objects", Endpoint::ListObjects, Access::Admin},
    {kGet, "/api/v1/objects/content", Endpoint::GetObject, Access::Admin},
    {kPut, "/api/v1/objects/content", Endpoint::PutObject, Access::Admin},
    {kGet, "/api/v1/objects/stat", Endpoint::ShowObject, Access::Admin},
    {kPost, "/api/v1/objects/batch", Endpoint::PutObjects, Access::Admin},
    {kPost, "/api/v1/objects/remove", Endpoint::RemoveObjects, Access::Admin},
    {kPost, "/api/v1/objects/share", Endpoint::ShareObject, Access::Admin},
    {kGet, "/api/v1/objects/bundle", Endpoint::GetBundle, Access::Admin},
    {kPost, "/api/v1/objects/attach", Endpoint::AttachObject, Access::Admin},
    {kGet, "/api/v1/objects/uploads", Endpoint::ListUploads, Access::Admin},
    {kPost, "/api/v1/objects/uploads", Endpoint::BeginUpload, Access::Admin},
    {kGet, "/api/v1/objects/uploads/{upload}", Endpoint::ShowUpload, Access::Admin},
    {kDelete, "/api/v1/objects/uploads/{upload}", Endpoint::AbortUpload, Access::Admin},
    {kPut, "/api/v1/objects/uploads/{upload}/part", Endpoint::PutPart, Access::Admin},
    {kPost, "/api/v1/objects/uploads/{upload}/complete", Endpoint::CompleteUpload, Access::Admin},
    {kGet, "/api/v1/storage", Endpoint::ShowStorage, Access::Admin},
    {kPost, "/api/v1/storage/collect", Endpoint::CollectStorage, Access::Admin},
    {kPost, "/api/v1/storage/drain", Endpoint::DrainNode, Access::Admin},
    {kPost, "/api/v1/storage/recovery", Endpoint::BeginRecovery, Access::Admin},
    {kPost, "/api/v1/storage/recovery/object", Endpoint::RecoverObject, Access::Admin},
    {kPost, "/api/v1/storage/recovery/end", Endpoint::EndRecovery, Access::Admin},
    {kGet, "/api/v1/status", Endpoint::Status, Access::Read},
    {kGet, "/api/v1/health", Endpoint::Health, Access::Read},
    {kGet, "/api/v1/system/hardware", Endpoint::Hardware, Access::Read},
    {kGet, "/api/v1/events", Endpoint::Events, Access::Read},
    {kGet, "/api/v1/openapi.json", Endpoint::OpenApi, Access::Read},
    {kPost, "/api/v1/invitations", Endpoint::CreateInvitation, Access::Admin},
    {kPost, "/api/v1/join", Endpoint::Join, Access::Code},
    {kGet, "/health", Endpoint::Health, Access::Read},
    {kGet, "/metrics", Endpoint::Metrics, Access::Read},
    {kGet, "/", Endpoint::Overview, Access::Read},
});

// The first segment of `path`, which is taken off it with its slash.
std::string_view take_segment(std::string_view& path) {
  path.remove_prefix(1);
  const std::size_t end = path.find('/');
  const std::string_view segment = path.substr(0, end);
  path = end == std::string_view::npos ? std::string_view{} : path.substr(end);
  return segment;
}

// What the pattern's "{name}" stands for ("" if it has none); empty if the path does not fit.
std::optional<std::string_view> fit(std::string_view pattern, std::string_view path) {
  std::string_view parameter;
  while (!pattern.empty() && !path.empty()) {
    const std::string_view wanted = take_segment(pattern);
    const std::string_view given = take_segment(path);
    if (wanted.starts_with('{')) {
      if (given.empty()) return std::nullopt;
      parameter = given;
    } else if (wanted != given) {
      return std::nullopt;
    }
  }
  if (!pattern.empty() || !path.empty()) return std::nullopt;
  return parameter;
}

}  // namespace

std::span<const Route> routes() { return kRoutes; }

RouteMatch match(HttpMethod method, std::string_view path) {
  RouteMatch result;
  if (!path.starts_with('/')) return result;
  const HttpMethod wanted = method == HttpMethod::Head ? HttpMethod::Get : method;
  // A path without "{name}" goes before one with it: "/assets/register" is no asset's id.
  for (const bool literal : {true, false}) {
    for (const Route& route : kRoutes) {
      if (route.path.contains('{') == literal) continue;
      const auto parameter = fit(route.path, path);
      if (!parameter) continue;
      if (route.method == wanted) {
        return {.route = &route, .parameter = std::string(*parameter), .allowed = {}};
      }
      if (!result.allowed.empty()) result.allowed += ", ";
      result.allowed += route.method == kGet ? "GET, HEAD" : name_of(route.method);
    }
    if (!result.allowed.empty()) return result;
  }
  return result;
}

}  // namespace hm::http_api
