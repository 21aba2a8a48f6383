// SPDX-License-Identifier: Apache-2.0
#include "platform/oci/archive_images.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

#include "core/containers/docker_archive.h"
#include "core/containers/image_config.h"
#include "core/containers/image_digest.h"
#include "core/containers/image_manifest.h"
#include "core/containers/limits.h"
#include "platform/oci/limits.h"
#include "platform/oci/stored_image.h"

namespace hm::oci {
namespace {

using containers::Descriptor;
using containers::ImageError;
using containers::ImageIndex;
using containers::ImageManifest;

constexpr const char* kLayoutFile = "oci-layout";
constexpr const char* kIndexFile = "index.json";
constexpr const char* kDockerFile = "manifest.json";

std::string member_of(const crypto::Digest& digest) { return "blobs/sha256/" + digest.to_string(); }

bool is_for_this_machine(const containers::ImageConfig& config) {
  return config.os == machine_platform().os &&
         config.architecture == machine_platform().architecture;
}

// A document that a descriptor names, verified against it.
Result<Bytes> read_document(const ArchiveSource& archive, const Descriptor& descriptor) {
  HM_TRY(auto bytes, archive.read(member_of(descriptor.digest), containers::kMaxImageDocument));
  if (bytes.size() != descriptor.bytes || crypto::sha256(bytes) != descriptor.digest) {
    return fail(ErrorCode::Corrupt, fmt::format("{} of the archive is not what its digest says",
                                                containers::image_digest_text(descriptor.digest)));
  }
  return bytes;
}

// The image's own manifest, for this machine; absent if there is none.
Result<std::optional<Bytes>> find_manifest(const ArchiveSource& archive, Descriptor descriptor) {
  for (std::size_t depth = 0; depth < kMaxIndexNesting; ++depth) {
    HM_TRY(auto bytes, read_document(archive, descriptor));
    const auto document = containers::parse_image_document(bytes, descriptor.media_type);
    if (!document) {
      return image_error(document.error(), containers::image_digest_text(descriptor.digest));
    }
    const auto* index = std::get_if<ImageIndex>(&*document);
    if (index == nullptr) return std::optional(std::move(bytes));
    const Descriptor* const chosen = containers::choose_platform(*index, machine_platform());
    if (chosen == nullptr) return std::optional<Bytes>();
    descriptor = *chosen;
  }
  return fail(ErrorCode::Corrupt, "the archive's indexes are nested too deeply");
}

Result<std::optional<OfferedImage>> offer(const ArchiveSource& archive, Bytes manifest_bytes) {
  const auto document = containers::parse_image_document(manifest_bytes, "");
  if (!document) return image_error(document.error(), "a manifest of the archive");
  const auto& manifest = std::get<ImageManifest>(*document);
  HM_TRY(const auto config_bytes, read_document(archive, manifest.config));
  const auto config = containers::parse_image_config(config_bytes);
  if (!config) return image_error(config.error(), "a configuration of the archive");
  if (!is_for_this_machine(*config)) return std::optional<OfferedImage>();
  OfferedImage image{.manifest = std::move(manifest_bytes)};
  const auto add = [&image](const Descriptor& descriptor) {
    image.blobs.push_back({.blob = {.digest = descriptor.digest, .bytes = descriptor.bytes},
                           .member = member_of(descriptor.digest)});
  };
  add(manifest.config);
  std::ranges::for_each(manifest.layers, add);
  return std::optional(std::move(image));
}

Result<std::vector<OfferedImage>> images_in_layout(const ArchiveSource& archive) {
  HM_TRY(const auto layout, archive.read(kLayoutFile, containers::kMaxImageDocument));
  if (const auto known = containers::check_oci_layout(layout); !known) {
    return image_error(known.error(), kLayoutFile);
  }
  HM_TRY(const auto bytes, archive.read(kIndexFile, containers::kMaxImageDocument));
  const auto document = containers::parse_image_document(bytes, containers::kOciIndex);
  if (!document) return image_error(document.error(), kIndexFile);
  // Entries of one name are one image for several platforms.
  std::vector<std::pair<std::string, ImageIndex>> groups;
  for (const Descriptor& entry : std::get<ImageIndex>(*document).manifests) {
    auto group =
        std::ranges::find(groups, entry.reference_name, &std::pair<std::string, ImageIndex>::first);
    if (group == groups.end()) group = groups.insert(group, {entry.reference_name, {}});
    group->second.manifests.push_back(entry);
  }
  std::vector<OfferedImage> images;
  for (const auto& [name, group] : groups) {
    const Descriptor* const chosen = containers::choose_platform(group, machine_platform());
    if (chosen == nullptr) continue;
    HM_TRY(auto manifest, find_manifest(archive, *chosen));
    if (!manifest) continue;
    HM_TRY(auto image, offer(archive, std::move(*manifest)));
    if (!image) continue;
    if (!name.empty()) image->names.push_back(name);
    images.push_back(std::move(*image));
  }
  return images;
}

Result<crypto::Digest> digest_of(const ArchiveSource& archive, const std::string& member) {
  HM_TRY(const auto source, archive.open(member));
  crypto::Sha256 hash;
  while (true) {
    HM_TRY(const ByteView piece, source());
    if (piece.empty()) return hash.digest();
    hash.update(piece);
  }
}

// Layers of docker archives lie there as tar, so that their digest is the diff_id; where a tool
// packed one, it is hashed as it lies.
Result<Descriptor> layer_of(const ArchiveSource& archive, const std::string& member,
                            const crypto::Digest& diff_id) {
  const auto size = archive.size(member);
  if (!size) {
    return fail(ErrorCode::Corrupt, fmt::format("the archive lacks its layer {}", member));
  }
  HM_TRY(const auto first, archive.read_first(member, kMagicBytes));
  Descriptor layer{.digest = diff_id, .bytes = *size};
  switch (packing_by_magic(first)) {
    case containers::LayerPacking::None: layer.media_type = containers::kOciLayer; return layer;
    case containers::LayerPacking::Gzip: layer.media_type = containers::kOciLayerGzip; break;
    case containers::LayerPacking::Zstd: layer.media_type = containers::kOciLayerZstd; break;
  }
  HM_TRY(layer.digest, digest_of(archive, member));
  return layer;
}

Result<std::optional<OfferedImage>> offer(const ArchiveSource& archive,
                                          const containers::DockerArchiveImage& saved) {
  HM_TRY(const auto config_bytes, archive.read(saved.config, containers::kMaxImageDocument));
  const auto config = containers::parse_image_config(config_bytes);
  if (!config) return image_error(config.error(), saved.config);
  if (!is_for_this_machine(*config)) return std::optional<OfferedImage>();
  if (config->diff_ids.size() != saved.layers.size()) {
    return image_error(ImageError::LayerCount, saved.config);
  }
  OfferedImage image{.names = saved.tags};
  ImageManifest manifest;
  const auto add = [&image](const Descriptor& descriptor, const std::string& member) {
    image.blobs.push_back(
        {.blob = {.digest = descriptor.digest, .bytes = descriptor.bytes}, .member = member});
  };
  manifest.config = {.media_type = std::string(containers::kOciConfig),
                     .digest = crypto::sha256(config_bytes),
                     .bytes = config_bytes.size()};
  add(manifest.config, saved.config);
  for (std::size_t i = 0; i < saved.layers.size(); ++i) {
    HM_TRY(auto layer, layer_of(archive, saved.layers[i], config->diff_ids[i]));
    add(layer, saved.layers[i]);
    manifest.layers.push_back(std::move(layer));
  }
  image.manifest = to_bytes(as_bytes(containers::write_manifest(manifest)));
  return std::optional(std::move(image));
}

Result<std::vector<OfferedImage>> images_in_docker_archive(const ArchiveSource& archive) {
  HM_TRY(const auto bytes, archive.read(kDockerFile, containers::kMaxImageDocument));
  const auto saved = containers::parse_docker_archive(bytes);
  if (!saved) return image_error(saved.error(), kDockerFile);
  std::vector<OfferedImage> images;
  for (const containers::DockerArchiveImage& image : *saved) {
    HM_TRY(auto offered, offer(archive, image));
    if (offered) images.push_back(std::move(*offered));
  }
  return images;
}

}  // namespace

Result<std::vector<OfferedImage>> images_in(const ArchiveSource& archive) {
  std::vector<OfferedImage> images;
  // The newer `docker save` writes both; the layout has the original manifests.
  if (archive.has(kLayoutFile) && archive.has(kIndexFile)) {
    HM_TRY(images, images_in_layout(archive));
  } else if (archive.has(kDockerFile)) {
    HM_TRY(images, images_in_docker_archive(archive));
  } else {
    return fail(ErrorCode::InvalidArgument, "this is no image",
                "It has neither oci-layout and index.json nor manifest.json.");
  }
  if (images.empty()) return image_error(ImageError::NoPlatform, "the archive");
  return images;
}

}  // namespace hm::oci
