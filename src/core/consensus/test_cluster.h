// SPDX-License-Identifier: Apache-2.0
// For tests of this module only: several replicas over a network, disks and clocks that one seed
// drives, and the pieces to forge messages with. src/simulator is the thorough sibling.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "core/consensus/certificate.h"
#include "core/consensus/messages.h"
#include "core/consensus/replica.h"
#include "core/consensus/vote_log.h"

namespace hm::consensus::testing {

inline constexpr std::uint64_t kStartMillis = 1'700'000'000'000;
inline constexpr Duration kMillisecond = std::chrono::milliseconds(1);

// Deterministic (splitmix64); not for keys outside tests.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }

 private:
  std::uint64_t state_;
};

ChainDomain test_domain();
NodeId node_id(std::size_t i);
// Keys by validator index: the set sorts by key, so index and position agree.
std::vector<SigningKey> make_keys(std::size_t count);
ValidatorSet make_set(const std::vector<SigningKey>& keys, std::vector<std::uint64_t> stakes = {});
Config make_config(std::size_t self);
Certificate certify(const Statement& statement, const std::vector<SigningKey>& keys,
                    const std::vector<ValidatorIndex>& signers);

struct Machinery {  // one simulated machine
  std::unique_ptr<Replica> replica;
  bool up = false;
  std::uint64_t incarnation = 0;
  std::map<LogSequence, Bytes> journal;  // appended
  LogSequence durable = 0;
  std::map<Height, Bytes> store;
  std::map<Height, Digest> roots;
  std::set<std::uint64_t> pool;     // operations that wait
  std::set<std::uint64_t> applied;  // operations in final blocks
  std::optional<MonoTime> armed;
  std::int64_t wall_offset_ms = 0;
  std::vector<FaultKind> faults;
  bool forked = false;
  bool diverged = false;
};

class Cluster {
 public:
  // `followers` extra replicas hold no key.
  Cluster(std::size_t validators, std::uint64_t seed, std::size_t followers = 0);

  enum class Log : std::uint8_t { Intact, LoseUnsynced, Damaged, Wiped };

  void start_all();
  void crash(std::size_t i);
  void restart(std::size_t i, Log log = Log::LoseUnsynced);
  void submit(std::uint64_t operation);
  void submit_to(std::size_t i, std::uint64_t operation);
  void run_for(Duration duration);
  // False if `done` did not hold within `limit`.
  bool run_until(const std::function<bool()>& done, Duration limit);
  bool run_until_height(Height height, Duration limit);
  void disconnect(std::size_t a, std::size_t b);
  void connect(std::size_t a, std::size_t b);

  Replica& replica(std::size_t i) { return *nodes_[i].replica; }
  Machinery& node(std::size_t i) { return nodes_[i]; }
  std::size_t size() const { return nodes_.size(); }
  MonoTime now() const { return now_; }
  const std::vector<SigningKey>& keys() const { return keys_; }
  std::uint64_t messages_sent() const { return messages_sent_; }
  // Hash of the final block at each height; a second hash aborts the test run.
  const std::map<Height, Digest>& finals() const { return finals_; }
  bool forked() const { return forked_; }

  // Messages for which this is false are lost.
  std::function<bool(std::size_t from, std::size_t to, const Message&)> deliver;
  Duration min_delay = kMillisecond;
  Duration max_delay = 5 * kMillisecond;
  Duration disk_delay = kMillisecond;
  std::uint64_t loss_percent = 0;
  Duration execution_delay{};
  Duration validation_delay{};

 private:
  Now now_of(std::size_t i) const;
  void at(Duration delay, std::function<void()> action);
  void guarded(std::size_t i, Duration delay, std::function<void()> action);
  void pump(std::size_t i);
  void perform(std::size_t i, Effect& effect);
  void transmit(std::size_t from, std::size_t to, const SharedBytes& bytes);
  void finalize(std::size_t i, const Finalize& effect);
  bool linked(std::size_t a, std::size_t b) const;
  Bytes payload_for(std::size_t i, const RequestPayload& effect) const;

  Dice dice_;
  std::vector<SigningKey> keys_;
  std::size_t validator_count_;
  std::vector<Machinery> nodes_;
  std::set<std::pair<std::size_t, std::size_t>> cut_;
  std::map<std::pair<MonoTime, std::uint64_t>, std::function<void()>> events_;
  std::uint64_t next_event_ = 0;
  MonoTime now_{};
  std::map<Height, Digest> finals_;
  bool forked_ = false;
  std::uint64_t messages_sent_ = 0;
};

}  // namespace hm::consensus::testing
