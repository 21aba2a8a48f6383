// SPDX-License-Identifier: Apache-2.0
// Which key seals what, and what each is bound to: the sections of docs/protocols/sealed_box.md,
// one function to a formula. Every key here seals one message in its life, so that its nonce is
// zero.
#pragma once

#include "foundation/base/bytes.h"
#include "foundation/crypto/aead.h"
#include "foundation/crypto/sealed_box/box.h"
#include "foundation/crypto/sealed_box/sealed_box.h"

namespace hm::sealed_box {

using ContentKey = crypto::AeadKey;
using MessageView = ml_kem::MessageView;

// Content under the content key. Nothing if it is not sealed under this key in this context.
Bytes seal_content(const ContentKey& key, const Context& context, ByteView content);
std::optional<Bytes> open_content(const ContentKey& key, const Context& context, ByteView sealed);

// To this key, this context and this sealed content; two that differ in any have different ones.
Commitment commit(const ContentKey& key, const Context& context, ByteView sealed);

// By which the owner of a key finds its wrap in the box of this commitment.
Hint hint_of(const EncapsulationKey& reader, const Commitment& commitment);

// The content key for a reader, by an encapsulation of `m`.
Wrap wrap_for(const EncapsulationKey& reader, MessageView m, const ContentKey& key,
              const Context& context, const Commitment& commitment);

// Puts the content key into `out`; false if anything differs from what wrap_for() was given.
bool unwrap(const Wrap& wrap, const DecapsulationKey& own, const Context& context,
            const Commitment& commitment, ContentKey& out);

}  // namespace hm::sealed_box
