// SPDX-License-Identifier: Apache-2.0
// Images from and to registries, by distribution-spec 1.1 (`/v2/`). Synchronous; calls belong on
// workers and may run at the same time as others.
//
// A pull takes the image for this machine out of an index, fetches what the store lacks, and goes
// on by Range where an earlier one was broken off. Everything is verified by digest. A registry is
// spoken to by TLS, unless it is on this machine or the options say otherwise.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "core/containers/image_reference.h"
#include "foundation/base/result.h"
#include "foundation/crypto/hash.h"
#include "ports/image_store.h"

namespace hm::oci {

struct RegistryCredentials {
  std::string user;
  std::string password;  // or an access token
};

enum class RegistryTransport : std::uint8_t {
  Automatic,  // TLS, but plain HTTP for registries of this machine (localhost, 127.0.0.0/8, ::1)
  Tls,
  Plain,
};

struct RegistryOptions {
  std::optional<RegistryCredentials> credentials;
  RegistryTransport transport = RegistryTransport::Automatic;
  std::string authority_file;  // PEM certificates to trust beside the system's; may be empty
  std::function<bool()>
      is_cancelled;  // asked between pieces, from the calling thread; may be empty
};

// Fetches the image and names it by the reference. NotFound, Unauthenticated, PermissionDenied,
// Busy (too many requests), Unavailable (try again), Corrupt, Unsupported (nothing for this
// machine), NoCapacity.
Result<ports::NamedImage> pull(ports::ImageStore& store,
                               const containers::ImageReference& reference,
                               const RegistryOptions& options,
                               const ports::ImageProgress& progress);

// Sends the image, which must be whole in the store, to where the reference says; what the registry
// has already is not sent.
Result<void> push(ports::ImageStore& store, const crypto::Digest& manifest,
                  const containers::ImageReference& reference, const RegistryOptions& options,
                  const ports::ImageProgress& progress);

}  // namespace hm::oci
