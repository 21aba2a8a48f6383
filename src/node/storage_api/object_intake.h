// SPDX-License-Identifier: Apache-2.0
// The body of a request on its way into the mesh: one object, or a batch of them. Bytes are taken
// as fast as stripes leave, and the answer is given when everything is stored. A client that goes
// away leaves nothing stored.
#pragma once

#include <memory>
#include <optional>

#include "node/http_api/api.h"
#include "node/storage_api/batch_reader.h"
#include "node/storing/object_keeper.h"
#include "ports/http.h"

namespace hm::storage_api {

// What the objects of a request have in common, from its query and headers.
struct IntakeWish {
  storing::UploadPlan plan;
  storing::NewObject object;  // the one, or without a name what each of a batch is made from
};
Result<IntakeWish, api::ApiError> wish_of(const ports::HttpRequest& request);
// Metadata of X-Object-Meta-…, and the condition of If-None-Match and If-Match.
Result<void, api::ApiError> take_headers(const ports::HttpRequest& request,
                                         storing::NewObject& object);
// Whether the object may be called so and described so.
Result<void, api::ApiError> check_new_object(const storing::NewObject& object);

class ObjectIntake final : public ports::HttpUpload,
                           public std::enable_shared_from_this<ObjectIntake> {
 public:
  enum class Form : std::uint8_t { One, Batch };

  // Begins to read the body, or answers why not. Everything outlives it but the call.
  static void start(http_api::Api& api, http_api::Call call, node::Node& node,
                    storing::ObjectKeeper& keeper, IntakeWish wish, Form form);
  ObjectIntake(http_api::Api& api, http_api::Call call, node::Node& node,
               storing::ObjectKeeper& keeper, IntakeWish wish, Form form);

  // ports::HttpUpload
  void on_piece(std::string piece) override;
  void on_end() override;
  void on_lost() override;

 private:
  void begin();
  Result<void, api::ApiError> begin_entry(api::BatchEntry entry);
  void on_done(Result<storing::UploadReport> report);
  void refuse(const api::ApiError& error);

  http_api::Api& api_;
  http_api::Call call_;
  node::Node& node_;
  storing::ObjectKeeper& keeper_;
  IntakeWish wish_;
  Form form_;
  bool is_over_ = false;
  bool existed_ = false;
  std::shared_ptr<storing::ObjectUpload> upload_;
  std::optional<BatchReader> batch_;
};

}  // namespace hm::storage_api
