// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/sealed_box/box.h"

#include <algorithm>

#include "foundation/base/check.h"
#include "foundation/codec/reader.h"
#include "foundation/codec/writer.h"

namespace hm::sealed_box {
namespace {

// What can be said before wraps and content are copied.
Result<void, Refusal> check_head(ByteView bytes) {
  codec::Reader head(bytes);
  std::uint16_t suite = 0;
  if (!head.read(suite)) return fail(Refusal::Malformed);
  if (suite != kSuiteMlKem1024) return fail(Refusal::UnknownSuite);
  Commitment commitment{};
  std::size_t readers = 0;
  if (!head.read(commitment) || !head.read_length(readers)) return fail(Refusal::Malformed);
  if (readers == 0) return fail(Refusal::NoReaders);
  if (readers > kMaxReaders) return fail(Refusal::TooManyReaders);
  if (bytes.size() > kMaxBoxSize) return fail(Refusal::ContentTooLong);
  return {};
}

}  // namespace

std::string_view name_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::UnknownSuite: return "unknown_suite";
    case Refusal::Malformed: return "malformed";
    case Refusal::NoReaders: return "no_readers";
    case Refusal::TooManyReaders: return "too_many_readers";
    case Refusal::UnsortedReaders: return "unsorted_readers";
    case Refusal::DuplicateReader: return "duplicate_reader";
    case Refusal::ContentTooLong: return "content_too_long";
    case Refusal::ObjectIdTooLong: return "object_id_too_long";
    case Refusal::NotAReader: return "not_a_reader";
    case Refusal::WrongContextOrTampered: return "wrong_context_or_tampered";
    case Refusal::NotCommitted: return "not_committed";
    case Refusal::BadContent: return "bad_content";
  }
  HM_CHECK(false);
}

Result<Box, Refusal> decode(ByteView bytes) {
  HM_TRY_VOID(check_head(bytes));
  auto box = codec::decode<Box>(bytes);
  if (!box || box->content.size() < crypto::kAeadTagSize) return fail(Refusal::Malformed);
  if (box->content.size() > kMaxContentSize + crypto::kAeadTagSize) {
    return fail(Refusal::ContentTooLong);
  }
  const auto is_unsorted = [](const Wrap& a, const Wrap& b) { return a.hint >= b.hint; };
  if (std::ranges::adjacent_find(box->wraps, is_unsorted) != box->wraps.end()) {
    return fail(Refusal::UnsortedReaders);
  }
  return std::move(*box);
}

Bytes encode(const Box& box) { return codec::encode(box); }

}  // namespace hm::sealed_box
