// SPDX-License-Identifier: Apache-2.0
#include "node/storage_api/object_intake.h"

#include <array>
#include <string_view>
#include <utility>

#include "core/api/limits.h"
#include "core/api/storage_request.h"
#include "core/api/text.h"
#include "core/storage/manifest.h"
#include "foundation/base/log.h"
#include "node/storage_api/object_views.h"

namespace hm::storage_api {
namespace {

using http_api::Api;
using http_api::Call;

// The value of a query that is one of these words; the first without one.
template <class T, std::size_t N>
Result<T, api::ApiError> word_of(const ports::HttpRequest& request, std::string_view key,
                                 const std::array<std::pair<std::string_view, T>, N>& words) {
  const auto given = request.query_value(key);
  if (!given) return words.front().second;
  std::string known;
  for (const auto& [word, value] : words) {
    if (*given == word) return value;
    known += (known.empty() ? "" : ", ") + std::string(word);
  }
  return fail(api::bad_request(std::string(key) + " is one of: " + known, std::string(key)));
}

// "7" or the entity tag of a version.
std::optional<std::uint64_t> version_of(std::string_view tag) {
  if (tag.size() < 3 || tag.front() != '"' || tag.back() != '"') return std::nullopt;
  tag = tag.substr(1, tag.size() - 2);
  return api::parse_number(tag.substr(0, tag.find('-')));
}

}  // namespace

Result<IntakeWish, api::ApiError> wish_of(const ports::HttpRequest& request) {
  IntakeWish wish;
  if (const auto text = request.query_value("code")) {
    const auto code = api::parse_code(*text);
    if (!code) return fail(api::bad_request("code is such as 4+2", "code"));
    wish.plan.code = erasure::Code{code->data, code->parity};
    if (!wish.plan.code->is_valid()) {
      return fail(api::bad_request("code has more parts than there may be", "code"));
    }
  }
  HM_TRY(wish.object.profile,
         (word_of<storage::Profile, 3>(request, "profile",
                                       {{{"standard", storage::Profile::standard()},
                                         {"backup", storage::Profile::backup()},
                                         {"whole", storage::Profile::whole()}}})));
  HM_TRY(wish.object.sharing,
         (word_of<storing::Sharing, 2>(
             request, "sharing",
             {{{"domain", storing::Sharing::InDomain}, {"alone", storing::Sharing::Alone}}})));
  HM_TRY(wish.object.compression,
         (word_of<storage::Compression, 2>(request, "compress",
                                           {{{"auto", storage::Compression::WherePays},
                                             {"never", storage::Compression::Never}}})));
  return wish;
}

Result<void, api::ApiError> take_headers(const ports::HttpRequest& request,
                                         storing::NewObject& object) {
  for (const ports::HttpHeader& header : request.headers) {
    if (header.name.size() <= kMetaPrefix.size()) continue;
    if (!ports::same_word(header.name.substr(0, kMetaPrefix.size()), kMetaPrefix)) continue;
    std::string key = header.name.substr(kMetaPrefix.size());
    for (char& c : key) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    auto value = api::from_header_text(header.value);
    if (!value || !object.metadata.emplace(key, std::move(*value)).second) {
      return fail(api::bad_request(
          "a header of metadata stands once, and is text in percent-encoding", header.name));
    }
  }
  if (const std::string_view none = request.header("if-none-match"); !none.empty()) {
    if (none != "*") return fail(api::bad_request("If-None-Match of a PUT is *", "If-None-Match"));
    object.condition.only_new = true;
  }
  if (const std::string_view tag = request.header("if-match"); !tag.empty()) {
    object.condition.only_version = version_of(tag);
    if (!object.condition.only_version) {
      return fail(
          api::bad_request("If-Match of a PUT is the version in quotes, or the ETag", "If-Match"));
    }
  }
  return {};
}

Result<void, api::ApiError> check_new_object(const storing::NewObject& object) {
  if (auto named = storing::check_object_name(object.name); !named) {
    auto error = api::from_error(named.error());
    error.details.emplace_back("field", std::string("name"));
    return fail(std::move(error));
  }
  if (const auto described = storage::check({object.name, object.metadata}); !described) {
    return fail(api::bad_request(std::string(storage::explain(described.error())), "metadata"));
  }
  return {};
}

void ObjectIntake::start(Api& api, Call call, node::Node& node, storing::ObjectKeeper& keeper,
                         IntakeWish wish, Form form) {
  std::make_shared<ObjectIntake>(api, std::move(call), node, keeper, std::move(wish), form)
      ->begin();
}

ObjectIntake::ObjectIntake(Api& api, Call call, node::Node& node, storing::ObjectKeeper& keeper,
                           IntakeWish wish, Form form)
    : api_(api),
      call_(std::move(call)),
      node_(node),
      keeper_(keeper),
      wish_(std::move(wish)),
      form_(form) {}

void ObjectIntake::begin() {
  const auto self = shared_from_this();
  storing::ObjectUpload::Listener listener;
  listener.on_taken = [self](std::size_t bytes) {
    if (!self->is_over_) self->call_.responder->taken(bytes);
  };
  listener.on_done = [self](Result<storing::UploadReport> report) {
    self->on_done(std::move(report));
  };
  auto upload = keeper_.upload(wish_.plan, std::move(listener));
  if (!upload) return refuse(api::from_error(upload.error()));
  upload_ = std::move(*upload);
  const auto held = upload_;  // which may end, and let go of, itself within
  if (form_ == Form::One) {
    const auto old = keeper_.find(wish_.object.name);
    existed_ = old.has_value() && old->name == wish_.object.name;
    held->begin(wish_.object);
  } else {
    batch_.emplace(BatchReader::Sink{
        .on_begin = [this](api::BatchEntry entry) { return begin_entry(std::move(entry)); },
        .on_bytes =
            [this](std::string bytes) {
              if (const auto open = upload_) open->push(std::move(bytes));
            },
        .on_end =
            [this] {
              if (const auto open = upload_) open->end();
            }});
  }
  // The upload may have failed within, and then it has answered.
  if (!is_over_ && !call_.responder->take_body(self)) on_lost();
}

Result<void, api::ApiError> ObjectIntake::begin_entry(api::BatchEntry entry) {
  storing::NewObject object = wish_.object;
  object.name = std::move(entry.name);
  for (auto& [key, value] : entry.metadata) object.metadata[key] = std::move(value);
  HM_TRY_VOID(check_new_object(object));
  const auto held = upload_;
  held->begin(std::move(object));
  // What an upload takes for itself fails it at once; then nothing more may be given.
  if (is_over_) return fail(api::bad_request("the upload is over"));
  return {};
}

void ObjectIntake::on_piece(std::string piece) {
  if (is_over_) return;
  const auto held = upload_;
  if (form_ == Form::One) return held->push(std::move(piece));
  const auto lines = batch_->take(std::move(piece));
  if (is_over_) return;
  if (!lines) return refuse(lines.error());
  if (*lines > 0) call_.responder->taken(*lines);
}

void ObjectIntake::on_end() {
  if (is_over_) return;
  const auto held = upload_;
  if (form_ == Form::One) {
    held->end();
  } else if (const auto whole = batch_->finish(); !whole) {
    return refuse(whole.error());
  }
  if (!is_over_) held->finish();
}

void ObjectIntake::on_lost() {
  if (std::exchange(is_over_, true)) return;
  const auto upload = std::exchange(upload_, nullptr);
  if (upload) upload->give_up();
  log::info("storage", "an upload broke off; nothing of it is stored",
            {{"name", form_ == Form::One ? wish_.object.name : "(a batch)"}});
}

void ObjectIntake::refuse(const api::ApiError& error) {
  if (std::exchange(is_over_, true)) return;
  const auto upload = std::exchange(upload_, nullptr);
  if (upload) upload->give_up();
  api_.answer(call_, error);
}

void ObjectIntake::on_done(Result<storing::UploadReport> report) {
  if (!report) return refuse(error_of(report.error(), wish_.object.condition));
  if (std::exchange(is_over_, true)) return;
  upload_.reset();
  api::JsonWriter json;
  json.begin_object().member("schema", api::kSchema);
  if (form_ == Form::One) {
    json.key("object").begin_object();
    write_object(json, node_, report->objects.front());
    json.end_object();
  } else {
    json.key("objects").begin_array();
    for (const storing::ListedObject& object : report->objects) {
      json.begin_object();
      write_object(json, node_, object);
      json.end_object();
    }
    json.end_array();
  }
  write_upload(json, *report);
  json.end_object();
  api_.answer(call_, std::move(json), existed_ ? 200 : 201);
}

}  // namespace hm::storage_api
