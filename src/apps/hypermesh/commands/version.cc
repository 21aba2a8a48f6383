// SPDX-License-Identifier: Apache-2.0
// `hypermesh version`.
#include <nlohmann/json.hpp>

#include "apps/hypermesh/context.h"

namespace hm::cli {

Outcome run(const Version&, const Context& context) {
  if (context.globals.json) {
    const nlohmann::ordered_json document = {{"schema", 1},
                                             {"version", HM_VERSION},
                                             {"compiler", __VERSION__},
                                             {"build", HM_BUILD_TYPE}};
    context.terminal.data(document.dump());
  } else {
    context.terminal.data("hypermesh " HM_VERSION " (" HM_BUILD_TYPE ")");
  }
  return {};
}

}  // namespace hm::cli
