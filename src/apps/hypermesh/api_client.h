// SPDX-License-Identifier: Apache-2.0
// The node's HTTP API as the commands see it: JSON in, JSON out, and every refusal as a Failure
// with the exit code that docs/guide/cli.md promises.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/hypermesh/command.h"
#include "apps/hypermesh/failure.h"
#include "foundation/base/bytes.h"
#include "platform/http/http_client.h"

namespace hm::cli {

class ApiClient {
 public:
  // The node that --api or HYPERMESH_API names, otherwise one of the dev mesh that runs in the
  // default folder, otherwise [::1]:8445.
  static Answer<ApiClient> connect(const Globals& globals);
  explicit ApiClient(http::HttpEndpoint endpoint) : client_(std::move(endpoint)) {}

  const http::HttpEndpoint& endpoint() const { return client_.endpoint(); }
  std::string url() const { return http::to_url(client_.endpoint()); }

  // `path` is below /api/v1 and begins with '/'. `token` is the local admin token; empty sends
  // none.
  Answer<nlohmann::ordered_json> get(const std::string& path, const std::string& token = {});
  // Null if there is nothing of that name.
  Answer<nlohmann::ordered_json> find(const std::string& path, const std::string& token);
  Answer<nlohmann::ordered_json> remove(const std::string& path, const std::string& token);
  Answer<nlohmann::ordered_json> post(const std::string& path, const nlohmann::ordered_json& body,
                                      const std::string& token = {});
  Answer<nlohmann::ordered_json> post(const std::string& path, const nlohmann::ordered_json& body,
                                      const std::string& token,
                                      std::vector<ports::HttpHeader> headers);

  Answer<nlohmann::ordered_json> patch(const std::string& path, const nlohmann::ordered_json& body,
                                       const std::string& token);

  // A body that is not JSON, and an answer that is not.
  Answer<nlohmann::ordered_json> post_bytes(const std::string& path, ByteView body,
                                            const std::string& token = {});
  Answer<std::string> get_bytes(const std::string& path, const std::string& token);

  // A body that `source` gives, `length` bytes of it or all there are; nothing is asked of it
  // before the node has agreed to take it. The timeout is for each step, not for the whole.
  Answer<nlohmann::ordered_json> upload(ports::HttpMethod method, const std::string& path,
                                        std::optional<std::uint64_t> length,
                                        const http::BodySource& source,
                                        std::vector<ports::HttpHeader> headers,
                                        const std::string& token);
  // The bytes of /api/v1`path`, or that range of them, go to `sink`; the head is the answer. What
  // the sink has before a failure is a part.
  Answer<http::ClientResponse> download(const std::string& path,
                                        std::optional<http::ByteRange> range,
                                        const http::BodySink& sink,
                                        std::vector<ports::HttpHeader> headers,
                                        const std::string& token);

  // Server-sent events of /api/v1`path` until `on_event` returns false: name and data of each.
  Outcome events(const std::string& path,
                 const std::function<bool(std::string_view name,
                                          const nlohmann::ordered_json& data)>& on_event);

 private:
  Answer<nlohmann::ordered_json> send(ports::HttpMethod method, const std::string& path,
                                      std::string content_type, std::string body,
                                      const std::string& token,
                                      std::vector<ports::HttpHeader> headers = {});
  Answer<nlohmann::ordered_json> send(http::ClientRequest request, const std::string& token);
  // Any answer but a success is a Failure.
  Answer<http::ClientResponse> success(Result<http::ClientResponse> response);
  Answer<nlohmann::ordered_json> answer(Result<http::ClientResponse> result);

  http::HttpClient client_;
};

// What an answer that is no success says.
Failure refusal_of_answer(std::uint16_t status, const std::string& body);

// Text of a member, empty if it is missing or no text; numbers as they are written.
std::string text_of(const nlohmann::ordered_json& object, std::string_view key);
std::uint64_t number_of(const nlohmann::ordered_json& object, std::string_view key);

// Percent-encodes what may not stand in a path segment or query value.
std::string escape(std::string_view text);

// The first characters of an id, enough for people.
std::string short_id(std::string_view id);

}  // namespace hm::cli
