// SPDX-License-Identifier: Apache-2.0
// The streams between this node and others: opened, fed against windows, closed; and the same with
// this node itself, without a wire. docs/protocols/containers.md, "Streams".
//
// Promises: what a peer may have on its way here is bounded by the windows of its streams, and they
// are bounded in number. A listener hears nothing after on_closed(), and hears that exactly once,
// also when the peer is lost. What breaks the protocol ends the stream, and is counted.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <tuple>

#include "node/hosting/limits.h"
#include "node/hosting/session_message.h"
#include "node/node.h"
#include "ports/timer.h"

namespace hm::hosting {

// One side's ears.
class StreamListener {
 public:
  virtual ~StreamListener() = default;
  virtual void on_data(Lane /*lane*/, ByteView /*bytes*/) {}
  // More may be sent than before.
  virtual void on_room() {}
  // To the acceptor: what the opener says.
  virtual void on_end_of_input() {}
  virtual void on_command(const Control& /*control*/) {}
  // To the opener: what the acceptor says.
  virtual void on_report(const Report& /*report*/) {}
  // The last call. To the acceptor: the opener or its node is gone.
  virtual void on_closed(const Outcome& outcome) = 0;
};

class SessionMux;

// One side's mouth. After the end, calls do nothing. Dropping it ends the stream: as abandoned by
// the opener, as failed by the acceptor.
class Stream {
 public:
  struct Key {
    identity::NodeId peer;
    Side own = Side::Opener;
    std::uint64_t number = 0;
    auto operator<=>(const Key&) const = default;
  };

  Stream(SessionMux& mux, Key key);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  const identity::NodeId& peer() const { return key_.peer; }
  bool is_open() const;
  // Before the first event is due, that is, in the turn in which the stream was had.
  void set_listener(std::shared_ptr<StreamListener> listener);

  // How much may be sent now.
  std::size_t room() const;
  // Requires: at most room().
  void send(Lane lane, ByteView bytes);
  // So many of the received bytes are dealt with; as many more may come.
  void take(std::size_t bytes);

  // The opener's.
  void end_input();
  void command(const Control& control);
  void abandon();
  // The acceptor's.
  void report(const Report& report);
  void close(Outcome outcome);
  void close(const Error& error);

 private:
  SessionMux* mux_;
  std::shared_ptr<bool> mux_alive_;
  Key key_;
};

struct SessionCounters {
  std::uint64_t opened = 0;
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;     // too many at once
  std::uint64_t malformed = 0;   // messages
  std::uint64_t violations = 0;  // streams ended for what the peer said on them
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
};

class SessionMux final : public node::NodeObserver {
 public:
  using Acceptor = std::function<void(Request request, std::shared_ptr<Stream> stream)>;

  explicit SessionMux(node::Node& node);
  ~SessionMux() override;

  // What peers, and this node itself, ask. The stream has no listener yet.
  void set_acceptor(Acceptor acceptor) { acceptor_ = std::move(acceptor); }
  // Null if the node is not connected, or too many are open with it.
  std::shared_ptr<Stream> open(const identity::NodeId& peer, Request request,
                               std::shared_ptr<StreamListener> listener);
  bool is_reachable(const identity::NodeId& peer) const;
  const SessionCounters& counters() const { return counters_; }

  // node::NodeObserver
  void on_final(const node::FinalEvent& /*event*/) override {}
  void on_disconnected(const identity::NodeId& peer) override;
  void on_container_message(const identity::NodeId& from, ByteView payload) override;

 private:
  friend class Stream;
  struct Entry {
    std::shared_ptr<StreamListener> listener;
    std::size_t window = kWindow;
    std::size_t room = 0;      // what this side may still send
    std::size_t expected = 0;  // what the other side may still send
    bool input_ended = false;
    bool bulk = false;
  };

  void handle(const identity::NodeId& from, SessionMessage message);
  void on(const identity::NodeId& from, Open open);
  void on(const identity::NodeId& from, Data data);
  void on(const identity::NodeId& from, const Credit& credit);
  void on(const identity::NodeId& from, const EndOfInput& end);
  void on(const identity::NodeId& from, const Command& command);
  void on(const identity::NodeId& from, const Tell& tell);
  void on(const identity::NodeId& from, const Close& close);
  void on(const identity::NodeId& from, const Abandon& abandon);

  Entry* find(const Stream::Key& key);
  bool has_room_for(const identity::NodeId& peer, Side own, bool bulk) const;
  bool send(const identity::NodeId& peer, SessionMessage message);
  // Forgets the stream, then tells its listener.
  void end(const Stream::Key& key, const Outcome& outcome);
  void violate(const Stream::Key& key, const char* what);
  void say_end(const Stream::Key& key, Outcome outcome);
  void drain_local();

  node::Node& node_;
  Acceptor acceptor_;
  std::map<Stream::Key, Entry> streams_;
  std::uint64_t next_number_ = 1;
  std::map<identity::NodeId, std::uint64_t> highest_;  // number that each peer opened
  std::deque<SessionMessage> local_;
  std::unique_ptr<ports::Timer> local_timer_;
  SessionCounters counters_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace hm::hosting
