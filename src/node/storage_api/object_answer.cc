// SPDX-License-Identifier: Apache-2.0
#include "node/storage_api/object_answer.h"

#include <algorithm>
#include <utility>

#include "foundation/base/log.h"
#include "node/storage_api/limits.h"

namespace hm::storage_api {

void ObjectAnswer::start(http_api::Api& api, http_api::Call call, storing::ObjectKeeper& keeper,
                         const storing::OpenedObject& object, storing::ObjectKeeper::Range range,
                         ports::HttpResponse head) {
  std::make_shared<ObjectAnswer>(api, std::move(call), object.object.name, range, std::move(head))
      ->begin(keeper, object.manifest);
}

ObjectAnswer::ObjectAnswer(http_api::Api& api, http_api::Call call, std::string name,
                           storing::ObjectKeeper::Range range, ports::HttpResponse head)
    : api_(api),
      call_(std::move(call)),
      name_(std::move(name)),
      range_(range),
      head_(std::move(head)) {}

void ObjectAnswer::begin(storing::ObjectKeeper& keeper, storing::ManifestPtr manifest) {
  const auto self = shared_from_this();
  storing::ObjectDownload::Listener listener;
  listener.on_bytes = [self](std::string piece) { self->on_bytes(std::move(piece)); };
  listener.on_done = [self](const Result<void>& result) { self->on_done(result); };
  auto download = keeper.download(std::move(manifest), range_, std::move(listener));
  if (!download) {
    is_over_ = true;
    return api_.answer(call_, api::from_error(download.error()));
  }
  if (!is_over_) download_ = std::move(*download);
}

// False: the client is gone.
bool ObjectAnswer::open() {
  if (stream_) return true;
  stream_ = api_.start_stream(call_, std::move(head_), range_.end - range_.begin);
  if (!stream_) end();
  return stream_ != nullptr;
}

void ObjectAnswer::on_bytes(std::string piece) {
  if (is_over_) return;
  pieces_.push_back(std::move(piece));
  if (open()) pump();
}

void ObjectAnswer::on_done(const Result<void>& result) {
  if (is_over_) return;
  if (result) {
    is_read_ = true;
    if (open()) pump();
    return;
  }
  if (!stream_) {
    api_.answer(call_, api::from_error(result.error()));
  } else {
    log::warning(
        "storage", "an object could not be read to its end",
        {{"name", name_}, {"why", result.error().message}, {"hint", result.error().detail}});
  }
  end();
}

// Dropping the stream before it is finished is what breaks the transfer.
void ObjectAnswer::end() {
  is_over_ = true;
  stream_.reset();
  download_.reset();
  pieces_.clear();
}

void ObjectAnswer::pump() {
  if (is_waiting_) return;
  const auto self = shared_from_this();
  std::size_t taken = 0;
  while (!pieces_.empty() && !is_over_) {
    std::string& piece = pieces_.front();
    const std::size_t left = piece.size() - written_;
    const std::size_t wanted = std::min(left, kWrittenPiece);
    if (stream_->room() < wanted) break;
    const bool is_whole = wanted == piece.size();
    const auto result =
        stream_->write(is_whole ? std::move(piece) : piece.substr(written_, wanted));
    if (result != ports::HttpStream::WriteResult::Queued) return end();
    taken += wanted;
    written_ += wanted;
    if (wanted == left) {
      pieces_.pop_front();
      written_ = 0;
    }
  }
  if (!stream_->is_open()) return end();
  if (pieces_.empty() && is_read_) {
    stream_->finish();
    return end();
  }
  if (!pieces_.empty()) {
    is_waiting_ = true;
    stream_->when_room([self] {
      self->is_waiting_ = false;
      if (!self->is_over_) self->pump();
    });
  }
  // More of it may come within.
  const auto download = download_;
  if (taken > 0 && download) download->take(taken);
}

}  // namespace hm::storage_api
