// SPDX-License-Identifier: Apache-2.0
// Takes the body of a batch apart as it arrives: for each object a line of JSON
// (api::BatchEntry), then so many bytes. Bounded: a line has at most api::kMaxBatchLine bytes, a
// batch at most api::kMaxBatchObjects objects, no two of one name.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>

#include "core/api/error.h"
#include "core/api/storage_request.h"
#include "foundation/base/result.h"

namespace hm::storage_api {

class BatchReader {
 public:
  struct Sink {
    // Refused: what is wrong with the object.
    std::function<Result<void, api::ApiError>(api::BatchEntry entry)> on_begin;
    std::function<void(std::string bytes)> on_bytes;
    std::function<void()> on_end;  // of the object
  };
  explicit BatchReader(Sink sink) : sink_(std::move(sink)) {}

  // So many of the bytes were lines, which are dealt with; on_bytes had the others. After a refusal
  // nothing more may be given.
  Result<std::size_t, api::ApiError> take(std::string piece);
  // The body is whole: it must end behind an object, and have one.
  Result<void, api::ApiError> finish() const;

 private:
  Result<void, api::ApiError> begin();

  Sink sink_;
  std::string line_;
  std::set<std::string> names_;
  std::uint64_t left_ = 0;  // of the object
  bool is_open_ = false;    // an object
};

}  // namespace hm::storage_api
