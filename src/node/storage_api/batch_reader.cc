// SPDX-License-Identifier: Apache-2.0
#include "node/storage_api/batch_reader.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/api/limits.h"

namespace hm::storage_api {

Result<void, api::ApiError> BatchReader::begin() {
  auto entry = api::decode_batch_entry(std::exchange(line_, {}));
  if (!entry) {
    const api::BadRequest& bad = entry.error();
    return fail(api::bad_request("the line of object " + std::to_string(names_.size() + 1) + ": '" +
                                     bad.field + "' " + bad.problem,
                                 bad.field));
  }
  if (names_.size() == api::kMaxBatchObjects) {
    return fail(api::bad_request("a batch has at most " + std::to_string(api::kMaxBatchObjects) +
                                 " objects; begin another one"));
  }
  if (!names_.insert(entry->name).second) {
    return fail(
        api::bad_request("a batch has each name once, and this one twice: " + entry->name, "name"));
  }
  left_ = entry->size;
  is_open_ = true;
  return sink_.on_begin(std::move(*entry));
}

Result<std::size_t, api::ApiError> BatchReader::take(std::string piece) {
  std::size_t lines = 0;
  std::string_view rest = piece;
  while (!rest.empty()) {
    if (is_open_) {
      const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(left_, rest.size()));
      left_ -= bytes;
      const bool is_all = bytes == piece.size();
      rest.remove_prefix(bytes);
      sink_.on_bytes(is_all ? std::move(piece) : std::string(rest.data() - bytes, bytes));
    } else {
      const std::size_t end = rest.find('\n');
      const std::string_view part = rest.substr(0, end);
      if (line_.size() + part.size() > api::kMaxBatchLine) {
        return fail(api::bad_request("the line before an object is longer than " +
                                     std::to_string(api::kMaxBatchLine) + " bytes"));
      }
      line_ += part;
      const std::size_t taken = part.size() + (end == std::string_view::npos ? 0 : 1);
      lines += taken;
      rest.remove_prefix(taken);
      if (end == std::string_view::npos) break;
      HM_TRY_VOID(begin());
    }
    if (is_open_ && left_ == 0) {
      is_open_ = false;
      sink_.on_end();
    }
  }
  return lines;
}

Result<void, api::ApiError> BatchReader::finish() const {
  if (is_open_ || !line_.empty()) {
    return fail(api::bad_request("the body ends in the middle of an object"));
  }
  if (names_.empty()) return fail(api::bad_request("a batch has one object at least"));
  return {};
}

}  // namespace hm::storage_api
