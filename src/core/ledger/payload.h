// SPDX-License-Identifier: Apache-2.0
// A block's payload: signed operations, opaque to consensus. An empty payload has no bytes at all,
// so that heartbeat blocks stay small.
#pragma once

#include <cstdint>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/ledger/operation.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

namespace hm::ledger {

enum class PayloadError : std::uint8_t {
  TooLarge,           // more than kMaxPayloadBytes
  TooManyOperations,  // more than kMaxPayloadOperations
  Malformed,          // not the one encoding of a payload
  BadOperation,       // an operation does not pass prepare(): only a faulty proposer includes one
};
std::string_view name_of(PayloadError error);

struct Payload {
  std::vector<Bytes> operations;  // each the BCS bytes of a SignedOperation
  bool operator==(const Payload&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.operations); }
};

// Bytes of an encoded payload with these operations, for a proposer that fills one up.
class PayloadBuilder {
 public:
  // False if the operation would pass a limit; then nothing changed.
  bool add(ByteView operation);
  bool empty() const { return payload_.operations.empty(); }
  std::size_t count() const { return payload_.operations.size(); }
  Bytes take() &&;

 private:
  Payload payload_;
  std::size_t bytes_ = 0;
};

Bytes encode_payload(const Payload& payload);
// Checks every limit before and while decoding; does not look inside the operations.
Result<Payload, PayloadError> decode_payload(ByteView bytes);

// decode_payload and prepare for each operation: the form of a block that a validator votes for.
Result<std::vector<PreparedOperation>, PayloadError> validate_payload(
    ByteView bytes, const identity::ChainId& chain);

}  // namespace hm::ledger
