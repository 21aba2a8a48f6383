// SPDX-License-Identifier: Apache-2.0
// Drives one Replica on one simulated machine the way src/node drives it on a real one: effects in
// order, votes only after their record is durable, the store flushed before the log is trimmed.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/consensus/replica.h"
#include "simulator/consensus_world.h"

namespace hm::simulator {

// Of the application: numbers in one block.
inline constexpr std::size_t kMaxOperationsPerBlock = 64;

// True for numbers that a client really submitted; stands for the client's signature.
using KnownOperation = std::function<bool(std::uint64_t)>;

class ConsensusProcess final : public Process, private ports::JournalListener {
 public:
  ConsensusProcess(World& world, std::size_t who, const ConsensusSetup& setup,
                   std::optional<consensus::SigningKey> key, KnownOperation known);

  void start() override;
  void submit(std::uint64_t number) override;
  std::uint64_t final_height() const override { return replica_.final_height(); }
  std::uint64_t view() const override { return replica_.view(); }
  std::string describe() const override { return replica_.describe(); }

  const consensus::Replica& replica() const { return replica_; }
  // The numbers in final order, as this member has executed them.
  const std::map<std::uint64_t, std::uint64_t>& executed() const { return executed_; }
  std::optional<crypto::Digest> root_at(std::uint64_t height) const;
  std::optional<crypto::Digest> stored_hash(std::uint64_t height) const;

  void on_peer_up(const identity::NodeId& peer) override;
  void on_peer_down(const identity::NodeId& peer, const std::string& reason) override;
  void on_message(const identity::NodeId& from, ports::Channel channel, ByteView payload) override;

 private:
  using Numbers = std::vector<std::uint64_t>;

  void on_durable(ports::LogSequence sequence) override;
  void on_journal_failed(const Error& error) override;

  consensus::Now now() const { return {clock_.now(), clock_.wall()}; }
  void recover();
  void pump();
  void gossip(const std::optional<identity::NodeId>& to, const Numbers& numbers);
  bool learn(const Numbers& numbers);
  void perform(consensus::Persist& effect);
  void perform(consensus::Broadcast& effect);
  void perform(consensus::Send& effect);
  void perform(consensus::RequestPayload& effect);
  void perform(consensus::Validate& effect);
  void perform(consensus::Finalize& effect);
  void perform(consensus::FetchStored& effect);
  void perform(consensus::TrimLog& effect);
  void perform(consensus::ReportFault& effect);
  void perform(consensus::ReportDivergence& effect);
  void perform(consensus::ReportFork& effect);
  consensus::Verdict judge(const consensus::Validate& effect) const;
  crypto::Digest execute(std::uint64_t height, const consensus::Block& block);

  World& world_;
  std::size_t who_;
  bool honest_;
  const ConsensusSetup& setup_;
  KnownOperation known_;
  SimClock clock_;
  SimTimers timers_;
  std::unique_ptr<ports::Timer> timer_;
  SimRandom random_;
  SimWorkers workers_;
  SimJournal journal_;
  SimStore store_;
  SimTransport transport_;
  consensus::Replica replica_;

  std::set<std::uint64_t> pending_;
  std::set<std::uint64_t> clients_;                  // numbers whose client waits for our answer
  std::map<std::uint64_t, std::uint64_t> executed_;  // number → height
  crypto::Digest root_;
  MonoTime executed_at_{};  // when the execution of the newest final block is done
  bool halted_ = false;
};

}  // namespace hm::simulator
