// SPDX-License-Identifier: Apache-2.0
// A stream of a container on this process's own input, output and terminal, until it ends: what
// `run`, `exec`, `attach` and `logs` have in common.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/hypermesh/api_stream.h"
#include "apps/hypermesh/container_words.h"
#include "apps/hypermesh/context.h"

namespace hm::cli {

enum class OwnInput : std::uint8_t {
  Untouched,  // the other side reads nothing from here
  Empty,      // it is told at once that there is none
  Passed,     // standard input, to its end
};
enum class OwnTerminal : std::uint8_t {
  Lines,  // as it is
  Raw,    // every key is passed on, and the size of the window; only if input is a terminal
};
enum class OwnSignals : std::uint8_t {
  Usual,   // as of any command
  Passed,  // SIGINT, SIGTERM, SIGHUP and SIGQUIT go to the other side; a third SIGINT ends this
};

struct Attachment {
  nlohmann::ordered_json first;  // what the stream is for
  OwnInput input = OwnInput::Untouched;
  OwnTerminal terminal = OwnTerminal::Lines;
  OwnSignals signals = OwnSignals::Usual;
  std::vector<PortWord> ports;  // of the run; taken before the stream begins
  std::string run;  // whose own process it is; of one that is to start, the node tells it
  // The run's id, once the node has one.
  std::function<void(const std::string& run)> on_run = [](const auto&) {};
  std::function<void()> on_started = [] {};
  // Any other word of the node's.
  std::function<void(const nlohmann::ordered_json& word)> on_word = [](const auto&) {};
};

// The last word. A Failure without words is how a process ends that nobody listens to any more.
Answer<nlohmann::ordered_json> run_attached(const Context& context, const StreamDoor& door,
                                            const Attachment& attachment);

// How a command ends whose container ended: with its code.
Outcome outcome_of_exit(const nlohmann::ordered_json& last);

}  // namespace hm::cli
