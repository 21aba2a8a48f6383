// SPDX-License-Identifier: Apache-2.0
// The registry client against servers that ask for tokens, lead elsewhere, lie or break off.
#include "platform/oci/registry_client.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/containers/image_digest.h"
#include "core/containers/image_manifest.h"
#include "platform/oci/image_store.h"
#include "platform/oci/interop_tools.h"
#include "platform/oci/test_images.h"

namespace hm::oci {
namespace {

std::string answer(const std::string& status, std::string_view body,
                   const std::string& headers = "") {
  return fmt::format("HTTP/1.1 {}\r\n{}Content-Length: {}\r\nConnection: close\r\n\r\n{}", status,
                     headers, body.size(), body);
}

bool has(const std::string& request, std::string_view text) {
  return request.find(text) != std::string::npos;
}

class RegistryClient : public ::testing::Test {
 protected:
  RegistryClient() {
    auto store = open_image_store(
        {.folder = folder_ / "store", .uid_shift = 0, .max_bytes = std::uint64_t{64} << 20});
    EXPECT_TRUE(store);
    if (store) store_ = std::move(*store);
    manifest_ = layout_.put_image({.layers = {{test_file("a", std::string(300'000, 'a'))}},
                                   .packing = containers::LayerPacking::None});
  }

  // The answer of a registry that is as it should be.
  std::string serve(const std::string& request) const {
    const std::string type = fmt::format("Content-Type: {}\r\n", containers::kOciManifest);
    if (has(request, "GET /v2/a/manifests/v1 ")) {
      return answer("200 OK", as_text(layout_.blobs.at(manifest_.digest)), type);
    }
    for (const auto& [digest, bytes] : layout_.blobs) {
      if (has(request, "GET /v2/a/blobs/" + containers::image_digest_text(digest) + " ")) {
        return answer("200 OK", as_text(bytes));
      }
    }
    return answer("404 Not Found", R"({"errors":[{"code":"NAME_UNKNOWN"}]})");
  }

  Result<ports::NamedImage> pull_from(const std::string& host, RegistryOptions options = {},
                                      const std::string& rest = "/a:v1") {
    return pull(*store_, *containers::parse_image_reference(host + rest), options, nullptr);
  }
  static std::optional<ErrorCode> code_of(const Result<ports::NamedImage>& result) {
    return result ? std::nullopt : std::optional(result.error().code);
  }

  TestFolder folder_;
  std::unique_ptr<ports::ImageStore> store_;
  TestLayout layout_;
  containers::Descriptor manifest_;
};

const RegistryCredentials kAlice{.user = "alice", .password = "secret"};
constexpr std::string_view kAliceBasic = "\r\nAuthorization: Basic YWxpY2U6c2VjcmV0\r\n";

TEST_F(RegistryClient, AReferenceNamesARegistry) {
  EXPECT_EQ(code_of(pull(*store_, *containers::parse_image_reference("a:v1"), {}, nullptr)),
            ErrorCode::InvalidArgument);
  EXPECT_EQ(code_of(pull_from("127.0.0.1:1")), ErrorCode::Unavailable);
}

TEST_F(RegistryClient, ATokenIsFetchedOnceAndUsed) {
  TestServer* self = nullptr;
  TestServer server([&](const std::string& request) {
    if (has(request, "GET /token?")) return answer("200 OK", R"({"token":"t0ken"})");
    if (has(request, "\r\nAuthorization: Bearer t0ken\r\n")) return serve(request);
    return answer("401 Unauthorized", "",
                  fmt::format("WWW-Authenticate: Bearer realm=\"http://{}/token\",service=\"the "
                              "registry\",scope=\"repository:other:*\"\r\n",
                              self->host()));
  });
  self = &server;
  const auto pulled = pull_from(server.host(), {.credentials = kAlice});
  ASSERT_TRUE(pulled) << pulled.error().message << pulled.error().detail;
  int tokens = 0;
  for (const std::string& request : server.requests()) {
    if (!has(request, "/token")) continue;
    ++tokens;
    EXPECT_TRUE(has(request, "GET /token?service=the%20registry&scope=repository%3Aa%3Apull "));
    EXPECT_TRUE(has(request, kAliceBasic));
  }
  EXPECT_EQ(tokens, 1);
}

TEST_F(RegistryClient, ATokenThatEndedIsFetchedAnew) {
  TestServer* self = nullptr;
  int tokens = 0;
  TestServer server([&](const std::string& request) {
    if (has(request, "GET /token?")) {
      return answer("200 OK", fmt::format(R"({{"access_token":"t{}"}})", ++tokens));
    }
    // Each token is good for one request.
    const bool is_good = has(request, fmt::format("Bearer t{}\r\n", tokens));
    static std::map<int, bool> used;
    if (is_good && tokens > 0 && !used[tokens]) {
      used[tokens] = true;
      return serve(request);
    }
    return answer(
        "401 Unauthorized", "",
        fmt::format("WWW-Authenticate: Bearer realm=\"http://{}/token\"\r\n", self->host()));
  });
  self = &server;
  EXPECT_TRUE(pull_from(server.host()));
  EXPECT_GT(tokens, 1);
}

TEST_F(RegistryClient, BasicCredentialsAreGivenWhereAskedFor) {
  TestServer server([&](const std::string& request) {
    if (has(request, kAliceBasic)) return serve(request);
    return answer("401 Unauthorized", "", "WWW-Authenticate: Basic realm=\"x\"\r\n");
  });
  EXPECT_EQ(code_of(pull_from(server.host())), ErrorCode::Unauthenticated);
  EXPECT_EQ(code_of(pull_from(server.host(), {.credentials = RegistryCredentials{"bob", "x"}})),
            ErrorCode::Unauthenticated);
  EXPECT_TRUE(pull_from(server.host(), {.credentials = kAlice}));
}

TEST_F(RegistryClient, ATokenServiceThatRefusesIsSaidSo) {
  TestServer* self = nullptr;
  std::string token_answer = answer("403 Forbidden", "no");
  std::string realm;
  TestServer server([&](const std::string& request) {
    if (has(request, "GET /token")) return token_answer;
    return answer("401 Unauthorized", "",
                  fmt::format("WWW-Authenticate: Bearer realm=\"{}\"\r\n",
                              realm.empty() ? "http://" + self->host() + "/token" : realm));
  });
  self = &server;
  EXPECT_EQ(code_of(pull_from(server.host())), ErrorCode::Unauthenticated);
  token_answer = answer("200 OK", "{}");
  EXPECT_EQ(code_of(pull_from(server.host())), ErrorCode::Corrupt);
  token_answer = answer("200 OK", std::string(1 << 20, ' '));
  EXPECT_EQ(code_of(pull_from(server.host())), ErrorCode::Corrupt);
  realm = "file:///etc/passwd";
  EXPECT_EQ(code_of(pull_from(server.host())), ErrorCode::Corrupt);
  // A password goes nowhere in the clear.
  realm = "http://auth.example/token";
  EXPECT_EQ(code_of(pull_from(server.host(), {.credentials = kAlice})),
            ErrorCode::PermissionDenied);
}

TEST_F(RegistryClient, ARedirectGetsNoCredentials) {
  TestServer storage([&](const std::string& request) { return serve(request); });
  TestServer server([&](const std::string& request) {
    if (!has(request, kAliceBasic)) {
      return answer("401 Unauthorized", "", "WWW-Authenticate: Basic realm=\"x\"\r\n");
    }
    if (!has(request, "/blobs/")) return serve(request);
    const auto begin = request.find("/v2/");
    return answer("307 Temporary Redirect", "",
                  fmt::format("Location: http://{}{}\r\n", storage.host(),
                              request.substr(begin, request.find(' ', begin) - begin)));
  });
  ASSERT_TRUE(pull_from(server.host(), {.credentials = kAlice}));
  ASSERT_EQ(storage.requests().size(), 2U);
  for (const std::string& request : storage.requests()) {
    EXPECT_FALSE(has(request, "Authorization")) << request;
  }
}

TEST_F(RegistryClient, ARedirectThatLeadsNowhereEnds) {
  std::string location;
  TestServer server([&](const std::string& request) {
    if (!has(request, "/blobs/")) return serve(request);
    return answer("302 Found", "", "Location: " + location + "\r\n");
  });
  location = "/v2/a/blobs/again";
  EXPECT_EQ(code_of(pull_from(server.host())), ErrorCode::Corrupt);
  location = "gopher://host/";
  EXPECT_EQ(code_of(pull_from(server.host())), ErrorCode::Corrupt);
  EXPECT_TRUE(store_->names().empty());
}

TEST_F(RegistryClient, WhatIsNotItsDigestIsRefused) {
  const auto config = std::get<containers::ImageManifest>(
                          *containers::parse_image_document(layout_.blobs.at(manifest_.digest), ""))
                          .config.digest;
  std::string wrong(as_text(layout_.blobs.at(config)));
  wrong.back() = ' ';
  TestServer server([&](const std::string& request) {
    if (has(request, "/blobs/" + containers::image_digest_text(config))) {
      return answer("200 OK", wrong);
    }
    return serve(request);
  });
  EXPECT_EQ(code_of(pull_from(server.host())), ErrorCode::Corrupt);
  wrong += "more";
  EXPECT_EQ(code_of(pull_from(server.host())), ErrorCode::Corrupt);
  EXPECT_TRUE(store_->names().empty());
}

TEST_F(RegistryClient, AManifestIsWhatWasAskedFor) {
  std::string body(as_text(layout_.blobs.at(manifest_.digest)));
  std::string headers = fmt::format("Content-Type: {}\r\n", containers::kOciManifest);
  TestServer server([&](const std::string&) { return answer("200 OK", body, headers); });
  const std::string other = containers::image_digest_text(crypto::sha256({}));
  EXPECT_EQ(code_of(pull_from(server.host(), {}, "/a@" + other)), ErrorCode::Corrupt);
  headers += "Docker-Content-Digest: " + other + "\r\n";
  EXPECT_EQ(code_of(pull_from(server.host())), ErrorCode::Corrupt);
  headers = "Content-Type: text/html\r\n";
  EXPECT_EQ(code_of(pull_from(server.host())), ErrorCode::Corrupt);
  headers = fmt::format("Content-Type: {}\r\n", containers::kOciIndex);
  EXPECT_EQ(code_of(pull_from(server.host())), ErrorCode::Corrupt);
  headers = fmt::format("Content-Type: {}; charset=utf-8\r\n", containers::kOciManifest);
  body = std::string(5 << 20, ' ');
  EXPECT_EQ(code_of(pull_from(server.host())), ErrorCode::Corrupt);
}

TEST_F(RegistryClient, AnAnswerWithoutALengthEndsWithTheConnection) {
  TestServer server([&](const std::string& request) {
    std::string whole = serve(request);
    const auto at = whole.find("Content-Length");
    return whole.erase(at, whole.find("\r\n", at) + 2 - at);
  });
  const auto pulled = pull_from(server.host());
  EXPECT_TRUE(pulled) << pulled.error().message << pulled.error().detail;
}

TEST_F(RegistryClient, AServerWithoutRangesIsReadFromTheBeginAgain) {
  int cuts = 0;
  TestServer server([&](const std::string& request) {
    std::string whole = serve(request);
    if (whole.size() > 200'000 && cuts++ == 0) whole.resize(150'000);
    return whole;
  });
  const auto pulled = pull_from(server.host());
  EXPECT_TRUE(pulled) << pulled.error().message << pulled.error().detail;
  EXPECT_EQ(cuts, 2);
}

TEST_F(RegistryClient, ARangeThatBeginsElsewhereIsRefused) {
  int cuts = 0;
  TestServer server([&](const std::string& request) {
    std::string whole = serve(request);
    if (has(request, "\r\nRange: ")) {
      return answer("206 Partial Content", "x", "Content-Range: bytes 0-0/300000\r\n");
    }
    if (whole.size() > 200'000 && cuts++ == 0) whole.resize(150'000);
    return whole;
  });
  EXPECT_EQ(code_of(pull_from(server.host())), ErrorCode::FailedPrecondition);
}

TEST_F(RegistryClient, StatusesHaveMeanings) {
  std::string status;
  TestServer server([&](const std::string&) { return answer(status, "why\x01 not"); });
  const auto with = [&](const std::string& text) {
    status = text;
    return pull_from(server.host()).error();
  };
  EXPECT_EQ(with("403 Forbidden").code, ErrorCode::PermissionDenied);
  EXPECT_EQ(with("404 Not Found").code, ErrorCode::NotFound);
  EXPECT_EQ(with("429 Too Many Requests").code, ErrorCode::Busy);
  EXPECT_EQ(with("503 Service Unavailable").code, ErrorCode::Unavailable);
  EXPECT_EQ(with("401 Unauthorized").code, ErrorCode::Unauthenticated);
  EXPECT_EQ(with("400 Bad Request").detail, "why not");
}

TEST_F(RegistryClient, WhatIsNoHttpIsRefused) {
  std::string text = "SSH-2.0-nothing\r\n\r\n";
  TestServer server([&](const std::string&) { return text; });
  EXPECT_EQ(code_of(pull_from(server.host())), ErrorCode::Corrupt);
  text = "HTTP/1.1 200 OK\r\nX: " + std::string(1 << 20, 'x') + "\r\n\r\n";
  EXPECT_EQ(code_of(pull_from(server.host())), ErrorCode::Corrupt);
  text = "";
  EXPECT_EQ(code_of(pull_from(server.host())), ErrorCode::Unavailable);
}

TEST_F(RegistryClient, APushSaysWhyItWasRefused) {
  for (const auto& [digest, bytes] : layout_.blobs) {
    const auto writer = store_->write_blob({.digest = digest, .bytes = bytes.size()});
    ASSERT_TRUE(writer);
    ASSERT_TRUE((*writer)->write(bytes));
    ASSERT_TRUE((*writer)->commit());
  }
  std::string place = "/upload?state=1";
  TestServer server([&](const std::string& request) {
    if (request.starts_with("HEAD")) return std::string("HTTP/1.1 404 Not Found\r\n\r\n");
    if (request.starts_with("POST")) {
      return answer("202 Accepted", "", "Location: " + place + "\r\n");
    }
    return answer("413 Content Too Large", "too large");
  });
  const auto push_to = [&](const std::string& name) {
    return push(*store_, manifest_.digest,
                *containers::parse_image_reference(server.host() + "/" + name), {}, nullptr);
  };
  const auto pushed = push_to("a:v1");
  ASSERT_FALSE(pushed);
  EXPECT_EQ(pushed.error().code, ErrorCode::NoCapacity);
  EXPECT_EQ(pushed.error().detail, "too large");
  EXPECT_TRUE(has(server.requests().back(), "PUT /upload?state=1&digest=sha256%3A"));
  place = "nowhere";
  EXPECT_EQ(push_to("a:v1").error().code, ErrorCode::Corrupt);
  EXPECT_EQ(push_to("a@" + containers::image_digest_text(crypto::sha256({}))).error().code,
            ErrorCode::InvalidArgument);
}

}  // namespace
}  // namespace hm::oci
