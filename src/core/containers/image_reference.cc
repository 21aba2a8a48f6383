// SPDX-License-Identifier: Apache-2.0
#include "core/containers/image_reference.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/containers/image_digest.h"
#include "core/containers/limits.h"

namespace hm::containers {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || is_digit(c); }
bool is_letter_or_digit(char c) { return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z'); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// [a-z0-9]+ joined by '.', '_', "__" or '-'*.
bool is_component(std::string_view text) {
  std::size_t at = 0;
  const auto word = [&] {
    const std::size_t begin = at;
    while (at < text.size() && is_lower_or_digit(text[at])) ++at;
    return at > begin;
  };
  if (!word()) return false;
  while (at < text.size()) {
    const std::size_t begin = at;
    while (at < text.size() && text[at] == text[begin]) ++at;
    const std::size_t length = at - begin;
    const char c = text[begin];
    if (c != '-' && !(c == '.' && length == 1) && !(c == '_' && length <= 2)) return false;
    if (!word()) return false;
  }
  return true;
}

bool is_repository(std::string_view text) {
  if (text.size() > kMaxRepositoryBytes) return false;
  while (true) {
    const std::size_t end = std::min(text.find('/'), text.size());
    if (!is_component(text.substr(0, end))) return false;
    if (end == text.size()) return true;
    text.remove_prefix(end + 1);
  }
}

bool is_tag(std::string_view text) {
  return !text.empty() && text.size() <= kMaxTagBytes &&
         (is_letter_or_digit(text.front()) || text.front() == '_') &&
         std::ranges::all_of(text, [](char c) {
           return is_letter_or_digit(c) || c == '_' || c == '.' || c == '-';
         });
}

// Labels of letters, digits and inner '-' (RFC 1123), which IPv4 addresses are too.
bool is_host_name(std::string_view text) {
  while (true) {
    const std::size_t end = std::min(text.find('.'), text.size());
    const std::string_view label = text.substr(0, end);
    if (label.empty() || label.size() > kMaxNameBytes || label.front() == '-' ||
        label.back() == '-' ||
        !std::ranges::all_of(label, [](char c) { return is_letter_or_digit(c) || c == '-'; })) {
      return false;
    }
    if (end == text.size()) return true;
    text.remove_prefix(end + 1);
  }
}

bool is_ipv6_text(std::string_view text) {
  return text.size() >= 2 && text.find(':') != std::string_view::npos &&
         std::ranges::all_of(text, [](char c) {
           const char low = lower(c);
           return is_digit(c) || (low >= 'a' && low <= 'f') || c == ':' || c == '.';
         });
}

bool looks_like_registry(std::string_view first) {
  return first == "localhost" || first.find_first_of(".:") != std::string_view::npos;
}

}  // namespace

Result<RegistryHost, ImageError> parse_registry_host(std::string_view text) {
  if (text.empty() || text.size() > kMaxRegistryBytes) return fail(ImageError::BadReference);
  RegistryHost registry;
  std::string_view port;
  if (text.front() == '[') {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return fail(ImageError::BadReference);
    registry.host = text.substr(1, end - 1);
    if (!is_ipv6_text(registry.host)) return fail(ImageError::BadReference);
    port = text.substr(end + 1);
  } else {
    const std::size_t end = std::min(text.find(':'), text.size());
    registry.host = text.substr(0, end);
    if (!is_host_name(registry.host)) return fail(ImageError::BadReference);
    port = text.substr(end);
  }
  std::ranges::transform(registry.host, registry.host.begin(), lower);
  if (port.empty()) return registry;
  std::uint16_t number = 0;
  const char* const last = port.data() + port.size();
  const auto [stop, status] = std::from_chars(port.data() + 1, last, number);
  // One spelling of a port: no zero in front.
  if (port.front() != ':' || port.size() < 2 || port[1] == '0' || status != std::errc() ||
      stop != last) {
    return fail(ImageError::BadReference);
  }
  registry.port = number;
  return registry;
}

Result<ImageReference, ImageError> parse_image_reference(std::string_view text) {
  ImageReference reference;
  if (const std::size_t at = text.find('@'); at != std::string_view::npos) {
    reference.digest = parse_image_digest(text.substr(at + 1));
    if (!reference.digest) return fail(ImageError::BadDigest);
    text = text.substr(0, at);
  }
  const std::size_t slash = text.find('/');
  if (slash != std::string_view::npos && looks_like_registry(text.substr(0, slash))) {
    reference.registry = text.substr(0, slash);
    std::ranges::transform(reference.registry, reference.registry.begin(), lower);
    HM_TRY_VOID(parse_registry_host(reference.registry));
    text = text.substr(slash + 1);
  }
  if (const std::size_t colon = text.rfind(':'); colon != std::string_view::npos) {
    reference.tag = text.substr(colon + 1);
    if (!is_tag(reference.tag)) return fail(ImageError::BadReference);
    text = text.substr(0, colon);
  } else if (!reference.digest) {
    reference.tag = "latest";
  }
  if (!is_repository(text)) return fail(ImageError::BadReference);
  reference.repository = text;
  return reference;
}

std::string to_string(const ImageReference& reference) {
  std::string text;
  if (!reference.registry.empty()) text = reference.registry + "/";
  text += reference.repository;
  if (!reference.tag.empty()) text += ":" + reference.tag;
  if (reference.digest) text += "@" + image_digest_text(*reference.digest);
  return text;
}

}  // namespace hm::containers
