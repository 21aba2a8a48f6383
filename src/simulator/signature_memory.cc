// SPDX-License-Identifier: Apache-2.0
#include "simulator/signature_memory.h"

#include <string>
#include <unordered_map>

#include "foundation/crypto/ed25519.h"

// The linker's --wrap=SYMBOL sends every call of crypto::verify() to __wrap_SYMBOL and offers the
// function itself as __real_SYMBOL (CMakeLists.txt has the same name).
#define HM_VERIFY_SYMBOL                                                                   \
  "_ZN2hm6crypto6verifyERKNS_4Id32INS0_12PublicKeyTagEEESt4spanIKhLm18446744073709551615E" \
  "ERKNS0_9SignatureE"

namespace hm::simulator {
namespace {

using crypto::PublicKey;
using crypto::Signature;

std::unordered_map<std::string, bool>& answers() {
  static std::unordered_map<std::string, bool> map;
  return map;
}

}  // namespace

bool verify_for_real(const PublicKey& key, ByteView message,
                     const Signature& signature) __asm__("__real_" HM_VERIFY_SYMBOL);
bool verify_once(const PublicKey& key, ByteView message,
                 const Signature& signature) __asm__("__wrap_" HM_VERIFY_SYMBOL);

bool verify_once(const PublicKey& key, ByteView message, const Signature& signature) {
  std::string question;
  question.reserve(key.bytes.size() + signature.bytes.size() + message.size());
  question.append(as_text(key.bytes)).append(as_text(signature.bytes)).append(as_text(message));
  const auto [found, is_new] = answers().try_emplace(std::move(question), false);
  if (is_new) found->second = verify_for_real(key, message, signature);
  return found->second;
}

void forget_signatures() { answers().clear(); }

}  // namespace hm::simulator
