// SPDX-License-Identifier: Apache-2.0
// Watches kernel uevents (netlink group 1) and rtnetlink (links, IPv6 addresses) on the event loop
// and re-reads the machine on a worker when something happened: 200 ms after the first event of a
// burst, and every 60 s in any case. Without the right to open a socket the slow reading remains
// and a warning says so.
#pragma once

#include <chrono>
#include <memory>

#include "foundation/base/time.h"
#include "ports/hardware_probe.h"
#include "ports/workers.h"

namespace boost::asio {
class io_context;
}

namespace hm::linux {

struct HardwareMonitorOptions {
  Duration debounce = std::chrono::milliseconds(200);
  Duration reconcile = std::chrono::seconds(60);
};

// All three references outlive the monitor and whatever it submitted to `workers`. The monitor
// lives on the thread of `loop`.
std::unique_ptr<ports::HardwareMonitor> make_hardware_monitor(boost::asio::io_context& loop,
                                                              ports::Workers& workers,
                                                              ports::HardwareProbe& probe,
                                                              HardwareMonitorOptions options = {});

}  // namespace hm::linux
