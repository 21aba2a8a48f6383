// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/api_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "apps/hypermesh/folders.h"
#include "apps/hypermesh/mesh_file.h"
#include "platform/files/process_lock.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kPrefix = "/api/v1";
// A stream carries at least a heartbeat in this time.
constexpr std::chrono::seconds kStreamIdle{60};
// An operation is answered when it is final; a mesh without a quorum takes its time to say no. A
// stopped container has its grace.
constexpr std::chrono::seconds kAnswerTime{70};

// Rules of the ledger that say "not you".
constexpr std::array<std::string_view, 8> kDenials = {
    "wrong_key",        "not_the_owner",       "node_may_not", "node_not_owned",
    "not_on_this_node", "grant_not_by_issuer", "not_the_root", "allowance_too_small"};

// Why, in words; the code of the API for those who look it up.
std::string reason(std::uint16_t status, const std::string& code, const std::string& details) {
  if (!details.empty()) return fmt::format("{} ({})", code, details);
  switch (status) {
    case 400: return fmt::format("the node cannot make sense of it ({})", code);
    case 401:
    case 403: return fmt::format("the node does not allow it ({})", code);
    case 404: return fmt::format("the node knows nothing of that name ({})", code);
    case 429:
    case 503: return fmt::format("the node cannot take it now ({})", code);
    default: return code.empty() ? "the node gave no reason" : code;
  }
}

// The API of the first node that runs in the default dev mesh.
std::string running_dev_api() {
  const auto mesh = read_mesh_file(default_dev_folder());
  if (!mesh) return {};
  for (const MeshNode& node : mesh->nodes) {
    const auto holder = files::lock_holder(NodeFolder{node.dir}.lock());
    if (holder && *holder) return node.api;
  }
  return {};
}

}  // namespace

Failure refusal_of_answer(std::uint16_t status, const std::string& body) {
  const ordered_json document = ordered_json::parse(body, nullptr, false);
  const ordered_json error = document.is_object() && document.contains("error")
                                 ? document["error"]
                                 : ordered_json::object();
  Failure failure;
  failure.what = text_of(error, "message");
  if (failure.what.empty()) failure.what = fmt::format("the node answered with status {}", status);
  const std::string code = text_of(error, "code");
  std::string details;
  std::string hint;
  std::string rule;
  if (error.is_object() && error.contains("details") && error["details"].is_object()) {
    for (const auto& [key, value] : error["details"].items()) {
      std::string text = text_of(error["details"], key);
      if (key == "hint") {
        hint = std::move(text);
        continue;
      }
      if (key == "rule") rule = text;
      details += fmt::format("{}{}: {}", details.empty() ? "" : ", ", key, text);
    }
  }
  failure.why = reason(status, code, details);
  switch (status) {
    case 401:
    case 403:
      failure.exit = ExitCode::Denied;
      failure.to_do = "sign with the owner's key: --key FILE";
      break;
    case 429:
    case 503:
      failure.exit = ExitCode::NoCapacity;
      failure.to_do = "try again in a moment";
      break;
    case 404: failure.to_do = "'hypermesh assets', 'nodes' and 'wallet' list what there is"; break;
    default:
      failure.to_do =
          rule.empty() ? "'hypermesh COMMAND --help' tells what is expected"
                       : "'hypermesh status', 'wallet' and 'assets' show what the ledger holds now";
      break;
  }
  if (std::ranges::find(kDenials, rule) != kDenials.end()) {
    failure.exit = ExitCode::Denied;
    failure.to_do = "sign with the owner's key: --key FILE";
  }
  if (!hint.empty()) failure.to_do = hint;
  return failure;
}

Answer<ApiClient> ApiClient::connect(const Globals& globals) {
  const std::string text = globals.api.empty() ? running_dev_api() : globals.api;
  if (text.empty()) return ApiClient(http::HttpEndpoint{});
  const auto endpoint = http::parse_endpoint(text);
  if (!endpoint) {
    return failed(ExitCode::Usage, fmt::format("'{}' is not the address of an API", text),
                  endpoint.error().message, "for example --api http://[::1]:8445");
  }
  return ApiClient(*endpoint);
}

Answer<http::ClientResponse> ApiClient::success(Result<http::ClientResponse> response) {
  if (!response) {
    Failure failure = failure_of(response.error());
    if (response.error().code == ErrorCode::Unavailable) {
      failure.why = failure.what;
      failure.what = fmt::format("no node answers at {}", url());
    }
    if (failure.why.empty()) failure.why = "the connection failed";
    return std::unexpected(std::move(failure));
  }
  if (response->status < 200 || response->status > 299) {
    return std::unexpected(refusal_of_answer(response->status, response->body));
  }
  return std::move(*response);
}

Answer<ordered_json> ApiClient::answer(Result<http::ClientResponse> result) {
  const auto response = success(std::move(result));
  if (!response) return std::unexpected(response.error());
  ordered_json document = ordered_json::parse(response->body, nullptr, false);
  if (document.is_discarded()) {
    return failed(ExitCode::Failure, fmt::format("{} did not answer with JSON", url()),
                  "it may not be a HyperMesh node", "check the address given with --api");
  }
  return document;
}

Answer<ordered_json> ApiClient::send(http::ClientRequest request, const std::string& token) {
  if (!token.empty()) request.headers.push_back({"Authorization", "Bearer " + token});
  return answer(client_.request(request));
}

Answer<ordered_json> ApiClient::get(const std::string& path, const std::string& token) {
  http::ClientRequest request;
  request.target = std::string(kPrefix) + path;
  return send(std::move(request), token);
}

Answer<ordered_json> ApiClient::find(const std::string& path, const std::string& token) {
  http::ClientRequest request;
  request.target = std::string(kPrefix) + path;
  if (!token.empty()) request.headers.push_back({"Authorization", "Bearer " + token});
  auto response = client_.request(request);
  if (response && response->status == 404) return ordered_json();
  return answer(std::move(response));
}

Answer<ordered_json> ApiClient::remove(const std::string& path, const std::string& token) {
  http::ClientRequest request;
  request.method = ports::HttpMethod::Delete;
  request.target = std::string(kPrefix) + path;
  request.content_type = "application/json";  // what changes something says so
  request.timeout = kAnswerTime;
  return send(std::move(request), token);
}

Answer<ordered_json> ApiClient::send(ports::HttpMethod method, const std::string& path,
                                     std::string content_type, std::string body,
                                     const std::string& token,
                                     std::vector<ports::HttpHeader> headers) {
  http::ClientRequest request;
  request.method = method;
  request.target = std::string(kPrefix) + path;
  request.content_type = std::move(content_type);
  request.body = std::move(body);
  request.headers = std::move(headers);
  request.timeout = kAnswerTime;
  return send(std::move(request), token);
}

Answer<ordered_json> ApiClient::post(const std::string& path, const ordered_json& body,
                                     const std::string& token) {
  return post(path, body, token, {});
}

Answer<ordered_json> ApiClient::post(const std::string& path, const ordered_json& body,
                                     const std::string& token,
                                     std::vector<ports::HttpHeader> headers) {
  return send(ports::HttpMethod::Post, path, "application/json",
              body.dump(-1, ' ', false, ordered_json::error_handler_t::replace), token,
              std::move(headers));
}

Answer<ordered_json> ApiClient::patch(const std::string& path, const ordered_json& body,
                                      const std::string& token) {
  return send(ports::HttpMethod::Patch, path, "application/json", body.dump(), token);
}

Answer<ordered_json> ApiClient::post_bytes(const std::string& path, ByteView body,
                                           const std::string& token) {
  return send(ports::HttpMethod::Post, path, "application/octet-stream", std::string(as_text(body)),
              token);
}

Answer<std::string> ApiClient::get_bytes(const std::string& path, const std::string& token) {
  http::ClientRequest request;
  request.target = std::string(kPrefix) + path;
  request.timeout = kAnswerTime;
  request.headers.push_back({"Authorization", "Bearer " + token});
  HM_CLI_TRY(http::ClientResponse response, success(client_.request(request)));
  return std::move(response.body);
}

Answer<ordered_json> ApiClient::upload(ports::HttpMethod method, const std::string& path,
                                       std::optional<std::uint64_t> length,
                                       const http::BodySource& source,
                                       std::vector<ports::HttpHeader> headers,
                                       const std::string& token) {
  http::ClientRequest request;
  request.method = method;
  request.target = std::string(kPrefix) + path;
  request.content_type = "application/octet-stream";
  request.headers = std::move(headers);
  request.timeout = kAnswerTime;
  if (!token.empty()) request.headers.push_back({"Authorization", "Bearer " + token});
  return answer(client_.upload(request, length, source));
}

Answer<http::ClientResponse> ApiClient::download(const std::string& path,
                                                 std::optional<http::ByteRange> range,
                                                 const http::BodySink& sink,
                                                 std::vector<ports::HttpHeader> headers,
                                                 const std::string& token) {
  http::ClientRequest request;
  request.target = std::string(kPrefix) + path;
  request.headers = std::move(headers);
  request.timeout = kAnswerTime;
  if (!token.empty()) request.headers.push_back({"Authorization", "Bearer " + token});
  return success(client_.download(request, range, sink));
}

Outcome ApiClient::events(
    const std::string& path,
    const std::function<bool(std::string_view, const ordered_json&)>& on_event) {
  http::ClientRequest request;
  request.target = std::string(kPrefix) + path;
  request.headers.push_back({"Accept", "text/event-stream"});
  std::string name;
  std::string data;
  const auto done = client_.read_lines(request, kStreamIdle, [&](std::string_view line) {
    if (line.starts_with("event:")) {
      name = line.substr(line.find_first_not_of(' ', 6));
    } else if (line.starts_with("data:")) {
      data += line.substr(std::min(line.size(), line.find_first_not_of(' ', 5)));
    } else if (line.empty() && !data.empty()) {
      const ordered_json document = ordered_json::parse(data, nullptr, false);
      const std::string event = std::exchange(name, {});
      data.clear();
      return document.is_discarded() || on_event(event, document);
    }
    return true;
  });
  if (done) return {};
  return std::unexpected(answer(fail(done.error())).error());
}

std::string text_of(const ordered_json& object, std::string_view key) {
  if (!object.is_object()) return {};
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return {};
  return found->is_string() ? found->get<std::string>() : found->dump();
}

std::uint64_t number_of(const ordered_json& object, std::string_view key) {
  if (!object.is_object()) return 0;
  const auto found = object.find(key);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == '-' || c == '.' || c == '_' || c == '~' || c == ':';
    if (plain) {
      out.push_back(c);
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string short_id(std::string_view id) {
  // An asset's kind and the start of its uuid; the whole time of making, so that two differ.
  const std::size_t colon = id.find(':');
  if (colon != std::string_view::npos) return std::string(id.substr(0, id.rfind(':')));
  return std::string(id.substr(0, 12));
}

}  // namespace hm::cli
