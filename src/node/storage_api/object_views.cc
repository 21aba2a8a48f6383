// SPDX-License-Identifier: Apache-2.0
#include "node/storage_api/object_views.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <map>

#include "core/api/limits.h"
#include "core/api/storage_request.h"
#include "core/ledger/ledger.h"
#include "foundation/base/hex.h"

namespace hm::storage_api {
namespace {

using api::JsonWriter;

void write_owner(JsonWriter& json, const node::Node& node, const identity::OwnerId& owner) {
  const ledger::OwnerRecord* record = node.ledger().owner(owner);
  json.member("owner", owner.to_string());
  json.member("owner_name", record != nullptr ? record->name : std::string());
}

// RFC 9110 §5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT", whatever the locale.
std::string http_date(UnixMillis time) {
  constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::chrono::sys_time<std::chrono::milliseconds> at{
      std::chrono::milliseconds(static_cast<std::int64_t>(time.value))};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(at - day));
  const auto two = [](auto number) {
    const std::string text = std::to_string(number);
    return text.size() < 2 ? "0" + text : text;
  };
  return std::string(kDays[std::chrono::weekday(day).c_encoding()]) + ", " +
         two(static_cast<unsigned>(date.day())) + " " +
         kMonths[static_cast<unsigned>(date.month()) - 1] + " " +
         std::to_string(static_cast<int>(date.year())) + " " + two(clock.hours().count()) + ":" +
         two(clock.minutes().count()) + ":" + two(clock.seconds().count()) + " GMT";
}

// A key that may stand in the name of a header (a token, RFC 9110 §5.6.2). Metadata of other
// owners' objects may have any.
bool is_token(std::string_view key) {
  return !key.empty() && std::ranges::all_of(key, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("-._~").contains(c);
  });
}

}  // namespace

std::string etag_of(const storing::ObjectRow& row) {
  return "\"" + std::to_string(row.what.version) + "-" + row.content.to_string() + "\"";
}

bool has_etag(const ports::HttpRequest& request, std::string_view header, std::string_view etag) {
  const auto tags = request.listed(header);
  return std::ranges::any_of(tags, [&](std::string_view tag) {
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    return tag == "*" || tag == etag;
  });
}

void write_node(JsonWriter& json, const node::Node& node, const identity::NodeId& id) {
  const ledger::NodeRecord* record = node.ledger().node(id);
  json.member("node", id.to_string());
  json.member("node_name", record != nullptr ? record->binding.name : std::string());
}

void write_object(JsonWriter& json, const node::Node& node, const storing::ListedObject& object) {
  const storing::ObjectRow& row = object.row;
  json.member("name", object.name).member("id", to_hex(row.what.object));
  json.member("version", row.what.version).member("etag", etag_of(row));
  json.member("size", row.size).member("content", row.content.to_string());
  json.member("stored_ms", row.stored.value).member("code", row.code.to_string());
  json.member("origin", row.origin == storing::Origin::Own ? "own" : "shared");
  write_owner(json, node, row.what.owner);
  json.key("readers").begin_array();
  for (const identity::OwnerId& reader : row.readers) {
    json.begin_object();
    write_owner(json, node, reader);
    json.end_object();
  }
  json.end_array();
  if (row.origin == storing::Origin::Own) json.member("share_id", row.box_root.to_string());
}

void write_health(JsonWriter& json, const node::Node& node, const storing::ObjectHealth& health) {
  json.begin_object().member("readable", health.is_readable).member("bears", health.bears);
  json.member("stripes", health.stripes).member("shards", health.shards);
  json.member("healthy", health.healthy).key("holders").begin_array();
  for (const auto& holder : health.holders) {
    json.begin_object();
    write_node(json, node, holder.node);
    write_owner(json, node, holder.owner);
    json.member("shards", holder.shards).member("bytes", holder.bytes);
    json.member("reachable", holder.is_reachable).member("stands", holder.stands).end_object();
  }
  json.end_array().end_object();
}

void write_upload(JsonWriter& json, const storing::UploadReport& report) {
  json.member("code", report.code.layout.code.to_string());
  json.member("losses", report.code.losses).member("words", report.code.words);
  json.member("plain_bytes", report.plain_bytes).member("shared_bytes", report.shared_bytes);
  json.member("stored_bytes", report.stored_bytes).member("unplaced", report.unplaced);
}

void write_multipart(JsonWriter& json, const storing::ListedMultipart& upload) {
  const storing::MultipartRow& row = upload.row;
  json.member("id", upload.id.to_string()).member("name", row.name);
  json.member("part_bytes", row.part_bytes).key("bytes");
  if (row.bytes) {
    json.value(*row.bytes);
  } else {
    json.null();
  }
  json.member("note", row.note).member("parts", std::uint64_t{row.parts});
  json.member("stored_bytes", row.stored_bytes).member("begun_ms", row.begun.value);
  json.member("ends_ms", upload.ends.value);
}

void write_part(JsonWriter& json, const storing::ListedPart& part) {
  json.member("number", std::uint64_t{part.number}).member("size", part.size);
  json.member("content", part.content.to_string());
}

void write_status(JsonWriter& json, const node::Node& node, const storing::KeeperStatus& status,
                  const std::map<ledger::LeaseId, Result<ports::HolderUsage>>& held) {
  json.member("commitment", status.commitment).member("pending", status.is_pending);
  json.member("repairs_waiting", status.repairs_waiting).member("trouble", status.trouble);
  json.key("leases").begin_array();
  for (const storing::StorageLease& lease : status.leases) {
    json.begin_object().member("lease", lease.lease.to_string());
    write_node(json, node, lease.node);
    write_owner(json, node, lease.owner);
    json.member("quantity", lease.quantity).member("used", lease.used);
    json.member("until_ms", lease.until.value).member("reachable", lease.is_reachable);
    if (const auto found = held.find(lease.lease); found != held.end()) {
      if (found->second) {
        json.member("held", found->second->counted_bytes);
        json.member("held_shards", found->second->shards);
      } else {
        json.member("held_unknown", found->second.error().message);
      }
    }
    json.end_object();
  }
  json.end_array().key("faults").begin_array();
  for (const storing::FaultRow& fault : status.faults) {
    json.begin_object().member("fault", storing::name_of(fault.fault));
    write_node(json, node, fault.place.node);
    json.member("lease", fault.place.lease.to_string()).member("shard", fault.root.to_string());
    json.member("at_ms", fault.at.value).member("words", fault.words).end_object();
  }
  const storing::KeeperCounters& counters = status.counters;
  json.end_array().key("counters").begin_object();
  json.member("objects_put", counters.objects_put).member("bytes_put", counters.bytes_put);
  json.member("objects_got", counters.objects_got).member("bytes_got", counters.bytes_got);
  json.member("commitments", counters.commitments);
  json.member("audits_passed", counters.audits_passed);
  json.member("audits_failed", counters.audits_failed);
  json.member("shards_repaired", counters.shards_repaired);
  json.member("bytes_repaired", counters.bytes_repaired);
  json.member("shards_dropped", counters.shards_dropped);
  json.member("orphans_dropped", counters.orphans_dropped).end_object();
}

void write_host(JsonWriter& json, const storing::ShardHost& host) {
  const ports::ShardStoreUsage& usage = host.usage();
  const storing::ShardHostCounters& counters = host.counters();
  json.begin_object().member("leases", usage.holders).member("shards", usage.shards);
  json.member("shard_bytes", usage.shard_bytes).member("disk_bytes", usage.disk_bytes);
  json.member("needless_bytes", usage.needless_bytes).member("damaged", usage.damaged);
  json.member("puts", counters.puts).member("put_bytes", counters.put_bytes);
  json.member("gets", counters.gets).member("got_bytes", counters.got_bytes);
  json.member("proofs", counters.proofs).member("dropped_by_lease", counters.dropped_by_lease);
  json.member("scrubbed_bytes", counters.scrubbed_bytes);
  json.member("damage_found", counters.damage_found).end_object();
}

void add_object_headers(ports::HttpResponse& response, const storing::ObjectRow& row,
                        const storage::Description& description) {
  response.headers.push_back({"ETag", etag_of(row)});
  response.headers.push_back({"Last-Modified", http_date(row.stored)});
  response.headers.push_back({"Accept-Ranges", "bytes"});
  for (const auto& [key, value] : description.metadata) {
    if (!is_token(key)) continue;
    response.headers.push_back({"X-Object-Meta-" + key, api::to_header_text(value)});
  }
}

api::ApiError error_of(const Error& error, const storing::PutCondition& condition) {
  api::ApiError answer = api::from_error(error);
  const bool has_condition = condition.only_new || condition.only_version;
  const bool is_unmet =
      error.code == ErrorCode::AlreadyExists || error.code == ErrorCode::FailedPrecondition;
  if (has_condition && is_unmet) {
    answer.status = 412;
    answer.code = "PRECONDITION_FAILED";
  }
  return answer;
}

}  // namespace hm::storage_api
