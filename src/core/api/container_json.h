// SPDX-License-Identifier: Apache-2.0
// What is to run, in the words that container_request.h reads: whoever sends a spec through here
// and the node that reads it have the same one, and the same hash of it.
#pragma once

#include "core/api/json_writer.h"
#include "core/containers/run_spec.h"

namespace hm::api {

// Members of an object that is open.
void write_process_members(JsonWriter& json, const containers::ProcessSpec& process);
void write_spec_members(JsonWriter& json, const containers::RunSpec& spec);

}  // namespace hm::api
