// SPDX-License-Identifier: Apache-2.0
#include "core/containers/image_manifest.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/containers/image_digest.h"
#include "core/containers/image_json.h"
#include "core/containers/limits.h"

namespace hm::containers {
namespace {

constexpr const char* kReferenceName = "org.opencontainers.image.ref.name";
// Where containerd and the newer Docker keep the whole name; the other has only the tag then.
constexpr const char* kImageName = "io.containerd.image.name";
constexpr std::size_t kMaxReferenceName =
    kMaxRegistryBytes + kMaxRepositoryBytes + kMaxTagBytes + 2;

struct LayerType {
  std::string_view media_type;
  LayerPacking packing;
};
constexpr std::array kLayerTypes{LayerType{kOciLayer, LayerPacking::None},
                                 LayerType{kOciLayerGzip, LayerPacking::Gzip},
                                 LayerType{kOciLayerZstd, LayerPacking::Zstd},
                                 LayerType{kDockerLayer, LayerPacking::None},
                                 LayerType{kDockerLayerGzip, LayerPacking::Gzip},
                                 LayerType{kDockerLayerZstd, LayerPacking::Zstd}};

bool is_foreign(std::string_view media_type) {
  return media_type.starts_with("application/vnd.oci.image.layer.nondistributable.") ||
         media_type.starts_with("application/vnd.docker.image.rootfs.foreign.");
}

Decoded<std::optional<Platform>> read_platform(const Members& members) {
  const Json* json = members.find("platform");
  if (json == nullptr) return std::optional<Platform>{};
  HM_TRY(const auto fields, Members::of(*json));
  Platform platform;
  HM_TRY(platform.os, fields.text("os", kMaxNameBytes));
  HM_TRY(platform.architecture, fields.text("architecture", kMaxNameBytes));
  HM_TRY(platform.variant, fields.text("variant", kMaxNameBytes));
  // What is no image may have an empty platform; it fits no machine.
  for (const std::string& word : {platform.os, platform.architecture, platform.variant}) {
    if (!word.empty() && !is_platform_word(word)) return fail(ImageError::BadPlatform);
  }
  return std::optional(std::move(platform));
}

Decoded<std::string> read_reference_name(const Members& members) {
  const Json* json = members.find("annotations");
  if (json == nullptr) return std::string();
  HM_TRY(const auto annotations, Members::of(*json));
  HM_TRY(auto name, annotations.text(kImageName, kMaxReferenceName));
  if (!name.empty()) return name;
  return annotations.text(kReferenceName, kMaxReferenceName);
}

Decoded<Descriptor> read_descriptor(const Json& json) {
  HM_TRY(const auto members, Members::of(json));
  Descriptor descriptor;
  HM_TRY(descriptor.media_type, members.required_text("mediaType", kMaxMediaTypeBytes));
  HM_TRY(descriptor.digest, members.digest("digest"));
  HM_TRY(descriptor.bytes, members.size("size"));
  HM_TRY(descriptor.platform, read_platform(members));
  HM_TRY(descriptor.reference_name, read_reference_name(members));
  return descriptor;
}

Decoded<ImageManifest> read_manifest(const Members& members) {
  ImageManifest manifest;
  const Json* config = members.find("config");
  if (config == nullptr) return fail(ImageError::WrongType);
  HM_TRY(manifest.config, read_descriptor(*config));
  if (manifest.config.media_type != kOciConfig && manifest.config.media_type != kDockerConfig) {
    return fail(ImageError::BadMediaType);
  }
  HM_TRY(const Json* layers, members.list("layers", kMaxLayers));
  for (const Json& layer : *layers) {
    HM_TRY(auto descriptor, read_descriptor(layer));
    if (is_foreign(descriptor.media_type)) return fail(ImageError::ForeignLayer);
    if (!packing_of(descriptor.media_type)) return fail(ImageError::BadMediaType);
    manifest.layers.push_back(std::move(descriptor));
  }
  return manifest;
}

Decoded<ImageIndex> read_index(const Members& members) {
  ImageIndex index;
  HM_TRY(const Json* manifests, members.list("manifests", kMaxIndexEntries));
  for (const Json& entry : *manifests) {
    HM_TRY(auto descriptor, read_descriptor(entry));
    index.manifests.push_back(std::move(descriptor));
  }
  return index;
}

// The kind that a document's members say, checked against what it and others call it.
Decoded<std::string> kind_of(const Members& members) {
  HM_TRY(const auto version, members.size("schemaVersion"));
  if (version != 2) return fail(ImageError::BadVersion);
  const bool index = members.find("manifests") != nullptr;
  // image-spec 1.1 lets an index carry artifactType and subject, but neither of these.
  const bool manifest = members.find("layers") != nullptr || members.find("config") != nullptr;
  if (index == manifest) return fail(ImageError::BadMediaType);
  HM_TRY(auto said, members.text("mediaType", kMaxMediaTypeBytes));
  if (said.empty()) said = index ? kOciIndex : kOciManifest;
  if (index ? !is_index(said) : !is_manifest(said)) return fail(ImageError::BadMediaType);
  return said;
}

// Variants in ascending order, as numbers; absent: not a variant that this architecture has.
std::optional<int> variant_rank(const Platform& platform) {
  const bool amd64 = platform.architecture == "amd64";
  const bool arm64 = platform.architecture == "arm64";
  if (platform.variant.empty()) return amd64 ? 1 : arm64 ? 8 : 0;
  if (platform.variant.size() == 2 && platform.variant[0] == 'v') {
    const int rank = platform.variant[1] - '0';
    if (amd64 && rank >= 1 && rank <= 4) return rank;
    if (arm64 && rank >= 8 && rank <= 9) return rank;
  }
  return std::nullopt;
}

// How well a platform suits a machine; absent: not at all.
std::optional<int> suitability(const Platform& platform, const Platform& machine) {
  if (platform.os != machine.os || platform.architecture != machine.architecture) {
    return std::nullopt;
  }
  if (platform.variant == machine.variant) return variant_rank(platform).value_or(0);
  const auto needed = variant_rank(platform);
  const auto present = variant_rank(machine);
  if (!needed || !present || *needed > *present) return std::nullopt;
  return needed;
}

using OrderedJson = nlohmann::ordered_json;

OrderedJson json_of(const Descriptor& descriptor) {
  OrderedJson json;
  json["mediaType"] = descriptor.media_type;
  json["digest"] = image_digest_text(descriptor.digest);
  json["size"] = descriptor.bytes;
  if (!descriptor.reference_name.empty()) {
    json["annotations"] = {{kReferenceName, descriptor.reference_name}};
  }
  if (descriptor.platform) {
    OrderedJson platform;
    platform["architecture"] = descriptor.platform->architecture;
    platform["os"] = descriptor.platform->os;
    if (!descriptor.platform->variant.empty()) platform["variant"] = descriptor.platform->variant;
    json["platform"] = std::move(platform);
  }
  return json;
}

// Text that is not UTF-8 cannot come out of a decoder; were it given all the same, it is replaced.
std::string text_of(const OrderedJson& json) {
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace

std::string to_string(const Platform& platform) {
  std::string text = platform.os + "/" + platform.architecture;
  if (!platform.variant.empty()) text += "/" + platform.variant;
  return text;
}

bool is_platform_word(std::string_view text) {
  const auto is_word = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !text.empty() && text.size() <= kMaxNameBytes && is_word(text.front()) &&
         std::ranges::all_of(
             text, [&](char c) { return is_word(c) || c == '.' || c == '_' || c == '-'; });
}

Result<ImageDocument, ImageError> parse_image_document(ByteView bytes, std::string_view announced) {
  HM_TRY(const auto json, parse_json(bytes));
  HM_TRY(const auto members, Members::of(json));
  HM_TRY(const auto kind, kind_of(members));
  // A document that names itself is what it says (image-spec 1.1, manifest.md: the media types of
  // descriptor and document agree); one that does not is at least of the kind announced.
  const bool named = members.find("mediaType") != nullptr;
  if (!announced.empty() && (named ? kind != announced : is_index(kind) != is_index(announced))) {
    return fail(ImageError::BadMediaType);
  }
  if (is_index(kind)) {
    HM_TRY(auto index, read_index(members));
    return ImageDocument(std::move(index));
  }
  HM_TRY(auto manifest, read_manifest(members));
  return ImageDocument(std::move(manifest));
}

Result<std::string, ImageError> media_type_of(ByteView bytes) {
  HM_TRY(const auto json, parse_json(bytes));
  HM_TRY(const auto members, Members::of(json));
  return kind_of(members);
}

bool is_manifest(std::string_view media_type) {
  return media_type == kOciManifest || media_type == kDockerManifest;
}

bool is_index(std::string_view media_type) {
  return media_type == kOciIndex || media_type == kDockerList;
}

std::optional<LayerPacking> packing_of(std::string_view media_type) {
  for (const LayerType& type : kLayerTypes) {
    if (type.media_type == media_type) return type.packing;
  }
  return std::nullopt;
}

const Descriptor* choose_platform(const ImageIndex& index, const Platform& machine) {
  const Descriptor* best = nullptr;
  int best_rank = -1;
  for (const Descriptor& entry : index.manifests) {
    if (!is_manifest(entry.media_type) && !is_index(entry.media_type)) continue;
    if (!entry.platform) {
      if (best == nullptr) best = &entry;
      continue;
    }
    const auto rank = suitability(*entry.platform, machine);
    if (rank && *rank > best_rank) {
      best = &entry;
      best_rank = *rank;
    }
  }
  return best;
}

std::string write_manifest(const ImageManifest& manifest) {
  OrderedJson json;
  json["schemaVersion"] = 2;
  json["mediaType"] = kOciManifest;
  json["config"] = json_of(manifest.config);
  json["layers"] = OrderedJson::array();
  for (const Descriptor& layer : manifest.layers) json["layers"].push_back(json_of(layer));
  return text_of(json);
}

std::string write_index(const ImageIndex& index) {
  OrderedJson json;
  json["schemaVersion"] = 2;
  json["mediaType"] = kOciIndex;
  json["manifests"] = OrderedJson::array();
  for (const Descriptor& entry : index.manifests) json["manifests"].push_back(json_of(entry));
  return text_of(json);
}

std::string_view oci_layout_text() { return R"({"imageLayoutVersion":"1.0.0"})"; }

Result<void, ImageError> check_oci_layout(ByteView bytes) {
  HM_TRY(const auto json, parse_json(bytes));
  HM_TRY(const auto members, Members::of(json));
  HM_TRY(const auto version, members.required_text("imageLayoutVersion", kMaxNameBytes));
  if (version != "1.0.0") return fail(ImageError::BadVersion);
  return {};
}

}  // namespace hm::containers
