// SPDX-License-Identifier: Apache-2.0
// Owners as a request names them, who may read an object beside its own.
#pragma once

#include <string>
#include <vector>

#include "core/api/error.h"
#include "node/node.h"
#include "node/storing/object_upload.h"
#include "ports/http.h"

namespace hm::storage_api {

// Each an id, a unique prefix or a name; none twice.
Result<std::vector<identity::OwnerId>, api::ApiError> owners_of(
    const node::Node& node, const std::vector<std::string>& texts);

// "readers" of the query.
Result<void, api::ApiError> take_readers(const node::Node& node, const ports::HttpRequest& request,
                                         storing::NewObject& object);

}  // namespace hm::storage_api
