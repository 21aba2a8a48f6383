// SPDX-License-Identifier: Apache-2.0
// Load for a mesh over HTTP: accounts that pay, and watchers that see blocks become final.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/identity/owner_keys.h"
#include "core/ledger/operation.h"
#include "foundation/base/result.h"
#include "platform/http/http_client.h"

namespace hm::mesh_load {

using Time = std::chrono::steady_clock::time_point;

struct BlockSeen {
  Time at;
  std::uint64_t height = 0;
  std::uint64_t applied = 0;
};

// Follows one node's event stream, through restarts of the node. Stop the mesh first: the
// destructor waits for the stream to end.
class Watcher {
 public:
  explicit Watcher(http::HttpEndpoint api) : api_(std::move(api)), thread_([this] { run(); }) {}
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  std::vector<BlockSeen> since(Time from) const;
  // Operations applied per second.
  double rate_between(Time from, Time to) const;
  // The newest block seen.
  ledger::Anchor anchor() const;

 private:
  void run();
  void on_block(std::string_view event);

  http::HttpEndpoint api_;
  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;
  std::vector<BlockSeen> blocks_;
  ledger::Anchor anchor_;
  std::thread thread_;
};

struct Counts {
  std::atomic<std::uint64_t> offered = 0;
  std::atomic<std::uint64_t> taken = 0;
  std::atomic<std::uint64_t> busy = 0;
};

// An account that pays another, one unit at a time. What was not taken is sent again as the same
// bytes, so that nothing is paid twice.
class Actor {
 public:
  Actor(identity::OwnerKeys keys, identity::OwnerId to, identity::ChainId chain);

  const identity::OwnerId& id() const { return keys_.id(); }
  // The last sequence up to which all were taken.
  std::uint64_t acknowledged() const { return first_ - 1; }
  void resume_at(std::uint64_t sequence);
  // Signs ahead until `count` operations wait to be sent, so that sending costs no signature.
  void prepare(std::size_t count, const ledger::Anchor& anchor);

  enum class Wait : std::uint8_t { Final, None };
  // Sends `batch` operations; false if the node did not answer.
  bool post(http::HttpClient& client, std::size_t batch, Wait wait, const ledger::Anchor& anchor,
            Counts& counts);

 private:
  std::string sign(std::uint64_t sequence, const ledger::Anchor& anchor) const;
  bool settle(const std::string& answer, Wait wait, const ledger::Anchor& anchor, Counts& counts);

  identity::OwnerKeys keys_;
  identity::OwnerId to_;
  identity::ChainId chain_;
  std::uint64_t first_ = 1;
  std::deque<std::string> pending_;  // base64, sequences from first_
};

// Signs the action as the owner and returns the operation's id when it is final.
Result<crypto::Digest> submit_as(http::HttpClient& client, const identity::OwnerKeys& owner,
                                 ledger::Action action);

}  // namespace hm::mesh_load
