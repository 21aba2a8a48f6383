// SPDX-License-Identifier: Apache-2.0
// The API of a lone node, asked as the server asks it. For tests.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "foundation/codec/writer.h"
#include "node/http_api/api.h"
#include "node/http_api/lone_node.h"

namespace hm::http_api::fixture {

using nlohmann::json;
using ports::HttpMethod;
using ports::HttpRequest;
using ports::HttpResponse;
namespace sample = ledger::sample;

inline constexpr const char* kToken = "0123456789abcdef";

// What is written is kept. A test makes room by taking bytes away and calling `room_call`.
class TestStream final : public ports::HttpStream {
 public:
  WriteResult write(std::string bytes) override {
    if (!open) return WriteResult::Closed;
    if (text.size() + bytes.size() > limit) {
      open = false;
      return WriteResult::TooSlow;
    }
    text += bytes;
    return WriteResult::Queued;
  }
  std::size_t room() const override { return open ? limit - text.size() : 0; }
  void when_room(std::function<void()> call) override { room_call = std::move(call); }
  void finish() override {
    finished = open;
    open = false;
  }
  bool is_open() const override { return open; }

  std::optional<std::uint64_t> length;
  std::string text;
  std::function<void()> room_call;
  std::size_t limit = 1 << 20;
  bool open = true;
  bool finished = false;
};

// What the handler sends is kept; a test speaks for the client through the listener.
class TestWebSocket final : public ports::WebSocket {
 public:
  WriteResult send(std::string payload) override {
    if (closed) return WriteResult::Closed;
    sent.push_back(std::move(payload));
    return WriteResult::Queued;
  }
  std::size_t pending() const override { return waiting; }
  void allow(std::size_t bytes) override { allowed += bytes; }
  void close(ports::WebSocketClose code, std::string_view reason) override {
    if (!closed) closed = {code, std::string(reason)};
  }
  bool is_open() const override { return !closed; }

  std::shared_ptr<ports::WebSocketListener> listener;
  std::string protocol;
  std::vector<std::string> sent;
  std::size_t waiting = 0;
  std::size_t allowed = 0;
  std::optional<std::pair<ports::WebSocketClose, std::string>> closed;
};

struct Answer {
  std::optional<HttpResponse> response;
  std::shared_ptr<TestStream> stream;
  std::shared_ptr<ports::HttpUpload> upload;  // a test speaks for the client through it
  std::size_t taken = 0;
  std::shared_ptr<TestWebSocket> web_socket;
  json body() const { return json::parse(response->body); }
};

class TestResponder final : public ports::HttpResponder {
 public:
  explicit TestResponder(std::shared_ptr<Answer> answer) : answer_(std::move(answer)) {}
  void send(HttpResponse response) override { answer_->response = std::move(response); }
  bool take_body(std::shared_ptr<ports::HttpUpload> upload) override {
    answer_->upload = std::move(upload);
    return true;
  }
  void taken(std::size_t bytes) override { answer_->taken += bytes; }
  std::shared_ptr<ports::HttpStream> start_stream(HttpResponse head,
                                                  std::optional<std::uint64_t> length) override {
    answer_->response = std::move(head);
    answer_->stream = std::make_shared<TestStream>();
    answer_->stream->length = length;
    return answer_->stream;
  }
  std::shared_ptr<ports::WebSocket> accept_web_socket(
      std::string_view protocol, std::shared_ptr<ports::WebSocketListener> listener) override {
    answer_->response = HttpResponse{.status = 101};
    answer_->web_socket = std::make_shared<TestWebSocket>();
    answer_->web_socket->protocol = protocol;
    answer_->web_socket->listener = std::move(listener);
    return answer_->web_socket;
  }

 private:
  std::shared_ptr<Answer> answer_;
};

class ApiTest : public ::testing::Test {
 protected:
  explicit ApiTest(std::uint32_t owners = 2) : mesh_(owners) {}

  void SetUp() override {
    mesh_.start();
    api_ = std::make_unique<Api>(
        mesh_.node(),
        ApiConfig{.guard = {.hosts = {}, .admin_token = kToken}, .program_version = "test"},
        ApiHooks{});
  }

  static HttpRequest request(HttpMethod method, std::string path) {
    HttpRequest request;
    request.method = method;
    request.path = std::move(path);
    request.headers = {{"Host", "[::1]:8445"}};
    request.peer = "[::1]:1";
    return request;
  }

  static HttpRequest post(std::string path, std::string body, std::string token = {}) {
    HttpRequest posted = request(HttpMethod::Post, std::move(path));
    posted.body = std::move(body);
    posted.headers.push_back({"Content-Type", "application/json"});
    if (!token.empty()) posted.headers.push_back({"Authorization", "Bearer " + token});
    return posted;
  }

  // As the server does it; time passes until there is an answer, if there ever is one.
  std::shared_ptr<Answer> send(HttpRequest request, Duration patience = std::chrono::seconds(1)) {
    auto answer = std::make_shared<Answer>();
    answer->response = api_->refuse_early(request);
    if (answer->response) return answer;
    api_->on_request(std::move(request), std::make_unique<TestResponder>(answer));
    for (Duration waited{}; !answer->response && waited < patience;
         waited += std::chrono::milliseconds(1)) {
      mesh_.world().advance(std::chrono::milliseconds(1));
    }
    return answer;
  }

  json get(std::string path, std::vector<std::pair<std::string, std::string>> query = {},
           std::uint16_t status = 200) {
    HttpRequest got = request(HttpMethod::Get, path);
    got.query = std::move(query);
    const auto answer = send(std::move(got));
    EXPECT_TRUE(answer->response) << path;
    if (!answer->response) return {};
    EXPECT_EQ(answer->response->status, status) << path << " " << answer->response->body;
    return answer->body();
  }

  json do_post(std::string path, const std::string& body, std::uint16_t status,
               const std::string& token = kToken) {
    const auto answer = send(post(path, body, token));
    EXPECT_TRUE(answer->response) << path;
    if (!answer->response) return {};
    EXPECT_EQ(answer->response->status, status) << path << " " << answer->response->body;
    return answer->body();
  }

  // Signed by owner 0, as a client does it.
  ledger::SignedOperation signed_operation(ledger::Action action, std::uint64_t sequence = 0) {
    return signed_by(0, std::move(action), sequence);
  }
  ledger::SignedOperation signed_by(std::uint32_t seed, ledger::Action action,
                                    std::uint64_t sequence = 0) {
    const auto& ledger = mesh_.node().ledger();
    ledger::Operation operation;
    operation.chain_id = mesh_.node().chain_id();
    operation.actor = sample::owner_id(seed);
    operation.sequence = sequence != 0 ? sequence : *ledger.next_sequence(operation.actor);
    operation.anchor = ledger.anchor();
    operation.expiry_height = operation.anchor.height + ledger.policy().expiry_max_ahead;
    operation.action = std::move(action);
    return ledger::sign(std::move(operation), sample::key(seed));
  }

  HttpRequest raw(const ledger::SignedOperation& operation) {
    HttpRequest request =
        post("/api/v1/operations", std::string(as_text(codec::encode(operation))));
    request.headers[1].value = "application/octet-stream";
    request.query = {{"wait", "final"}};
    return request;
  }

  ledger::TransferCaes payment(std::uint64_t units = 1) {
    return {sample::owner_id(1), caesar::Amount{units}};
  }

  std::string register_cpu() { return do_post("/api/v1/assets/register", kCpu, 201)["id"]; }

  static constexpr const char* kCpu =
      R"({"kind":"cpu","quantity":{"detected":8,"offered":4,"unit":"threads"},
          "descriptor":{"logical_cores":8,"features":["avx2","aes"],"brand":"x"}})";

  lone::LoneNode mesh_;
  std::unique_ptr<Api> api_;
};

}  // namespace hm::http_api::fixture
