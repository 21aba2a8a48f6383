// SPDX-License-Identifier: Apache-2.0
// The bytes of a manifest. Places, of which shards share a few, stand in a table.
#include <algorithm>
#include <set>

#include "core/storage/limits.h"
#include "core/storage/manifest.h"
#include "foundation/base/check.h"
#include "foundation/codec/reader.h"
#include "foundation/codec/writer.h"

namespace hm::storage {
namespace {

using codec::Reader;
using codec::Writer;

using PlaceIndex = std::uint16_t;

std::vector<Place> places_of(const Manifest& manifest) {
  std::set<Place> places;
  for (const Stripe& each : manifest.stripes) places.insert(each.places.begin(), each.places.end());
  return {places.begin(), places.end()};
}

void write(Writer& writer, const Stripe& stripe, const std::vector<Place>& places) {
  writer.write(stripe.code);
  writer.write(stripe.shard_bytes);
  writer.write(stripe.roots);
  writer.write_length(stripe.places.size());
  for (const Place& each : stripe.places) {
    const auto at = std::ranges::lower_bound(places, each);
    writer.write(static_cast<PlaceIndex>(at - places.begin()));
  }
}

// The length of a sequence that may have at most `most` elements.
bool read_count(Reader& reader, std::size_t most, StorageError too_many, std::size_t& count,
                StorageError& error) {
  if (!reader.read_length(count)) return false;
  if (count <= most) return true;
  error = too_many;
  return false;
}

bool read(Reader& reader, Stripe& stripe, const std::vector<Place>& places, std::vector<bool>& used,
          StorageError& error) {
  if (!reader.read(stripe.code) || !reader.read(stripe.shard_bytes)) return false;
  std::size_t count = 0;
  if (!read_count(reader, erasure::kMaxShards, StorageError::BadStripe, count, error)) return false;
  stripe.roots.resize(count);
  for (crypto::Digest& root : stripe.roots) {
    if (!reader.read(root)) return false;
  }
  if (!read_count(reader, erasure::kMaxShards, StorageError::BadStripe, count, error)) return false;
  for (std::size_t i = 0; i < count; ++i) {
    PlaceIndex index = 0;
    if (!reader.read(index)) return false;
    if (index >= places.size()) {
      error = StorageError::BadPlaces;
      return false;
    }
    stripe.places.push_back(places[index]);
    used[index] = true;
  }
  return true;
}

bool read_places(Reader& reader, std::vector<Place>& places, StorageError& error) {
  std::size_t count = 0;
  if (!read_count(reader, kMaxPlaces, StorageError::TooManyShards, count, error)) return false;
  for (std::size_t i = 0; i < count; ++i) {
    if (!reader.read(places.emplace_back())) return false;
    if (i > 0 && !(places[i - 1] < places[i])) {
      error = StorageError::BadPlaces;
      return false;
    }
  }
  return true;
}

bool read_stripes(Reader& reader, Manifest& manifest, StorageError& error) {
  std::vector<Place> places;
  if (!read_places(reader, places, error)) return false;
  std::vector<bool> used(places.size());
  std::size_t count = 0;
  if (!read_count(reader, kMaxManifestShards, StorageError::TooManyShards, count, error)) {
    return false;
  }
  std::size_t shards = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!read(reader, manifest.stripes.emplace_back(), places, used, error)) return false;
    shards += manifest.stripes.back().roots.size();
    if (shards > kMaxManifestShards) {
      error = StorageError::TooManyShards;
      return false;
    }
  }
  if (std::ranges::find(used, false) == used.end()) return true;
  error = StorageError::BadPlaces;
  return false;
}

bool read_body(Reader& reader, Manifest& manifest, StorageError& error) {
  std::size_t count = 0;
  if (!reader.read(manifest.depth) || !reader.read(manifest.what) ||
      !reader.read(manifest.description) || !reader.read(manifest.size) ||
      !reader.read(manifest.content) || !reader.read(manifest.protection) ||
      !read_stripes(reader, manifest, error) ||
      !read_count(reader, kMaxSegments, StorageError::TooManySegments, count, error)) {
    return false;
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (!reader.read(manifest.segments.emplace_back())) return false;
  }
  return reader.finish();
}

}  // namespace

Bytes encode(const Manifest& manifest) {
  HM_CHECK(check(manifest));
  const std::vector<Place> places = places_of(manifest);
  HM_CHECK(places.size() <= kMaxPlaces);
  Writer writer;
  writer.write(kManifestFormat);
  writer.write(manifest.depth);
  writer.write(manifest.what);
  writer.write(manifest.description);
  writer.write(manifest.size);
  writer.write(manifest.content);
  writer.write(manifest.protection);
  writer.write(places);
  writer.write_length(manifest.stripes.size());
  for (const Stripe& each : manifest.stripes) write(writer, each, places);
  writer.write(manifest.segments);
  return std::move(writer).take();
}

Result<Manifest, StorageError> decode_manifest(ByteView bytes) {
  if (bytes.size() > kMaxManifestBytes) return fail(StorageError::ManifestTooLong);
  Reader reader(bytes);
  std::uint16_t format = 0;
  if (!reader.read(format)) return fail(StorageError::NotAManifest);
  if (format != kManifestFormat) return fail(StorageError::UnknownFormat);
  Manifest manifest;
  StorageError error = StorageError::NotAManifest;
  if (!read_body(reader, manifest, error)) return fail(error);
  HM_TRY_VOID(check(manifest));
  return manifest;
}

}  // namespace hm::storage
