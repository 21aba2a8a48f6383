// SPDX-License-Identifier: Apache-2.0
// Falcon-1024, signatures that hold against quantum computers: the round 3 submission
// (specification of 2020-10-01, code of 2021-11-01), whose published known answers this module
// reproduces byte for byte. It is not FN-DSA and claims no conformance to FIPS 206.
//
//   auto key = VerifyingKey::decode(bytes);                      // 1793 bytes, or a Refusal
//   key->verify(message, signature, SignatureFormat::Padded);    // succeeds, or a Refusal
//
//   auto secret = SigningKey::generate(seed);                    // or decode() 2305 bytes
//   secret.sign(message, randomness, SignatureFormat::Padded);   // 1280 bytes
//
// Verification is in integers. Generating keys and signing need real numbers: emulated in integers
// unless the caller asks for the processor's. Chance comes from the caller.
#pragma once

#include "foundation/crypto/falcon/parameters.h"
#include "foundation/crypto/falcon/refusal.h"
#include "foundation/crypto/falcon/signature_format.h"
#include "foundation/crypto/falcon/signing_key.h"
#include "foundation/crypto/falcon/verifying_key.h"
