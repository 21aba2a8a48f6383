// SPDX-License-Identifier: Apache-2.0
// Sealed boxes: bytes that the owners of certain ML-KEM-1024 keys can read, and nobody else.
//
//   auto box = seal(content, readers, {owner, object, version}, fill_with_random_bytes);
//   auto content = open(*box, own_key, {owner, object, version});
//   auto shared = add_reader(*box, own_key, new_reader, {owner, object, version}, fill_…);
//
// The content is sealed once, under a fresh content key, which is wrapped for each reader (KEM and
// DEM; docs/protocols/sealed_box.md is normative). To share, add a wrap. To revoke, seal anew for
// those who stay: whoever could open a box keeps what it knew.
//
// Promises. Who has none of the keys learns of the content its length only, also with a quantum
// computer. A box opens in the context that it was sealed in and in no other: owner, object and
// version are not stored in it, the opener brings them. AES-GCM commits to no key, so the box does
// (key commitment, RFC 9771): there is one content key, one context and one content that a
// commitment can stand for, so that no box shows different contents to different readers (Dodis et
// al., CRYPTO 2018) and no box probes for a reader's key (Len et al., USENIX Security 2021). Adding
// readers leaves the commitment as it is.
//
// Does not do. It proves no sender: whoever knows the readers' keys can make a box in any context.
// Who signs or records the commitment has fixed the content. Anyone on the way may drop wraps; each
// reader depends on its own only. Readers may pass the content key on.
//
// Privacy. The number of readers shows. A hint tells whoever knows an encapsulation key whether its
// owner is a reader of this box, and keys on the ledger are known to all; to others, boxes for the
// same reader have unrelated hints. The order of wraps says nothing of the order of readers.
//
// Chance comes from the caller, secrets are wiped, and no time depends on them. The content that
// open() gives is the caller's to wipe.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/crypto/sealed_box/box.h"

namespace hm::sealed_box {

// What a box belongs to.
struct Context {
  std::array<std::uint8_t, 32> owner{};
  Bytes object;  // at most kMaxObjectIdSize
  std::uint64_t version = 0;

  bool operator==(const Context&) const = default;
};

// Fills the span with bytes that are unpredictable and never used again.
using Randomness = std::function<void(std::span<std::uint8_t>)>;

// Draws 32 bytes for the content key, then 32 for each reader in their order. Refusals: NoReaders,
// TooManyReaders, DuplicateReader, ContentTooLong, ObjectIdTooLong.
Result<Box, Refusal> seal(ByteView content, std::span<const EncapsulationKey> readers,
                          const Context& context, const Randomness& randomness);

// Checks the wrap, then the commitment, then the content. Refusals: UnknownSuite, ObjectIdTooLong,
// NotAReader, WrongContextOrTampered, NotCommitted, BadContent.
Result<Bytes, Refusal> open(const Box& box, const DecapsulationKey& own, const Context& context);

// The same box with one more wrap. Draws 32 bytes. Checks what open() checks, save that the content
// is not decrypted, and refuses TooManyReaders and DuplicateReader.
Result<Box, Refusal> add_reader(const Box& box, const DecapsulationKey& own,
                                const EncapsulationKey& reader, const Context& context,
                                const Randomness& randomness);

}  // namespace hm::sealed_box
