// SPDX-License-Identifier: Apache-2.0
#include "node/storage_api/upload_api.h"

#include <optional>
#include <utility>

#include "core/api/limits.h"
#include "core/api/storage_request.h"
#include "core/api/text.h"
#include "node/storage_api/object_intake.h"
#include "node/storage_api/object_views.h"
#include "node/storage_api/part_intake.h"
#include "node/storage_api/reader_names.h"
#include "node/storing/keeper_limits.h"

namespace hm::storage_api {
namespace {

using api::JsonWriter;
using http_api::Api;
using storing::MultipartId;

Result<MultipartId, api::ApiError> upload_of(const http_api::Call& call) {
  const auto id = MultipartId::parse(call.parameter);
  if (!id) return fail(api::not_found("an upload has an id of 64 digits of hex"));
  return *id;
}

// A number of the query, where one is given.
Result<std::uint64_t, api::ApiError> number_of(const ports::HttpRequest& request, const char* key,
                                               std::uint64_t otherwise, std::uint64_t least,
                                               std::uint64_t most) {
  const auto text = request.query_value(key);
  if (!text) return otherwise;
  const auto number = api::parse_number(*text);
  if (!number || *number < least || *number > most) {
    return fail(api::bad_request(std::string(key) + " is a number from " + std::to_string(least) +
                                     " to " + std::to_string(most),
                                 key));
  }
  return *number;
}

void write_one(JsonWriter& json, const storing::ListedMultipart& upload) {
  json.begin_object().member("schema", api::kSchema).key("upload").begin_object();
  write_multipart(json, upload);
  json.end_object();
}

}  // namespace

void UploadApi::handle(Api& api, http_api::Endpoint endpoint, Call call) {
  using http_api::Endpoint;
  switch (endpoint) {
    case Endpoint::ListUploads: return list(api, std::move(call));
    case Endpoint::BeginUpload: return begin(api, std::move(call));
    case Endpoint::ShowUpload: return show(api, std::move(call));
    case Endpoint::PutPart: return put_part(api, std::move(call));
    case Endpoint::CompleteUpload: return complete(api, std::move(call));
    case Endpoint::AbortUpload: return abort(api, std::move(call));
    default: return api.answer(call, api::not_found("there is no such endpoint"));
  }
}

void UploadApi::list(Api& api, Call call) {
  const auto all = keeper_.multipart().list();
  if (!all) return api.answer(call, api::from_error(all.error()));
  const auto name = call.request.query_value("name");
  JsonWriter json;
  json.begin_object().member("schema", api::kSchema).key("uploads").begin_array();
  for (const storing::ListedMultipart& upload : *all) {
    if (name && upload.row.name != *name) continue;
    json.begin_object();
    write_multipart(json, upload);
    json.end_object();
  }
  json.end_array().end_object();
  api.answer(call, std::move(json));
}

void UploadApi::begin(Api& api, Call call) {
  auto wish = wish_of(call.request);
  if (!wish) return api.answer(call, wish.error());
  storing::NewObject& object = wish->object;
  object.name = call.request.query_value("name").value_or("");
  if (auto taken = take_headers(call.request, object); !taken) {
    return api.answer(call, taken.error());
  }
  if (auto taken = take_readers(node_, call.request, object); !taken) {
    return api.answer(call, taken.error());
  }
  if (auto valid = check_new_object(object); !valid) return api.answer(call, valid.error());
  auto request = api::decode_begin_upload(call.request.body);
  if (!request) return api.answer(call, http_api::bad_body(request.error()));
  const auto held = std::make_shared<Call>(std::move(call));
  const storing::PutCondition condition = object.condition;
  keeper_.multipart().begin(
      {.object = std::move(object),
       .code = wish->plan.code,
       .bytes = request->bytes,
       .part_bytes = request->part_bytes,
       .note = std::move(request->note)},
      [alive = alive_, to = &api, held, condition](const Result<storing::ListedMultipart>& begun) {
        if (!*alive) return;
        if (!begun) return to->answer(*held, error_of(begun.error(), condition));
        JsonWriter json;
        write_one(json, *begun);
        json.end_object();
        to->answer(*held, std::move(json), 201);
      });
}

void UploadApi::show(Api& api, Call call) {
  const auto id = upload_of(call);
  if (!id) return api.answer(call, id.error());
  const auto limit = number_of(call.request, "limit", api::kDefaultPage, 1, api::kMaxPage);
  if (!limit) return api.answer(call, limit.error());
  const auto after = number_of(call.request, "after", 0, 0, UINT32_MAX - 1);
  if (!after) return api.answer(call, after.error());
  struct Found {
    Result<storing::ListedMultipart> upload;
    Result<std::vector<storing::ListedPart>> parts;
  };
  const auto found = std::make_shared<std::optional<Found>>();
  const auto held = std::make_shared<Call>(std::move(call));
  node_.ports().workers.submit(
      [uploads = &keeper_.multipart(), found, id = *id, limit = *limit, after = *after] {
        // One more says whether there are more.
        found->emplace(
            Found{uploads->find(id), uploads->parts(id, static_cast<storing::PartNumber>(after),
                                                    static_cast<std::size_t>(limit) + 1)});
      },
      [alive = alive_, to = &api, held, found, limit = *limit] {
        if (!*alive) return;
        auto& [upload, parts] = **found;
        if (!upload) return to->answer(*held, api::from_error(upload.error()));
        if (!parts) return to->answer(*held, api::from_error(parts.error()));
        const bool has_more = parts->size() > limit;
        if (has_more) parts->pop_back();
        JsonWriter json;
        write_one(json, *upload);
        json.key("parts").begin_array();
        for (const storing::ListedPart& part : *parts) {
          json.begin_object();
          write_part(json, part);
          json.end_object();
        }
        json.end_array().key("next_after");
        if (has_more) {
          json.value(std::uint64_t{parts->back().number});
        } else {
          json.null();
        }
        json.end_object();
        to->answer(*held, std::move(json));
      });
}

void UploadApi::put_part(Api& api, Call call) {
  const auto id = upload_of(call);
  if (!id) return api.answer(call, id.error());
  const auto number = number_of(call.request, "number", 0, 1, storing::kMaxParts);
  if (!number) return api.answer(call, number.error());
  PartIntake::start(api, std::move(call), keeper_, *id, static_cast<storing::PartNumber>(*number));
}

void UploadApi::complete(Api& api, Call call) {
  const auto id = upload_of(call);
  if (!id) return api.answer(call, id.error());
  const auto request = api::decode_complete_upload(call.request.body);
  if (!request) return api.answer(call, http_api::bad_body(request.error()));
  storing::NewObject conditions;
  if (auto taken = take_headers(call.request, conditions); !taken) {
    return api.answer(call, taken.error());
  }
  storing::MultipartUploads::Completion how{
      .condition = std::nullopt, .bytes = request->bytes, .content = request->content};
  if (conditions.condition != storing::PutCondition{}) how.condition = conditions.condition;
  const auto upload = keeper_.multipart().find(*id);
  const auto old = keeper_.find(upload ? upload->row.name : std::string());
  const bool existed = upload && old && old->name == upload->row.name;
  const auto condition =
      how.condition ? *how.condition : (upload ? upload->row.condition : storing::PutCondition{});
  const auto held = std::make_shared<Call>(std::move(call));
  keeper_.multipart().complete(
      *id, how,
      [this, alive = alive_, to = &api, held, existed,
       condition](const Result<storing::UploadReport>& report) {
        if (!*alive) return;
        if (!report) {
          // What the parts lack is no condition of the request's.
          const bool is_met = report.error().code == ErrorCode::FailedPrecondition &&
                              report.error().message.starts_with(storing::kNoObjectYet);
          return to->answer(*held, is_met ? api::from_error(report.error())
                                          : error_of(report.error(), condition));
        }
        JsonWriter json;
        json.begin_object().member("schema", api::kSchema).key("object").begin_object();
        write_object(json, node_, report->objects.front());
        json.end_object();
        write_upload(json, *report);
        json.end_object();
        to->answer(*held, std::move(json), existed ? 200 : 201);
      });
}

void UploadApi::abort(Api& api, Call call) {
  const auto id = upload_of(call);
  if (!id) return api.answer(call, id.error());
  const auto held = std::make_shared<Call>(std::move(call));
  keeper_.multipart().abort(
      *id, [alive = alive_, to = &api, held, id = *id](const Result<void>& ended) {
        if (!*alive) return;
        if (!ended) return to->answer(*held, api::from_error(ended.error()));
        JsonWriter json;
        json.begin_object().member("schema", api::kSchema).member("ended", id.to_string());
        json.end_object();
        to->answer(*held, std::move(json));
      });
}

}  // namespace hm::storage_api
