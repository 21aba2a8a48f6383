// SPDX-License-Identifier: Apache-2.0
#include "platform/nvml/nvml_probe.h"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "platform/nvml/nvml_library.h"

namespace hm::nvml {
namespace {

using ports::HardwareKind;
using ports::HardwareSnapshot;

// Shared with the reading thread, which may be stuck in the driver when the probe is gone.
struct Exchange {
  std::mutex mutex;
  std::condition_variable changed;
  bool asked = false;     // a reading is wanted
  bool busy = false;      // the thread is in the library
  bool finished = false;  // the probe is gone
  HardwareSnapshot answer;
};

void serve(const std::shared_ptr<Exchange>& exchange, std::string path) {
  Library library(std::move(path));
  std::unique_lock lock(exchange->mutex);
  while (true) {
    exchange->changed.wait(lock, [&] { return exchange->asked || exchange->finished; });
    if (exchange->finished) return;
    exchange->asked = false;
    exchange->busy = true;
    lock.unlock();
    HardwareSnapshot answer = library.read();
    lock.lock();
    exchange->answer = std::move(answer);
    exchange->busy = false;
    exchange->changed.notify_all();
  }
}

class NvmlProbe final : public ports::HardwareProbe {
 public:
  explicit NvmlProbe(NvmlOptions options) : options_(std::move(options)) {}

  ~NvmlProbe() override {
    if (!thread_.joinable()) return;
    bool stuck = false;
    {
      const std::lock_guard lock(exchange_->mutex);
      exchange_->finished = true;
      stuck = exchange_->busy;
    }
    exchange_->changed.notify_all();
    // A thread that hangs in the driver cannot be ended; it owns what it uses.
    stuck ? thread_.detach() : thread_.join();
  }

  Result<HardwareSnapshot> snapshot() override {
    if (!thread_.joinable()) {
      thread_ =
          std::thread([exchange = exchange_, path = options_.library] { serve(exchange, path); });
    }
    std::unique_lock lock(exchange_->mutex);
    if (!exchange_->busy) {
      exchange_->asked = true;
      exchange_->changed.notify_all();
    }
    const bool answered = exchange_->changed.wait_for(
        lock, options_.answer_within, [&] { return !exchange_->asked && !exchange_->busy; });
    if (!answered) return not_answered();
    known_ = exchange_->answer;
    normalise(known_);
    return known_;
  }

 private:
  // The GPUs are still in the machine, but nobody can use them now.
  HardwareSnapshot not_answered() const {
    HardwareSnapshot out = known_;
    for (ports::HardwareItem& item : out.items) {
      item.offerable = false;
      item.readings.clear();
    }
    out.notes.push_back({HardwareKind::Gpu, "the NVIDIA driver does not answer"});
    normalise(out);
    return out;
  }

  NvmlOptions options_;
  std::shared_ptr<Exchange> exchange_ = std::make_shared<Exchange>();
  std::thread thread_;
  HardwareSnapshot known_;
};

}  // namespace

std::unique_ptr<ports::HardwareProbe> make_nvml_probe(NvmlOptions options) {
  return std::make_unique<NvmlProbe>(std::move(options));
}

}  // namespace hm::nvml
