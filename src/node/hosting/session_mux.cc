// SPDX-License-Identifier: Apache-2.0
#include "node/hosting/session_mux.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "foundation/base/check.h"
#include "foundation/base/log.h"

namespace hm::hosting {
namespace {

Failure lost_peer() {
  return {ErrorCode::Unavailable, "the node is not connected any more",
          "it ended, or the way to it is cut"};
}

Side other(Side side) { return side == Side::Opener ? Side::Acceptor : Side::Opener; }

}  // namespace

Stream::Stream(SessionMux& mux, Key key) : mux_(&mux), mux_alive_(mux.alive_), key_(key) {}

Stream::~Stream() {
  if (!is_open()) return;
  if (key_.own == Side::Opener) {
    abandon();
  } else {
    close(Error{ErrorCode::Unavailable, "the other side gave up", {}});
  }
}

bool Stream::is_open() const { return *mux_alive_ && mux_->streams_.contains(key_); }

void Stream::set_listener(std::shared_ptr<StreamListener> listener) {
  if (!*mux_alive_) return;
  if (auto* entry = mux_->find(key_)) entry->listener = std::move(listener);
}

std::size_t Stream::room() const {
  if (!*mux_alive_) return 0;
  const auto* entry = mux_->find(key_);
  if (entry == nullptr || (key_.own == Side::Opener && entry->input_ended)) return 0;
  return entry->room;
}

void Stream::send(Lane lane, ByteView bytes) {
  if (!is_open() || bytes.empty()) return;
  auto* entry = mux_->find(key_);
  HM_CHECK(bytes.size() <= entry->room);
  entry->room -= bytes.size();
  mux_->counters_.bytes_sent += bytes.size();
  const StreamRef ref{key_.own, key_.number};
  for (std::size_t at = 0; at < bytes.size(); at += kMaxPiece) {
    const ByteView piece = bytes.subspan(at, std::min(kMaxPiece, bytes.size() - at));
    if (!mux_->send(key_.peer, Data{ref, lane, to_bytes(piece)})) {
      return mux_->end(key_, lost_peer());
    }
  }
}

void Stream::take(std::size_t bytes) {
  if (!is_open() || bytes == 0) return;
  auto* entry = mux_->find(key_);
  entry->expected += bytes;
  HM_CHECK(entry->expected <= entry->window);
  (void)mux_->send(key_.peer, Credit{{key_.own, key_.number}, static_cast<std::uint32_t>(bytes)});
}

void Stream::end_input() {
  if (!is_open()) return;
  auto* entry = mux_->find(key_);
  if (std::exchange(entry->input_ended, true)) return;
  (void)mux_->send(key_.peer, EndOfInput{key_.number});
}

void Stream::command(const Control& control) {
  if (is_open()) (void)mux_->send(key_.peer, Command{key_.number, control});
}

void Stream::abandon() {
  if (!is_open()) return;
  mux_->streams_.erase(key_);
  (void)mux_->send(key_.peer, Abandon{key_.number});
}

void Stream::report(const Report& report) {
  if (is_open()) (void)mux_->send(key_.peer, Tell{key_.number, report});
}

void Stream::close(Outcome outcome) {
  if (!is_open()) return;
  mux_->streams_.erase(key_);
  (void)mux_->send(key_.peer, Close{key_.number, std::move(outcome)});
}

void Stream::close(const Error& error) { close(Failure{error.code, error.message, error.detail}); }

SessionMux::SessionMux(node::Node& node)
    : node_(node), local_timer_(node.ports().timers.create([this] { drain_local(); })) {
  node_.add_observer(*this);
}

SessionMux::~SessionMux() {
  *alive_ = false;
  node_.remove_observer(*this);
}

bool SessionMux::is_reachable(const identity::NodeId& peer) const {
  return peer == node_.id() || node_.peers().contains(peer);
}

bool SessionMux::has_room_for(const identity::NodeId& peer, Side own, bool bulk) const {
  std::size_t all = 0;
  std::size_t bulky = 0;
  for (auto at = streams_.lower_bound({peer, own, 0});
       at != streams_.end() && at->first.peer == peer && at->first.own == own; ++at) {
    ++all;
    if (at->second.bulk) ++bulky;
  }
  return all < kMaxStreams && (!bulk || bulky < kMaxBulkStreams);
}

std::shared_ptr<Stream> SessionMux::open(const identity::NodeId& peer, Request request,
                                         std::shared_ptr<StreamListener> listener) {
  const bool bulk = is_bulk(request);
  if (!is_reachable(peer) || !has_room_for(peer, Side::Opener, bulk)) return nullptr;
  const Stream::Key key{peer, Side::Opener, next_number_++};
  const std::size_t window = window_of(request);
  streams_[key] = Entry{.listener = std::move(listener),
                        .window = window,
                        .room = window,
                        .expected = window,
                        .bulk = bulk};
  if (!send(peer, Open{key.number, std::move(request)})) {
    streams_.erase(key);
    return nullptr;
  }
  ++counters_.opened;
  return std::make_shared<Stream>(*this, key);
}

bool SessionMux::send(const identity::NodeId& peer, SessionMessage message) {
  if (peer != node_.id()) return node_.send_container_message(peer, encode(message));
  local_.push_back(std::move(message));
  if (local_.size() == 1) local_timer_->arm(node_.ports().clock.now());
  return true;
}

void SessionMux::drain_local() {
  // What is said in answer waits for the next turn, so that nothing else starves.
  std::deque<SessionMessage> due;
  due.swap(local_);
  const auto alive = alive_;
  for (SessionMessage& message : due) {
    handle(node_.id(), std::move(message));
    if (!*alive) return;
  }
  if (!local_.empty()) local_timer_->arm(node_.ports().clock.now());
}

void SessionMux::on_container_message(const identity::NodeId& from, ByteView payload) {
  auto message = decode_session_message(payload);
  if (!message) {
    ++counters_.malformed;
    log::debug("hosting", "a message is refused",
               {{"peer", from.to_string()}, {"why", name_of(message.error())}});
    return;
  }
  handle(from, std::move(*message));
}

void SessionMux::handle(const identity::NodeId& from, SessionMessage message) {
  std::visit([&](auto& m) { on(from, std::move(m)); }, message);
}

SessionMux::Entry* SessionMux::find(const Stream::Key& key) {
  const auto found = streams_.find(key);
  return found == streams_.end() ? nullptr : &found->second;
}

void SessionMux::on(const identity::NodeId& from, Open open) {
  // Numbers rise, so that a late message never meets another stream.
  std::uint64_t& highest = highest_[from];
  if (open.number <= highest) {
    ++counters_.violations;
    return;
  }
  highest = open.number;
  const bool bulk = is_bulk(open.request);
  if (!acceptor_ || !has_room_for(from, Side::Acceptor, bulk)) {
    ++counters_.refused;
    (void)send(from, Close{open.number, Failure{ErrorCode::Busy, "too many streams are open",
                                                "close some, or try again later"}});
    return;
  }
  const Stream::Key key{from, Side::Acceptor, open.number};
  const std::size_t window = window_of(open.request);
  streams_[key] =
      Entry{.listener = {}, .window = window, .room = window, .expected = window, .bulk = bulk};
  ++counters_.accepted;
  acceptor_(std::move(open.request), std::make_shared<Stream>(*this, key));
}

void SessionMux::on(const identity::NodeId& from, Data data) {
  const Stream::Key key{from, other(data.stream.side), data.stream.number};
  Entry* entry = find(key);
  if (entry == nullptr) return;  // ended here, and the other side does not know it yet
  if (data.bytes.size() > entry->expected) return violate(key, "more data than the window allows");
  if (key.own == Side::Acceptor && entry->input_ended) return violate(key, "data after its end");
  entry->expected -= data.bytes.size();
  counters_.bytes_received += data.bytes.size();
  if (const auto listener = entry->listener) listener->on_data(data.lane, data.bytes);
}

void SessionMux::on(const identity::NodeId& from, const Credit& credit) {
  const Stream::Key key{from, other(credit.stream.side), credit.stream.number};
  Entry* entry = find(key);
  if (entry == nullptr) return;
  if (credit.bytes > entry->window - entry->room) return violate(key, "more credit than was used");
  entry->room += credit.bytes;
  if (const auto listener = entry->listener) listener->on_room();
}

void SessionMux::on(const identity::NodeId& from, const EndOfInput& end) {
  const Stream::Key key{from, Side::Acceptor, end.number};
  Entry* entry = find(key);
  if (entry == nullptr || std::exchange(entry->input_ended, true)) return;
  if (const auto listener = entry->listener) listener->on_end_of_input();
}

void SessionMux::on(const identity::NodeId& from, const Command& command) {
  Entry* entry = find({from, Side::Acceptor, command.number});
  if (entry == nullptr) return;
  if (const auto listener = entry->listener) listener->on_command(command.control);
}

void SessionMux::on(const identity::NodeId& from, const Tell& tell) {
  Entry* entry = find({from, Side::Opener, tell.number});
  if (entry == nullptr) return;
  if (const auto listener = entry->listener) listener->on_report(tell.report);
}

void SessionMux::on(const identity::NodeId& from, const Close& close) {
  end({from, Side::Opener, close.number}, close.outcome);
}

void SessionMux::on(const identity::NodeId& from, const Abandon& abandon) {
  end({from, Side::Acceptor, abandon.number},
      Failure{ErrorCode::Unavailable, "whoever opened it wants nothing more of it", {}});
}

void SessionMux::end(const Stream::Key& key, const Outcome& outcome) {
  const auto found = streams_.find(key);
  if (found == streams_.end()) return;
  const auto listener = std::move(found->second.listener);
  streams_.erase(found);
  if (listener) listener->on_closed(outcome);
}

void SessionMux::violate(const Stream::Key& key, const char* what) {
  ++counters_.violations;
  log::warning("hosting", "a stream is ended", {{"peer", key.peer.to_string()}, {"why", what}});
  say_end(key, Failure{ErrorCode::InvalidArgument, what, {}});
  end(key, Failure{ErrorCode::Corrupt, "the other node broke the protocol", what});
}

void SessionMux::say_end(const Stream::Key& key, Outcome outcome) {
  if (key.own == Side::Opener) {
    (void)send(key.peer, Abandon{key.number});
  } else {
    (void)send(key.peer, Close{key.number, std::move(outcome)});
  }
}

void SessionMux::on_disconnected(const identity::NodeId& peer) {
  std::vector<Stream::Key> lost;
  for (const auto& [key, entry] : streams_) {
    if (key.peer == peer) lost.push_back(key);
  }
  const auto alive = alive_;
  for (const Stream::Key& key : lost) {
    end(key, lost_peer());
    if (!*alive) return;
  }
  highest_.erase(peer);
}

}  // namespace hm::hosting
