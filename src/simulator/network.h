// SPDX-License-Identifier: Apache-2.0
// The network between simulated processes. By default it keeps what ports/transport.h promises:
// per peer and channel in order, or lost together with the connection. `raw` drops that promise:
// messages are lost, repeated and reordered one by one while the connection stays up.
//
// Several processes may hold one node id (Twins): what is sent to the id reaches each of them that
// is connected, and the receiver cannot tell which of them sent.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ports/transport.h"
#include "simulator/random.h"
#include "simulator/schedule.h"

namespace hm::simulator {

// A process on the network, by number.
using Place = std::size_t;

struct LinkQuality {
  Duration delay_low = std::chrono::microseconds(50);
  Duration delay_high = std::chrono::microseconds(500);
  // Share of messages that need a retransmission, and so arrive this much later (in order: with
  // everything behind them).
  std::uint32_t retransmit_permille = 5;
  Duration retransmit = std::chrono::milliseconds(40);
  // Only in raw mode: each message by itself.
  bool raw = false;
  std::uint32_t loss_permille = 0;
  std::uint32_t duplicate_permille = 0;
  std::uint32_t reorder_permille = 0;
  Duration reorder = std::chrono::milliseconds(100);
};

struct NetworkLimits {
  // A connection that gets nothing through for this long is lost, as by the idle timeout of QUIC.
  Duration idle_timeout = std::chrono::seconds(3);
  Duration reconnect_low = std::chrono::milliseconds(5);
  Duration reconnect_high = std::chrono::milliseconds(250);
  // Messages on their way per link and channel; beyond it the sender is told QueueFull.
  std::size_t queue = 4096;
};

// What a message passes on its way out of a process: a Byzantine one may change, drop or keep it.
// Returns the messages to send instead.
using Tamper = std::function<std::vector<ports::SharedBytes>(Place from, const identity::NodeId& to,
                                                             ports::Channel, ports::SharedBytes)>;

class Network {
 public:
  Network(Scheduler& scheduler, SimRandom random, NetworkLimits limits)
      : scheduler_(scheduler), random_(random), limits_(limits) {}

  // Reserves a place for processes of `node`. Nothing is attached yet.
  Place add_place(const identity::NodeId& node);
  void set_quality(Place from, Place to, LinkQuality quality);
  void set_tamper(Place place, Tamper tamper) { places_[place].tamper = std::move(tamper); }

  // A process starts or ends at a place. It connects to everyone it can reach.
  void attach(Place place, ports::TransportListener& listener);
  // How a process ends: a killed one closes its connections, a machine without power just stops
  // answering, so that its peers only find out after the idle timeout.
  enum class End : std::uint8_t { Closed, Silent };
  void detach(Place place, End end);
  // The process at `place` gets `messages` more onto the wire, then `on_spent` is called, once and
  // as an event of its own: it died in the middle of sending.
  void limit_sends(Place place, std::uint64_t messages, std::function<void()> on_spent);

  void lift_send_limits();

  // Lets nothing through from one place to another, until unblocked.
  void set_blocked(Place from, Place to, bool blocked);
  void unblock_all();
  // Drops the connection between two places and what is on its way; they connect again.
  void reset_connection(Place a, Place b);

  ports::SendResult send(Place from, const identity::NodeId& to, ports::Channel channel,
                         ports::SharedBytes payload);
  std::vector<identity::NodeId> peers_of(Place place) const;

  std::size_t places() const { return places_.size(); }
  bool blocked(Place from, Place to) const { return link(from, to).blocked; }
  std::uint64_t delivered() const { return delivered_; }
  // Called for each delivery, before it: for the trace and the per-step checks.
  std::function<void(Place from, Place to, ports::Channel, ByteView)> on_deliver;

 private:
  struct Held {
    ports::Channel channel;
    ports::SharedBytes payload;
  };
  struct Link {
    LinkQuality quality;
    bool blocked = false;
    std::uint64_t blocks = 0;  // how often it was blocked: names one blockage
    std::array<MonoTime, ports::kChannelCount> last_arrival{};
    std::array<std::size_t, ports::kChannelCount> queued{};
    std::deque<Held> held;  // arrived at the blockage, in order
  };
  struct Session {  // between two places, kept at the lower one
    bool up = false;
    bool connecting = false;
    std::uint64_t number = 0;
  };
  struct PlaceState {
    identity::NodeId node;
    ports::TransportListener* listener = nullptr;
    Tamper tamper;
    std::optional<std::uint64_t> sends_left;
    std::function<void()> on_spent;
    std::vector<Link> out;
    std::vector<Session> sessions;                      // with higher places
    std::map<identity::NodeId, std::size_t> connected;  // sessions per node id
  };

  Link& link(Place from, Place to) { return places_[from].out[to]; }
  const Link& link(Place from, Place to) const { return places_[from].out[to]; }
  Session& session(Place a, Place b) { return places_[std::min(a, b)].sessions[std::max(a, b)]; }
  const Session& session(Place a, Place b) const {
    return places_[std::min(a, b)].sessions[std::max(a, b)];
  }
  bool may_send(PlaceState& sender);
  bool reachable(Place a, Place b) const;
  void connect(Place a, Place b);
  void lose(Place a, Place b, const std::string& reason);
  void peer_up(Place at, Place peer);
  void peer_down(Place at, Place peer, const std::string& reason);
  void expire_when_idle(Place a, Place b);
  void transmit(Place from, Place to, ports::Channel channel, const ports::SharedBytes& payload);
  void arrive(Place from, Place to, std::uint64_t number, const Held& message);
  void deliver(Place from, Place to, const Held& message);

  Scheduler& scheduler_;
  SimRandom random_;
  NetworkLimits limits_;
  std::vector<PlaceState> places_;
  std::uint64_t delivered_ = 0;
};

// The port that one process holds.
class SimTransport final : public ports::Transport {
 public:
  SimTransport(Network& network, Place place) : network_(network), place_(place) {}
  ports::SendResult send(const identity::NodeId& peer, ports::Channel channel,
                         ports::SharedBytes payload) override {
    return network_.send(place_, peer, channel, std::move(payload));
  }
  std::vector<identity::NodeId> connected_peers() const override {
    return network_.peers_of(place_);
  }

 private:
  Network& network_;
  Place place_;
};

}  // namespace hm::simulator
