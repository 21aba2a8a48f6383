// SPDX-License-Identifier: Apache-2.0
// Documents that are built into the program.
#pragma once

#include <string>
#include <string_view>

namespace hm::http_api {

// docs/api/openapi.json
std::string_view open_api_document();
// overview.html: a page that reads this API and nothing else.
std::string_view overview_page();

// A Content-Security-Policy under which only the page's own style and script run, known by their
// hashes, and nothing is loaded from anywhere but this node.
std::string policy_of_page(std::string_view page);

}  // namespace hm::http_api
