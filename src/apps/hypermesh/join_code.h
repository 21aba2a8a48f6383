// SPDX-License-Identifier: Apache-2.0
// The code of an invitation, as people copy it, and the keys that follow from its secret. It says
// where the inviter is reached, which chain it is, and carries a secret of 128 bits that both sides
// prove to each other by sealing what they say with it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "core/identity/ids.h"
#include "core/stoq/address.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/crypto/aead.h"

namespace hm::cli {

using InvitationSecret = std::array<std::uint8_t, 16>;
using InvitationId = std::array<std::uint8_t, 8>;
// The first half of the chain id: enough that nobody finds a second genesis for it.
using ChainFingerprint = std::array<std::uint8_t, 16>;

struct JoinCode {
  std::uint8_t version = 1;
  stoq::Address address;  // of STOQ over UDP, and of the join listener over TCP
  ChainFingerprint fingerprint{};
  InvitationSecret secret{};

  bool operator==(const JoinCode&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.version, self.address, self.fingerprint, self.secret);
  }
};

// "hm1-" and lower-case base32 (RFC 4648 §6 without padding) of the BCS bytes and a checksum of
// four bytes, so that a mistyped code is told from a refused one.
std::string format_join_code(const JoinCode& code);
Result<JoinCode> parse_join_code(std::string_view text);

ChainFingerprint fingerprint_of(const identity::ChainId& chain);

// Names an invitation without giving its secret away.
InvitationId invitation_id_of(const InvitationSecret& secret);

enum class Direction : std::uint8_t { ToInviter, ToJoiner };

// Random nonce ‖ AES-256-GCM under the key that HKDF derives from the secret for this direction.
// `step` is bound, so that no answer stands for another.
Bytes seal_for(const InvitationSecret& secret, Direction direction, std::uint8_t step,
               ByteView plaintext);
std::optional<Bytes> open_from(const InvitationSecret& secret, Direction direction,
                               std::uint8_t step, ByteView sealed);

}  // namespace hm::cli
