// SPDX-License-Identifier: Apache-2.0
// A replicated job told on a WebSocket: how many have committed, the result, the verdict. Framed as
// container_socket.h says.
#pragma once

#include <functional>
#include <memory>

#include "core/api/container_request.h"
#include "node/hosting/replicated_job.h"
#include "ports/web_socket.h"

namespace hm::container_api {

// What a job needs beside the request.
struct JobPorts {
  node::Node& node;
  node::OwnOperations& operations;
  hosting::ContainerDesk& desk;
};

// The job on `socket`, which it closes at its end. Letting go of it ends the job.
Result<std::shared_ptr<hosting::ReplicatedJob>> start_job(JobPorts ports, api::JobRequest request,
                                                          std::shared_ptr<ports::WebSocket> socket);

}  // namespace hm::container_api
