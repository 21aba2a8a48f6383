// SPDX-License-Identifier: Apache-2.0
// Bodies of requests about containers and images, and the words spoken on their WebSockets, decoded
// as request.h decodes: strict, bounded, refused by name. A spec that comes out is valid
// (containers::validate). docs/guide/containers.md has the words.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/api/request.h"
#include "core/containers/run_spec.h"
#include "core/ledger/lease.h"

namespace hm::api {

// {"image": manifest digest, "image_name"?, "node": id or name or "self", "leases"?: [lease …],
//  and the members of a spec: "name"?, "command"?, "entrypoint"?: "image" or "replaced",
//  "environment"?, "working_directory"?, "user"?, "terminal"?, "cpu_millicores"?, "pinned"?,
//  "memory_bytes"?, "disk_bytes"?, "pids"?, "read_bytes_per_second"?, "write_bytes_per_second"?,
//  "network"?, "isolation"?, "read_only"?, "volumes"?: [{"name","path","bytes","read_only"?}],
//  "scratch"?: [{"path","bytes"}], "restart"?: {"when","most"?}, "detached"?}
struct StartRequest {
  std::string image_name;
  std::string node;
  std::vector<ledger::LeaseId> leases;
  containers::RunSpec spec;
};
Result<StartRequest, BadRequest> decode_start(std::string_view body);

// {"run", "command", "environment"?, "working_directory"?, "user"?, "terminal"?}
struct ExecRequest {
  std::string run;
  containers::ProcessSpec process;
};
// {"run", "tail"?, "follow"?}
struct LogsRequest {
  std::string run;
  std::uint64_t tail = 0;
  bool follow = false;
};
// {"run", "way": "into" or "out_of", "path"}
struct CopyRequest {
  std::string run;
  bool into = false;
  std::string path;
};
// {"run", "port"}
struct ConnectRequest {
  std::string run;
  std::uint16_t port = 0;
};
// {"run"}
struct AttachRequest {
  std::string run;
};

// {the members of a spec, "image_name"?, "replicas": [{"node", "leases"} …], "quorum",
//  "timeout_ms"?}: one program on machines of several owners.
struct JobRequest {
  struct Replica {
    std::string node;
    std::vector<ledger::LeaseId> leases;
  };
  std::string image_name;
  containers::RunSpec spec;
  std::vector<Replica> replicas;
  std::uint32_t quorum = 0;
  std::uint64_t timeout_ms = 0;
};

// The first message of a WebSocket of containers, {"start": {…}} and so on: what it is for.
using ContainerStreamRequest = std::variant<StartRequest, ExecRequest, LogsRequest, CopyRequest,
                                            ConnectRequest, AttachRequest, JobRequest>;
Result<ContainerStreamRequest, BadRequest> decode_container_stream(std::string_view body);

// What the client says later: {"signal": number}, {"resize": {"rows", "columns"}} or
// {"end_of_input": true}.
struct SignalWord {
  std::uint8_t number = 0;
};
struct ResizeWord {
  std::uint16_t rows = 0;
  std::uint16_t columns = 0;
};
struct EndOfInputWord {};
using StreamWord = std::variant<SignalWord, ResizeWord, EndOfInputWord>;
Result<StreamWord, BadRequest> decode_stream_word(std::string_view body);

// {"grace_ms"?}
Result<std::uint32_t, BadRequest> decode_stop(std::string_view body);
// {"signal": number}
Result<std::uint8_t, BadRequest> decode_signal(std::string_view body);

// The first message of a WebSocket of images: {"pull": {"reference", "plain_http"?, "user"?,
// "password"?}}, {"push": the same}, {"import": {"reference"?}} (the archive follows) or
// {"export": {"reference"}} (the archive comes).
struct RegistryRequest {
  std::string reference;
  bool plain_http = false;
  std::string user;
  std::string password;
};
struct PullRequest : RegistryRequest {};
struct PushRequest : RegistryRequest {};
struct ImportRequest {
  std::string reference;
};
struct ExportRequest {
  std::string reference;
};
using ImageStreamRequest = std::variant<PullRequest, PushRequest, ImportRequest, ExportRequest>;
Result<ImageStreamRequest, BadRequest> decode_image_stream(std::string_view body);

}  // namespace hm::api
