// SPDX-License-Identifier: Apache-2.0
#include "core/api/container_request.h"

#include <algorithm>
#include <utility>

#include "core/api/container_members.h"
#include "core/containers/limits.h"

namespace hm::api {
namespace {

constexpr std::uint64_t kLastSignal = 64;
constexpr std::size_t kMaxReplicas = 16;
constexpr std::uint64_t kDefaultJobMillis = 600'000;
constexpr std::uint64_t kMaxJobMillis = 24 * 3'600'000;
constexpr std::size_t kMaxCredential = 4096;  // registries hand out long tokens

Decoded<StartRequest> take_start(Members members) {
  StartRequest request;
  HM_TRY(auto image_name, members.text("image_name"));
  request.image_name = std::move(image_name).value_or("");
  HM_TRY(request.node, needed_text(members, "node"));
  HM_TRY(request.leases, take_leases(members));
  HM_TRY_VOID(take_spec(members, request.spec));
  HM_TRY_VOID(members.finish());
  return request;
}

Decoded<JobRequest::Replica> take_replica(Members& members) {
  JobRequest::Replica replica;
  HM_TRY(replica.node, needed_text(members, "node"));
  HM_TRY(replica.leases, take_leases(members));
  return replica;
}

Decoded<JobRequest> take_job(Members members) {
  JobRequest request;
  HM_TRY(auto image_name, members.text("image_name"));
  request.image_name = std::move(image_name).value_or("");
  HM_TRY_VOID(take_each(members, "replicas", kMaxReplicas, &take_replica, request.replicas));
  HM_TRY_VOID(take_number(members, "quorum", request.quorum));
  request.timeout_ms = kDefaultJobMillis;
  HM_TRY_VOID(take_number(members, "timeout_ms", request.timeout_ms));
  if (request.timeout_ms == 0 || request.timeout_ms > kMaxJobMillis) {
    return bad(members.path_of("timeout_ms"), "is out of its range");
  }
  HM_TRY_VOID(take_spec(members, request.spec));
  HM_TRY_VOID(members.finish());
  return request;
}

Decoded<ExecRequest> take_exec(Members members) {
  ExecRequest request;
  HM_TRY(request.run, needed_text(members, "run"));
  HM_TRY_VOID(take_process(members, request.process));
  HM_TRY_VOID(members.finish());
  if (request.process.arguments.empty()) return bad(members.path_of("command"), "is missing");
  if (const auto valid = containers::validate(request.process); !valid) {
    return bad("", "asks for what no process is given: " + std::string(name_of(valid.error())));
  }
  return request;
}

Decoded<LogsRequest> take_logs(Members members) {
  LogsRequest request;
  HM_TRY(request.run, needed_text(members, "run"));
  request.tail = kDefaultLogTail;
  HM_TRY_VOID(take_number(members, "tail", request.tail));
  if (request.tail > kMaxLogTail) return bad(members.path_of("tail"), "is too large");
  HM_TRY(request.follow, members.flag("follow"));
  HM_TRY_VOID(members.finish());
  return request;
}

Decoded<CopyRequest> take_copy(Members members) {
  CopyRequest request;
  HM_TRY(request.run, needed_text(members, "run"));
  HM_TRY(const auto word, needed_text(members, "way"));
  const std::string_view way = word;
  if (way != "into" && way != "out_of") {
    return bad(members.path_of("way"), "is neither 'into' nor 'out_of'");
  }
  request.into = way == "into";
  HM_TRY(request.path, needed_text(members, "path", containers::kMaxPathBytes));
  if (request.path.front() != '/' || request.path.find('\0') != std::string::npos) {
    return bad(members.path_of("path"), "is not an absolute path");
  }
  HM_TRY_VOID(members.finish());
  return request;
}

Decoded<ConnectRequest> take_connect(Members members) {
  ConnectRequest request;
  HM_TRY(request.run, needed_text(members, "run"));
  HM_TRY_VOID(take_number(members, "port", request.port));
  if (request.port == 0) return bad(members.path_of("port"), "is no port");
  HM_TRY_VOID(members.finish());
  return request;
}

Decoded<AttachRequest> take_attach(Members members) {
  AttachRequest request;
  HM_TRY(request.run, needed_text(members, "run"));
  HM_TRY_VOID(members.finish());
  return request;
}

template <class Request>
Decoded<Request> take_registry(Members members) {
  Request request;
  HM_TRY(request.reference, needed_text(members, "reference"));
  HM_TRY(request.plain_http, members.flag("plain_http"));
  HM_TRY(auto user, members.text("user"));
  request.user = std::move(user).value_or("");
  HM_TRY(auto password, members.text("password", kMaxCredential));
  request.password = std::move(password).value_or("");
  HM_TRY_VOID(members.finish());
  return request;
}

Decoded<ImportRequest> take_import(Members members) {
  ImportRequest request;
  HM_TRY(auto reference, members.text("reference"));
  request.reference = std::move(reference).value_or("");
  HM_TRY_VOID(members.finish());
  return request;
}

Decoded<ExportRequest> take_export(Members members) {
  ExportRequest request;
  HM_TRY(request.reference, needed_text(members, "reference"));
  HM_TRY_VOID(members.finish());
  return request;
}

// A message with one member, whose name says what it is for.
struct Purpose {
  std::string_view name;
  Members members;
};
Decoded<Purpose> take_purpose(std::string_view body, std::initializer_list<const char*> names) {
  HM_TRY(Members outer, parse_members(body));
  for (const char* name : names) {
    auto json = outer.take(name);
    if (!json) continue;
    HM_TRY_VOID(outer.finish());
    HM_TRY(Members inner, Members::of(std::move(*json), name));
    return Purpose{name, std::move(inner)};
  }
  return bad("", "does not say what the stream is for");
}

Decoded<std::uint8_t> take_signal(Members& members) {
  HM_TRY(const auto number, members.number("signal"));
  if (!number || *number < 1 || *number > kLastSignal) return bad("signal", "is not 1 to 64");
  return static_cast<std::uint8_t>(*number);
}

}  // namespace

Result<StartRequest, BadRequest> decode_start(std::string_view body) {
  HM_TRY(Members members, parse_members(body));
  return take_start(std::move(members));
}

Result<ContainerStreamRequest, BadRequest> decode_container_stream(std::string_view body) {
  HM_TRY(Purpose purpose,
         take_purpose(body, {"start", "exec", "logs", "copy", "connect", "attach", "job"}));
  Members& members = purpose.members;
  if (purpose.name == "start") return take_start(std::move(members));
  if (purpose.name == "job") return take_job(std::move(members));
  if (purpose.name == "exec") return take_exec(std::move(members));
  if (purpose.name == "logs") return take_logs(std::move(members));
  if (purpose.name == "copy") return take_copy(std::move(members));
  if (purpose.name == "connect") return take_connect(std::move(members));
  return take_attach(std::move(members));
}

Result<StreamWord, BadRequest> decode_stream_word(std::string_view body) {
  HM_TRY(Members members, parse_members(body));
  if (auto json = members.take("resize")) {
    HM_TRY(Members inner, Members::of(std::move(*json), "resize"));
    ResizeWord word;
    HM_TRY_VOID(take_number(inner, "rows", word.rows));
    HM_TRY_VOID(take_number(inner, "columns", word.columns));
    HM_TRY_VOID(inner.finish());
    HM_TRY_VOID(members.finish());
    return word;
  }
  HM_TRY(const bool ended, members.flag("end_of_input"));
  if (ended) {
    HM_TRY_VOID(members.finish());
    return EndOfInputWord{};
  }
  HM_TRY(const auto number, take_signal(members));
  HM_TRY_VOID(members.finish());
  return SignalWord{number};
}

Result<std::uint32_t, BadRequest> decode_stop(std::string_view body) {
  std::uint32_t grace = kDefaultStopGraceMillis;
  if (body.empty()) return grace;
  HM_TRY(Members members, parse_members(body));
  HM_TRY_VOID(take_number(members, "grace_ms", grace));
  if (grace > kMaxStopGraceMillis) return bad("grace_ms", "is too large");
  HM_TRY_VOID(members.finish());
  return grace;
}

Result<std::uint8_t, BadRequest> decode_signal(std::string_view body) {
  HM_TRY(Members members, parse_members(body));
  HM_TRY(const auto number, take_signal(members));
  HM_TRY_VOID(members.finish());
  return number;
}

Result<ImageStreamRequest, BadRequest> decode_image_stream(std::string_view body) {
  HM_TRY(Purpose purpose, take_purpose(body, {"pull", "push", "import", "export"}));
  Members& members = purpose.members;
  if (purpose.name == "pull") return take_registry<PullRequest>(std::move(members));
  if (purpose.name == "push") return take_registry<PushRequest>(std::move(members));
  if (purpose.name == "import") return take_import(std::move(members));
  return take_export(std::move(members));
}

}  // namespace hm::api
