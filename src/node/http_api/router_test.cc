// SPDX-License-Identifier: Apache-2.0
#include "node/http_api/router.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "node/http_api/documents.h"

namespace hm::http_api {
namespace {

using ports::HttpMethod;

TEST(Router, FindsLiteralPathsBeforeNames) {
  EXPECT_EQ(match(HttpMethod::Post, "/api/v1/assets/register").route->endpoint,
            Endpoint::RegisterAsset);
  const auto shown = match(HttpMethod::Get, "/api/v1/assets/cpu:1");
  EXPECT_EQ(shown.route->endpoint, Endpoint::ShowAsset);
  EXPECT_EQ(shown.parameter, "cpu:1");
  const auto updated = match(HttpMethod::Post, "/api/v1/assets/x/update");
  EXPECT_EQ(updated.route->endpoint, Endpoint::UpdateAsset);
  EXPECT_EQ(updated.parameter, "x");
  EXPECT_EQ(match(HttpMethod::Head, "/").route->endpoint, Endpoint::Overview);
}

TEST(Router, RefusesWhatIsNotThere) {
  for (const char* path : {"", "x", "/api", "/api/v1/assets/", "/api/v1/assets//update", "//",
                           "/api/v1/assets/x/y", "/api/v1/status/", "/api/v2/status"}) {
    const auto found = match(HttpMethod::Get, path);
    EXPECT_EQ(found.route, nullptr) << path;
    EXPECT_EQ(found.allowed, "") << path;
  }
}

TEST(Router, NamesTheMethodsOfAPath) {
  EXPECT_EQ(match(HttpMethod::Delete, "/api/v1/assets").allowed, "GET, HEAD");
  EXPECT_EQ(match(HttpMethod::Get, "/api/v1/operations").allowed, "POST");
}

const char* document_word(HttpMethod method) {
  switch (method) {
    case HttpMethod::Get: return "get";
    case HttpMethod::Patch: return "patch";
    case HttpMethod::Put: return "put";
    case HttpMethod::Delete: return "delete";
    default: return "post";
  }
}

// The document that users read and the table that the program obeys say the same.
TEST(OpenApi, DocumentsEveryRouteAndNothingElse) {
  const auto document = nlohmann::json::parse(open_api_document());
  EXPECT_EQ(document["openapi"], "3.1.0");
  std::set<std::pair<std::string, std::string>> documented;
  for (const auto& [path, item] : document["paths"].items()) {
    for (const auto& [method, operation] : item.items()) documented.emplace(method, path);
  }
  std::set<std::pair<std::string, std::string>> routed;
  for (const Route& route : routes()) {
    routed.emplace(document_word(route.method), std::string(route.path));
  }
  EXPECT_EQ(documented, routed);
}

// A path is marked as needing the token if and only if the table says so.
TEST(OpenApi, MarksTheRightsThatTheTableAsksFor) {
  const auto document = nlohmann::json::parse(open_api_document());
  for (const Route& route : routes()) {
    const char* method = document_word(route.method);
    const auto& operation = document["paths"][std::string(route.path)][method];
    const auto security = operation.value("security", nlohmann::json::array());
    switch (route.access) {
      case Access::Admin: EXPECT_EQ(security.size(), 1U) << route.path; break;
      case Access::Signed: EXPECT_EQ(security.size(), 2U) << route.path; break;
      case Access::Read:
      case Access::Code: EXPECT_TRUE(security.empty()) << route.path; break;
    }
  }
}

}  // namespace
}  // namespace hm::http_api
