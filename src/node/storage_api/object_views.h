// SPDX-License-Identifier: Apache-2.0
// How the API shows stored objects, how they stand, and what goes on.
#pragma once

#include <string>

#include "core/api/error.h"
#include "core/api/json_writer.h"
#include "node/node.h"
#include "node/storing/object_keeper.h"
#include "node/storing/shard_host.h"
#include "ports/http.h"

namespace hm::storage_api {

// "<version>-<content>" in quotes: what an object is, exactly (RFC 9110 §8.8.3).
std::string etag_of(const storing::ObjectRow& row);
// Whether a list of entity tags, or "*", has this one (RFC 9110 §13.1.1).
bool has_etag(const ports::HttpRequest& request, std::string_view header, std::string_view etag);

// The members of an object that is open.
void write_node(api::JsonWriter& json, const node::Node& node, const identity::NodeId& id);
void write_object(api::JsonWriter& json, const node::Node& node,
                  const storing::ListedObject& object);
void write_health(api::JsonWriter& json, const node::Node& node,
                  const storing::ObjectHealth& health);
void write_upload(api::JsonWriter& json, const storing::UploadReport& report);
// The members of an object in parts, and of one of these.
void write_multipart(api::JsonWriter& json, const storing::ListedMultipart& upload);
void write_part(api::JsonWriter& json, const storing::ListedPart& part);
// `held` has what the other sides say that they keep under the leases that they were asked about.
void write_status(api::JsonWriter& json, const node::Node& node,
                  const storing::KeeperStatus& status,
                  const std::map<ledger::LeaseId, Result<ports::HolderUsage>>& held);
void write_host(api::JsonWriter& json, const storing::ShardHost& host);

// ETag, Last-Modified, X-Object-Meta-….
void add_object_headers(ports::HttpResponse& response, const storing::ObjectRow& row,
                        const storage::Description& description);

inline constexpr std::string_view kMetaPrefix = "x-object-meta-";

// A failure of an upload with a condition, which is 412 then.
api::ApiError error_of(const Error& error, const storing::PutCondition& condition);

}  // namespace hm::storage_api
