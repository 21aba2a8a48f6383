// SPDX-License-Identifier: Apache-2.0
#include "platform/oci/image_import.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "core/containers/image_reference.h"
#include "platform/oci/archive_images.h"
#include "platform/oci/archive_source.h"
#include "platform/oci/blob_copy.h"

namespace hm::oci {
namespace {

// A whole name has a repository; a word alone is a tag ("v1").
std::optional<containers::ImageReference> whole_name(const std::string& text) {
  if (text.find_first_of(":/") == std::string::npos) return std::nullopt;
  const auto parsed = containers::parse_image_reference(text);
  return parsed ? std::optional(*parsed) : std::nullopt;
}

std::unexpected<Error> unnamed() {
  return fail(ErrorCode::InvalidArgument, "the archive has no name for an image in it",
              "Give one, such as --name web:v1.");
}

// What the images of an archive are to be called, and which manifest each name is for.
Result<std::vector<std::pair<std::string, std::size_t>>> name_all(
    const std::vector<OfferedImage>& images, const std::string& reference) {
  std::vector<std::pair<std::string, std::size_t>> names;
  std::vector<std::pair<std::string, std::size_t>> tags;
  const bool is_named = images.size() == 1 && !reference.empty();
  for (std::size_t i = 0; i < images.size(); ++i) {
    bool has_name = false;
    for (const std::string& text : images[i].names) {
      if (is_named) break;
      if (const auto name = whole_name(text)) {
        names.emplace_back(containers::to_string(*name), i);
        has_name = true;
      }
    }
    if (!has_name) tags.emplace_back(images[i].names.empty() ? "" : images[i].names.front(), i);
  }
  if (tags.empty()) return names;
  if (reference.empty()) return unnamed();
  const auto given = containers::parse_image_reference(reference);
  if (!given) {
    return fail(ErrorCode::InvalidArgument, fmt::format("'{}' is no name of an image", reference),
                std::string(containers::explain(given.error())));
  }
  for (const auto& [tag, image] : tags) {
    containers::ImageReference name = *given;
    if (tags.size() > 1) {
      if (tag.empty()) return unnamed();
      name.tag = tag;
      name.digest = std::nullopt;
    }
    const std::string text = containers::to_string(name);
    if (!containers::parse_image_reference(text)) return unnamed();
    names.emplace_back(text, image);
  }
  return names;
}

Result<void> copy(BlobStore& blobs, const ArchiveSource& archive, const OfferedBlob& offered,
                  ProgressSum& progress) {
  HM_TRY(const auto writer,
         open_writer([&blobs](const ports::ImageBlob& blob) { return blobs.write(blob); },
                     offered.blob));
  if (writer == nullptr) {
    progress.add(offered.blob.bytes);
    return {};
  }
  HM_TRY(const auto source, archive.open(offered.member));
  std::uint64_t present = writer->offset();
  progress.add(present);
  while (true) {
    HM_TRY(ByteView piece, source());
    if (piece.empty()) break;
    const auto skipped = std::min<std::uint64_t>(present, piece.size());
    present -= skipped;
    piece = piece.subspan(static_cast<std::size_t>(skipped));
    HM_TRY_VOID(writer->write(piece));
    progress.add(piece.size());
  }
  const auto committed = writer->commit();
  if (!committed && committed.error().code == ErrorCode::FailedPrecondition) {
    return fail(ErrorCode::Corrupt, fmt::format("{} of the archive is too short", offered.member));
  }
  return committed;
}

}  // namespace

Result<std::vector<ImportedImage>> import_archive(BlobStore& blobs, const std::string& path,
                                                  const std::string& reference,
                                                  const ports::ImageProgress& progress) {
  HM_TRY(const auto archive, open_archive_source(path, blobs));
  HM_TRY(const auto images, images_in(*archive));
  HM_TRY(const auto names, name_all(images, reference));
  std::uint64_t total = 0;
  for (const OfferedImage& image : images) {
    for (const OfferedBlob& blob : image.blobs) total += blob.blob.bytes;
  }
  ProgressSum sum(progress, total);
  std::vector<crypto::Digest> manifests;
  for (const OfferedImage& image : images) {
    for (const OfferedBlob& blob : image.blobs) HM_TRY_VOID(copy(blobs, *archive, blob, sum));
    HM_TRY(const auto manifest, blobs.put_document(image.manifest));
    manifests.push_back(manifest);
  }
  std::vector<ImportedImage> imported;
  for (const auto& [name, image] : names) {
    imported.push_back({.reference = name, .manifest = manifests[image]});
  }
  return imported;
}

}  // namespace hm::oci
