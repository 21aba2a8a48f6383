// SPDX-License-Identifier: Apache-2.0
// The ports of a node in memory, with a clock that the test moves. For tests.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "core/ledger/sample_chain.h"
#include "node/node.h"

namespace hm::node::memory {

class World : public ports::Clock,
              public ports::Random,
              public ports::Timers,
              public ports::Workers {
 public:
  MonoTime now() const override { return now_; }
  UnixMillis wall() const override {
    const auto since =
        std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch());
    return UnixMillis(ledger::sample::kGenesisTime + static_cast<std::uint64_t>(since.count()));
  }
  void fill(std::span<std::uint8_t> out) override {
    for (std::uint8_t& byte : out) {
      state_ = state_ * 6'364'136'223'846'793'005U + 1;
      byte = static_cast<std::uint8_t>(state_ >> 56);
    }
  }
  std::unique_ptr<ports::Timer> create(std::function<void()> on_fire) override {
    return std::make_unique<TestTimer>(*this, std::move(on_fire));
  }
  void submit(std::function<void()> job, std::function<void()> done) override {
    later([job = std::move(job), done = std::move(done)] {
      job();
      done();
    });
  }

  void later(std::function<void()> task) { tasks_.push_back(std::move(task)); }

  // Does one thing that is due now; false: there is none.
  bool step() {
    if (!tasks_.empty()) {
      const auto task = std::move(tasks_.front());
      tasks_.pop_front();
      task();
      return true;
    }
    TestTimer* due = nullptr;
    for (TestTimer* timer : timers_) {
      if (timer->deadline && *timer->deadline <= now_) due = timer;
    }
    if (due == nullptr) return false;
    due->deadline.reset();
    const auto fire = due->fire;
    fire();
    return true;
  }
  // Does everything that is due now.
  void settle() {
    while (step()) {
    }
  }

  // Time alone; what is due then waits for step().
  void pass(Duration by) { now_ += by; }

  void advance(Duration by) {
    const MonoTime end = now_ + by;
    settle();
    while (now_ < end) {
      now_ = std::min(end, next_tick());
      settle();
    }
  }

 private:
  // The next millisecond in which something is due.
  MonoTime next_tick() const {
    constexpr Duration kTick = std::chrono::milliseconds(1);
    Duration until = std::chrono::hours(1);
    for (const TestTimer* timer : timers_) {
      if (timer->deadline) until = std::min(until, *timer->deadline - now_);
    }
    const auto ticks = std::max<std::int64_t>(1, (until + kTick - Duration(1)) / kTick);
    return now_ + ticks * kTick;
  }

  struct TestTimer final : ports::Timer {
    TestTimer(World& owner, std::function<void()> on_fire)
        : world(owner), fire(std::move(on_fire)) {
      world.timers_.push_back(this);
    }
    ~TestTimer() override { std::erase(world.timers_, this); }
    void arm(MonoTime at) override { deadline = at; }
    void cancel() override { deadline.reset(); }
    World& world;
    std::function<void()> fire;
    std::optional<MonoTime> deadline;
  };

  MonoTime now_{std::chrono::seconds(1)};
  std::uint64_t state_ = 1;
  std::deque<std::function<void()>> tasks_;
  std::vector<TestTimer*> timers_;
};

class MemoryStore final : public ports::Store {
 public:
  Result<std::optional<Bytes>> get(ports::Space space, ByteView key) const override {
    const auto& rows = rows_[static_cast<std::size_t>(space)];
    const auto found = rows.find(to_bytes(key));
    if (found == rows.end()) return std::optional<Bytes>{};
    return std::optional(found->second);
  }
  Result<void> write(const ports::WriteBatch& batch) override {
    for (const ports::StoreWrite& write : batch) {
      auto& rows = rows_[static_cast<std::size_t>(write.space)];
      if (write.value) {
        rows[write.key] = *write.value;
      } else {
        rows.erase(write.key);
      }
    }
    return {};
  }
  Result<void> sync() override { return {}; }
  Result<void> scan(ports::Space space, ByteView first, ByteView last,
                    const std::function<bool(ByteView, ByteView)>& visit) const override {
    const auto& rows = rows_[static_cast<std::size_t>(space)];
    const Bytes end = to_bytes(last);
    for (auto row = rows.lower_bound(to_bytes(first)); row != rows.end(); ++row) {
      if (!end.empty() && row->first >= end) break;
      if (!visit(row->first, row->second)) break;
    }
    return {};
  }

 private:
  std::array<std::map<Bytes, Bytes>, ports::kSpaceCount> rows_;
};

class MemoryJournal final : public ports::Journal {
 public:
  explicit MemoryJournal(World& world) : world_(world) {}
  void attach(ports::JournalListener& listener) { listener_ = &listener; }
  Result<ports::ReplayReport> replay(
      const std::function<void(ports::LogSequence, ByteView)>&) override {
    return ports::ReplayReport{};
  }
  ports::LogSequence append(ByteView) override {
    const ports::LogSequence sequence = ++last_;
    world_.later([this, sequence] { listener_->on_durable(sequence); });
    return sequence;
  }
  void acknowledge_damage() override {}
  void trim(ports::LogSequence) override {}

 private:
  World& world_;
  ports::JournalListener* listener_ = nullptr;
  ports::LogSequence last_ = 0;
};

class NoTransport final : public ports::Transport {
 public:
  ports::SendResult send(const identity::NodeId&, ports::Channel, ports::SharedBytes) override {
    return ports::SendResult::NotConnected;
  }
  std::vector<identity::NodeId> connected_peers() const override { return {}; }
};

}  // namespace hm::node::memory
