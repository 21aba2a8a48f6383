// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/sealed_box/sealed_box.h"

#include <algorithm>

#include "foundation/crypto/sealed_box/key_schedule.h"
#include "foundation/crypto/wipe.h"

namespace hm::sealed_box {
namespace {

using crypto::Wiped;
using Message = std::array<std::uint8_t, ml_kem::kWordSize>;

Result<void, Refusal> check(const Context& context) {
  if (context.object.size() > kMaxObjectIdSize) return fail(Refusal::ObjectIdTooLong);
  return {};
}

Wrap fresh_wrap(const EncapsulationKey& reader, const ContentKey& key, const Context& context,
                const Commitment& commitment, const Randomness& randomness) {
  Wiped<Message> m;
  randomness(*m);
  return wrap_for(reader, *m, key, context, commitment);
}

// Puts the content key into `out`, after it was found to be the one that the box is committed to.
Result<void, Refusal> find_content_key(const Box& box, const DecapsulationKey& own,
                                       const Context& context, ContentKey& out) {
  if (box.suite != kSuiteMlKem1024) return fail(Refusal::UnknownSuite);
  HM_TRY_VOID(check(context));
  const Hint hint = hint_of(own.encapsulation_key(), box.commitment);
  const auto wrap = std::ranges::find(box.wraps, hint, &Wrap::hint);
  if (wrap == box.wraps.end()) return fail(Refusal::NotAReader);
  if (!unwrap(*wrap, own, context, box.commitment, out)) {
    return fail(Refusal::WrongContextOrTampered);
  }
  const Commitment commitment = commit(out, context, box.content);
  if (!crypto::equal_in_constant_time(commitment, box.commitment)) {
    return fail(Refusal::NotCommitted);
  }
  return {};
}

}  // namespace

Result<Box, Refusal> seal(ByteView content, std::span<const EncapsulationKey> readers,
                          const Context& context, const Randomness& randomness) {
  HM_TRY_VOID(check(context));
  if (readers.empty()) return fail(Refusal::NoReaders);
  if (readers.size() > kMaxReaders) return fail(Refusal::TooManyReaders);
  if (content.size() > kMaxContentSize) return fail(Refusal::ContentTooLong);

  Wiped<ContentKey> key;
  randomness(*key);
  Box box;
  box.content = seal_content(*key, context, content);
  box.commitment = commit(*key, context, box.content);
  box.wraps.reserve(readers.size());
  for (const EncapsulationKey& reader : readers) {
    box.wraps.push_back(fresh_wrap(reader, *key, context, box.commitment, randomness));
  }
  std::ranges::sort(box.wraps, {}, &Wrap::hint);
  const auto twice = std::ranges::adjacent_find(box.wraps, {}, &Wrap::hint);
  if (twice != box.wraps.end()) return fail(Refusal::DuplicateReader);
  return box;
}

Result<Bytes, Refusal> open(const Box& box, const DecapsulationKey& own, const Context& context) {
  Wiped<ContentKey> key;
  HM_TRY_VOID(find_content_key(box, own, context, *key));
  auto content = open_content(*key, context, box.content);
  if (!content) return fail(Refusal::BadContent);
  return std::move(*content);
}

Result<Box, Refusal> add_reader(const Box& box, const DecapsulationKey& own,
                                const EncapsulationKey& reader, const Context& context,
                                const Randomness& randomness) {
  if (box.wraps.size() >= kMaxReaders) return fail(Refusal::TooManyReaders);
  Wiped<ContentKey> key;
  HM_TRY_VOID(find_content_key(box, own, context, *key));
  const Hint hint = hint_of(reader, box.commitment);
  const auto place = std::ranges::lower_bound(box.wraps, hint, {}, &Wrap::hint);
  if (place != box.wraps.end() && place->hint == hint) return fail(Refusal::DuplicateReader);
  Box shared = box;
  shared.wraps.insert(shared.wraps.begin() + (place - box.wraps.begin()),
                      fresh_wrap(reader, *key, context, box.commitment, randomness));
  return shared;
}

}  // namespace hm::sealed_box
