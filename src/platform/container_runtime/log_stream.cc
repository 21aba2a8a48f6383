// SPDX-License-Identifier: Apache-2.0
#include "platform/container_runtime/log_stream.h"

#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "platform/container_runtime/container.h"
#include "platform/container_runtime/descriptor.h"

namespace hm::container_runtime {
namespace {

// What one job reads at most, and so holds in memory.
constexpr std::size_t kRoundBytes = 128 * 1024;

using Follow = ports::ContainerRuntime::Follow;

}  // namespace

struct LogStream::Source {
  explicit Source(const std::string& path)
      : folder(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)), reader(folder.get()) {}
  Descriptor folder;
  LogReader reader;
};

struct LogStream::Round {
  struct Part {
    std::uint8_t lane = 0;
    Bytes bytes;
  };
  std::size_t most = 0;
  bool was_complete = false;  // nothing more could come when it began
  std::vector<Part> parts;
  bool is_at_end = false;
};

class LogStream::Stream final : public ports::ContainerStream {
 public:
  explicit Stream(std::shared_ptr<LogStream> log) : log_(std::move(log)) {}
  ~Stream() override { log_->listener_ = nullptr; }
  void write(Bytes) override {}
  void close_input() override {}
  void allow(std::size_t bytes) override {
    log_->allowance_ += bytes;
    log_->read();
  }
  void signal(int) override {}
  void resize(std::uint16_t, std::uint16_t) override {}

 private:
  std::shared_ptr<LogStream> log_;
};

LogStream::LogStream(ports::Workers& workers, std::shared_ptr<Container> container, Order order,
                     ports::ContainerStreamListener& listener)
    : workers_(workers),
      container_(std::move(container)),
      order_(std::move(order)),
      listener_(&listener) {}

void LogStream::begin(ports::Workers& workers, std::shared_ptr<Container> container, Order order,
                      ports::ContainerStreamListener& listener, StreamDone done) {
  const std::shared_ptr<LogStream> log(
      new LogStream(workers, std::move(container), std::move(order), listener));
  log->open(std::move(done));
}

void LogStream::open(StreamDone done) {
  auto source = std::make_shared<std::shared_ptr<Source>>();
  workers_.submit(
      [source, order = order_] {
        *source = std::make_shared<Source>(order.folder);
        const int folder = (*source)->folder.get();
        std::uint64_t offset = order.offset;
        if (order.tail) {
          const std::uint64_t end = LogReader::end_of(folder);
          offset = end - std::min(end, *order.tail);
        }
        (*source)->reader.seek(offset);
      },
      [source, self = shared_from_this(), done = std::move(done)] {
        self->source_ = std::move(*source);
        done(std::make_unique<Stream>(self));
        self->read();
      });
}

void LogStream::read() {
  if (listener_ == nullptr || !source_) return;
  if (is_reading_) {
    reads_again_ = true;
    return;
  }
  is_reading_ = true;
  auto round = std::make_shared<Round>();
  round->most = std::min(allowance_, kRoundBytes);
  round->was_complete = order_.follow == Follow::No || container_->exit().has_value();
  // Before it looks: what is written after the look is announced.
  if (!round->was_complete && !is_watching_) {
    is_watching_ = true;
    container_->watch_log([self = shared_from_this()] {
      self->is_watching_ = false;
      self->read();
    });
  }
  workers_.submit(
      [round, source = source_] {
        std::size_t left = round->most;
        while (left > 0) {
          const auto piece = source->reader.next(left);
          if (!piece) break;
          left -= piece->bytes.size();
          round->parts.push_back({.lane = piece->lane, .bytes = to_bytes(piece->bytes)});
        }
        round->is_at_end = !source->reader.next(0);
      },
      [round, self = shared_from_this()] { self->on_read(*round); });
}

void LogStream::on_read(const Round& round) {
  using Lane = ports::ContainerStreamListener::Lane;
  is_reading_ = false;
  for (const Round::Part& part : round.parts) {
    allowance_ -= part.bytes.size();
    if (listener_ == nullptr) return;
    listener_->on_output(part.lane == 0 ? Lane::Out : Lane::Error, part.bytes);
  }
  if (listener_ == nullptr) return;
  if (round.is_at_end && round.was_complete) {
    finish();
  } else if (std::exchange(reads_again_, false) || (!round.is_at_end && allowance_ > 0)) {
    read();
  }
}

void LogStream::finish() {
  auto* listener = std::exchange(listener_, nullptr);
  listener->on_end(container_->exit().value_or(ports::ProcessExit{}));
}

}  // namespace hm::container_runtime
