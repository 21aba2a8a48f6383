// SPDX-License-Identifier: Apache-2.0
// Manifests and indexes of images: OCI image-spec 1.1 (manifest.md, image-index.md, descriptor.md),
// Docker's image manifest version 2 schema 2 and its manifest list, which have the same members
// under other media types; and the choice of one platform's image from an index.
//
// Whether the blobs named exist and are what they are said to be is the store's to see.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/containers/image_error.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/crypto/hash.h"

namespace hm::containers {

inline constexpr std::string_view kOciManifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kOciIndex = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view kOciConfig = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view kOciLayer = "application/vnd.oci.image.layer.v1.tar";
inline constexpr std::string_view kOciLayerGzip = "application/vnd.oci.image.layer.v1.tar+gzip";
inline constexpr std::string_view kOciLayerZstd = "application/vnd.oci.image.layer.v1.tar+zstd";
inline constexpr std::string_view kDockerManifest =
    "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view kDockerList =
    "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view kDockerConfig = "application/vnd.docker.container.image.v1+json";
inline constexpr std::string_view kDockerLayer = "application/vnd.docker.image.rootfs.diff.tar";
inline constexpr std::string_view kDockerLayerGzip =
    "application/vnd.docker.image.rootfs.diff.tar.gzip";
inline constexpr std::string_view kDockerLayerZstd =
    "application/vnd.docker.image.rootfs.diff.tar.zstd";

struct Platform {
  std::string os;            // "linux"
  std::string architecture;  // "amd64", "arm64": Go's names
  std::string variant;       // "v8" of arm64, "v3" of amd64; may be empty
  bool operator==(const Platform&) const = default;
};
std::string to_string(const Platform& platform);  // "linux/arm64/v8"
bool is_platform_word(std::string_view text);     // [a-z0-9][a-z0-9._-]*

// What names a blob: what it is, what it hashes to, how long it is.
struct Descriptor {
  std::string media_type;
  crypto::Digest digest;
  std::uint64_t bytes = 0;
  std::optional<Platform> platform;  // in an index
  // In an index, what its annotations call it: io.containerd.image.name, or else
  // org.opencontainers.image.ref.name, which is a whole name or only a tag.
  std::string reference_name;
  bool operator==(const Descriptor&) const = default;
};

struct ImageManifest {
  Descriptor config;
  std::vector<Descriptor> layers;  // lowest first
  bool operator==(const ImageManifest&) const = default;
};

struct ImageIndex {
  std::vector<Descriptor> manifests;  // also of media types that are none of ours
  bool operator==(const ImageIndex&) const = default;
};

using ImageDocument = std::variant<ImageManifest, ImageIndex>;

// `announced` is the media type by which a descriptor or a registry names the document; empty if
// nothing does, as for an index.json. A document that could be read as either kind is refused.
Result<ImageDocument, ImageError> parse_image_document(ByteView json, std::string_view announced);

// The media type of a document that parse_image_document() admits: what it says itself, or OCI's.
Result<std::string, ImageError> media_type_of(ByteView json);

bool is_manifest(std::string_view media_type);
bool is_index(std::string_view media_type);

enum class LayerPacking : std::uint8_t { None, Gzip, Zstd };
// Absent if the media type is no layer's.
std::optional<LayerPacking> packing_of(std::string_view media_type);

// The entry of an index that suits the machine best: the same system and architecture, and of its
// variants the highest that the machine has ("v3" of amd64 needs a machine of "v3" or more; an
// entry without a variant is amd64's v1 and arm64's v8). The first of equals; null if none does.
// An entry that names no platform counts only if nothing else does.
const Descriptor* choose_platform(const ImageIndex& index, const Platform& machine);

// OCI documents, in one spelling: members in the order of the specification, no white space.
std::string write_manifest(const ImageManifest& manifest);
std::string write_index(const ImageIndex& index);
// The file oci-layout of a layout (image-spec 1.1, image-layout.md).
std::string_view oci_layout_text();
Result<void, ImageError> check_oci_layout(ByteView json);

}  // namespace hm::containers
