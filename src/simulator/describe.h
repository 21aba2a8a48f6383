// SPDX-License-Identifier: Apache-2.0
// Messages in one line each, for traces.
#pragma once

#include <string>

#include "foundation/base/bytes.h"
#include "ports/transport.h"

namespace hm::simulator {

std::string describe_message(ports::Channel channel, ByteView payload);

}  // namespace hm::simulator
