// SPDX-License-Identifier: Apache-2.0
// Operations on secrets, one to a case, to be run under valgrind's memcheck, which reports each
// branch and each address that depends on what a case marked as secret. The canaries depend on a
// secret on purpose, at the end of the whole computation: if memcheck is silent there, then its
// silence elsewhere proves nothing. AVX-512 is left out: valgrind does not know it.
//   pq_constant_time CASE BACKEND      exit code 77: cannot be run here, and why
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <string_view>

#include "foundation/base/check.h"
#include "foundation/crypto/backend.h"
#include "foundation/crypto/constant_time.h"
#include "foundation/crypto/falcon/falcon.h"
#include "foundation/crypto/falcon/mod_q.h"
#include "foundation/crypto/ml_kem/ml_kem.h"

namespace {

using namespace hm;
using crypto::Backend;

constexpr int kSkipped = 77;

template <std::size_t size>
std::array<std::uint8_t, size> secret_bytes(std::uint8_t first) {
  std::array<std::uint8_t, size> bytes{};
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(first + 31 * i);
  crypto::mark_secret(bytes);
  return bytes;
}

template <ml_kem::ParameterSet P>
ml_kem::DecapsulationKey<P> secret_key(Backend backend) {
  return ml_kem::DecapsulationKey<P>::from_seed(secret_bytes<ml_kem::kSeedSize>(1), backend);
}

// Encapsulates with a secret message; the ciphertext then goes over the wire.
template <ml_kem::ParameterSet P>
ml_kem::Encapsulation<P> encapsulated(const ml_kem::DecapsulationKey<P>& key, Backend backend) {
  auto made =
      ml_kem::encapsulate(key.encapsulation_key(), secret_bytes<ml_kem::kWordSize>(2), backend);
  crypto::declassify(made.ciphertext.bytes);
  return made;
}

template <ml_kem::ParameterSet P>
void keygen(Backend backend) {
  secret_key<P>(backend);
}

template <ml_kem::ParameterSet P>
void encaps(Backend backend) {
  encapsulated(secret_key<P>(backend), backend);
}

template <ml_kem::ParameterSet P>
void decaps(Backend backend) {
  const auto key = secret_key<P>(backend);
  auto made = encapsulated(key, backend);
  HM_CHECK(key.decapsulate(made.ciphertext, backend) == made.secret);
  made.ciphertext.bytes.front() ^= 1;
  HM_CHECK(key.decapsulate(made.ciphertext, backend) != made.secret);
}

template <ml_kem::ParameterSet P>
void parse(Backend backend) {
  auto expanded = secret_key<P>(backend).expanded();
  HM_CHECK(ml_kem::DecapsulationKey<P>::parse_expanded(expanded).has_value());
  // A secret coefficient of 0xfff; that there is one is the answer.
  std::fill_n(expanded.begin(), 2, std::uint8_t{0xff});
  crypto::mark_secret(std::span(expanded).first(2));
  HM_CHECK(!ml_kem::DecapsulationKey<P>::parse_expanded(expanded).has_value());
}

void falcon_transform(Backend backend) {
  std::array<std::uint16_t, falcon::kDegree> residues{};
  crypto::mark_secret({reinterpret_cast<const std::uint8_t*>(residues.data()), sizeof residues});
  falcon::ntt(residues, backend);
  falcon::inverse_ntt(residues, backend);
}

falcon::SigningKey falcon_key(falcon::Arithmetic arithmetic) {
  return falcon::SigningKey::generate(secret_bytes<falcon::kSeedSize>(3), arithmetic);
}

template <falcon::Arithmetic arithmetic>
void falcon_keygen(Backend) {
  falcon_key(arithmetic);
}

// The key comes back from its encoding, all of which is secret.
template <falcon::Arithmetic arithmetic>
void falcon_sign(Backend) {
  const auto bytes = falcon_key(falcon::Arithmetic::Hardware).encode();
  crypto::mark_secret(std::span(bytes).subspan(1));
  const auto key = falcon::SigningKey::decode(bytes);
  HM_CHECK(key.has_value());
  falcon::SigningRandomness randomness;
  randomness.seed = secret_bytes<falcon::kSeedSize>(4);
  const auto format = falcon::SignatureFormat::Padded;
  const Bytes signature = key->sign({}, randomness, format, arithmetic);
  HM_CHECK(key->verifying_key().verify({}, signature, format).has_value());
}

volatile int sink;

std::uint8_t shared_byte(Backend backend) {
  const auto key = secret_key<ml_kem::MlKem768>(backend);
  return key.decapsulate(encapsulated(key, backend).ciphertext, backend).view().front();
}

[[gnu::noinline]] void branch_on_secret(Backend backend) {
  if ((shared_byte(backend) & 1) != 0) {
    sink = 1;
  } else {
    std::puts("even");
  }
}

[[gnu::noinline]] void index_by_secret(Backend backend) {
  static volatile std::uint8_t table[256];
  sink = table[shared_byte(backend)];
}

template <auto of_768, auto of_1024>
void both(Backend backend) {
  of_768(backend);
  of_1024(backend);
}

struct Case {
  std::string_view name;
  void (*run)(Backend backend);
};
using ml_kem::MlKem1024;
using ml_kem::MlKem768;
constexpr std::array kCases = {
    Case{"canary_branch", branch_on_secret},
    Case{"canary_index", index_by_secret},
    Case{"ml_kem_keygen", both<keygen<MlKem768>, keygen<MlKem1024>>},
    Case{"ml_kem_encaps", both<encaps<MlKem768>, encaps<MlKem1024>>},
    Case{"ml_kem_decaps", both<decaps<MlKem768>, decaps<MlKem1024>>},
    Case{"ml_kem_parse", both<parse<MlKem768>, parse<MlKem1024>>},
    Case{"falcon_transform", falcon_transform},
    Case{"falcon_keygen_emulated", falcon_keygen<falcon::Arithmetic::Emulated>},
    Case{"falcon_keygen_hardware", falcon_keygen<falcon::Arithmetic::Hardware>},
    Case{"falcon_sign_emulated", falcon_sign<falcon::Arithmetic::Emulated>},
    Case{"falcon_sign_hardware", falcon_sign<falcon::Arithmetic::Hardware>},
};

}  // namespace

int main(int argc, char** argv) {
  const auto found = argc != 3 ? kCases.end() : std::ranges::find(kCases, argv[1], &Case::name);
  if (found == kCases.end()) {
    std::fprintf(stderr, "usage: pq_constant_time CASE BACKEND\ncases:");
    for (const Case& each : kCases) std::fprintf(stderr, " %s", each.name.data());
    std::fprintf(stderr, "\n");
    return 2;
  }
  if (!crypto::is_memory_checked()) {
    std::puts("not under valgrind, or built without valgrind/memcheck.h");
    return kSkipped;
  }
  for (const Backend backend : crypto::supported_backends()) {
    if (name_of(backend) == argv[2]) {
      found->run(backend);
      return 0;
    }
  }
  std::printf("this processor has no %s\n", argv[2]);
  return kSkipped;
}
