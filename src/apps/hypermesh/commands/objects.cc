// SPDX-License-Identifier: Apache-2.0
// Looking at stored objects, and sharing them: ls, stat, share, pin.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "apps/hypermesh/json_fields.h"
#include "apps/hypermesh/object_transfer.h"
#include "apps/hypermesh/object_view.h"
#include "apps/hypermesh/owner_operation.h"
#include "apps/hypermesh/shared_object.h"
#include "apps/hypermesh/wall_clock.h"
#include "core/api/limits.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

struct Listing {
  std::vector<ordered_json> objects;
  std::vector<std::string> folders;
};

Answer<Listing> list_below(ObjectAccess& access, const std::string& prefix, bool is_recursive) {
  Listing listing;
  std::string cursor;
  do {
    std::string path = fmt::format("/objects?prefix={}&limit={}", escape(prefix), api::kMaxPage);
    if (!is_recursive) path += "&delimiter=%2F";
    if (!cursor.empty()) path += "&cursor=" + cursor;
    HM_CLI_TRY(ordered_json page, access.client.get(path, access.token));
    std::ranges::move(take_list(page, "objects"), std::back_inserter(listing.objects));
    for (const ordered_json& folder : list_of(page, "folders")) {
      const auto name = folder.get<std::string>();
      if (listing.folders.empty() || listing.folders.back() != name) {
        listing.folders.push_back(name);
      }
    }
    cursor = text_of(page, "next_cursor");
  } while (!cursor.empty());
  return listing;
}

void show_lines(const Context& context, const std::vector<NamedLine>& lines) {
  for (const auto& [name, value] : lines) {
    context.terminal.data(printable(fmt::format("{:<9} {}", name, value)));
  }
}

// "3f2a…" for each owner that was named.
Answer<std::vector<std::string>> owner_ids(ObjectAccess& access,
                                           const std::vector<std::string>& typed) {
  std::vector<std::string> ids;
  for (const std::string& text : split_owners(typed)) {
    HM_CLI_TRY(const identity::OwnerId owner, find_owner(access.client, text));
    ids.push_back(owner.to_string());
  }
  return ids;
}

StoreWish same_wish(const ordered_json& object, const ordered_json& metadata) {
  StoreWish wish;
  wish.only_etag = text_of(object, "etag");
  for (const auto& [key, value] : metadata.items()) {
    if (value.is_string()) wish.metadata[key] = value.get<std::string>();
  }
  return wish;
}

Outcome tell_shared(const Context& context, const ordered_json& object) {
  if (context.globals.json) {
    context.terminal.data(ordered_json({{"schema", 1}, {"object", object}}).dump());
    return {};
  }
  std::string readers;
  for (const ordered_json& reader : list_of(object, "readers")) {
    const std::string name = text_of(reader, "owner_name");
    readers += (readers.empty() ? "" : ", ") + (name.empty() ? text_of(reader, "owner") : name);
  }
  show_lines(context, {{"name", text_of(object, "name")},
                       {"readers", readers.empty() ? "nobody beside its owner" : readers}});
  if (readers.empty()) return {};
  const std::string id = text_of(object, "share_id");
  show_lines(context, {{"share id", id}});
  context.terminal.talk(fmt::format("they read it with: hypermesh get {}", id));
  return {};
}

}  // namespace

Outcome run(const ObjectList& options, const Context& context) {
  HM_CLI_TRY(ObjectAccess access, object_access(context.globals));
  HM_CLI_TRY(Listing listing, list_below(access, options.prefix, options.recursive));
  // "ls photos" means what is in that folder, if nothing else begins so.
  const std::string inside = folder_prefix(options.prefix);
  if (listing.objects.empty() && listing.folders == std::vector<std::string>{inside} &&
      inside != options.prefix) {
    HM_CLI_TRY(listing, list_below(access, inside, options.recursive));
  }
  if (context.globals.json) {
    ordered_json answer = {{"schema", 1}};
    answer["objects"] = std::move(listing.objects);
    answer["folders"] = std::move(listing.folders);
    context.terminal.data(answer.dump());
    return {};
  }
  if (!options.details) {
    for (const std::string& folder : listing.folders) context.terminal.data(printable(folder));
    for (const ordered_json& object : listing.objects) {
      context.terminal.data(printable(text_of(object, "name")));
    }
    return {};
  }
  std::vector<std::vector<Terminal::Cell>> rows;
  for (const std::string& folder : listing.folders) rows.push_back(folder_row(folder));
  for (const ordered_json& object : listing.objects) rows.push_back(object_row(object, wall_now()));
  context.terminal.table(object_heads(), rows);
  return {};
}

Outcome run(const ObjectStat& options, const Context& context) {
  HM_CLI_TRY(ObjectAccess access, object_access(context.globals));
  HM_CLI_TRY(const ordered_json answer, find_object(access, options.name));
  if (context.globals.json) {
    context.terminal.data(answer.dump());
    return {};
  }
  show_lines(context, object_lines(answer, wall_now()));
  std::vector<std::vector<Terminal::Cell>> rows;
  for (const ordered_json& holder : list_of(member_of(answer, "health"), "holders")) {
    rows.push_back(holder_row(holder));
  }
  if (rows.empty()) return {};
  context.terminal.data("");
  context.terminal.table(holder_heads(), rows);
  return {};
}

Outcome run(const ObjectShare& options, const Context& context) {
  if (options.with.empty() && options.revoke.empty()) {
    return failed(ExitCode::Usage, "nobody is named to share with",
                  fmt::format("without a part, such as 50%, '{}' is a stored object", options.name),
                  fmt::format("hypermesh share {0} --with OWNER, --revoke OWNER, or of an asset: "
                              "hypermesh share {0} 50% --with OWNER",
                              options.name));
  }
  HM_CLI_TRY(ObjectAccess access, object_access(context.globals));
  HM_CLI_TRY(const ordered_json found, find_object(access, options.name));
  const ordered_json& object = member_of(found, "object");
  HM_CLI_TRY(const auto more, owner_ids(access, options.with));
  HM_CLI_TRY(const auto less, owner_ids(access, options.revoke));
  std::vector<std::string> readers;
  for (const ordered_json& reader : list_of(object, "readers")) {
    readers.push_back(text_of(reader, "owner"));
  }
  for (const std::string& owner : less) {
    if (std::erase(readers, owner) > 0) continue;
    return failed(ExitCode::Failure, fmt::format("{} is not shared with {}", options.name, owner),
                  "there is nothing to take back", "'hypermesh stat' names its readers");
  }
  for (const std::string& owner : more) {
    if (std::ranges::find(readers, owner) == readers.end()) readers.push_back(owner);
  }
  if (less.empty()) {
    HM_CLI_TRY(const ordered_json answer,
               access.client.post("/objects/share",
                                  {{"name", text_of(object, "name")}, {"readers", readers}},
                                  access.token));
    return tell_shared(context, member_of(answer, "object"));
  }
  // Whoever read its manifest has its secrets: it is stored anew under others.
  StoreWish wish = same_wish(object, member_of(object, "metadata"));
  wish.code = text_of(object, "code");
  wish.is_alone = true;
  wish.readers = std::move(readers);
  HM_CLI_TRY(const ordered_json report, copy_object(access, object, text_of(object, "name"), wish));
  return tell_shared(context, member_of(report, "object"));
}

Outcome run(const ObjectPin& options, const Context& context) {
  HM_CLI_TRY(ObjectAccess access, object_access(context.globals));
  HM_CLI_TRY(ordered_json found, look_for_object(access, options.name));
  if (found.is_null() && is_share_id(options.name)) {
    HM_CLI_TRY(const auto objects,
               attach_shared(context.globals, access, options.name, options.as));
    if (objects.size() > 1) {
      return failed(ExitCode::Usage, fmt::format("{} objects have this id", objects.size()),
                    "one is pinned at a time", "'hypermesh ls' shows them by name now");
    }
    HM_CLI_TRY(found, find_object(access, text_of(objects.front(), "name")));
  }
  if (found.is_null()) HM_CLI_TRY_VOID(find_object(access, options.name));  // says so
  const ordered_json& object = member_of(found, "object");
  const std::string name = text_of(object, "name");
  const std::string to = options.as.empty() ? name : options.as;
  if (text_of(object, "origin") == "own") {
    return failed(ExitCode::Failure, fmt::format("{} is your own already", name),
                  "this node keeps it whatever others do", "'hypermesh stat' says how it stands");
  }
  StoreWish wish = same_wish(object, member_of(object, "metadata"));
  if (to != name) {
    wish.only_etag.reset();
    wish.only_new = true;
  }
  const auto began = std::chrono::steady_clock::now();
  HM_CLI_TRY(const ordered_json report, copy_object(access, object, to, wish));
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - began);
  if (text_of(member_of(report, "object"), "content") != text_of(object, "content")) {
    return failed(ExitCode::Failure, fmt::format("the copy of {} has another content", name),
                  "the node read other bytes than were sent to it", "remove it, and pin again");
  }
  if (context.globals.json) {
    context.terminal.data(report.dump());
  } else {
    show_lines(context, stored_lines(report, took));
  }
  return {};
}

}  // namespace hm::cli
