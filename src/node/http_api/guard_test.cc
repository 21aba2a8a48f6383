// SPDX-License-Identifier: Apache-2.0
#include "node/http_api/guard.h"

#include <gtest/gtest.h>

namespace hm::http_api {
namespace {

using ports::HttpMethod;
using ports::HttpRequest;

HttpRequest request(HttpMethod method, std::vector<ports::HttpHeader> headers,
                    std::string path = "/api/v1/assets/register") {
  HttpRequest request;
  request.method = method;
  request.path = std::move(path);
  request.headers = std::move(headers);
  return request;
}

std::uint16_t status(const HttpRequest& request, GuardConfig config = {}) {
  const RouteMatch found = match(request.method, request.path);
  const auto error = check_request(config, request, found.route);
  return error ? error->status : 0;
}

const std::vector<ports::HttpHeader> kJson{{"Host", "[::1]:8445"},
                                           {"Content-Type", "application/json"}};

std::vector<ports::HttpHeader> with(std::string name, std::string value) {
  auto headers = kJson;
  headers.push_back({std::move(name), std::move(value)});
  return headers;
}

TEST(Guard, LetsToolsOnThisMachineRead) {
  EXPECT_EQ(status(request(HttpMethod::Get, {{"Host", "[::1]:8445"}}, "/api/v1/assets")), 0);
  EXPECT_EQ(status(request(HttpMethod::Get, {{"host", "LocalHost"}}, "/api/v1/assets")), 0);
}

TEST(Guard, RefusesAHostThatIsNotThisNode) {
  for (const char* host : {"evil.example", "evil.example:8445", "127.0.0.1:8445", "", "[::1]evil",
                           "localhost.evil.example", "[fd48::1]:8445"}) {
    const std::uint16_t answer =
        status(request(HttpMethod::Get, {{"Host", host}}, "/api/v1/assets"));
    if (std::string_view(host) == "[::1]evil") continue;
    EXPECT_EQ(answer, 403) << host;
  }
  EXPECT_EQ(status(request(HttpMethod::Get, {}, "/api/v1/assets")), 400);
  EXPECT_EQ(status(request(HttpMethod::Get, {{"Host", "[::1]"}, {"Host", "evil"}}, "/")), 400);
}

TEST(Guard, KnowsTheNamesItIsGiven) {
  GuardConfig config{.hosts = {"[fd48::1]", "node.example"}, .admin_token = {}};
  EXPECT_EQ(status(request(HttpMethod::Get, {{"Host", "[fd48::1]:8445"}}, "/"), config), 0);
  EXPECT_EQ(status(request(HttpMethod::Get, {{"Host", "Node.example:1"}}, "/"), config), 0);
}

TEST(Guard, APageOfAnotherOriginCanDoNothing) {
  for (const HttpMethod method : {HttpMethod::Get, HttpMethod::Post}) {
    EXPECT_EQ(status(request(method, with("Origin", "https://evil.example"))), 403);
    EXPECT_EQ(status(request(method, with("Origin", "null"))), 403);
    EXPECT_EQ(status(request(method, with("Origin", "http://[::1]:9999"))), 403);
    EXPECT_EQ(status(request(method, with("Origin", "https://[::1]:8445"))), 403);
    EXPECT_EQ(status(request(method, with("Sec-Fetch-Site", "cross-site"))), 403);
    EXPECT_EQ(status(request(method, with("Sec-Fetch-Site", "same-site"))), 403);
  }
  EXPECT_EQ(status(request(HttpMethod::Post, with("Origin", "http://[::1]:8445"))), 0);
  EXPECT_EQ(status(request(HttpMethod::Post, with("Sec-Fetch-Site", "same-origin"))), 0);
}

TEST(Guard, ALinkMayOpenThePageAndNothingElse) {
  std::vector<ports::HttpHeader> link{
      {"Host", "[::1]:8445"}, {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Mode", "navigate"}};
  EXPECT_EQ(status(request(HttpMethod::Get, link, "/")), 0);
  EXPECT_EQ(status(request(HttpMethod::Get, link, "/api/v1/assets")), 403);
}

TEST(Guard, AFormCannotWrite) {
  for (const char* type : {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
                           "", "application/octet-stream"}) {
    EXPECT_EQ(status(request(HttpMethod::Post, {{"Host", "[::1]"}, {"Content-Type", type}})), 415)
        << type;
  }
  EXPECT_EQ(status(request(HttpMethod::Post, {{"Host", "[::1]"}})), 415);
  EXPECT_EQ(
      status(request(HttpMethod::Post,
                     {{"Host", "[::1]"}, {"Content-Type", "Application/JSON; charset=utf-8"}})),
      0);
  EXPECT_EQ(status(request(HttpMethod::Post,
                           {{"Host", "[::1]"}, {"Content-Type", "application/octet-stream"}},
                           "/api/v1/operations")),
            0);
}

TEST(Guard, OnlyTheTokenMakesAnAdministrator) {
  const GuardConfig config{.hosts = {}, .admin_token = "secret"};
  const auto who = [&](std::vector<ports::HttpHeader> headers, const GuardConfig& guard) {
    return identify(guard, request(HttpMethod::Post, std::move(headers)));
  };
  EXPECT_EQ(who({}, config).value(), Caller::Anyone);
  EXPECT_EQ(who({{"Authorization", "Bearer secret"}}, config).value(), Caller::Admin);
  EXPECT_EQ(who({{"authorization", "bearer secret"}}, config).value(), Caller::Admin);
  for (const char* wrong :
       {"Bearer secreT", "Bearer ", "Bearer secret ", "Basic secret", "secret", ""}) {
    EXPECT_FALSE(who({{"Authorization", wrong}}, config)) << wrong;
  }
  EXPECT_FALSE(
      who({{"Authorization", "Bearer secret"}, {"Authorization", "Bearer secret"}}, config));
  EXPECT_FALSE(who({{"Authorization", "Bearer "}}, GuardConfig{}));
}

TEST(Guard, AWebSocketMayShowTheTokenAmongItsProtocols) {
  const GuardConfig config{.hosts = {}, .admin_token = "secret?>"};
  const auto who = [&](std::string protocols, std::vector<ports::HttpHeader> more = {},
                       std::string upgrade = "websocket") {
    more.push_back({"Sec-WebSocket-Protocol", std::move(protocols)});
    if (!upgrade.empty()) more.push_back({"Upgrade", std::move(upgrade)});
    return identify(config, request(HttpMethod::Get, std::move(more)));
  };
  const std::string token = "hypermesh.token.c2VjcmV0Pz4";
  EXPECT_EQ(who(token).value(), Caller::Admin);
  EXPECT_EQ(who("hypermesh.v1 ,\t" + token).value(), Caller::Admin);
  EXPECT_EQ(who("hypermesh.v1").value(), Caller::Anyone);
  EXPECT_EQ(who(token, {}, "").value(), Caller::Anyone);
  for (const std::string& wrong : std::initializer_list<std::string>{
           "hypermesh.token.", token + "=", token + "A", "hypermesh.token.secret?>",
           token + "," + token, token + ", hypermesh.token.x"}) {
    EXPECT_FALSE(who(wrong)) << wrong;
  }
  EXPECT_FALSE(who(token, {{"Authorization", "Bearer secret?>"}}));
  EXPECT_FALSE(who(token, {{"Sec-WebSocket-Protocol", token}}));
  EXPECT_FALSE(identify(
      GuardConfig{}, request(HttpMethod::Get, {{"Upgrade", "websocket"},
                                               {"Sec-WebSocket-Protocol", "hypermesh.token."}})));
}

TEST(Guard, AWebSocketOfAnotherOriginIsRefused) {
  const auto upgrade = [&](std::vector<ports::HttpHeader> more) {
    more.push_back({"Host", "[::1]:8445"});
    more.push_back({"Connection", "Upgrade"});
    more.push_back({"Upgrade", "websocket"});
    return status(request(HttpMethod::Get, std::move(more), "/api/v1/events"));
  };
  EXPECT_EQ(upgrade({}), 0);
  EXPECT_EQ(upgrade({{"Origin", "http://[::1]:8445"}}), 0);
  EXPECT_EQ(upgrade({{"Origin", "http://evil.example"}}), 403);
  EXPECT_EQ(upgrade({{"Origin", "http://localhost:8445"}}), 403);
  EXPECT_EQ(upgrade({{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Mode", "websocket"}}), 403);
}

}  // namespace
}  // namespace hm::http_api
