// SPDX-License-Identifier: Apache-2.0
#include "platform/oci/layer_store.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include "core/containers/image_digest.h"
#include "foundation/base/log.h"
#include "foundation/codec/reader.h"
#include "foundation/codec/writer.h"
#include "platform/files/atomic_file.h"
#include "platform/oci/file_handle.h"
#include "platform/oci/limits.h"

namespace hm::oci {
namespace {

constexpr unsigned kFolderMode = 0700;
constexpr std::uint32_t kFormat = 1;
constexpr std::size_t kMaxMarkerBytes = 256;

// The file `unpacked`. A layer of another format or shift is unpacked anew.
struct Marker {
  std::uint32_t format = kFormat;
  std::uint32_t uid_shift = 0;
  std::uint64_t bytes = 0;
  std::uint64_t entries = 0;
  static constexpr auto fields(auto& self) {
    return std::tie(self.format, self.uid_shift, self.bytes, self.entries);
  }
};

std::optional<Marker> read_marker(const std::string& folder) {
  const auto bytes = files::read_file(folder + "/unpacked", kMaxMarkerBytes, files::Access::Public);
  if (!bytes) return std::nullopt;
  const auto marker = codec::decode<Marker>(*bytes);
  if (!marker || marker->format != kFormat) return std::nullopt;
  return *marker;
}

}  // namespace

Result<std::unique_ptr<LayerStore>> LayerStore::open(const std::string& folder,
                                                     std::uint32_t uid_shift,
                                                     std::shared_ptr<SpaceBudget> space) {
  HM_TRY_VOID(files::make_folder(folder + "/layers", kFolderMode));
  std::unique_ptr<LayerStore> store(
      new LayerStore(folder + "/layers", uid_shift, std::move(space)));
  HM_TRY_VOID(store->scan());
  return store;
}

Result<void> LayerStore::scan() {
  std::vector<std::string> leftovers;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder_, error), end; !error && at != end;
       at.increment(error)) {
    const auto diff_id = crypto::Digest::parse(at->path().filename().string());
    const auto marker = diff_id ? read_marker(at->path().string()) : std::nullopt;
    if (marker && marker->uid_shift == uid_shift_) {
      layers_.emplace(*diff_id, Size{.bytes = marker->bytes, .entries = marker->entries});
      space_->count(marker->bytes);
    } else {
      leftovers.push_back(at->path().string());
    }
  }
  if (error) return system_error("list", folder_, error.value());
  for (const std::string& leftover : leftovers) HM_TRY_VOID(remove_tree(leftover));
  return {};
}

bool LayerStore::has(const crypto::Digest& diff_id) const {
  const std::lock_guard lock(mutex_);
  return layers_.contains(diff_id);
}

std::string LayerStore::path(const crypto::Digest& diff_id) const {
  return folder_ + "/" + diff_id.to_string() + "/fs";
}

std::string LayerStore::temporary_path() {
  return fmt::format("{}/tmp-{}", folder_, next_temporary_++);
}

// What nobody has unpacked or is unpacking; waits while the rest is in others' hands. Nothing is
// claimed while waiting, so that no two callers wait for each other.
std::vector<const LayerStore::Layer*> LayerStore::claim(const std::vector<Layer>& image) {
  std::unique_lock lock(mutex_);
  while (true) {
    std::vector<const Layer*> claimed;
    bool is_waiting = false;
    for (const Layer& layer : image) {
      if (layers_.contains(layer.diff_id)) continue;
      if (unpacking_.insert(layer.diff_id).second) {
        claimed.push_back(&layer);
      } else {
        is_waiting = true;
      }
    }
    if (!claimed.empty() || !is_waiting) return claimed;
    changed_.wait(lock);
  }
}

Result<void> LayerStore::ensure(const std::vector<Layer>& image) {
  while (true) {
    const auto claimed = claim(image);
    if (claimed.empty()) return {};
    std::vector<Unpacked> waiting;
    auto result = unpack(image, claimed, waiting);
    if (result) result = move_into_place(waiting);
    for (const Unpacked& layer : waiting) {
      drop(layer.folder);
      space_->give_back(layer.size.bytes);
    }
    const std::lock_guard lock(mutex_);
    for (const Layer* layer : claimed) unpacking_.erase(layer->diff_id);
    changed_.notify_all();
    if (!result) return result;
  }
}

LayerLimits LayerStore::limits_for(const std::vector<Layer>& image,
                                   const std::vector<Unpacked>& waiting) const {
  std::map<crypto::Digest, Size> sizes;
  for (const Unpacked& layer : waiting) sizes.emplace(layer.diff_id, layer.size);
  {
    const std::lock_guard lock(mutex_);
    for (const Layer& layer : image) {
      if (const auto found = layers_.find(layer.diff_id); found != layers_.end()) {
        sizes.insert(*found);
      }
    }
  }
  LayerLimits left{.bytes = kMaxImageBytes, .entries = kMaxImageEntries};
  for (const auto& [diff_id, size] : sizes) {
    left.bytes -= std::min(left.bytes, size.bytes);
    left.entries -= std::min(left.entries, size.entries);
  }
  return {.bytes = std::min(left.bytes, kMaxLayerBytes),
          .entries = std::min(left.entries, kMaxLayerEntries)};
}

Result<void> LayerStore::unpack(const std::vector<Layer>& image,
                                const std::vector<const Layer*>& claimed,
                                std::vector<Unpacked>& waiting) {
  for (const Layer* layer : claimed) {
    std::string folder;
    {
      const std::lock_guard lock(mutex_);
      folder = temporary_path();
    }
    const auto size = unpack(*layer, limits_for(image, waiting), folder);
    if (!size) {
      drop(folder);
      return fail(size.error());
    }
    waiting.push_back({.diff_id = layer->diff_id, .folder = std::move(folder), .size = *size});
  }
  return {};
}

Result<LayerStore::Size> LayerStore::unpack(const Layer& layer, const LayerLimits& limits,
                                            const std::string& folder) {
  HM_TRY_VOID(files::make_folder(folder + "/fs", kFolderMode));
  HM_TRY(const ByteSource source, layer.open());
  std::uint64_t taken = 0;
  const UnpackOptions options{.uid_shift = uid_shift_,
                              .limits = limits,
                              .take_space = [&](std::uint64_t bytes) -> Result<void> {
                                HM_TRY_VOID(space_->take(bytes));
                                taken += bytes;
                                return {};
                              }};
  auto unpacked = unpack_layer(source, layer.packing, folder + "/fs", options);
  const std::string name = containers::image_digest_text(layer.diff_id);
  if (unpacked && unpacked->diff_id != layer.diff_id) {
    unpacked =
        fail(ErrorCode::Corrupt,
             fmt::format("layer {} is not what the image's configuration says", name),
             fmt::format("It unpacks to {}.", containers::image_digest_text(unpacked->diff_id)));
  }
  if (!unpacked) {
    space_->give_back(taken);
    return fail(unpacked.error());
  }
  if (unpacked->devices_left_out > 0 || unpacked->attributes_left_out > 0) {
    log::info("images", "left out of a layer",
              {{"layer", name},
               {"devices", unpacked->devices_left_out},
               {"attributes", unpacked->attributes_left_out}});
  }
  return Size{.bytes = unpacked->bytes, .entries = unpacked->entries};
}

Result<void> LayerStore::move_into_place(std::vector<Unpacked>& waiting) {
  // Their files before their markers, both before their names: a crash leaves a layer whole or not
  // at all. One flush for all, for it has to wait for whatever else the disk has to write.
  HM_TRY(const FileHandle root, open_folder(folder_));
  if (::syncfs(root.get()) != 0) return system_error("flush", folder_, errno);
  while (!waiting.empty()) {
    const Unpacked& layer = waiting.back();
    HM_TRY_VOID(files::write_file(
        layer.folder + "/unpacked",
        codec::encode(Marker{
            .uid_shift = uid_shift_, .bytes = layer.size.bytes, .entries = layer.size.entries}),
        files::Access::Public, files::Existing::Refuse));
    const std::string place = folder_ + "/" + layer.diff_id.to_string();
    if (::rename(layer.folder.c_str(), place.c_str()) != 0) {
      return system_error("write", place, errno);
    }
    {
      const std::lock_guard lock(mutex_);
      layers_.emplace(layer.diff_id, layer.size);
    }
    waiting.pop_back();
  }
  return flush(root.get(), folder_);
}

void LayerStore::drop(const std::string& temporary) {
  if (const auto removed = remove_tree(temporary); !removed) {
    log::warning("images", "what was unpacked in vain stays until the next start",
                 {{"folder", temporary}, {"why", removed.error().detail}});
  }
}

Result<LayerStore::Detached> LayerStore::detach_unneeded(const std::set<crypto::Digest>& needed) {
  Detached detached;
  const std::lock_guard lock(mutex_);
  for (auto at = layers_.begin(); at != layers_.end();) {
    if (needed.contains(at->first)) {
      ++at;
      continue;
    }
    const std::string place = folder_ + "/" + at->first.to_string();
    const std::string temporary = temporary_path();
    if (::rename(place.c_str(), temporary.c_str()) != 0) {
      return system_error("remove", place, errno);
    }
    detached.trees.push_back(temporary);
    detached.bytes += at->second.bytes;
    space_->give_back(at->second.bytes);
    at = layers_.erase(at);
  }
  return detached;
}

}  // namespace hm::oci
