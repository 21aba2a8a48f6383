// SPDX-License-Identifier: Apache-2.0
// A container's log as a stream, against allowance, read on workers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "platform/container_runtime/output_log.h"
#include "ports/container_runtime.h"
#include "ports/workers.h"

namespace hm::container_runtime {

class Container;

class LogStream : public std::enable_shared_from_this<LogStream> {
 public:
  struct Order {
    std::string folder;
    std::uint64_t offset = 0;
    std::optional<std::uint64_t> tail;  // from so many bytes before the end, instead
    ports::ContainerRuntime::Follow follow = ports::ContainerRuntime::Follow::No;
  };
  using StreamDone = std::function<void(ports::StreamResult)>;
  // Ends with how the container ended, or with code 0 while it runs.
  static void begin(ports::Workers& workers, std::shared_ptr<Container> container, Order order,
                    ports::ContainerStreamListener& listener, StreamDone done);

 private:
  class Stream;
  struct Source;
  struct Round;
  LogStream(ports::Workers& workers, std::shared_ptr<Container> container, Order order,
            ports::ContainerStreamListener& listener);
  void open(StreamDone done);
  void read();
  void on_read(const Round& round);
  void finish();

  ports::Workers& workers_;
  std::shared_ptr<Container> container_;
  Order order_;
  ports::ContainerStreamListener* listener_;  // null: dropped or ended
  std::shared_ptr<Source> source_;            // one job at a time uses it
  std::size_t allowance_ = 0;
  bool is_reading_ = false;
  bool is_watching_ = false;
  bool reads_again_ = false;  // something changed while it was reading
};

}  // namespace hm::container_runtime
