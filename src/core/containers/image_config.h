// SPDX-License-Identifier: Apache-2.0
// The configuration of an image (image-spec 1.1, config.md): what to start by default, for which
// platform it is, and the digests of its layers' uncompressed tar streams, lowest first.
//
// What is not needed to run it (history, labels, exposed ports, health checks, volumes) is passed
// over. A configuration that is admitted has a default process that validate() admits too.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/containers/image_error.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/base/time.h"
#include "foundation/crypto/hash.h"

namespace hm::containers {

struct ImageConfig {
  std::vector<std::string> entrypoint;
  std::vector<std::string> command;
  std::vector<std::string> environment;  // "NAME=value"
  std::string working_directory;         // absolute and without ".." and empty parts, or empty
  std::string user;                      // as ProcessSpec has it, or empty
  std::string stop_signal;               // "SIGTERM", "15", or empty
  std::string architecture;              // "amd64", "arm64"
  std::string os;                        // "linux"
  std::vector<crypto::Digest> diff_ids;
  std::optional<UnixMillis> created;  // absent also if it is said to be before 1970

  bool operator==(const ImageConfig&) const = default;
};

Result<ImageConfig, ImageError> parse_image_config(ByteView json);

}  // namespace hm::containers
