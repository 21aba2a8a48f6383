// SPDX-License-Identifier: Apache-2.0
// What other replicas say: decoding has one spelling, and no message, however framed, brings a
// running replica to abort or to vote twice. The first byte says who sends.
#include <algorithm>
#include <array>
#include <cstdint>

#include "core/consensus/messages.h"
#include "core/consensus/replica.h"
#include "foundation/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using namespace hm::consensus;

NodeId node_id(std::size_t i) {
  NodeId id;
  id.bytes[0] = static_cast<std::uint8_t>(i + 1);
  return id;
}

SigningKey key_of(std::size_t i) {
  std::array<std::uint8_t, SigningKey::kSeedSize> seed{};
  seed[0] = static_cast<std::uint8_t>(i + 1);
  return SigningKey::from_seed(seed);
}

Replica make_replica() {
  // Nodes in the order of their keys, so that index and node agree, as in the corpus.
  std::vector<SigningKey> keys;
  for (std::size_t i = 0; i < 4; ++i) keys.push_back(key_of(i));
  std::ranges::sort(keys, {}, [](const SigningKey& key) { return key.public_key(); });
  std::vector<Validator> validators;
  for (std::size_t i = 0; i < 4; ++i) {
    validators.push_back({node_id(i), keys[i].public_key(), 100});
  }
  auto set = ValidatorSet::create(std::move(validators), {});
  HM_CHECK(set.has_value());
  Config config;
  config.domain.chain.bytes.fill(7);
  config.self = node_id(0);
  config.genesis_hash.bytes.fill(1);
  return {config, std::move(*set), std::move(keys[0])};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const hm::ByteView bytes(data + 1, size - 1);
  if (const auto message = decode_message(bytes)) {
    HM_CHECK(std::ranges::equal(encode_message(*message), bytes));
  }
  Replica replica = make_replica();
  hm::consensus::Now now{hm::MonoTime{}, hm::UnixMillis(1000)};
  replica.start(now);
  replica.handle_peer_up(node_id(1), now);
  for (int i = 0; i < 3; ++i) {
    replica.handle_message(node_id(data[0] % 4u), bytes, now);
    now.mono += std::chrono::seconds(1);
    replica.handle_tick(now);
    while (auto effect = replica.poll_effect()) {
      HM_CHECK(!std::holds_alternative<Finalize>(*effect));
    }
  }
  return 0;
}
