// SPDX-License-Identifier: Apache-2.0
// `hypermesh policy test FILE`: the questions in a policy file, answered by the very function that
// every node decides with.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "apps/hypermesh/context.h"
#include "apps/hypermesh/policy_file.h"

namespace hm::cli {

using nlohmann::ordered_json;

Outcome run(const PolicyTestFile& options, const Context& context) {
  HM_CLI_TRY(const privacy::PolicyDocument document, read_policy(options.file));
  const std::vector<privacy::PolicyFailure> failures = privacy::run(document);
  ordered_json tests = ordered_json::array();
  auto failure = failures.begin();  // in the order of the tests
  for (const privacy::PolicyTest& test : document.tests) {
    const bool is_failed = failure != failures.end() && failure->test == test.name;
    tests.push_back({{"name", test.name}, {"ok", !is_failed}});
    if (is_failed) tests.back()["why"] = failure->sentence;
    if (!context.globals.json) {
      context.terminal.data(
          fmt::format("{}  {}",
                      context.terminal.styled(is_failed ? Style::Bad : Style::Good,
                                              is_failed ? "failed" : "ok    "),
                      printable(test.name)));
      if (is_failed) context.terminal.data("        " + printable(failure->sentence));
    }
    if (is_failed) ++failure;
  }
  if (context.globals.json) {
    const ordered_json report = {
        {"schema", 1}, {"ok", failures.empty()}, {"failed", failures.size()}, {"tests", tests}};
    context.terminal.data(report.dump());
  }
  if (failures.empty()) {
    context.terminal.talk(fmt::format("all {} tests pass", document.tests.size()));
    return {};
  }
  return failed(
      ExitCode::Failure, fmt::format("{} of {} tests fail", failures.size(), document.tests.size()),
      "the grants do not say what the tests expect", "change the grant or the test that is wrong");
}

}  // namespace hm::cli
