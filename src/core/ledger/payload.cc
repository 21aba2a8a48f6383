// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/payload.h"

#include "core/ledger/limits.h"
#include "foundation/codec/reader.h"
#include "foundation/codec/writer.h"

namespace hm::ledger {
namespace {

// Room for the ULEB128 count of operations, and for the length before each.
constexpr std::size_t kCountBytes = 2;
constexpr std::size_t kLengthBytes = 2;
static_assert(kMaxPayloadOperations < (1u << 14) && kMaxOperationBytes < (1u << 14));

}  // namespace

std::string_view name_of(PayloadError error) {
  switch (error) {
    case PayloadError::TooLarge: return "payload too large";
    case PayloadError::TooManyOperations: return "too many operations";
    case PayloadError::Malformed: return "malformed payload";
    case PayloadError::BadOperation: return "an operation is not well-formed and signed";
  }
  return "unknown";
}

bool PayloadBuilder::add(ByteView operation) {
  if (operation.size() > kMaxOperationBytes) return false;
  if (payload_.operations.size() == kMaxPayloadOperations) return false;
  const std::size_t grown = bytes_ + kLengthBytes + operation.size();
  if (grown + kCountBytes > kMaxPayloadBytes) return false;
  payload_.operations.push_back(to_bytes(operation));
  bytes_ = grown;
  return true;
}

Bytes PayloadBuilder::take() && { return encode_payload(payload_); }

Bytes encode_payload(const Payload& payload) {
  if (payload.operations.empty()) return {};
  return codec::encode(payload);
}

Result<Payload, PayloadError> decode_payload(ByteView bytes) {
  if (bytes.empty()) return Payload{};
  if (bytes.size() > kMaxPayloadBytes) return fail(PayloadError::TooLarge);
  codec::Reader reader(bytes);
  std::size_t count = 0;
  if (!reader.read_length(count)) return fail(PayloadError::Malformed);
  if (count > kMaxPayloadOperations) return fail(PayloadError::TooManyOperations);
  // No bytes at all are the one spelling of an empty payload.
  if (count == 0) return fail(PayloadError::Malformed);
  Payload payload;
  for (std::size_t i = 0; i < count; ++i) {
    if (!reader.read(payload.operations.emplace_back())) return fail(PayloadError::Malformed);
  }
  if (!reader.finish()) return fail(PayloadError::Malformed);
  return payload;
}

Result<std::vector<PreparedOperation>, PayloadError> validate_payload(
    ByteView bytes, const identity::ChainId& chain) {
  HM_TRY(const Payload payload, decode_payload(bytes));
  std::vector<PreparedOperation> prepared;
  prepared.reserve(payload.operations.size());
  for (const Bytes& operation : payload.operations) {
    auto checked = prepare(operation, chain);
    if (!checked) return fail(PayloadError::BadOperation);
    prepared.push_back(std::move(*checked));
  }
  return prepared;
}

}  // namespace hm::ledger
