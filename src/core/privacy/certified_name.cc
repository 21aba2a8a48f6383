// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/privacy/known_requester.h"

namespace hm::privacy {
namespace {

constexpr std::string_view kAnyName = "*";
constexpr std::size_t kMaxLabel = 63;  // RFC 1035 §2.3.4

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool is_valid_label(std::string_view label) {
  return !label.empty() && label.size() <= kMaxLabel && is_letter_or_digit(label.front()) &&
         is_letter_or_digit(label.back()) &&
         std::ranges::all_of(label, [](char c) { return is_letter_or_digit(c) || c == '-'; });
}

}  // namespace

bool is_valid_name(std::string_view name) {
  if (name.size() > kMaxCertifiedName) return false;
  for (std::size_t point = name.find('.'); point != std::string_view::npos;
       point = name.find('.')) {
    if (!is_valid_label(name.substr(0, point))) return false;
    name.remove_prefix(point + 1);
  }
  return is_valid_label(name);
}

bool is_valid_pattern(std::string_view pattern) {
  if (pattern == kAnyName) return true;
  if (pattern.size() > kMaxCertifiedName) return false;
  return is_valid_name(pattern.starts_with("*.") ? pattern.substr(2) : pattern);
}

bool fits(std::string_view pattern, std::string_view name) {
  if (!pattern.starts_with('*')) return pattern == name;
  // What is left begins with a point, and no name does: at least one whole label stands before it.
  return name.ends_with(pattern.substr(1));
}

bool means(const CertificatePattern& pattern, std::span<const CertifiedName> certificates) {
  return std::ranges::any_of(certificates, [&](const CertifiedName& certificate) {
    const bool by_issuer =
        pattern.issuer ? certificate.issuer == *pattern.issuer : certificate.by_root;
    return by_issuer && fits(pattern.name, certificate.name);
  });
}

bool means(const Grantee& to, const Requester& requester) {
  return KnownRequester(requester).is_meant_by(to);
}

KnownRequester::KnownRequester(const Requester& requester) : requester_(requester) {
  for (const GroupId& group : requester.groups) ++first_group_[group.bytes[0] + std::size_t{1}];
  for (std::size_t byte = 1; byte < first_group_.size(); ++byte) {
    first_group_[byte] += first_group_[byte - 1];
  }
  known_ = std::min(requester.certificates.size(), tails_.size());
  for (std::size_t i = 0; i < known_; ++i) tails_[i] = tail_of(requester.certificates[i].name);
}

bool KnownRequester::holds(const CertificatePattern& pattern) const {
  const auto certificates = requester_.certificates;
  std::string_view text = pattern.name;
  std::uint64_t compared = ~std::uint64_t{0};  // these bits of the tails
  if (text.starts_with('*')) {
    text.remove_prefix(1);
    if (text.empty()) compared = 0;
    if (!text.empty() && text.size() < kTail) compared <<= 8 * (kTail - text.size());
  }
  const std::uint64_t tail = tail_of(text) & compared;
  bool some = certificates.size() > known_;
  for (std::size_t i = 0; i < known_; ++i) some |= (tails_[i] & compared) == tail;
  return some && means(pattern, certificates);
}

}  // namespace hm::privacy
