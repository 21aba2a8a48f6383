// SPDX-License-Identifier: Apache-2.0
// How far a server reads ahead of the handler that takes a body: pieces that were given and are not
// done with fill the window. Each counts as at least kUploadPieceCost, so that a client that sends
// single bytes cannot make the handler hold a great many of them. Internal to platform/http.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "platform/http/limits.h"

namespace hm::http {

class UploadWindow {
 public:
  UploadWindow() = default;
  explicit UploadWindow(std::size_t limit) : limit_(limit) {}

  // How long the next piece may be; 0 while there is no room for one worth reading.
  std::size_t room() const {
    return limit_ < held_ + kUploadPieceCost ? 0 : std::min(limit_ - held_, kUploadPiece);
  }
  void give(std::size_t bytes) {
    pieces_.push_back(bytes);
    held_ += cost_of(bytes);
  }
  // The oldest pieces are done with first; more than was given is as good as all.
  void take(std::size_t bytes) {
    auto piece = pieces_.begin();
    for (; piece != pieces_.end() && bytes >= *piece; ++piece) {
      bytes -= *piece;
      held_ -= cost_of(*piece);
    }
    if (piece != pieces_.end()) {
      held_ -= cost_of(*piece);
      *piece -= bytes;
      held_ += cost_of(*piece);
    }
    pieces_.erase(pieces_.begin(), piece);
  }

 private:
  static std::size_t cost_of(std::size_t bytes) { return std::max(bytes, kUploadPieceCost); }

  std::size_t limit_ = 0;
  std::size_t held_ = 0;
  std::vector<std::size_t> pieces_;  // what of each is not done with, oldest first
};

}  // namespace hm::http
