// SPDX-License-Identifier: Apache-2.0
// The daemon's one event-loop thread, and what hangs on it: steady and wall clock, timers, the
// worker pool, signals. Everything that decides runs on this thread; only post() and the worker
// pool may be used from others. Asio stays inside the .cc file.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>

#include "ports/clock.h"
#include "ports/random.h"
#include "ports/timer.h"
#include "ports/workers.h"

namespace boost::asio {
class io_context;
}

namespace hm::loop {

class EventLoop {
 public:
  // Requires: worker_threads ≥ 1.
  explicit EventLoop(unsigned worker_threads);
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  boost::asio::io_context& context();
  ports::Clock& clock();
  ports::Random& random();  // the kernel's generator
  ports::Timers& timers();
  ports::Workers& workers();
  // Threads apart from those, for work that mostly waits: when they all wait for a disk, others go
  // on. Destroyed before the loop: it returns when the jobs under way have ended, and drops those
  // that wait.
  std::unique_ptr<ports::Workers> make_workers(unsigned threads);

  // Runs `task` on the loop, after what is already queued. Thread-safe.
  void post(std::function<void()> task);

  // Runs until stop(). Own worker threads are joined by the destructor.
  void run();
  void stop();
  // Ends the worker pool: returns when the jobs under way have ended, drops those that wait. What
  // the jobs use may be destroyed after it.
  void finish_workers();

  // Calls `handler` on the loop at the first of these signals; a second one ends the process
  // with the signal's default action.
  void on_signal(std::initializer_list<int> signals, std::function<void(int)> handler);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hm::loop
