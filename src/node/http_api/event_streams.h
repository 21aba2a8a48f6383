// SPDX-License-Identifier: Apache-2.0
// Server-sent events (WHATWG HTML §9.2) for every subscriber: one `block` event per final block and
// one `asset` or `lease` event per change, with the height as event id. A subscriber that reads too
// slowly is cut off by the server and forgotten here.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "node/node.h"
#include "ports/http.h"
#include "ports/timer.h"

namespace hm::http_api {

class EventStreams {
 public:
  explicit EventStreams(node::Node& node);

  struct Kinds {
    bool blocks = true;
    bool assets = true;
    bool leases = true;
  };
  // "block,asset,lease" in any order; empty if a kind is unknown.
  static std::optional<Kinds> parse_kinds(std::string_view text);

  void add(std::shared_ptr<ports::HttpStream> stream, Kinds kinds, std::string peer);
  void publish(const node::FinalEvent& event);

  std::size_t size() const { return subscribers_.size(); }
  std::uint64_t dropped() const { return dropped_; }

 private:
  struct Subscriber {
    std::shared_ptr<ports::HttpStream> stream;
    Kinds kinds;
    std::string peer;
  };
  void send(const std::string& text, bool Kinds::* wanted);
  void ping();

  node::Node& node_;
  std::vector<Subscriber> subscribers_;
  std::unique_ptr<ports::Timer> ping_timer_;
  std::uint64_t dropped_ = 0;
};

}  // namespace hm::http_api
