// SPDX-License-Identifier: Apache-2.0
// One HTTP/1.1 request to a registry and its answer, on a connection of its own, with bodies that
// stream in both directions. Every wait is bounded; headers are bounded; an answer that ends before
// its length is Unavailable. TLS is verified.
//
// Synchronous: it blocks its thread. Names are resolved by the system, IPv4 included, for
// registries are outside the mesh.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/containers/registry_answer.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "platform/oci/packed_stream.h"

namespace hm::oci {

// Whom to believe: the system's certificates, and those of a PEM file if one is named. Reading them
// takes a tenth of a second, so one of these serves many requests. Not thread-safe.
class TrustedAuthorities {
 public:
  static Result<std::shared_ptr<TrustedAuthorities>> read(const std::string& file);
  virtual ~TrustedAuthorities() = default;
};

struct HttpBody {
  std::uint64_t bytes = 0;
  ByteSource source;
};

struct HttpRequest {
  std::string method = "GET";
  containers::Url url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<HttpBody> body;
  std::shared_ptr<TrustedAuthorities> authorities;  // required for TLS
  std::function<bool()> is_cancelled;               // asked between pieces; may be empty
};

class HttpExchange {
 public:
  // Sends the request and reads the answer's headers. Unavailable: not resolved, not connected, not
  // verified, lost or timed out. Corrupt: no HTTP.
  static Result<std::unique_ptr<HttpExchange>> start(const HttpRequest& request);
  virtual ~HttpExchange() = default;

  virtual unsigned status() const = 0;
  virtual std::string_view header(std::string_view name) const = 0;  // empty: absent
  // The next piece of the body, valid until the next call; empty at its end.
  virtual Result<ByteView> next() = 0;

  // The whole body; Corrupt if it is larger.
  Result<Bytes> read_all(std::size_t most);
};

}  // namespace hm::oci
