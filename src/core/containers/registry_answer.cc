// SPDX-License-Identifier: Apache-2.0
#include "core/containers/registry_answer.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/containers/image_json.h"
#include "core/containers/image_reference.h"
#include "core/containers/limits.h"

namespace hm::containers {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
std::string lowered(std::string_view text) {
  std::string low(text);
  std::ranges::transform(low, low.begin(), lower);
  return low;
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return lower(c) >= 'a' && lower(c) <= 'z'; }
bool is_printable(char c) { return c > ' ' && c < '\x7f'; }

// RFC 9110 §5.6.2.
bool is_token_char(char c) {
  return is_letter(c) || is_digit(c) ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

// Reads the pieces of a header field.
class FieldReader {
 public:
  explicit FieldReader(std::string_view text) : text_(text) {}

  bool at_end() const { return text_.empty(); }
  bool take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  void skip_spaces() {
    while (take(' ') || take('\t')) {
    }
  }
  std::string_view token() {
    std::size_t length = 0;
    while (length < text_.size() && is_token_char(text_[length])) ++length;
    const std::string_view found = text_.substr(0, length);
    text_.remove_prefix(length);
    return found;
  }
  std::optional<std::string> quoted() {
    if (!take('"')) return std::nullopt;
    std::string value;
    while (!text_.empty()) {
      char c = text_.front();
      text_.remove_prefix(1);
      if (c == '"') return value;
      if (c == '\\') {
        if (text_.empty()) return std::nullopt;
        c = text_.front();
        text_.remove_prefix(1);
      }
      value.push_back(c);
    }
    return std::nullopt;
  }
  // `name=value`; takes nothing if that is not what comes.
  std::optional<std::pair<std::string, std::string>> parameter() {
    const std::string_view before = text_;
    const std::string name = lowered(token());
    skip_spaces();
    if (!name.empty() && take('=')) {
      skip_spaces();
      if (auto value = quoted()) return std::pair(name, std::move(*value));
      if (const auto value = token(); !value.empty()) return std::pair(name, std::string(value));
    }
    text_ = before;
    return std::nullopt;
  }

 private:
  std::string_view text_;
};

std::string host_text(const Url& url) {
  return url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
}

}  // namespace

std::vector<AuthChallenge> parse_auth_challenges(std::string_view header) {
  std::vector<AuthChallenge> challenges;
  FieldReader reader(header.substr(0, kMaxChallengeBytes));
  while (challenges.size() < kMaxChallenges) {
    while (reader.take(',') || reader.take(' ') || reader.take('\t')) {
    }
    AuthChallenge challenge{.scheme = lowered(reader.token()), .parameters = {}};
    if (challenge.scheme.empty()) break;
    reader.skip_spaces();
    while (auto parameter = reader.parameter()) {
      challenge.parameters.insert(std::move(*parameter));
      reader.skip_spaces();
      if (!reader.take(',')) break;
      reader.skip_spaces();
    }
    challenges.push_back(std::move(challenge));
  }
  return challenges;
}

Result<std::string, ImageError> parse_token_answer(ByteView bytes) {
  HM_TRY(const auto json, parse_json(bytes));
  HM_TRY(const auto members, Members::of(json));
  HM_TRY(auto token, members.text("token", kMaxTokenBytes));
  if (token.empty()) {
    HM_TRY(token, members.required_text("access_token", kMaxTokenBytes));
  }
  if (!std::ranges::all_of(token, is_printable)) return fail(ImageError::WrongType);
  return token;
}

Result<Url, ImageError> parse_url(std::string_view text) {
  if (text.size() > kMaxUrlBytes || !std::ranges::all_of(text, is_printable)) {
    return fail(ImageError::BadReference);
  }
  Url url;
  constexpr std::string_view kSecure = "https://";
  constexpr std::string_view kPlain = "http://";
  if (lowered(text.substr(0, kSecure.size())) == kSecure) {
    text.remove_prefix(kSecure.size());
  } else if (lowered(text.substr(0, kPlain.size())) == kPlain) {
    text.remove_prefix(kPlain.size());
    url.is_tls = false;
  } else {
    return fail(ImageError::BadReference);
  }
  const std::size_t end = std::min(text.find_first_of("/?#"), text.size());
  HM_TRY(auto host, parse_registry_host(text.substr(0, end)));
  url.host = std::move(host.host);
  url.port = host.port.value_or(url.is_tls ? 443 : 80);
  text.remove_prefix(end);
  if (text.find('#') != std::string_view::npos) return fail(ImageError::BadReference);
  if (!text.starts_with('/')) url.target = "/";
  url.target += text;
  return url;
}

Result<Url, ImageError> resolve_url(const Url& base, std::string_view location) {
  if (location.starts_with("//")) {
    return parse_url((base.is_tls ? "https:" : "http:") + std::string(location));
  }
  if (!location.starts_with('/')) return parse_url(location);
  return parse_url((base.is_tls ? "https://" : "http://") + authority_of(base) +
                   std::string(location));
}

std::string authority_of(const Url& url) {
  const bool is_usual = url.port == (url.is_tls ? 443 : 80);
  return is_usual ? host_text(url) : host_text(url) + ":" + std::to_string(url.port);
}

bool is_same_origin(const Url& one, const Url& other) {
  return one.is_tls == other.is_tls && one.host == other.host && one.port == other.port;
}

bool is_loopback_host(std::string_view host) {
  if (host == "localhost" || host == "::1") return true;
  // Digits and dots only: "127.evil.example" is a name that somebody else resolves.
  return host.starts_with("127.") && std::ranges::count(host, '.') == 3 &&
         std::ranges::all_of(host, [](char c) { return is_digit(c) || c == '.'; });
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    if (is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      encoded.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded.append({'%', kHex[byte >> 4], kHex[byte & 15]});
  }
  return encoded;
}

}  // namespace hm::containers
