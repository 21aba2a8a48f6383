// SPDX-License-Identifier: Apache-2.0
// The HTTP API about stored objects over a mesh in memory, asked as the server asks it. For tests.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "node/http_api/api.h"
#include "node/storage_api/storage_api.h"
#include "node/storing/keeper_fixture.h"

namespace hm::storage_api {

// What is written is kept. A test makes room with read().
class TestStream final : public ports::HttpStream {
 public:
  WriteResult write(std::string bytes) override {
    if (!open) return WriteResult::Closed;
    if (unread + bytes.size() > limit) {
      open = false;
      return WriteResult::TooSlow;
    }
    unread += bytes.size();
    text += bytes;
    return WriteResult::Queued;
  }
  std::size_t room() const override { return open ? limit - unread : 0; }
  void when_room(std::function<void()> call) override { room_call_ = std::move(call); }
  void finish() override {
    finished = open;
    open = false;
  }
  bool is_open() const override { return open; }

  // The client has everything that was written.
  void read() {
    unread = 0;
    if (auto call = std::exchange(room_call_, nullptr)) call();
  }
  void lose() {
    open = false;
    if (auto call = std::exchange(room_call_, nullptr)) call();
  }

  std::string text;
  std::size_t unread = 0;
  std::size_t limit = std::size_t{1} << 20;
  bool open = true;
  bool finished = false;

 private:
  std::function<void()> room_call_;
};

// One request, from the client's side.
struct Asked {
  std::optional<ports::HttpResponse> response;
  std::size_t answers = 0;
  std::shared_ptr<ports::HttpUpload> upload;
  std::size_t taken = 0;
  std::weak_ptr<TestStream> stream;  // gone when it was let go of
  std::shared_ptr<TestStream> kept;  // what it was
  std::optional<std::uint64_t> length;

  std::uint16_t status() const { return response ? response->status : std::uint16_t{0}; }
};

class TestResponder final : public ports::HttpResponder {
 public:
  explicit TestResponder(std::shared_ptr<Asked> asked) : asked_(std::move(asked)) {}
  void send(ports::HttpResponse response) override {
    asked_->response = std::move(response);
    ++asked_->answers;
  }
  bool take_body(std::shared_ptr<ports::HttpUpload> upload) override {
    asked_->upload = std::move(upload);
    return true;
  }
  void taken(std::size_t bytes) override { asked_->taken += bytes; }
  std::shared_ptr<ports::HttpStream> start_stream(ports::HttpResponse head,
                                                  std::optional<std::uint64_t> length) override {
    send(std::move(head));
    asked_->length = length;
    const auto stream = std::make_shared<TestStream>();
    asked_->kept = stream;
    // Let go of by the handler while the test looks at what was written.
    const std::shared_ptr<TestStream> handed(stream.get(), [stream](TestStream*) {});
    asked_->stream = handed;
    return handed;
  }
  std::shared_ptr<ports::WebSocket> accept_web_socket(
      std::string_view /*protocol*/, std::shared_ptr<ports::WebSocketListener>) override {
    return nullptr;
  }

 private:
  std::shared_ptr<Asked> asked_;
};

class ApiMesh : public storing::KeeperMesh {
 public:
  using Query = std::vector<std::pair<std::string, std::string>>;
  static constexpr const char* kToken = "0123456789abcdef";

  explicit ApiMesh(std::uint32_t lenders, std::uint64_t bytes_each = std::uint64_t{1} << 30)
      : KeeperMesh(lenders, bytes_each),
        storage_(mesh.node(tenant()), keeper(), nullptr),
        api_(mesh.node(tenant()),
             {.guard = {.hosts = {}, .admin_token = kToken}, .program_version = "test"},
             {.storage = [this](http_api::Api& api, http_api::Endpoint endpoint,
                                http_api::Call call) {
               storage_.handle(api, endpoint, std::move(call));
             }}) {}

  static ports::HttpRequest request(ports::HttpMethod method, std::string path, Query query) {
    ports::HttpRequest request;
    request.method = method;
    request.path = std::move(path);
    request.query = std::move(query);
    request.headers = {{"Host", "[::1]:8445"}, {"Authorization", std::string("Bearer ") + kToken}};
    request.peer = "[::1]:1";
    return request;
  }
  static ports::HttpRequest bytes(ports::HttpMethod method, std::string path, Query query) {
    auto asked = request(method, std::move(path), std::move(query));
    asked.headers.push_back({"Content-Type", "application/octet-stream"});
    return asked;
  }
  static ports::HttpRequest json(ports::HttpMethod method, std::string path, Query query,
                                 std::string body) {
    auto asked = request(method, std::move(path), std::move(query));
    asked.headers.push_back({"Content-Type", "application/json"});
    asked.body = std::move(body);
    return asked;
  }

  std::shared_ptr<Asked> ask(ports::HttpRequest request) {
    auto asked = std::make_shared<Asked>();
    if (auto refused = api_.refuse_early(request)) {
      asked->response = std::move(refused);
      return asked;
    }
    api_.on_request(std::move(request), std::make_unique<TestResponder>(asked));
    return asked;
  }
  // Until there is an answer.
  std::shared_ptr<Asked> wait(std::shared_ptr<Asked> asked) {
    for (int i = 0; i < 600 && !asked->response; ++i) run(100);
    EXPECT_TRUE(asked->response) << "there is an answer";
    return asked;
  }
  std::shared_ptr<Asked> answered(ports::HttpRequest request) {
    return wait(ask(std::move(request)));
  }
  // Until the handler reads the body.
  std::shared_ptr<Asked> opened(ports::HttpRequest request) {
    auto asked = ask(std::move(request));
    for (int i = 0; i < 600 && !asked->response && !asked->upload; ++i) run(100);
    return asked;
  }
  // The body in pieces, as many bytes as the window allows.
  std::shared_ptr<Asked> put(ports::HttpRequest request, std::string body, std::size_t piece) {
    auto asked = opened(std::move(request));
    std::size_t sent = 0;
    for (int i = 0; i < 6000 && asked->upload && !asked->response && sent < body.size(); ++i) {
      if (sent - asked->taken >= (std::size_t{4} << 20)) {
        run(10);
        continue;
      }
      const std::size_t size = std::min(piece, body.size() - sent);
      sent += size;
      asked->upload->on_piece(body.substr(sent - size, size));
    }
    if (asked->upload && !asked->response) asked->upload->on_end();
    return wait(std::move(asked));
  }

 private:
  StorageApi storage_;
  http_api::Api api_;
};

}  // namespace hm::storage_api
