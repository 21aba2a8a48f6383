// SPDX-License-Identifier: Apache-2.0
// Ports of a run reached from here: listens on this machine and carries each TCP connection over a
// stream of its own. Only TCP, and only what listens inside the container.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "apps/hypermesh/api_stream.h"
#include "apps/hypermesh/container_words.h"

namespace hm::cli {

// Above it new connections wait; a node serves about that many streams at once.
inline constexpr std::size_t kMaxForwarded = 60;

class PortForward {
 public:
  // `on_trouble` is told why a connection was not carried.
  PortForward(boost::asio::io_context& loop, StreamDoor door,
              std::function<void(const std::string&)> on_trouble);
  ~PortForward();
  PortForward(const PortForward&) = delete;
  PortForward& operator=(const PortForward&) = delete;

  // Takes the port; gives the word with the port that it became. Connections wait for run_is().
  Answer<PortWord> listen(const PortWord& port);
  // Whose ports are meant.
  void run_is(const std::string& run);

  class Shared;

 private:
  std::shared_ptr<Shared> shared_;
};

}  // namespace hm::cli
