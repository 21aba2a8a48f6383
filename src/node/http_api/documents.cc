// SPDX-License-Identifier: Apache-2.0
#include "node/http_api/documents.h"

#include "core/api/text.h"
#include "foundation/crypto/hash.h"

namespace hm::http_api {
namespace {

// 'sha256-…' of what stands between the first `open` and the `close` after it.
std::string source_of(std::string_view page, std::string_view open, std::string_view close) {
  const std::size_t begin = page.find(open);
  if (begin == std::string_view::npos) return "'none'";
  const std::string_view rest = page.substr(begin + open.size());
  const auto hash = crypto::sha256(as_bytes(rest.substr(0, rest.find(close))));
  return "'sha256-" + api::to_base64(hash.view()) + "'";
}

}  // namespace

std::string policy_of_page(std::string_view page) {
  return "default-src 'none'; script-src " + source_of(page, "<script>", "</script>") +
         "; style-src " + source_of(page, "<style>", "</style>") +
         "; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
}

}  // namespace hm::http_api
