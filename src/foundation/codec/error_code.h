// SPDX-License-Identifier: Apache-2.0
// Error codes on the wire, for messages that carry a refusal.
#pragma once

#include "foundation/base/error.h"
#include "foundation/codec/reader.h"

template <>
inline constexpr auto hm::codec::kMaxEnum<hm::ErrorCode> = hm::ErrorCode::Io;
