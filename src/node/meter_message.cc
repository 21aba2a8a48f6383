// SPDX-License-Identifier: Apache-2.0
#include "node/meter_message.h"

#include "foundation/codec/reader.h"
#include "foundation/codec/writer.h"
#include "node/limits.h"

namespace hm::node {

std::string_view name_of(MeterMessageError error) {
  switch (error) {
    case MeterMessageError::TooLong: return "too_long";
    case MeterMessageError::Malformed: return "malformed";
  }
  return "unknown";
}

Bytes encode(const MeterMessage& message) { return codec::encode(message); }

Result<MeterMessage, MeterMessageError> decode_meter_message(ByteView bytes) {
  if (bytes.size() > kMaxMeterMessage) return fail(MeterMessageError::TooLong);
  auto message = codec::decode<MeterMessage>(bytes);
  if (!message) return fail(MeterMessageError::Malformed);
  return std::move(*message);
}

}  // namespace hm::node
