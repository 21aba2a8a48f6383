// SPDX-License-Identifier: Apache-2.0
// Services in the API's JSON, as people read them.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "apps/hypermesh/terminal.h"
#include "foundation/base/time.h"

namespace hm::cli {

std::vector<std::string> service_heads();
std::vector<Terminal::Cell> service_row(const nlohmann::ordered_json& service, UnixMillis now);

// What is wanted.
std::vector<std::pair<std::string, std::string>> service_lines(
    const nlohmann::ordered_json& service, UnixMillis now);
std::vector<std::string> replica_heads();
std::vector<Terminal::Cell> replica_row(const nlohmann::ordered_json& replica, UnixMillis now);
std::vector<std::string> left_out_heads();
std::vector<Terminal::Cell> left_out_row(const nlohmann::ordered_json& entry, UnixMillis now);

}  // namespace hm::cli
