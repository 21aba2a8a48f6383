// SPDX-License-Identifier: Apache-2.0
// Runs and images in the API's JSON, as people read them.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "apps/hypermesh/terminal.h"
#include "foundation/base/time.h"

namespace hm::cli {

// "running", "ended with 3", "ended: out of memory", "failed: …".
std::string run_state(const nlohmann::ordered_json& run);

// "0.05 cores", "1 core".
std::string cores_in_words(std::uint64_t millicores);

std::vector<std::string> run_heads();
std::vector<Terminal::Cell> run_row(const nlohmann::ordered_json& run, UnixMillis now);

// What `ps --hosted` prints of what runs on this node.
std::vector<std::string> hosted_heads();
std::vector<Terminal::Cell> hosted_row(const nlohmann::ordered_json& run);

std::vector<std::pair<std::string, std::string>> run_lines(const nlohmann::ordered_json& run,
                                                           UnixMillis now);

// What was seen of runs, so that the next look can say what happened since.
class UsageLooks {
 public:
  static std::vector<std::string> heads();
  // Processors are those of the time since the last look that saw a change; at first, since the
  // start.
  std::vector<Terminal::Cell> row(const nlohmann::ordered_json& run, UnixMillis now);

 private:
  struct Look {
    std::uint64_t cpu_us = 0;
    UnixMillis at;
    std::string share;  // as it was said last
  };
  std::map<std::string, Look> looks_;
};

std::vector<std::string> image_heads();
std::vector<Terminal::Cell> image_row(const nlohmann::ordered_json& image, UnixMillis now);

}  // namespace hm::cli
