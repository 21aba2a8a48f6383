// SPDX-License-Identifier: Apache-2.0
// Questions before what cannot be taken back.
#pragma once

#include "apps/hypermesh/context.h"
#include "core/assets/kind.h"

namespace hm::cli {

enum class AskFirst : bool { No, Yes };

// Says what becomes known when assets come to this level, line by line, and asks for the level's
// name to be typed. Refused where there is no terminal to ask on, and by any other answer.
Outcome confirm_level(const Terminal& terminal, assets::PrivacyLevel level, AskFirst ask);

}  // namespace hm::cli
