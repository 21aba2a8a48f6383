// SPDX-License-Identifier: Apache-2.0
#include "node/storage_api/storage_api.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "core/api/limits.h"
#include "core/api/storage_request.h"
#include "core/api/text.h"
#include "core/ledger/ledger.h"
#include "core/storage/limits.h"
#include "core/storage/manifest_box.h"
#include "foundation/base/hex.h"
#include "foundation/base/utf8.h"
#include "node/http_api/lookup.h"
#include "node/storage_api/limits.h"
#include "node/storage_api/object_answer.h"
#include "node/storage_api/object_intake.h"
#include "node/storage_api/object_views.h"
#include "node/storage_api/reader_names.h"

namespace hm::storage_api {

using api::JsonWriter;
using http_api::Api;

void StorageApi::handle(Api& api, http_api::Endpoint endpoint, Call call) {
  using http_api::Endpoint;
  switch (endpoint) {
    case Endpoint::ListObjects: return list_objects(api, std::move(call));
    case Endpoint::PutObject: return put_object(api, std::move(call));
    case Endpoint::GetObject: return get_object(api, std::move(call));
    case Endpoint::ShowObject: return show_object(api, std::move(call));
    case Endpoint::PutObjects: return put_objects(api, std::move(call));
    case Endpoint::RemoveObjects: return remove_objects(api, std::move(call));
    case Endpoint::ShareObject: return share_object(api, std::move(call));
    case Endpoint::GetBundle: return get_bundle(api, std::move(call));
    case Endpoint::AttachObject: return attach_object(api, std::move(call));
    case Endpoint::ShowStorage: return show_storage(api, std::move(call));
    case Endpoint::CollectStorage: return collect(api, std::move(call));
    case Endpoint::DrainNode: return drain(api, std::move(call));
    case Endpoint::BeginRecovery: return recovery_.begin(api, std::move(call));
    case Endpoint::RecoverObject: return recovery_.adopt(api, std::move(call));
    case Endpoint::EndRecovery: return recovery_.end(api, std::move(call));
    default: return uploads_.handle(api, endpoint, std::move(call));
  }
}

ports::HttpResponse StorageApi::refusal(const Call& call, const api::ApiError& error) const {
  ports::HttpResponse response;
  response.status = error.status;
  response.body = api::encode(error, call.request_id, node_.ports().clock.wall());
  return response;
}

// What is asked for by name or id, with its manifest; or why it cannot be had.
void StorageApi::with_object(Api& api, Call call,
                             std::function<void(Call call, storing::OpenedObject object)> then) {
  const auto name = call.request.query_value("name");
  if (!name || name->empty()) {
    return api.answer(call, api::bad_request("name is the name or the id of an object", "name"));
  }
  std::string wanted(*name);
  const auto held = std::make_shared<Call>(std::move(call));
  keeper_.open_object(std::move(wanted), [alive = alive_, to = &api, held, then = std::move(then)](
                                             Result<storing::OpenedObject> opened) {
    if (!*alive) return;
    if (!opened) return to->answer(*held, api::from_error(opened.error()));
    then(std::move(*held), std::move(*opened));
  });
}

void StorageApi::list_objects(Api& api, Call call) {
  const ports::HttpRequest& request = call.request;
  std::uint64_t limit = api::kDefaultPage;
  if (const auto text = request.query_value("limit")) {
    const auto number = api::parse_number(*text);
    if (!number || *number == 0 || *number > api::kMaxPage) {
      return api.answer(
          call, api::bad_request("limit is a number from 1 to " + std::to_string(api::kMaxPage),
                                 "limit"));
    }
    limit = *number;
  }
  std::string after;
  if (const auto text = request.query_value("cursor")) {
    const auto row = from_hex(*text);
    if (!row) return api.answer(call, api::bad_request("this is no cursor of ours", "cursor"));
    after = as_text(*row);
  }
  std::optional<char> delimiter;
  if (const auto text = request.query_value("delimiter")) {
    if (text->size() != 1 || !is_utf8(*text)) {
      return api.answer(call, api::bad_request("delimiter is one character of ASCII", "delimiter"));
    }
    delimiter = text->front();
  }
  const std::string prefix(request.query_value("prefix").value_or(""));
  const auto held = std::make_shared<Call>(std::move(call));
  const auto list = std::make_shared<std::optional<Result<storing::ObjectList>>>();
  node_.ports().workers.submit(
      [keeper = &keeper_, list, prefix, after, delimiter, limit] {
        list->emplace(keeper->list(prefix, after, delimiter, limit));
      },
      [this, alive = alive_, to = &api, held, list] {
        if (!*alive) return;
        const Result<storing::ObjectList>& found = **list;
        if (!found) return to->answer(*held, api::from_error(found.error()));
        JsonWriter json;
        json.begin_object().member("schema", api::kSchema).key("objects").begin_array();
        for (const storing::ListedObject& object : found->objects) {
          json.begin_object();
          write_object(json, node_, object);
          json.end_object();
        }
        json.end_array().member("folders", found->folders).key("next_cursor");
        if (found->next) {
          json.value(to_hex(as_bytes(*found->next)));
        } else {
          json.null();
        }
        json.end_object();
        to->answer(*held, std::move(json));
      });
}

void StorageApi::show_object(Api& api, Call call) {
  with_object(api, std::move(call), [this, to = &api](Call asked, storing::OpenedObject opened) {
    const auto held = std::make_shared<Call>(std::move(asked));
    const storing::ManifestPtr manifest = opened.manifest;
    keeper_.health(manifest, [this, alive = alive_, to, held, opened = std::move(opened)](
                                 const Result<storing::ObjectHealth>& health) {
      if (!*alive) return;
      if (!health) return to->answer(*held, api::from_error(health.error()));
      JsonWriter json;
      json.begin_object().member("schema", api::kSchema).key("object").begin_object();
      write_object(json, node_, opened.object);
      json.key("metadata").begin_object();
      for (const auto& [key, value] : opened.manifest->description.metadata) {
        json.member(key, value);
      }
      json.end_object().end_object().key("health");
      write_health(json, node_, *health);
      json.end_object();
      to->answer(*held, std::move(json));
    });
  });
}

void StorageApi::put_object(Api& api, Call call) {
  auto wish = wish_of(call.request);
  if (!wish) return api.answer(call, wish.error());
  wish->object.name = call.request.query_value("name").value_or("");
  if (auto taken = take_headers(call.request, wish->object); !taken) {
    return api.answer(call, taken.error());
  }
  if (auto taken = take_readers(node_, call.request, wish->object); !taken) {
    return api.answer(call, taken.error());
  }
  if (auto valid = check_new_object(wish->object); !valid) return api.answer(call, valid.error());
  // The server has judged it; without one the length is not known.
  wish->plan.bytes = api::parse_number(call.request.header("content-length"));
  ObjectIntake::start(api, std::move(call), node_, keeper_, std::move(*wish),
                      ObjectIntake::Form::One);
}

void StorageApi::put_objects(Api& api, Call call) {
  auto wish = wish_of(call.request);
  if (!wish) return api.answer(call, wish.error());
  if (auto taken = take_headers(call.request, wish->object); !taken) {
    return api.answer(call, taken.error());
  }
  if (wish->object.condition.only_version) {
    return api.answer(call,
                      api::bad_request("the objects of a batch have no one version", "If-Match"));
  }
  if (auto taken = take_readers(node_, call.request, wish->object); !taken) {
    return api.answer(call, taken.error());
  }
  if (const auto text = call.request.query_value("bytes")) {
    wish->plan.bytes = api::parse_number(*text);
    if (!wish->plan.bytes) return api.answer(call, api::bad_request("bytes is a number", "bytes"));
  }
  ObjectIntake::start(api, std::move(call), node_, keeper_, std::move(*wish),
                      ObjectIntake::Form::Batch);
}

void StorageApi::get_object(Api& api, Call call) {
  with_object(api, std::move(call), [this, to = &api](Call asked, storing::OpenedObject opened) {
    get_opened(*to, std::move(asked), opened);
  });
}

void StorageApi::get_opened(Api& api, Call call, const storing::OpenedObject& opened) {
  const storing::ObjectRow& row = opened.object.row;
  const std::string etag = etag_of(row);
  const ports::HttpRequest& request = call.request;
  if (request.count("if-match") > 0 && !has_etag(request, "if-match", etag)) {
    return api.answer(call, {.status = 412,
                             .code = "PRECONDITION_FAILED",
                             .message = "the object has changed; its entity tag is " + etag,
                             .details = {}});
  }
  ports::HttpResponse head;
  head.content_type = "application/octet-stream";
  add_object_headers(head, row, opened.manifest->description);
  if (request.count("if-none-match") > 0 && has_etag(request, "if-none-match", etag)) {
    head.status = 304;
    return api.answer(call, std::move(head));
  }
  const bool is_head = request.method == ports::HttpMethod::Head;
  const bool has_range = !is_head && request.count("range") == 1 &&
                         (request.count("if-range") == 0 || request.header("if-range") == etag);
  const api::RangeAnswer range =
      api::parse_range(has_range ? request.header("range") : "", row.size);
  const std::string size = std::to_string(row.size);
  if (range.verdict == api::RangeVerdict::Unsatisfiable) {
    auto refused = refusal(call, {.status = 416,
                                  .code = "RANGE_NOT_SATISFIABLE",
                                  .message = "the object has " + size + " bytes",
                                  .details = {{"size", row.size}}});
    refused.headers.push_back({"Content-Range", "bytes */" + size});
    return api.answer(call, std::move(refused));
  }
  if (range.verdict == api::RangeVerdict::Part) {
    head.status = 206;
    head.headers.push_back({"Content-Range", "bytes " + std::to_string(range.range.begin) + "-" +
                                                 std::to_string(range.range.end - 1) + "/" + size});
  }
  if (is_head) return (void)api.start_stream(call, std::move(head), row.size);
  ObjectAnswer::start(api, std::move(call), keeper_, opened, {range.range.begin, range.range.end},
                      std::move(head));
}

void StorageApi::remove_objects(Api& api, Call call) {
  auto names = api::decode_object_names(call.request.body);
  if (!names) return api.answer(call, http_api::bad_body(names.error()));
  // All or none, and ids as well as names.
  for (std::string& name : *names) {
    auto found = keeper_.find(name);
    if (!found) return api.answer(call, api::from_error(found.error()));
    name = std::move(found->name);
  }
  std::ranges::sort(*names);
  const auto twice = std::ranges::unique(*names);
  names->erase(twice.begin(), twice.end());
  const auto held = std::make_shared<Call>(std::move(call));
  const auto removed = std::make_shared<std::vector<std::string>>(*names);
  keeper_.remove(std::move(*names),
                 [alive = alive_, to = &api, held, removed](const Result<void>& done) {
                   if (!*alive) return;
                   if (!done) return to->answer(*held, api::from_error(done.error()));
                   JsonWriter json;
                   json.begin_object().member("schema", api::kSchema);
                   json.member("removed", *removed).end_object();
                   to->answer(*held, std::move(json));
                 });
}

void StorageApi::share_object(Api& api, Call call) {
  const auto request = api::decode_share_object(call.request.body);
  if (!request) return api.answer(call, http_api::bad_body(request.error()));
  auto readers = owners_of(node_, request->readers);
  if (!readers) return api.answer(call, readers.error());
  if (const auto own = storing::own_owner(node_)) std::erase(*readers, *own);
  const auto held = std::make_shared<Call>(std::move(call));
  auto done = [this, alive = alive_, to = &api, held](const Result<storing::ListedObject>& shared) {
    if (!*alive) return;
    if (!shared) return to->answer(*held, api::from_error(shared.error()));
    JsonWriter json;
    json.begin_object().member("schema", api::kSchema).key("object").begin_object();
    write_object(json, node_, *shared);
    json.end_object().end_object();
    to->answer(*held, std::move(json));
  };
  if (request->rewrite) {
    keeper_.rewrite(request->name, std::move(*readers), std::move(done));
  } else {
    keeper_.share(request->name, std::move(*readers), std::move(done));
  }
}

void StorageApi::get_bundle(Api& api, Call call) {
  const auto root = ports::ShardRoot::parse(call.request.query_value("root").value_or(""));
  if (!root) return api.answer(call, api::bad_request("root is 64 digits of hex", "root"));
  const auto held = std::make_shared<Call>(std::move(call));
  keeper_.fetch_bundle(*root, [alive = alive_, to = &api, held](Result<Bytes> bundle) {
    if (!*alive) return;
    if (!bundle) return to->answer(*held, api::from_error(bundle.error()));
    ports::HttpResponse response;
    response.content_type = "application/octet-stream";
    response.body = std::string(as_text(*bundle));
    to->answer(*held, std::move(response));
  });
}

void StorageApi::attach_object(Api& api, Call call) {
  const auto held = std::make_shared<Call>(std::move(call));
  unfolder_.unfold(std::move(held->request.body),
                   [this, alive = alive_, to = &api,
                    held](Result<ManifestUnfolder::Unfolded, api::ApiError> unfolded) {
                     if (!*alive) return;
                     if (!unfolded) return to->answer(*held, unfolded.error());
                     std::string name(held->request.query_value("name").value_or(""));
                     attach(*to, std::move(*held), std::move(name), std::move(unfolded->manifest));
                   });
}

void StorageApi::attach(Api& api, Call call, std::string name, storage::Manifest manifest) {
  if (name.empty() || name.ends_with('/')) name += manifest.description.name;
  if (auto named = storing::check_object_name(name); !named) {
    return api.answer(call, api::from_error(named.error()));
  }
  const auto held = std::make_shared<Call>(std::move(call));
  auto done = [this, alive = alive_, to = &api, held, name](const Result<void>& attached) {
    if (!*alive) return;
    if (!attached) return to->answer(*held, api::from_error(attached.error()));
    const auto found = keeper_.find(name);
    if (!found) return to->answer(*held, api::from_error(found.error()));
    JsonWriter json;
    json.begin_object().member("schema", api::kSchema).key("object").begin_object();
    write_object(json, node_, *found);
    json.end_object().end_object();
    to->answer(*held, std::move(json), 201);
  };
  keeper_.attach(std::move(name), std::move(manifest), std::move(done));
}

// What those who keep something say that they keep.
struct StorageApi::HeldQuestion {
  Call call;
  std::map<ledger::LeaseId, Result<ports::HolderUsage>> held;
  std::size_t open = 1;
};

void StorageApi::answer_status(Api& api, Call& call, const HeldQuestion* held) {
  JsonWriter json;
  json.begin_object().member("schema", api::kSchema).key("own").begin_object();
  write_status(
      json, node_, keeper_.status(),
      held != nullptr ? held->held : std::map<ledger::LeaseId, Result<ports::HolderUsage>>());
  json.end_object().key("for_others");
  if (host_ != nullptr) {
    write_host(json, *host_);
  } else {
    json.null();
  }
  json.end_object();
  api.answer(call, std::move(json));
}

void StorageApi::show_storage(Api& api, Call call) {
  const auto flag = call.request.query_value("held");
  if (!flag) return answer_status(api, call, nullptr);
  if (*flag != "true") return api.answer(call, api::bad_request("held is true", "held"));
  const auto question = std::make_shared<HeldQuestion>();
  question->call = std::move(call);
  const auto end_one = [this, alive = alive_, to = &api, question] {
    if (--question->open > 0 || !*alive) return;
    answer_status(*to, question->call, question.get());
  };
  for (const storing::StorageLease& lease : keeper_.status().leases) {
    ++question->open;
    (void)keeper_.parts().client.usage(
        lease.node, lease.lease,
        [question, end_one, id = lease.lease](Result<ports::HolderUsage> usage) {
          question->held.emplace(id, std::move(usage));
          end_one();
        });
  }
  end_one();
}

void StorageApi::collect(Api& api, Call call) {
  keeper_.collect();
  JsonWriter json;
  json.begin_object().member("schema", api::kSchema).member("begun", true).end_object();
  api.answer(call, std::move(json), 202);
}

void StorageApi::drain(Api& api, Call call) {
  const auto text = api::decode_drain(call.request.body);
  if (!text) return api.answer(call, http_api::bad_body(text.error()));
  const auto node = *text == "self"
                        ? Result<identity::NodeId, api::ApiError>(node_.id())
                        : http_api::find_row(
                              *text, node_.ledger().tables().nodes, "node", std::identity{},
                              [](const auto& row) -> std::string_view { return row.binding.name; });
  if (!node) return api.answer(call, node.error());
  keeper_.drain(*node);
  JsonWriter json;
  json.begin_object().member("schema", api::kSchema).member("node", node->to_string());
  json.member("begun", true).end_object();
  api.answer(call, std::move(json), 202);
}

}  // namespace hm::storage_api
