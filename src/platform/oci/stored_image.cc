// SPDX-License-Identifier: Apache-2.0
#include "platform/oci/stored_image.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>
#include <variant>

#include "core/containers/image_digest.h"
#include "core/containers/image_reference.h"

namespace hm::oci {
namespace {

containers::Platform find_platform() {
#if defined(__x86_64__)
  // The levels of the x86-64 psABI; Go's variants are named like them.
  const char* const variant = __builtin_cpu_supports("x86-64-v4")   ? "v4"
                              : __builtin_cpu_supports("x86-64-v3") ? "v3"
                              : __builtin_cpu_supports("x86-64-v2") ? "v2"
                                                                    : "v1";
  return {.os = "linux", .architecture = "amd64", .variant = variant};
#elif defined(__aarch64__)
  return {.os = "linux", .architecture = "arm64", .variant = "v8"};
#else
#error "images have no name for this architecture yet: add it here"
#endif
}

}  // namespace

const containers::Platform& machine_platform() {
  static const containers::Platform kMachine = find_platform();
  return kMachine;
}

std::unexpected<Error> image_error(containers::ImageError error, const std::string& what) {
  using containers::ImageError;
  const bool elsewhere = error == ImageError::NoPlatform || error == ImageError::ForeignLayer;
  return fail(elsewhere ? ErrorCode::Unsupported : ErrorCode::Corrupt,
              fmt::format("{}: {}", what, containers::explain(error)),
              std::string(containers::name_of(error)));
}

std::vector<ports::ImageBlob> StoredManifest::blobs() const {
  std::vector<ports::ImageBlob> blobs{blob};
  std::set<crypto::Digest> seen{blob.digest};
  const auto add = [&](const containers::Descriptor& descriptor) {
    if (!seen.insert(descriptor.digest).second) return;
    blobs.push_back({.digest = descriptor.digest, .bytes = descriptor.bytes});
  };
  add(manifest.config);
  std::ranges::for_each(manifest.layers, add);
  return blobs;
}

Result<StoredManifest> load_manifest(const BlobStore& blobs, const crypto::Digest& digest) {
  const std::string name = "manifest " + containers::image_digest_text(digest);
  auto bytes = blobs.read_document(digest);
  if (!bytes) {
    if (bytes.error().code != ErrorCode::NotFound) return fail(std::move(bytes).error());
    return fail(ErrorCode::NotFound, name + " is not here");
  }
  auto document = containers::parse_image_document(*bytes, "");
  if (!document) return image_error(document.error(), name);
  auto* manifest = std::get_if<containers::ImageManifest>(&*document);
  if (manifest == nullptr) {
    return fail(ErrorCode::InvalidArgument, name + " is an index of several images",
                "Name the one for this machine's platform.");
  }
  const auto media_type = containers::media_type_of(*bytes);
  if (!media_type) return image_error(media_type.error(), name);
  return StoredManifest{.blob = {.digest = digest, .bytes = bytes->size()},
                        .media_type = *media_type,
                        .manifest = std::move(*manifest)};
}

Result<StoredImage> load_image(const BlobStore& blobs, const crypto::Digest& digest) {
  StoredImage image;
  HM_TRY(image.manifest, load_manifest(blobs, digest));
  HM_TRY(image.config_bytes, blobs.read_document(image.manifest.manifest.config.digest));
  auto config = containers::parse_image_config(image.config_bytes);
  const std::string name = "image " + containers::image_digest_text(digest);
  if (!config) return image_error(config.error(), name);
  image.config = std::move(*config);
  if (image.config.diff_ids.size() != image.manifest.manifest.layers.size()) {
    return image_error(containers::ImageError::LayerCount, name);
  }
  const containers::Platform& machine = machine_platform();
  if (image.config.os != machine.os || image.config.architecture != machine.architecture) {
    return fail(ErrorCode::Unsupported,
                fmt::format("{} is for {}/{}", name, image.config.os, image.config.architecture),
                fmt::format("This machine runs {}.", containers::to_string(machine)));
  }
  return image;
}

Result<void> check_complete(const BlobStore& blobs, const StoredManifest& manifest) {
  for (const ports::ImageBlob& blob : manifest.blobs()) {
    const auto size = blobs.size(blob.digest);
    const std::string name = "blob " + containers::image_digest_text(blob.digest);
    if (!size) return fail(ErrorCode::FailedPrecondition, name + " of the image is not here");
    if (*size != blob.bytes) {
      return fail(ErrorCode::Corrupt, fmt::format("{} has {} bytes, not {} as its manifest says",
                                                  name, *size, blob.bytes));
    }
  }
  return {};
}

}  // namespace hm::oci
