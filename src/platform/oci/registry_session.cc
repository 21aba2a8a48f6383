// SPDX-License-Identifier: Apache-2.0
#include "platform/oci/registry_session.h"

#include <fmt/format.h>

#include <algorithm>

#include "platform/oci/limits.h"

namespace hm::oci {
namespace {

using containers::AuthChallenge;
using containers::Url;

constexpr std::size_t kMaxReasonBytes = 512;

std::string base64(ByteView bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) group = (group << 8) | (j < count ? bytes[i + j] : 0U);
    for (std::size_t j = 0; j < 4; ++j) {
      text.push_back(j <= count ? kDigits[(group >> (18 - 6 * j)) & 63] : '=');
    }
  }
  return text;
}

std::string basic(const RegistryCredentials& credentials) {
  return "Basic " + base64(as_bytes(credentials.user + ":" + credentials.password));
}

bool is_redirect(unsigned status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// What a registry says for itself, fit for a log: printable ASCII of bounded length.
std::string reason_of(HttpExchange& answer) {
  const auto body = answer.read_all(kMaxErrorAnswerBytes);
  if (!body) return {};
  std::string text;
  for (const std::uint8_t byte : *body) {
    if (text.size() == kMaxReasonBytes) break;
    if (byte >= ' ' && byte < 0x7f) text.push_back(static_cast<char>(byte));
  }
  return text;
}

}  // namespace

Result<RegistrySession> RegistrySession::open(const containers::ImageReference& reference,
                                              RegistryOptions options, RegistryAccess access) {
  const auto host = reference.registry.empty()
                        ? Result<containers::RegistryHost, containers::ImageError>(
                              fail(containers::ImageError::BadReference))
                        : containers::parse_registry_host(reference.registry);
  if (!host) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("{} names no registry", containers::to_string(reference)),
                "Write it in front, such as registry.example/web:v1.");
  }
  // What everybody writes as docker.io answers at another name.
  Url base{.host = host->host == "docker.io" ? "registry-1.docker.io" : host->host, .target = "/"};
  base.is_tls = options.transport == RegistryTransport::Tls ||
                (options.transport == RegistryTransport::Automatic &&
                 !containers::is_loopback_host(base.host));
  base.port = host->port.value_or(base.is_tls ? 443 : 80);
  return RegistrySession(std::move(base), reference.repository, std::move(options), access);
}

Result<Url> RegistrySession::resolve(std::string_view location) const {
  auto url = containers::resolve_url(base_, location);
  if (url) return std::move(*url);
  return fail(ErrorCode::Corrupt,
              fmt::format("{} leads to no URL", containers::authority_of(base_)));
}

Result<std::unique_ptr<HttpExchange>> RegistrySession::request(const std::string& method,
                                                               const std::string& path,
                                                               const Headers& headers,
                                                               const BodySource& body) {
  Url url = base_;
  url.target = "/v2/" + repository_ + "/" + path;
  return request_at(method, std::move(url), headers, body);
}

Result<std::unique_ptr<HttpExchange>> RegistrySession::request_at(const std::string& method,
                                                                  Url url, const Headers& headers,
                                                                  const BodySource& body) {
  HM_TRY_VOID(check_target(base_, url));
  HttpRequest request{.method = method,
                      .url = std::move(url),
                      .headers = headers,
                      .is_cancelled = options_.is_cancelled};
  const bool is_own = containers::is_same_origin(base_, request.url);
  for (int tries = 0;; ++tries) {
    if (body) {
      HM_TRY(request.body, body());
    }
    request.headers = headers;
    if (is_own && !authorization_.empty()) {
      request.headers.emplace_back("Authorization", authorization_);
    }
    HM_TRY(auto answer, start(request));
    if (answer->status() != 401 || !is_own || tries > 0) {
      return follow(std::move(request), std::move(answer));
    }
    const std::string challenge(answer->header("WWW-Authenticate"));
    answer.reset();  // its connection has no more to say
    HM_TRY_VOID(authorize(challenge));
  }
}

Result<std::unique_ptr<HttpExchange>> RegistrySession::start(HttpRequest& request) {
  if (request.url.is_tls && authorities_ == nullptr) {
    HM_TRY(authorities_, TrustedAuthorities::read(options_.authority_file));
  }
  request.authorities = authorities_;
  return HttpExchange::start(request);
}

Result<std::unique_ptr<HttpExchange>> RegistrySession::follow(
    HttpRequest request, std::unique_ptr<HttpExchange> answer) {
  if (request.method != "GET" && request.method != "HEAD") return answer;
  for (int redirects = 0; is_redirect(answer->status()); ++redirects) {
    if (redirects == kMaxRedirects) {
      return fail(ErrorCode::Corrupt,
                  fmt::format("{} leads on too often", containers::authority_of(base_)));
    }
    auto target = containers::resolve_url(request.url, answer->header("Location"));
    if (!target) {
      return fail(ErrorCode::Corrupt,
                  fmt::format("{} leads to no URL", containers::authority_of(request.url)));
    }
    HM_TRY_VOID(check_target(request.url, *target));
    if (!containers::is_same_origin(base_, *target)) {
      std::erase_if(request.headers,
                    [](const auto& header) { return header.first == "Authorization"; });
    }
    request.url = std::move(*target);
    answer.reset();
    HM_TRY(answer, start(request));
  }
  return answer;
}

Result<void> RegistrySession::check_target(const Url& from, const Url& to) const {
  const bool is_near = containers::is_loopback_host(to.host);
  if (is_near && !containers::is_loopback_host(base_.host)) {
    return fail(ErrorCode::PermissionDenied,
                fmt::format("{} leads to this machine", containers::authority_of(from)));
  }
  if (!to.is_tls && from.is_tls) {
    return fail(ErrorCode::PermissionDenied,
                fmt::format("{} leads from TLS to plain HTTP", containers::authority_of(from)));
  }
  return {};
}

Result<void> RegistrySession::authorize(std::string_view header) {
  for (const AuthChallenge& challenge : containers::parse_auth_challenges(header)) {
    if (challenge.scheme == "bearer" && challenge.parameters.contains("realm")) {
      HM_TRY(const auto token, fetch_token(challenge));
      authorization_ = "Bearer " + token;
      return {};
    }
    if (challenge.scheme == "basic" && options_.credentials) {
      if (!base_.is_tls && !containers::is_loopback_host(base_.host)) {
        return fail(ErrorCode::PermissionDenied, fmt::format("no password goes to {} by plain HTTP",
                                                             containers::authority_of(base_)));
      }
      authorization_ = basic(*options_.credentials);
      return {};
    }
  }
  return fail(ErrorCode::Unauthenticated,
              fmt::format("{} wants to know who asks", containers::authority_of(base_)),
              options_.credentials ? "It offers no way of saying so that is known here."
                                   : "Give a user and a password.");
}

Result<std::string> RegistrySession::fetch_token(const AuthChallenge& challenge) {
  const auto& parameters = challenge.parameters;
  auto url = containers::parse_url(parameters.at("realm"));
  if (!url) {
    return fail(ErrorCode::Corrupt,
                fmt::format("{} names no token service", containers::authority_of(base_)));
  }
  HM_TRY_VOID(check_target(base_, *url));
  const auto add = [&url](std::string_view name, std::string_view value) {
    url->target += url->target.find('?') == std::string::npos ? '?' : '&';
    url->target += fmt::format("{}={}", name, containers::percent_encoded(value));
  };
  if (const auto service = parameters.find("service"); service != parameters.end()) {
    add("service", service->second);
  }
  // What is needed is asked for, whatever the challenge proposes.
  add("scope", fmt::format("repository:{}:{}", repository_,
                           access_ == RegistryAccess::Push ? "pull,push" : "pull"));
  HttpRequest request{.url = *url, .is_cancelled = options_.is_cancelled};
  if (options_.credentials) {
    if (!url->is_tls && !containers::is_loopback_host(url->host)) {
      return fail(ErrorCode::PermissionDenied, fmt::format("no password goes to {} by plain HTTP",
                                                           containers::authority_of(*url)));
    }
    request.headers.emplace_back("Authorization", basic(*options_.credentials));
  }
  HM_TRY(const auto answer, start(request));
  if (answer->status() != 200) {
    Error error = refusal(*answer, "the token service");
    if (answer->status() < 500 && answer->status() != 429) error.code = ErrorCode::Unauthenticated;
    return fail(std::move(error));
  }
  HM_TRY(const auto body, answer->read_all(kMaxTokenAnswerBytes));
  auto token = containers::parse_token_answer(body);
  if (token) return std::move(*token);
  return fail(ErrorCode::Corrupt, fmt::format("{} gives no token", containers::authority_of(*url)));
}

Error RegistrySession::refusal(HttpExchange& answer, const std::string& what) const {
  const unsigned status = answer.status();
  const ErrorCode code = status == 401   ? ErrorCode::Unauthenticated
                         : status == 403 ? ErrorCode::PermissionDenied
                         : status == 404 ? ErrorCode::NotFound
                         : status == 413 ? ErrorCode::NoCapacity
                         : status == 429 ? ErrorCode::Busy
                         : status >= 500 ? ErrorCode::Unavailable
                                         : ErrorCode::FailedPrecondition;
  return {code,
          fmt::format("{} answered {} to {} of {}", containers::authority_of(base_), status, what,
                      repository_),
          reason_of(answer)};
}

}  // namespace hm::oci
