// SPDX-License-Identifier: Apache-2.0
// Answers questions about post-quantum cryptography, one to a line, for tests that compare with
// another implementation: words on standard input, what comes out on standard output, bytes in
// lower-case hex ("-" for none). An input that the module refuses is answered "refused" and the
// refusal's name; a question that is none ends the program with code 2.
//   ml-kem-768 (or ml-kem-1024)
//     keygen SEED                      encapsulation key, expanded decapsulation key
//     encaps KEY M                     ciphertext, shared secret
//     decaps KEY CIPHERTEXT            shared secret
//   falcon
//     keygen SEED                      public key, secret key
//     public KEY                       public key of a secret key
//     sign FORMAT ARITHMETIC KEY NONCE SEED MESSAGE        signature
//     once FORMAT KEY NONCE SEED MESSAGE                   "yes": its first short vector sufficed
//     verify FORMAT KEY SIGNATURE MESSAGE                  "-"
//   box
//     seal OWNER OBJECT VERSION CONTENT CHANCE READER…     box
//     open OWNER OBJECT VERSION BOX SEED                   content
#include <algorithm>
#include <array>
#include <charconv>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/hex.h"
#include "foundation/crypto/falcon/codec.h"
#include "foundation/crypto/falcon/falcon.h"
#include "foundation/crypto/falcon/hardware_real.h"
#include "foundation/crypto/falcon/hash_to_point.h"
#include "foundation/crypto/falcon/mod_q.h"
#include "foundation/crypto/falcon/signing.h"
#include "foundation/crypto/ml_kem/ml_kem.h"
#include "foundation/crypto/sealed_box/sealed_box.h"

namespace {

using namespace hm;
using Words = std::vector<std::string>;
// Nothing: not understood.
using Answer = std::optional<std::string>;

Answer bytes(ByteView view) { return view.empty() ? "-" : to_hex(view); }
Answer both(ByteView first, ByteView second) { return *bytes(first) + " " + *bytes(second); }

template <class Refusal>
Answer refused(Refusal refusal) {
  return "refused " + std::string(name_of(refusal));
}

std::optional<Bytes> parsed(const std::string& word) {
  return word == "-" ? Bytes{} : from_hex(word);
}

template <class Array>
bool parse_into(Array& out, const std::string& word) {
  return from_hex_exact(word, out);
}

template <class Key>
Answer ml_kem_keygen(const Words& words) {
  std::array<std::uint8_t, ml_kem::kSeedSize> seed;
  if (words.size() != 1 || !parse_into(seed, words[0])) return {};
  const auto key = Key::from_seed(seed);
  return both(key.encapsulation_key().bytes(), key.expanded());
}

template <ml_kem::ParameterSet P>
Answer ml_kem_encaps(const Words& words) {
  std::array<std::uint8_t, ml_kem::kWordSize> m;
  const auto encoded = words.size() == 2 ? parsed(words[0]) : std::nullopt;
  if (!encoded || !parse_into(m, words[1])) return {};
  const auto key = ml_kem::EncapsulationKey<P>::parse(*encoded);
  if (!key) return refused(key.error());
  const auto made = ml_kem::encapsulate(*key, m);
  return both(made.ciphertext.bytes, made.secret.view());
}

template <ml_kem::ParameterSet P>
Answer ml_kem_decaps(const Words& words) {
  const auto encoded = words.size() == 2 ? parsed(words[0]) : std::nullopt;
  const auto received = words.size() == 2 ? parsed(words[1]) : std::nullopt;
  if (!encoded || !received) return {};
  const auto key = ml_kem::DecapsulationKey<P>::parse_expanded(*encoded);
  if (!key) return refused(key.error());
  const auto ciphertext = ml_kem::Ciphertext<P>::parse(*received);
  if (!ciphertext) return refused(ciphertext.error());
  return bytes(key->decapsulate(*ciphertext).view());
}

std::optional<falcon::SignatureFormat> format_of(const std::string& word) {
  if (word == "compressed") return falcon::SignatureFormat::Compressed;
  if (word == "padded") return falcon::SignatureFormat::Padded;
  return {};
}

std::optional<falcon::Arithmetic> arithmetic_of(const std::string& word) {
  if (word == "emulated") return falcon::Arithmetic::Emulated;
  if (word == "hardware") return falcon::Arithmetic::Hardware;
  return {};
}

Answer secret_and_public(const falcon::SigningKey& key) {
  const auto secret = key.encode();
  return both(key.verifying_key().encode(), {secret.data(), secret.size()});
}

Answer falcon_keygen(const Words& words) {
  falcon::Seed seed;
  if (words.size() != 1 || !parse_into(seed, words[0])) return {};
  return secret_and_public(falcon::SigningKey::generate(seed));
}

Answer falcon_public(const Words& words) {
  const auto encoded = words.size() == 1 ? parsed(words[0]) : std::nullopt;
  if (!encoded) return {};
  const auto key = falcon::SigningKey::decode(*encoded);
  if (!key) return refused(key.error());
  return bytes(key->verifying_key().encode());
}

Answer falcon_sign(const Words& words) {
  if (words.size() != 6) return {};
  const auto format = format_of(words[0]);
  const auto arithmetic = arithmetic_of(words[1]);
  const auto encoded = parsed(words[2]);
  falcon::SigningRandomness randomness;
  const auto message = parsed(words[5]);
  if (!format || !arithmetic || !encoded || !message || !parse_into(randomness.nonce, words[3]) ||
      !parse_into(randomness.seed, words[4])) {
    return {};
  }
  const auto key = falcon::SigningKey::decode(*encoded);
  if (!key) return refused(key.error());
  return bytes(key->sign(*message, randomness, *format, *arithmetic));
}

// Whether the signature comes from the first vector that is sampled: the seed's stream stands one
// generator's seed further on, and the format holds the vector.
Answer falcon_once(const Words& words) {
  using falcon::kDegree;
  if (words.size() != 5) return {};
  const auto format = format_of(words[0]);
  const auto encoded = parsed(words[1]);
  falcon::SigningRandomness randomness;
  const auto message = parsed(words[4]);
  if (!format || !encoded || !message || !parse_into(randomness.nonce, words[2]) ||
      !parse_into(randomness.seed, words[3])) {
    return {};
  }
  std::array<std::int8_t, kDegree> f, g, big_f, big_g;
  if (const auto decoded = falcon::decode_secret_key(*encoded, f, g, big_f); !decoded) {
    return refused(decoded.error());
  }
  if (!falcon::complete_private(big_g, f, g, big_f)) return refused(falcon::Refusal::NotAnNtruKey);
  std::array<falcon::Residue, kDegree> c;
  falcon::hash_to_point(c, randomness.nonce, *message);
  keccak::Shake256 source, expected;
  source.absorb(randomness.seed);
  expected.absorb(randomness.seed);
  std::array<std::int16_t, kDegree> s2;
  falcon::sample_short<falcon::HardwareReal>({f, g, big_f, big_g}, c, source, s2);
  std::array<std::uint8_t, 56> generator;
  expected.squeeze(generator);
  std::array<std::uint8_t, 32> next, wanted;
  source.squeeze(next);
  expected.squeeze(wanted);
  return next == wanted && falcon::encode_signature(*format, randomness.nonce, s2) ? "yes" : "no";
}

Answer falcon_verify(const Words& words) {
  if (words.size() != 4) return {};
  const auto format = format_of(words[0]);
  const auto encoded = parsed(words[1]);
  const auto signature = parsed(words[2]);
  const auto message = parsed(words[3]);
  if (!format || !encoded || !signature || !message) return {};
  const auto key = falcon::VerifyingKey::decode(*encoded);
  if (!key) return refused(key.error());
  const auto verdict = key->verify(*message, *signature, *format);
  return verdict ? bytes({}) : refused(verdict.error());
}

// From the first three words.
std::optional<sealed_box::Context> context_of(const Words& words) {
  if (words.size() < 3) return {};
  sealed_box::Context context;
  const auto object = parsed(words[1]);
  const std::string& version = words[2];
  const char* end = version.data() + version.size();
  if (!object || !parse_into(context.owner, words[0]) ||
      std::from_chars(version.data(), end, context.version).ptr != end) {
    return {};
  }
  context.object = *object;
  return context;
}

Answer box_seal(const Words& words) {
  const auto context = context_of(words);
  if (!context || words.size() < 6) return {};
  const auto content = parsed(words[3]);
  const auto chance = parsed(words[4]);
  if (!content || !chance) return {};
  std::vector<sealed_box::EncapsulationKey> readers;
  for (std::size_t i = 5; i < words.size(); ++i) {
    const auto encoded = parsed(words[i]);
    if (!encoded) return {};
    const auto key = sealed_box::EncapsulationKey::parse(*encoded);
    if (!key) return refused(key.error());
    readers.push_back(*key);
  }
  // As much as seal() says that it draws.
  if (chance->size() != 32 * (1 + readers.size())) return {};
  const auto box = sealed_box::seal(
      *content, readers, *context, [rest = ByteView(*chance)](std::span<std::uint8_t> out) mutable {
        std::ranges::copy(rest.first(out.size()), out.begin());
        rest = rest.subspan(out.size());
      });
  return box ? bytes(sealed_box::encode(*box)) : refused(box.error());
}

Answer box_open(const Words& words) {
  const auto context = context_of(words);
  if (!context || words.size() != 5) return {};
  const auto encoded = parsed(words[3]);
  std::array<std::uint8_t, ml_kem::kSeedSize> seed;
  if (!encoded || !parse_into(seed, words[4])) return {};
  const auto box = sealed_box::decode(*encoded);
  if (!box) return refused(box.error());
  const auto own = sealed_box::DecapsulationKey::from_seed(seed);
  const auto content = sealed_box::open(*box, own, *context);
  return content ? bytes(*content) : refused(content.error());
}

struct Question {
  std::string_view name;
  Answer (*answer)(const Words&);
};
constexpr std::array kQuestions = {
    Question{"ml-kem-768 keygen", ml_kem_keygen<ml_kem::DecapsulationKey<ml_kem::MlKem768>>},
    Question{"ml-kem-768 encaps", ml_kem_encaps<ml_kem::MlKem768>},
    Question{"ml-kem-768 decaps", ml_kem_decaps<ml_kem::MlKem768>},
    Question{"ml-kem-1024 keygen", ml_kem_keygen<ml_kem::DecapsulationKey<ml_kem::MlKem1024>>},
    Question{"ml-kem-1024 encaps", ml_kem_encaps<ml_kem::MlKem1024>},
    Question{"ml-kem-1024 decaps", ml_kem_decaps<ml_kem::MlKem1024>},
    Question{"falcon keygen", falcon_keygen},
    Question{"falcon public", falcon_public},
    Question{"falcon sign", falcon_sign},
    Question{"falcon once", falcon_once},
    Question{"falcon verify", falcon_verify},
    Question{"box seal", box_seal},
    Question{"box open", box_open},
};

Answer answer(const std::string& line) {
  std::istringstream in(line);
  std::string subject, verb;
  in >> subject >> verb;
  const auto question = std::ranges::find(kQuestions, subject + " " + verb, &Question::name);
  if (question == kQuestions.end()) return {};
  Words words;
  for (std::string word; in >> word;) words.push_back(word);
  return question->answer(words);
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    const Answer answered = answer(line);
    if (!answered) {
      std::cerr << "not understood: " << line.substr(0, 200) << "\n";
      return 2;
    }
    std::cout << *answered << std::endl;
  }
  return 0;
}
