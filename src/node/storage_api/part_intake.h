// SPDX-License-Identifier: Apache-2.0
// The body of a request that is one part of an object. Bytes are taken as fast as stripes leave,
// and the answer is given when the part is kept. A client that goes away leaves nothing of it.
#pragma once

#include <memory>
#include <optional>

#include "node/http_api/api.h"
#include "node/storing/object_keeper.h"
#include "ports/http.h"

namespace hm::storage_api {

class PartIntake final : public ports::HttpUpload, public std::enable_shared_from_this<PartIntake> {
 public:
  // Begins to read the body, or answers why not. Everything outlives it but the call.
  static void start(http_api::Api& api, http_api::Call call, storing::ObjectKeeper& keeper,
                    const storing::MultipartId& id, storing::PartNumber number);
  PartIntake(http_api::Api& api, http_api::Call call, storing::PartNumber number)
      : api_(api), call_(std::move(call)), number_(number) {}

  // ports::HttpUpload
  void on_piece(std::string piece) override;
  void on_end() override;
  void on_lost() override;

 private:
  void begin(storing::ObjectKeeper& keeper, const storing::MultipartId& id);
  void take(Result<std::shared_ptr<storing::ObjectUpload>> begun);
  void on_done(Result<storing::UploadReport> report);
  void refuse(const api::ApiError& error);

  http_api::Api& api_;
  http_api::Call call_;
  storing::PartNumber number_;
  std::uint64_t most_ = 0;  // bytes of a part
  std::uint64_t taken_ = 0;
  bool is_over_ = false;
  std::shared_ptr<storing::ObjectUpload> upload_;
};

}  // namespace hm::storage_api
