// SPDX-License-Identifier: Apache-2.0
// Stored objects and what keeps them in the API's JSON, as people read them.
#pragma once

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "apps/hypermesh/terminal.h"
#include "foundation/base/time.h"

namespace hm::cli {

using NamedLine = std::pair<std::string, std::string>;

std::vector<std::string> object_heads();
std::vector<Terminal::Cell> object_row(const nlohmann::ordered_json& object, UnixMillis now);
std::vector<Terminal::Cell> folder_row(const std::string& folder);

// Of `stat`: the object, and how it stands.
std::vector<NamedLine> object_lines(const nlohmann::ordered_json& answer, UnixMillis now);
std::vector<std::string> holder_heads();
std::vector<Terminal::Cell> holder_row(const nlohmann::ordered_json& holder);

// Of what was stored just now.
std::vector<NamedLine> stored_lines(const nlohmann::ordered_json& report,
                                    std::chrono::milliseconds elapsed);
// "1.2 GiB in 3 s, 400 MiB/s"
std::string rate_words(std::uint64_t bytes, std::chrono::milliseconds elapsed);

std::vector<NamedLine> storage_lines(const nlohmann::ordered_json& status);
std::vector<std::string> storage_lease_heads();
std::vector<Terminal::Cell> storage_lease_row(const nlohmann::ordered_json& lease, UnixMillis now);
std::vector<std::string> fault_heads();
std::vector<Terminal::Cell> fault_row(const nlohmann::ordered_json& fault, UnixMillis now);
std::vector<std::string> upload_heads();
std::vector<Terminal::Cell> upload_row(const nlohmann::ordered_json& upload, UnixMillis now);

}  // namespace hm::cli
