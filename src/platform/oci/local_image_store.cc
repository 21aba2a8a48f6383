// SPDX-License-Identifier: Apache-2.0
#include "platform/oci/local_image_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "core/containers/image_digest.h"
#include "core/containers/image_reference.h"
#include "platform/files/atomic_file.h"
#include "platform/oci/image_export.h"
#include "platform/oci/image_import.h"
#include "platform/oci/limits.h"
#include "platform/oci/space_budget.h"
#include "platform/oci/stored_image.h"

namespace hm::oci {
namespace {

constexpr unsigned kFolderMode = 0700;
constexpr std::size_t kHexDigits = 2 * crypto::Digest::kSize;

Result<std::string> canonical_name(const std::string& reference) {
  const auto parsed = containers::parse_image_reference(reference);
  if (parsed) return containers::to_string(*parsed);
  return fail(ErrorCode::InvalidArgument, fmt::format("'{}' is no name of an image", reference),
              std::string(containers::explain(parsed.error())));
}

void count_down(std::map<crypto::Digest, std::size_t>& counts, const crypto::Digest& digest) {
  const auto found = counts.find(digest);
  if (found != counts.end() && --found->second == 0) counts.erase(found);
}

// A layer's blob, piece by piece, reporting what was read.
ByteSource source_of(FileHandle file, std::function<void(std::uint64_t)> on_read) {
  struct State {
    FileHandle file;
    Bytes buffer = Bytes(kCopyBytes);
    std::uint64_t offset = 0;
  };
  auto state = std::make_shared<State>();
  state->file = std::move(file);
  return [state, on_read = std::move(on_read)]() -> Result<ByteView> {
    HM_TRY(const auto n, read_some_at(state->file.get(), state->buffer, state->offset, "a layer"));
    state->offset += n;
    on_read(n);
    return ByteView(state->buffer).first(n);
  };
}

// Overlayfs takes no folder twice. Of layers that are the same, only the topmost can be seen: it
// hides all that a lower one has, and what that one hides it hides itself.
std::vector<std::string> stack_of(const LayerStore& layers,
                                  const std::vector<crypto::Digest>& lowest_first) {
  std::vector<std::string> stack;
  std::set<crypto::Digest> seen;
  for (auto at = lowest_first.rbegin(); at != lowest_first.rend(); ++at) {
    if (seen.insert(*at).second) stack.push_back(layers.path(*at));
  }
  return stack;
}

// Matches a prefix of hex digits against what the names stand for.
Result<ports::NamedImage> find_by_prefix(const std::map<std::string, NameRecord>& records,
                                         std::string_view hex, const std::string& reference) {
  const NameRecord* found = nullptr;
  const std::string* name = nullptr;
  for (const auto& [candidate, record] : records) {
    if (!record.manifest.to_string().starts_with(hex)) continue;
    if (found != nullptr && found->manifest != record.manifest) {
      return fail(ErrorCode::InvalidArgument,
                  fmt::format("'{}' begins the digests of several images", reference));
    }
    if (found == nullptr) {
      found = &record;
      name = &candidate;
    }
  }
  if (found == nullptr) {
    return fail(ErrorCode::NotFound, fmt::format("no image is named {}", reference),
                "`hypermesh image ls` shows those that are here.");
  }
  return named_image(*name, *found);
}

}  // namespace

Result<std::unique_ptr<ports::ImageStore>> open_image_store(const ImageStoreOptions& options) {
  std::error_code error;
  const std::string folder = std::filesystem::absolute(options.folder, error).string();
  if (error) return system_error("find", options.folder, error.value());
  HM_TRY_VOID(files::make_folder(folder, kFolderMode));
  const auto space = std::make_shared<SpaceBudget>(options.max_bytes);
  HM_TRY(auto names, ImageNames::open(folder));
  HM_TRY(auto blobs, BlobStore::open(folder, space));
  HM_TRY(auto layers, LayerStore::open(folder, options.uid_shift, space));
  for (const auto& [reference, record] : names.all()) blobs->settle(record.blobs);
  return std::unique_ptr<ports::ImageStore>(
      std::make_unique<LocalImageStore>(std::move(blobs), std::move(layers), std::move(names)));
}

LocalImageStore::LocalImageStore(std::shared_ptr<BlobStore> blobs,
                                 std::unique_ptr<LayerStore> layers, ImageNames names)
    : blobs_(std::move(blobs)),
      layers_(std::move(layers)),
      holds_(std::make_shared<Holds>()),
      mutex_(holds_->mutex),
      names_(std::move(names)) {}

Result<std::vector<ports::ImageBlob>> LocalImageStore::blobs_of(const crypto::Digest& manifest) {
  HM_TRY(const auto stored, load_manifest(*blobs_, manifest));
  return stored.blobs();
}

std::optional<std::uint64_t> LocalImageStore::blob_size(const crypto::Digest& digest) {
  return blobs_->size(digest);
}

Result<Bytes> LocalImageStore::read_blob(const crypto::Digest& digest, std::uint64_t offset,
                                         std::size_t most) {
  return blobs_->read(digest, offset, most);
}

Result<std::unique_ptr<ports::BlobWriter>> LocalImageStore::write_blob(
    const ports::ImageBlob& blob) {
  return blobs_->write(blob);
}

Result<std::vector<ports::NamedImage>> LocalImageStore::import_file(
    const std::string& path, const std::string& reference, const ports::ImageProgress& progress) {
  HM_TRY(const auto imported, import_archive(*blobs_, path, reference, progress));
  std::vector<ports::NamedImage> named;
  for (const ImportedImage& image : imported) {
    HM_TRY_VOID(set_name(image.reference, image.manifest));
    HM_TRY(auto found, find(image.reference));
    named.push_back(std::move(found));
  }
  return named;
}

Result<void> LocalImageStore::export_file(const crypto::Digest& manifest,
                                          const std::string& reference, const std::string& path) {
  HM_TRY(const auto image, load_image(*blobs_, manifest));
  const auto held = hold(record_of(image));
  HM_TRY_VOID(check_complete(*blobs_, image.manifest));
  return export_archive(*blobs_, image, reference, path);
}

std::vector<ports::NamedImage> LocalImageStore::names() {
  const std::lock_guard lock(mutex_);
  std::vector<ports::NamedImage> images;
  for (const auto& [reference, record] : names_.all()) {
    images.push_back(named_image(reference, record));
  }
  return images;
}

Result<ports::NamedImage> LocalImageStore::find(const std::string& reference) {
  const auto parsed = containers::parse_image_reference(reference);
  const std::lock_guard lock(mutex_);
  if (parsed) {
    const auto found = names_.all().find(containers::to_string(*parsed));
    if (found != names_.all().end()) return named_image(found->first, found->second);
  }
  std::string_view hex = reference;
  constexpr std::string_view kAlgorithm = "sha256:";
  if (hex.starts_with(kAlgorithm)) hex.remove_prefix(kAlgorithm.size());
  const bool is_hex =
      !hex.empty() && hex.size() <= kHexDigits && std::ranges::all_of(hex, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
      });
  if (!is_hex) {
    HM_TRY(const auto name, canonical_name(reference));
    return fail(ErrorCode::NotFound, fmt::format("no image is named {}", name),
                "`hypermesh image ls` shows those that are here.");
  }
  return find_by_prefix(names_.all(), hex, reference);
}

Result<void> LocalImageStore::set_name(const std::string& reference,
                                       const crypto::Digest& manifest) {
  HM_TRY(const auto name, canonical_name(reference));
  HM_TRY(const auto image, load_image(*blobs_, manifest));
  NameRecord record = record_of(image);
  const std::vector<crypto::Digest> needed = record.blobs;
  const std::lock_guard lock(mutex_);
  HM_TRY_VOID(check_complete(*blobs_, image.manifest));
  HM_TRY_VOID(names_.set(name, std::move(record)));
  blobs_->settle(needed);
  return {};
}

Result<void> LocalImageStore::remove_name(const std::string& reference) {
  HM_TRY(const auto name, canonical_name(reference));
  const std::lock_guard lock(mutex_);
  return names_.remove(name);
}

Result<std::uint64_t> LocalImageStore::collect() {
  LayerStore::Detached layers;
  std::uint64_t freed = 0;
  {
    const std::lock_guard lock(mutex_);
    std::set<crypto::Digest> needed_blobs;
    std::set<crypto::Digest> needed_layers;
    for (const auto& [reference, record] : names_.all()) {
      needed_blobs.insert(record.blobs.begin(), record.blobs.end());
      needed_layers.insert(record.layers.begin(), record.layers.end());
    }
    for (const auto& [digest, count] : holds_->blobs) needed_blobs.insert(digest);
    for (const auto& [digest, count] : holds_->layers) needed_layers.insert(digest);
    HM_TRY(freed, blobs_->collect(needed_blobs));
    HM_TRY(layers, layers_->detach_unneeded(needed_layers));
  }
  for (const std::string& tree : layers.trees) HM_TRY_VOID(remove_tree(tree));
  return freed + layers.bytes;
}

std::shared_ptr<void> LocalImageStore::hold(const NameRecord& record) {
  const std::lock_guard lock(mutex_);
  for (const auto& digest : record.blobs) ++holds_->blobs[digest];
  for (const auto& digest : record.layers) ++holds_->layers[digest];
  blobs_->settle(record.blobs);
  const auto release = [holds = holds_, record](void*) {
    const std::lock_guard release_lock(holds->mutex);
    for (const auto& digest : record.blobs) count_down(holds->blobs, digest);
    for (const auto& digest : record.layers) count_down(holds->layers, digest);
  };
  return {static_cast<void*>(holds_.get()), release};
}

Result<ports::UnpackedImage> LocalImageStore::unpack(const crypto::Digest& manifest,
                                                     const ports::ImageProgress& progress) {
  HM_TRY(auto image, load_image(*blobs_, manifest));
  ports::UnpackedImage unpacked;
  unpacked.hold = hold(record_of(image));
  const auto& diff_ids = image.config.diff_ids;
  std::vector<LayerStore::Layer> layers;
  std::uint64_t total = 0;
  std::uint64_t done = 0;
  for (std::size_t i = 0; i < diff_ids.size(); ++i) {
    const auto& layer = image.manifest.manifest.layers[i];
    if (!layers_->has(diff_ids[i])) total += layer.bytes;
    layers.push_back({.diff_id = diff_ids[i],
                      .packing = *containers::packing_of(layer.media_type),
                      .open = [&, digest = layer.digest]() -> Result<ByteSource> {
                        HM_TRY(auto file, blobs_->open_blob(digest));
                        return source_of(std::move(file), [&](std::uint64_t bytes) {
                          done += bytes;
                          if (progress) progress(std::min(done, total), total);
                        });
                      }});
  }
  HM_TRY_VOID(layers_->ensure(layers));
  unpacked.layers = stack_of(*layers_, diff_ids);
  unpacked.config = std::move(image.config_bytes);
  return unpacked;
}

}  // namespace hm::oci
