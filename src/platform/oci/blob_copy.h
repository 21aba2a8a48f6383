// SPDX-License-Identifier: Apache-2.0
// A blob from somewhere into a store, going on where an earlier try stopped.
#pragma once

#include <functional>
#include <memory>

#include "foundation/base/result.h"
#include "ports/image_store.h"

namespace hm::oci {

// Opens a writer for the blob, waiting while another has it; null if the blob is here by then.
// Busy after kWriterWait.
using WriterSource =
    std::function<Result<std::unique_ptr<ports::BlobWriter>>(const ports::ImageBlob& blob)>;
Result<std::unique_ptr<ports::BlobWriter>> open_writer(const WriterSource& source,
                                                       const ports::ImageBlob& blob);

// What is done of several blobs together, told to one ImageProgress.
class ProgressSum {
 public:
  ProgressSum(const ports::ImageProgress& progress, std::uint64_t total)
      : progress_(progress), total_(total) {}
  void add(std::uint64_t bytes) {
    done_ += bytes;
    if (progress_) progress_(done_ < total_ ? done_ : total_, total_);
  }

 private:
  const ports::ImageProgress& progress_;
  std::uint64_t total_;
  std::uint64_t done_ = 0;
};

}  // namespace hm::oci
