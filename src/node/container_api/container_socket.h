// SPDX-License-Identifier: Apache-2.0
// A WebSocket joined with a stream between nodes. The first message says what it is for
// (core/api/container_request.h); each message begins with a byte that says what follows. Bytes
// wait on the other side while this one's reader is slow.
#pragma once

#include <memory>
#include <string>

#include "core/api/json_writer.h"
#include "node/container_api/job_socket.h"
#include "node/hosting/container_desk.h"
#include "ports/http.h"
#include "ports/web_socket.h"

namespace hm::container_api {

inline constexpr std::string_view kProtocol = "hypermesh.containers.v1";

// The first byte of a message.
enum class Framed : char { Json = 0, Main = 1, Error = 2 };
std::string framed(Framed what, std::string_view payload);
std::string framed(api::JsonWriter json);
std::string framed(const Error& error);

void open_container_socket(JobPorts ports, std::unique_ptr<ports::HttpResponder> responder);

}  // namespace hm::container_api
