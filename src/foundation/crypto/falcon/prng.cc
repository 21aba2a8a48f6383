// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/prng.h"

#include "foundation/crypto/little_endian.h"
#include "foundation/crypto/wipe.h"

namespace hm::falcon {
namespace {

// A word of the ChaCha state in all eight blocks: a vector, which the compiler splits into those
// that the processor has.
using Lanes [[gnu::vector_size(32)]] = std::uint32_t;
using State = std::array<Lanes, 16>;

template <int n>
void xor_and_rotate(Lanes& a, const Lanes& b) {
  const Lanes x = a ^ b;
  a = (x << n) | (x >> (32 - n));
}

// RFC 8439 §2.1.
void quarter_round(Lanes& a, Lanes& b, Lanes& c, Lanes& d) {
  a += b;
  xor_and_rotate<16>(d, a);
  c += d;
  xor_and_rotate<12>(b, c);
  a += b;
  xor_and_rotate<8>(d, a);
  c += d;
  xor_and_rotate<7>(b, c);
}

void twenty_rounds(State& x) {
  for (int i = 0; i < 10; ++i) {
    for (std::size_t c = 0; c < 4; ++c) quarter_round(x[c], x[c + 4], x[c + 8], x[c + 12]);
    for (std::size_t c = 0; c < 4; ++c) {
      quarter_round(x[c], x[4 + (c + 1) % 4], x[8 + (c + 2) % 4], x[12 + (c + 3) % 4]);
    }
  }
}

}  // namespace

Prng::Prng(keccak::Shake256& source) {
  crypto::Wiped<std::array<std::uint8_t, 56>> seed;
  source.squeeze(*seed);
  for (std::size_t i = 0; i < seed_.size(); ++i) {
    seed_[i] = static_cast<std::uint32_t>(crypto::load_little_endian(seed->data() + 4 * i, 4));
  }
  counter_ = crypto::load_little_endian(seed->data() + 4 * seed_.size());
  refill();
}

Prng::~Prng() {
  crypto::wipe(bytes_);
  crypto::wipe({reinterpret_cast<std::uint8_t*>(seed_.data()), sizeof seed_});
  crypto::wipe({reinterpret_cast<std::uint8_t*>(&counter_), sizeof counter_});
}

std::uint64_t Prng::next_word() {
  if (at_ >= kSize - 9) refill();
  const std::uint64_t word = crypto::load_little_endian(bytes_.data() + at_);
  at_ += sizeof word;
  return word;
}

// The counter is combined by exclusive or with the last two words of the seed. Word w of block b
// stands at index 8 w + b, so the blocks lie side by side.
void Prng::refill() {
  constexpr std::uint32_t kConstants[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
  crypto::Wiped<State> start, state;
  for (std::size_t w = 0; w < 4; ++w) (*start)[w] = Lanes{} + kConstants[w];
  for (std::size_t w = 0; w < seed_.size(); ++w) (*start)[4 + w] = Lanes{} + seed_[w];
  for (std::size_t b = 0; b < kBlocks; ++b) {
    (*start)[14][b] ^= static_cast<std::uint32_t>(counter_ + b);
    (*start)[15][b] ^= static_cast<std::uint32_t>((counter_ + b) >> 32);
  }
  *state = *start;
  twenty_rounds(*state);
  for (std::size_t w = 0; w < kStateWords; ++w) {
    const Lanes words = (*state)[w] + (*start)[w];
    for (std::size_t b = 0; b < kBlocks; ++b) {
      crypto::store_little_endian(words[b], bytes_.data() + 4 * (kBlocks * w + b), 4);
    }
  }
  counter_ += kBlocks;
  at_ = 0;
}

}  // namespace hm::falcon
