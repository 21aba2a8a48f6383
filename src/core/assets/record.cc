// SPDX-License-Identifier: Apache-2.0
#include "core/assets/record.h"

#include <algorithm>

#include "core/assets/limits.h"
#include "foundation/base/utf8.h"
#include "foundation/codec/writer.h"

namespace hm::assets {
namespace {

bool is_label_char(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; }

// Text that other members' terminals will print: UTF-8 without control characters.
bool is_printable(std::string_view text) {
  return is_utf8(text) && std::ranges::none_of(text, [](char c) {
           return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
         });
}

Result<void, TermsError> check_text(std::string_view text) {
  if (text.size() > kMaxDescriptorText) return fail(TermsError::DescriptorTooLarge);
  if (!is_printable(text)) return fail(TermsError::DescriptorInvalid);
  return {};
}

Result<void, TermsError> check(const Descriptor& descriptor) {
  if (descriptor.size() > kMaxDescriptorEntries) return fail(TermsError::DescriptorTooLarge);
  for (const auto& [key, value] : descriptor) {
    if (key.size() > kMaxDescriptorKey) return fail(TermsError::DescriptorTooLarge);
    const bool is_key = !key.empty() && std::ranges::all_of(key, [](char c) {
      return is_label_char(c) || c == '.';
    });
    if (!is_key) return fail(TermsError::DescriptorInvalid);
    if (const auto* text = std::get_if<std::string>(&value)) {
      HM_TRY_VOID(check_text(*text));
    }
    if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
      if (list->size() > kMaxDescriptorListItems) return fail(TermsError::DescriptorTooLarge);
      for (const std::string& text : *list) HM_TRY_VOID(check_text(text));
    }
  }
  if (codec::encode(descriptor).size() > kMaxDescriptorBytes) {
    return fail(TermsError::DescriptorTooLarge);
  }
  return {};
}

// What the record of a concealed asset may say: parts of a whole and, to peers, a coarse class.
Result<void, TermsError> check_concealed(const AssetTerms& terms) {
  if (!terms.commitment) return fail(TermsError::LevelNeedsCommitment);
  const auto is_class = [](const auto& entry) {
    return entry.first == "class" && std::holds_alternative<std::string>(entry.second);
  };
  const bool may_say_class = terms.level == PrivacyLevel::P2P;
  if (terms.quantity.unit != "basis_points" || terms.quantity.detected != kWholeInBasisPoints ||
      terms.descriptor.size() > (may_say_class ? 1 : 0) ||
      !std::ranges::all_of(terms.descriptor, is_class)) {
    return fail(TermsError::TooTelling);
  }
  return {};
}

}  // namespace

std::string_view name_of(TermsError error) {
  switch (error) {
    case TermsError::DescriptorTooLarge: return "descriptor too large";
    case TermsError::DescriptorInvalid: return "descriptor has an invalid key or text";
    case TermsError::BadUnit: return "bad unit";
    case TermsError::OfferedAboveDetected: return "offered above detected";
    case TermsError::AvailableAboveOffered: return "available above offered";
    case TermsError::LevelNeedsCommitment: return "privacy level and commitment do not fit";
    case TermsError::TooTelling: return "the record of a concealed asset says too much";
    case TermsError::BadPrice: return "a price for nothing";
  }
  return "unknown";
}

Result<void, TermsError> validate(const AssetTerms& terms) {
  const bool is_full = shows_full_record(terms.level);
  if (terms.level == PrivacyLevel::Private || (is_full && terms.commitment)) {
    return fail(TermsError::LevelNeedsCommitment);
  }
  if (!is_full) HM_TRY_VOID(check_concealed(terms));
  if (terms.price && terms.price->quantity == 0) return fail(TermsError::BadPrice);
  HM_TRY_VOID(check(terms.descriptor));
  const Quantity& quantity = terms.quantity;
  if (quantity.unit.empty() || quantity.unit.size() > kMaxUnit ||
      !std::ranges::all_of(quantity.unit, is_label_char)) {
    return fail(TermsError::BadUnit);
  }
  if (quantity.offered > quantity.detected) return fail(TermsError::OfferedAboveDetected);
  if (quantity.available > quantity.offered) return fail(TermsError::AvailableAboveOffered);
  return {};
}

}  // namespace hm::assets
