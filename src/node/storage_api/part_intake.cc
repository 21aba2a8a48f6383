// SPDX-License-Identifier: Apache-2.0
#include "node/storage_api/part_intake.h"

#include <utility>

#include "core/api/limits.h"
#include "core/api/text.h"
#include "foundation/base/log.h"
#include "node/storage_api/object_views.h"

namespace hm::storage_api {

void PartIntake::start(http_api::Api& api, http_api::Call call, storing::ObjectKeeper& keeper,
                       const storing::MultipartId& id, storing::PartNumber number) {
  std::make_shared<PartIntake>(api, std::move(call), number)->begin(keeper, id);
}

void PartIntake::begin(storing::ObjectKeeper& keeper, const storing::MultipartId& id) {
  const auto found = keeper.multipart().find(id);
  if (!found) return refuse(api::from_error(found.error()));
  most_ = found->row.part_bytes;
  const auto self = shared_from_this();
  storing::ObjectUpload::Listener listener;
  listener.on_taken = [self](std::size_t bytes) {
    if (!self->is_over_) self->call_.responder->taken(bytes);
  };
  listener.on_done = [self](Result<storing::UploadReport> report) {
    self->on_done(std::move(report));
  };
  // The server has judged it; without one the length is not known.
  const auto bytes = api::parse_number(call_.request.header("content-length"));
  keeper.multipart().put_part(id, number_, bytes, std::move(listener),
                              [self](Result<std::shared_ptr<storing::ObjectUpload>> begun) {
                                self->take(std::move(begun));
                              });
}

void PartIntake::take(Result<std::shared_ptr<storing::ObjectUpload>> begun) {
  if (!begun) return refuse(api::from_error(begun.error()));
  // The upload may have failed within, and then it has answered.
  if (is_over_) return (*begun)->give_up();
  upload_ = std::move(*begun);
  if (!call_.responder->take_body(shared_from_this())) on_lost();
}

void PartIntake::on_piece(std::string piece) {
  if (is_over_) return;
  taken_ += piece.size();
  if (taken_ > most_) {
    return refuse({.status = 413,
                   .code = "BODY_TOO_LARGE",
                   .message = "a part of this upload has " + std::to_string(most_) + " bytes",
                   .details = {}});
  }
  const auto held = upload_;  // which may end, and let go of, itself within
  held->push(std::move(piece));
}

void PartIntake::on_end() {
  if (is_over_) return;
  const auto held = upload_;
  held->end();
  if (!is_over_) held->finish();
}

void PartIntake::on_lost() {
  if (std::exchange(is_over_, true)) return;
  const auto upload = std::exchange(upload_, nullptr);
  if (upload) upload->give_up();
  log::info("storage", "a part broke off; nothing of it is kept", {{"part", number_}});
}

void PartIntake::refuse(const api::ApiError& error) {
  if (std::exchange(is_over_, true)) return;
  const auto upload = std::exchange(upload_, nullptr);
  if (upload) upload->give_up();
  api_.answer(call_, error);
}

void PartIntake::on_done(Result<storing::UploadReport> report) {
  if (!report) return refuse(api::from_error(report.error()));
  if (std::exchange(is_over_, true)) return;
  upload_.reset();
  api::JsonWriter json;
  json.begin_object().member("schema", api::kSchema).key("part").begin_object();
  const storage::PartContent& content = report->part->content;
  write_part(json, {number_, content.size, content.alone});
  json.end_object();
  write_upload(json, *report);
  json.end_object();
  api_.answer(call_, std::move(json));
}

}  // namespace hm::storage_api
