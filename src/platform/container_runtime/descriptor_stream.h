// SPDX-License-Identifier: Apache-2.0
// A stream over one socket, against allowance: what the listener writes goes into it, what comes
// out of it is output. It ends when the other side has closed, or, with a `result`, when that is
// there too.
#pragma once

#include <functional>
#include <memory>

#include "platform/container_runtime/descriptor.h"
#include "ports/container_runtime.h"

namespace boost::asio {
class io_context;
}

namespace hm::container_runtime {

class DescriptorStream : public std::enable_shared_from_this<DescriptorStream> {
 public:
  enum class EndsBy : std::uint8_t { Socket, Result };
  static std::shared_ptr<DescriptorStream> open(boost::asio::io_context& context, Descriptor socket,
                                                EndsBy ends_by,
                                                ports::ContainerStreamListener& listener);
  ~DescriptorStream();

  // The listener's end; dropping it closes the socket.
  std::unique_ptr<ports::ContainerStream> stream();
  // How what is at the other side went, with EndsBy::Result.
  void set_result(Result<void> result);

 private:
  class Stream;
  struct Impl;
  explicit DescriptorStream(std::unique_ptr<Impl> impl);
  void read();
  void read_some();
  void write();
  void end_if_over();
  void end(const Result<ports::ProcessExit>& exit);

  std::unique_ptr<Impl> impl_;
};

}  // namespace hm::container_runtime
