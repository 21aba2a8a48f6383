// SPDX-License-Identifier: Apache-2.0
#include "platform/loop/event_loop.h"

#include <sys/random.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cerrno>
#include <chrono>

#include "foundation/base/check.h"

namespace hm::loop {
namespace {

namespace asio = boost::asio;
using SteadyClock = std::chrono::steady_clock;

class SystemClock final : public ports::Clock {
 public:
  MonoTime now() const override {
    return MonoTime(std::chrono::duration_cast<Duration>(SteadyClock::now().time_since_epoch()));
  }
  UnixMillis wall() const override {
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count();
    return UnixMillis(millis > 0 ? static_cast<std::uint64_t>(millis) : 0);
  }
};

class KernelRandom final : public ports::Random {
 public:
  void fill(std::span<std::uint8_t> out) override {
    while (!out.empty()) {
      const ssize_t got = getrandom(out.data(), out.size(), 0);
      if (got < 0) {
        HM_CHECK(errno == EINTR);
        continue;
      }
      out = out.subspan(static_cast<std::size_t>(got));
    }
  }
};

class LoopTimer final : public ports::Timer {
 public:
  LoopTimer(asio::io_context& context, std::function<void()> on_fire)
      : shared_(std::make_shared<Shared>(context, std::move(on_fire))) {}
  ~LoopTimer() override {
    shared_->on_fire = nullptr;
    shared_->timer.cancel();
  }

  void arm(MonoTime deadline) override {
    const auto at = SteadyClock::time_point(deadline.time_since_epoch());
    const std::uint64_t arming = ++shared_->arming;
    shared_->timer.expires_at(at);
    shared_->timer.async_wait([shared = shared_, arming](const boost::system::error_code& error) {
      // A wait that had already completed when it was replaced still arrives: the number tells.
      if (!error && shared->on_fire && shared->arming == arming) shared->on_fire();
    });
  }
  void cancel() override {
    ++shared_->arming;
    shared_->timer.cancel();
  }

 private:
  struct Shared {
    Shared(asio::io_context& context, std::function<void()> f)
        : timer(context), on_fire(std::move(f)) {}
    asio::steady_timer timer;
    std::function<void()> on_fire;
    std::uint64_t arming = 0;
  };
  std::shared_ptr<Shared> shared_;
};

class LoopTimers final : public ports::Timers {
 public:
  explicit LoopTimers(asio::io_context& context) : context_(context) {}
  std::unique_ptr<ports::Timer> create(std::function<void()> on_fire) override {
    return std::make_unique<LoopTimer>(context_, std::move(on_fire));
  }

 private:
  asio::io_context& context_;
};

class PoolWorkers final : public ports::Workers {
 public:
  PoolWorkers(asio::io_context& context, unsigned threads) : context_(context), pool_(threads) {}
  ~PoolWorkers() override { finish(); }
  void finish() {
    pool_.stop();
    pool_.join();
  }
  void submit(std::function<void()> job, std::function<void()> done) override {
    asio::post(pool_, [this, job = std::move(job), done = std::move(done)]() mutable {
      job();
      asio::post(context_, std::move(done));
    });
  }

 private:
  asio::io_context& context_;
  asio::thread_pool pool_;
};

}  // namespace

struct EventLoop::Impl {
  explicit Impl(unsigned threads) : workers(context, threads) {}

  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard = asio::make_work_guard(context);
  SystemClock clock;
  KernelRandom random;
  LoopTimers timers{context};
  std::unique_ptr<asio::signal_set> signals;
  PoolWorkers workers;  // last: joined first, while the context still stands
};

EventLoop::EventLoop(unsigned worker_threads) {
  HM_CHECK(worker_threads >= 1);
  impl_ = std::make_unique<Impl>(worker_threads);
}
EventLoop::~EventLoop() = default;

asio::io_context& EventLoop::context() { return impl_->context; }
ports::Clock& EventLoop::clock() { return impl_->clock; }
ports::Random& EventLoop::random() { return impl_->random; }
ports::Timers& EventLoop::timers() { return impl_->timers; }
ports::Workers& EventLoop::workers() { return impl_->workers; }
std::unique_ptr<ports::Workers> EventLoop::make_workers(unsigned threads) {
  return std::make_unique<PoolWorkers>(impl_->context, threads);
}

void EventLoop::post(std::function<void()> task) { asio::post(impl_->context, std::move(task)); }
void EventLoop::run() { impl_->context.run(); }
void EventLoop::stop() { impl_->context.stop(); }
void EventLoop::finish_workers() { impl_->workers.finish(); }

void EventLoop::on_signal(std::initializer_list<int> signals, std::function<void(int)> handler) {
  impl_->signals = std::make_unique<asio::signal_set>(impl_->context);
  for (const int signal : signals) impl_->signals->add(signal);
  impl_->signals->async_wait(
      [this, handler = std::move(handler)](const boost::system::error_code& error, int signal) {
        if (error) return;
        impl_->signals->clear();
        handler(signal);
      });
}

}  // namespace hm::loop
