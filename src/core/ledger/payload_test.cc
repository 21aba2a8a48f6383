// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/payload.h"

#include <gtest/gtest.h>

#include "core/ledger/limits.h"
#include "core/ledger/sample_chain.h"
#include "foundation/codec/reader.h"

namespace hm::ledger {
namespace {

Bytes payment(const sample::Chain& chain) {
  const auto signer = sample::key(0);
  auto operation =
      chain.operation(sample::owner_id(0), TransferCaes{sample::owner_id(1), caesar::caes(1)});
  return codec::encode(sign(std::move(operation), signer));
}

TEST(Payload, AnEmptyOneHasNoBytesAndNoOtherSpelling) {
  EXPECT_TRUE(encode_payload({}).empty());
  EXPECT_TRUE(decode_payload({}).value().operations.empty());
  EXPECT_EQ(decode_payload(Bytes{0}).error(), PayloadError::Malformed);
}

TEST(Payload, RoundTripsAndPreparesEachOperation) {
  const sample::Chain chain;
  const Bytes operation = payment(chain);
  PayloadBuilder builder;
  EXPECT_TRUE(builder.add(operation));
  EXPECT_TRUE(builder.add(operation));
  const Bytes bytes = std::move(builder).take();
  EXPECT_EQ(decode_payload(bytes).value().operations.size(), 2u);
  const auto prepared = validate_payload(bytes, chain.id());
  ASSERT_TRUE(prepared);
  EXPECT_EQ(prepared->size(), 2u);
  EXPECT_EQ(prepared->at(0).id, operation_id(prepared->at(0).operation));
}

TEST(Payload, AForgedOperationSpoilsTheBlock) {
  const sample::Chain chain;
  Bytes operation = payment(chain);
  operation.back() ^= 1;
  const Bytes bytes = encode_payload({{operation}});
  EXPECT_EQ(validate_payload(bytes, chain.id()).error(), PayloadError::BadOperation);
}

TEST(Payload, BuilderStopsAtEveryLimitAndItsBytesAlwaysDecode) {
  PayloadBuilder large;
  const Bytes operation(kMaxOperationBytes, 7);
  EXPECT_FALSE(large.add(Bytes(kMaxOperationBytes + 1)));
  while (large.add(operation)) continue;
  const Bytes bytes = std::move(large).take();
  EXPECT_LE(bytes.size(), kMaxPayloadBytes);
  EXPECT_TRUE(decode_payload(bytes));

  PayloadBuilder many;
  while (many.add(Bytes(200, 1))) continue;
  EXPECT_EQ(many.count(), kMaxPayloadOperations);
  EXPECT_TRUE(decode_payload(std::move(many).take()));
}

TEST(Payload, LimitsAreCheckedBeforeAnythingIsKept) {
  EXPECT_EQ(decode_payload(Bytes(kMaxPayloadBytes + 1)).error(), PayloadError::TooLarge);
  codec::Writer writer;
  writer.write_length(kMaxPayloadOperations + 1);
  EXPECT_EQ(decode_payload(writer.bytes()).error(), PayloadError::TooManyOperations);
  EXPECT_EQ(decode_payload(Bytes{1, 5, 1}).error(), PayloadError::Malformed);
  EXPECT_EQ(decode_payload(Bytes{1, 1, 1, 1}).error(), PayloadError::Malformed);
}

}  // namespace
}  // namespace hm::ledger
