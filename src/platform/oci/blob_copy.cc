// SPDX-License-Identifier: Apache-2.0
#include "platform/oci/blob_copy.h"

#include <chrono>
#include <thread>

#include "platform/oci/limits.h"

namespace hm::oci {

Result<std::unique_ptr<ports::BlobWriter>> open_writer(const WriterSource& source,
                                                       const ports::ImageBlob& blob) {
  const auto deadline = std::chrono::steady_clock::now() + kWriterWait;
  while (true) {
    auto writer = source(blob);
    if (writer) return writer;
    if (writer.error().code == ErrorCode::AlreadyExists) return nullptr;
    if (writer.error().code != ErrorCode::Busy || std::chrono::steady_clock::now() > deadline) {
      return writer;
    }
    std::this_thread::sleep_for(kWriterPoll);
  }
}

}  // namespace hm::oci
