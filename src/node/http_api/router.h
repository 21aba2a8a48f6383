// SPDX-License-Identifier: Apache-2.0
// The one table of what the API answers: method, path, right needed. The OpenAPI document is tested
// against it in both directions. Knows nothing of handlers.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "ports/http.h"

namespace hm::http_api {

enum class Endpoint : std::uint8_t {
  ListAssets,
  ShowAsset,
  RegisterAsset,
  UpdateAsset,
  TransferAsset,
  RetireAsset,
  SubmitOperations,
  ShowOperation,
  ShowActor,
  ConsensusState,
  ConsensusStatus,
  ByzantineStatus,
  ListNodes,
  ListValidators,
  ListBlocks,
  ShowBlock,
  ShowGenesis,
  ShowOwner,
  ShowWallet,
  ListGrants,
  ShowGrant,
  ListGroups,
  ShowGroup,
  ShowCertificates,
  ListFederations,
  Decide,
  SetLevel,
  Pause,
  Resume,
  RevokeLeases,
  ListLeases,
  ShowLease,
  PlanLease,
  Who,
  Allocate,
  Release,
  ListTrust,
  ShowTrust,
  ShowSupply,
  ShowStaking,
  ShowRewards,
  ShowBill,
  ListRuns,  // the first about containers and images
  ListHosted,
  ShowRuntime,
  StartRun,
  ShowRun,
  StopRun,
  SignalRun,
  RemoveRun,
  ContainerStream,
  ListServices,
  CreateService,
  ShowService,
  ScaleService,
  RemoveService,
  ListImages,
  FindImage,
  RemoveImage,
  CollectImages,
  ImageStream,  // the last of them
  ListObjects,  // the first about stored objects
  PutObject,
  GetObject,
  ShowObject,
  PutObjects,
  RemoveObjects,
  ShareObject,
  GetBundle,
  AttachObject,
  ListUploads,
  BeginUpload,
  ShowUpload,
  PutPart,
  CompleteUpload,
  AbortUpload,
  ShowStorage,
  CollectStorage,
  DrainNode,
  BeginRecovery,
  RecoverObject,
  EndRecovery,  // the last of them
  Status,
  Health,
  Hardware,
  Events,
  Metrics,
  OpenApi,
  CreateInvitation,
  Join,
  Overview,
};

// What a caller must show.
enum class Access : std::uint8_t {
  Read,    // nothing: the port is on loopback, and browsers of other origins are kept out
  Signed,  // an operation signed by its actor, or the admin token for what the node signs itself
  Admin,   // the admin token
  Code,    // an invitation's code, judged by the endpoint
};

struct Route {
  ports::HttpMethod method;
  std::string_view path;  // at most one "{name}" segment
  Endpoint endpoint;
  Access access;
};

std::span<const Route> routes();

struct RouteMatch {
  const Route* route = nullptr;  // null: no such path, or not with this method
  std::string parameter;         // what stands for the "{name}" segment
  std::string allowed;           // "GET, HEAD": methods of the path when only the method is wrong
};

// HEAD matches where GET does.
RouteMatch match(ports::HttpMethod method, std::string_view path);

}  // namespace hm::http_api
