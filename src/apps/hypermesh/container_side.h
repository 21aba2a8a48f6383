// SPDX-License-Identifier: Apache-2.0
// Everything about containers that one node has: images, the runtime, the provider's and the
// tenant's side, and their part of the HTTP API. Part of the composition root.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "apps/hypermesh/folders.h"
#include "apps/hypermesh/node_config.h"
#include "foundation/base/result.h"
#include "node/container_api/container_api.h"
#include "node/hosting/container_desk.h"
#include "node/hosting/container_host.h"
#include "node/hosting/service_keeper.h"
#include "node/hosting/session_mux.h"
#include "node/lease_keeper.h"
#include "node/node.h"
#include "node/own_operations.h"
#include "platform/container_runtime/runtime.h"
#include "platform/loop/event_loop.h"
#include "ports/scratch_file.h"

namespace hm::cli {

// By which the kernel's names of a node's containers begin.
std::string container_tag(const identity::NodeId& node);

// The control group below which all of them run, for linux::ActivityProbeOptions. Empty if there is
// none below /sys.
std::string lent_group(const identity::NodeId& node);

// Makes its folder, and mounts it where an OCI runtime reaches it if need be.
Result<container_runtime::RuntimeOptions> runtime_options(const NodeFolder& folder,
                                                          const identity::NodeId& node,
                                                          const identity::ChainId& chain);

class ContainerSide {
 public:
  // Blocks: tries the OCI runtimes and takes stock of what an earlier process left. Fails only if
  // the folders cannot be used; a machine that runs no containers has a side that says so.
  static Result<std::unique_ptr<ContainerSide>> open(node::Node& node,
                                                     node::OwnOperations& operations,
                                                     node::LeaseKeeper& leases,
                                                     const NodeFolder& folder,
                                                     loop::EventLoop& loop,
                                                     std::function<node::RoundTrips()> round_trips);
  ~ContainerSide();
  ContainerSide(const ContainerSide&) = delete;
  ContainerSide& operator=(const ContainerSide&) = delete;

  // When the ledger is there.
  void start();
  void handle(http_api::Api& api, http_api::Endpoint endpoint, http_api::Call call) {
    api_->handle(api, endpoint, std::move(call));
  }
  const hosting::SessionMux& mux() const { return mux_; }
  const hosting::ContainerHost& host() const { return *host_; }
  const hosting::ServiceKeeper& services() const { return services_; }

 private:
  ContainerSide(node::Node& node, node::OwnOperations& operations, const NodeFolder& folder,
                std::function<node::RoundTrips()> round_trips);

  std::string tag_;
  hosting::SessionMux mux_;
  hosting::ContainerDesk desk_;
  hosting::ServiceKeeper services_;
  std::unique_ptr<ports::ScratchFiles> scratch_;
  std::unique_ptr<ports::ImageStore> images_;
  std::unique_ptr<ports::ContainerRuntime> runtime_;
  std::unique_ptr<hosting::ContainerHost> host_;
  std::unique_ptr<container_api::ContainerApi> api_;
};

}  // namespace hm::cli
