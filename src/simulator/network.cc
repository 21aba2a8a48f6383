// SPDX-License-Identifier: Apache-2.0
#include "simulator/network.h"

#include <algorithm>
#include <utility>

#include "foundation/base/check.h"

namespace hm::simulator {

Place Network::add_place(const identity::NodeId& node) {
  const Place place = places_.size();
  places_.emplace_back().node = node;
  for (PlaceState& state : places_) {
    state.out.resize(places_.size());
    state.sessions.resize(places_.size());
  }
  return place;
}

void Network::set_quality(Place from, Place to, LinkQuality quality) {
  link(from, to).quality = quality;
}

bool Network::reachable(Place a, Place b) const {
  return places_[a].listener != nullptr && places_[b].listener != nullptr &&
         places_[a].node != places_[b].node && !link(a, b).blocked && !link(b, a).blocked;
}

void Network::attach(Place place, ports::TransportListener& listener) {
  HM_CHECK(places_[place].listener == nullptr);
  // A process that comes back before its silent predecessor was missed: the new handshake ends the
  // old connection.
  for (Place other = 0; other < places_.size(); ++other) {
    if (other != place) lose(place, other, "replaced by a new connection");
  }
  places_[place].listener = &listener;
  for (Place other = 0; other < places_.size(); ++other) {
    if (other != place) connect(place, other);
  }
}

void Network::detach(Place place, End end) {
  places_[place].listener = nullptr;
  places_[place].connected.clear();
  places_[place].sends_left.reset();
  for (Place other = 0; other < places_.size(); ++other) {
    if (other == place) continue;
    if (end == End::Closed) {
      lose(place, other, "closed by the peer");
    } else {
      expire_when_idle(place, other);
    }
  }
}

void Network::limit_sends(Place place, std::uint64_t messages, std::function<void()> on_spent) {
  places_[place].sends_left = messages;
  places_[place].on_spent = std::move(on_spent);
}

void Network::lift_send_limits() {
  for (PlaceState& state : places_) state.sends_left.reset();
}

bool Network::may_send(PlaceState& sender) {
  if (!sender.sends_left) return true;
  if (*sender.sends_left > 0) {
    --*sender.sends_left;
    return true;
  }
  if (sender.on_spent) scheduler_.at(scheduler_.now(), std::exchange(sender.on_spent, nullptr));
  return false;
}

void Network::set_blocked(Place from, Place to, bool blocked) {
  Link& l = link(from, to);
  if (l.blocked == blocked) return;
  l.blocked = blocked;
  if (blocked) {
    ++l.blocks;
    expire_when_idle(from, to);
    return;
  }
  if (session(from, to).up) {
    std::deque<Held> held;
    held.swap(l.held);
    const std::uint64_t number = session(from, to).number;
    for (const Held& message : held) {
      if (session(from, to).number != number) return;
      --l.queued[static_cast<std::size_t>(message.channel)];
      deliver(from, to, message);
    }
  } else {
    connect(from, to);
  }
}

void Network::unblock_all() {
  for (Place from = 0; from < places_.size(); ++from) {
    for (Place to = 0; to < places_.size(); ++to) {
      if (from != to) set_blocked(from, to, false);
    }
  }
}

void Network::reset_connection(Place a, Place b) {
  lose(a, b, "connection reset");
  connect(a, b);
}

void Network::connect(Place a, Place b) {
  Session& s = session(a, b);
  if (s.up || s.connecting || !reachable(a, b)) return;
  s.connecting = true;
  const Duration delay = random_.between(limits_.reconnect_low, limits_.reconnect_high);
  scheduler_.after(delay, [this, a, b] {
    Session& now = session(a, b);
    now.connecting = false;
    if (now.up || !reachable(a, b)) return;
    now.up = true;
    const std::uint64_t number = ++now.number;
    peer_up(a, b);
    if (session(a, b).number == number && session(a, b).up) peer_up(b, a);
  });
}

void Network::lose(Place a, Place b, const std::string& reason) {
  Session& s = session(a, b);
  if (!s.up) return;
  s.up = false;
  ++s.number;
  for (Link* l : {&link(a, b), &link(b, a)}) {
    l->held.clear();
    l->queued = {};
    l->last_arrival = {};
  }
  peer_down(a, b, reason);
  peer_down(b, a, reason);
}

void Network::peer_up(Place at, Place peer) {
  PlaceState& state = places_[at];
  if (++state.connected[places_[peer].node] == 1) state.listener->on_peer_up(places_[peer].node);
}

void Network::peer_down(Place at, Place peer, const std::string& reason) {
  PlaceState& state = places_[at];
  if (state.listener == nullptr) return;
  const auto found = state.connected.find(places_[peer].node);
  if (found == state.connected.end()) return;
  if (--found->second > 0) return;
  state.connected.erase(found);
  state.listener->on_peer_down(places_[peer].node, reason);
}

void Network::expire_when_idle(Place a, Place b) {
  const Session& s = session(a, b);
  if (!s.up) return;
  const std::uint64_t blocks = link(a, b).blocks;
  scheduler_.after(limits_.idle_timeout, [this, a, b, blocks, number = s.number] {
    if (session(a, b).number != number || !session(a, b).up) return;
    const bool gone = places_[a].listener == nullptr || places_[b].listener == nullptr;
    const bool still_blocked = link(a, b).blocked && link(a, b).blocks == blocks;
    if (!gone && !still_blocked) return;
    lose(a, b, "idle timeout");
    connect(a, b);
  });
}

ports::SendResult Network::send(Place from, const identity::NodeId& to, ports::Channel channel,
                                ports::SharedBytes payload) {
  PlaceState& sender = places_[from];
  std::vector<ports::SharedBytes> messages{std::move(payload)};
  if (sender.tamper) messages = sender.tamper(from, to, channel, std::move(messages.front()));
  auto result = ports::SendResult::NotConnected;
  for (Place place = 0; place < places_.size(); ++place) {
    if (place == from || places_[place].node != to || !session(from, place).up) continue;
    if (link(from, place).queued[static_cast<std::size_t>(channel)] >= limits_.queue) {
      result = ports::SendResult::QueueFull;
      continue;
    }
    result = ports::SendResult::Queued;
    for (const ports::SharedBytes& message : messages) {
      if (may_send(sender)) transmit(from, place, channel, message);
    }
  }
  return result;
}

void Network::transmit(Place from, Place to, ports::Channel channel,
                       const ports::SharedBytes& payload) {
  Link& l = link(from, to);
  const LinkQuality& q = l.quality;
  const auto index = static_cast<std::size_t>(channel);
  Duration delay = random_.between(q.delay_low, q.delay_high);
  if (random_.chance(q.retransmit_permille)) delay += q.retransmit;
  MonoTime when = scheduler_.now() + delay;
  int copies = 1;
  if (q.raw) {
    if (random_.chance(q.loss_permille)) copies = 0;
    if (random_.chance(q.duplicate_permille)) ++copies;
    if (random_.chance(q.reorder_permille)) when += random_.between(Duration(0), q.reorder);
  } else {
    when = std::max(when, l.last_arrival[index]);
    l.last_arrival[index] = when;
  }
  for (; copies > 0; --copies) {
    ++l.queued[index];
    scheduler_.at(when, [this, from, to, number = session(from, to).number,
                         message = Held{channel, payload}] { arrive(from, to, number, message); });
    when += q.delay_high;
  }
}

void Network::arrive(Place from, Place to, std::uint64_t number, const Held& message) {
  if (session(from, to).number != number) return;
  Link& l = link(from, to);
  if (l.blocked) {
    l.held.push_back(message);
    return;
  }
  --l.queued[static_cast<std::size_t>(message.channel)];
  deliver(from, to, message);
}

void Network::deliver(Place from, Place to, const Held& message) {
  ports::TransportListener* listener = places_[to].listener;
  if (listener == nullptr) return;
  ++delivered_;
  if (on_deliver) on_deliver(from, to, message.channel, *message.payload);
  listener->on_message(places_[from].node, message.channel, *message.payload);
}

std::vector<identity::NodeId> Network::peers_of(Place place) const {
  std::vector<identity::NodeId> peers;
  for (const auto& [node, sessions] : places_[place].connected) peers.push_back(node);
  return peers;
}

}  // namespace hm::simulator
