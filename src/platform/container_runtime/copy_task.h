// SPDX-License-Identifier: Apache-2.0
// A copy of files on a thread of its own: it waits for the other side, as long as that takes, so it
// is no job for the workers.
#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "platform/container_runtime/descriptor_stream.h"
#include "platform/container_runtime/host.h"
#include "platform/container_runtime/state_folder.h"
#include "ports/container_runtime.h"

namespace hm::container_runtime {

// The files and a socket for the thread; opened on a worker.
struct CopyEnds {
  Descriptor root;
  std::string path;  // below it
  Descriptor ours;
  Descriptor theirs;  // the thread's
};
Result<CopyEnds> open_copy(const Host& host, const Record& record, ports::CopyDirection direction,
                           const std::string& path);

class CopyTask {
 public:
  // `over` is called on the loop when the thread ended; the task may be destroyed then.
  CopyTask(boost::asio::io_context& context, CopyEnds ends, ports::CopyDirection direction,
           std::uint32_t uid_shift, ports::ContainerStreamListener& listener,
           std::function<void(CopyTask*)> over);
  // Waits for the thread. Requires that the stream is dropped, or that the task is over.
  ~CopyTask();
  CopyTask(const CopyTask&) = delete;
  CopyTask& operator=(const CopyTask&) = delete;

  std::unique_ptr<ports::ContainerStream> stream() { return stream_->stream(); }
  // Ends it, whatever the other side does.
  void cancel();

 private:
  std::shared_ptr<DescriptorStream> stream_;
  std::shared_ptr<Descriptor> socket_;  // the thread's, which is shut down to end it
  std::thread thread_;
};

}  // namespace hm::container_runtime
