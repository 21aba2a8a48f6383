// SPDX-License-Identifier: Apache-2.0
// `hypermesh forward`: ports of a run, reached from here.
#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <csignal>
#include <nlohmann/json.hpp>

#include "apps/hypermesh/container_access.h"
#include "apps/hypermesh/port_forward.h"
#include "platform/loop/watches.h"

namespace hm::cli {

using nlohmann::ordered_json;

Outcome run(const ContainerForward& options, const Context& context) {
  std::vector<PortWord> ports;
  for (const std::string& text : options.ports) {
    HM_CLI_TRY(PortWord port, port_of(text));
    ports.push_back(std::move(port));
  }
  HM_CLI_TRY(ContainerAccess access, container_access(context.globals));
  HM_CLI_TRY(const ordered_json run, find_run(access, options.run));
  boost::asio::io_context loop;
  PortForward forward(loop, access.door, [&](const std::string& why) {
    context.terminal.talk(printable("a connection was not carried: " + why));
  });
  ordered_json listening = ordered_json::array();
  for (const PortWord& port : ports) {
    HM_CLI_TRY(const PortWord taken, forward.listen(port));
    listening.push_back(
        {{"address", taken.address}, {"local", taken.local}, {"container", taken.container}});
    if (!context.globals.json) {
      context.terminal.data(
          fmt::format("{} leads to port {}", listen_words(taken), taken.container));
    }
  }
  if (context.globals.json) {
    const ordered_json document = {
        {"schema", 1}, {"run", text_of(run, "run")}, {"ports", std::move(listening)}};
    context.terminal.data(document.dump());
  }
  const loop::SignalWatch signals(loop, {SIGINT, SIGTERM, SIGHUP}, [&](int) { loop.stop(); });
  forward.run_is(text_of(run, "run"));
  loop.run();
  return {};
}

}  // namespace hm::cli
