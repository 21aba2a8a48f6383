// SPDX-License-Identifier: Apache-2.0
// Streams that carry one thing whole: from a descriptor or an archive that is made on the way to
// the node, or from it to a descriptor. Each returns with the last word. While one side is slow the
// other is held back, and the connection stays alive.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "apps/hypermesh/api_stream.h"
#include "apps/hypermesh/file_archive.h"

namespace hm::cli {

struct StreamPurpose {
  std::string path;              // below /api/v1
  nlohmann::ordered_json first;  // what it is for
  // Bytes that went through, so far.
  std::function<void(std::uint64_t bytes)> on_moved = [](auto) {};
  // All of it is with the node.
  std::function<void()> on_all_sent = [] {};
  std::function<void(const nlohmann::ordered_json& word)> on_word = [](const auto&) {};
};

// Everything that can be read from `fd`.
Answer<nlohmann::ordered_json> send_input(const StreamDoor& door, const StreamPurpose& purpose,
                                          int fd);
Answer<nlohmann::ordered_json> send_archive(const StreamDoor& door, const StreamPurpose& purpose,
                                            ArchiveWriter& archive);
// Everything that comes, to `fd`. A Failure without words if nobody reads there any more.
Answer<nlohmann::ordered_json> receive_output(const StreamDoor& door, const StreamPurpose& purpose,
                                              int fd);

}  // namespace hm::cli
