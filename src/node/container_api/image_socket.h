// SPDX-License-Identifier: Apache-2.0
// A WebSocket on which an image comes or goes: archives as bytes, registries as a wish with
// progress. Framed as container_socket.h says.
#pragma once

#include <memory>

#include "node/container_api/container_api.h"
#include "ports/scratch_file.h"

namespace hm::container_api {

struct ImageSocketPorts {
  ports::Workers& workers;
  ports::Timers& timers;
  ports::Clock& clock;
  ports::ImageStore& images;
  ports::ScratchFiles& scratch;
  const Registry& pull;
  const Registry& push;
};

void open_image_socket(ImageSocketPorts ports, std::unique_ptr<ports::HttpResponder> responder);

}  // namespace hm::container_api
