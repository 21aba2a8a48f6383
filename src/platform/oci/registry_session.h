// SPDX-License-Identifier: Apache-2.0
// Requests to one repository of a registry: the bearer challenge (the token protocol of
// distribution-spec 1.1) and Basic credentials, redirects of reads, and what statuses mean.
//
// Credentials go to the registry, and to the token service that it names, over TLS or loopback
// only; never to where a redirect leads. Plain HTTP is used where the options say so; what comes
// over TLS does not lead to plain HTTP, and what comes from elsewhere not to this machine.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/containers/image_reference.h"
#include "core/containers/registry_answer.h"
#include "foundation/base/result.h"
#include "platform/oci/http_exchange.h"
#include "platform/oci/registry_client.h"

namespace hm::oci {

enum class RegistryAccess : std::uint8_t { Pull, Push };

class RegistrySession {
 public:
  // InvalidArgument if the reference names no registry.
  static Result<RegistrySession> open(const containers::ImageReference& reference,
                                      RegistryOptions options, RegistryAccess access);

  using Headers = std::vector<std::pair<std::string, std::string>>;
  // Makes the body of each try; absent: none.
  using BodySource = std::function<Result<HttpBody>()>;

  // The answer to a request below /v2/<repository>/, whatever its status but 401, which is answered
  // by authorizing and asking again, and redirects of GET and HEAD, which are followed.
  Result<std::unique_ptr<HttpExchange>> request(const std::string& method, const std::string& path,
                                                const Headers& headers = {},
                                                const BodySource& body = {});
  // The same at a URL that the registry gave, as a place to upload to.
  Result<std::unique_ptr<HttpExchange>> request_at(const std::string& method, containers::Url url,
                                                   const Headers& headers, const BodySource& body);
  Result<containers::Url> resolve(std::string_view location) const;
  // Why an answer is none that was hoped for: NotFound, PermissionDenied, Busy, …
  Error refusal(HttpExchange& answer, const std::string& what) const;

 private:
  RegistrySession(containers::Url base, std::string repository, RegistryOptions options,
                  RegistryAccess access)
      : base_(std::move(base)),
        repository_(std::move(repository)),
        options_(std::move(options)),
        access_(access) {}
  Result<std::unique_ptr<HttpExchange>> start(HttpRequest& request);
  Result<std::unique_ptr<HttpExchange>> follow(HttpRequest request,
                                               std::unique_ptr<HttpExchange> answer);
  Result<void> check_target(const containers::Url& from, const containers::Url& to) const;
  Result<void> authorize(std::string_view challenge);
  Result<std::string> fetch_token(const containers::AuthChallenge& challenge);

  containers::Url base_;
  std::string repository_;
  RegistryOptions options_;
  RegistryAccess access_;
  std::shared_ptr<TrustedAuthorities> authorities_;  // read when TLS is first needed
  std::string authorization_;  // the header's value; empty: none needed so far
};

}  // namespace hm::oci
