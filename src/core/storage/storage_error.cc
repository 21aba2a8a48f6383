// SPDX-License-Identifier: Apache-2.0
#include "core/storage/storage_error.h"

#include <array>
#include <cstddef>

namespace hm::storage {
namespace {

struct Words {
  StorageError error;
  std::string_view name;
  std::string_view text;
};

constexpr std::array kWords{
    Words{StorageError::BadSizes, "bad_sizes", "segments of such sizes are not allowed"},
    Words{StorageError::SegmentTooLong, "segment_too_long",
          "a segment is empty or longer than allowed"},
    Words{StorageError::NotOneFrame, "not_one_frame",
          "a compressed segment is not one Zstandard frame with its size"},
    Words{StorageError::WrongSize, "wrong_size",
          "a compressed segment does not have the size that its manifest states"},
    Words{StorageError::DamagedFrame, "damaged_frame", "a compressed segment is damaged"},
    Words{StorageError::BadLayout, "bad_layout", "shards of such number or size are not allowed"},
    Words{StorageError::NoOwners, "no_owners", "there is no owner to hold a shard"},
    Words{StorageError::ObjectIdTooLong, "object_id_too_long", "the object's id is too long"},
    Words{StorageError::NameTooLong, "name_too_long", "the object's name is too long"},
    Words{StorageError::MetadataTooLong, "metadata_too_long", "the object has too much metadata"},
    Words{StorageError::TooManySegments, "too_many_segments",
          "the object has too many segments; a profile with longer ones is needed"},
    Words{StorageError::TooManyShards, "too_many_shards",
          "the object's segments lie in too many shards or places"},
    Words{StorageError::NotASegment, "not_a_segment",
          "a segment does not open: it was altered, or sealed with another key or for another "
          "object"},
    Words{StorageError::ManifestTooLong, "manifest_too_long", "the manifest is too long"},
    Words{StorageError::UnknownFormat, "unknown_format",
          "the manifest is of a version that this program does not know"},
    Words{StorageError::NotAManifest, "not_a_manifest", "these bytes are no manifest"},
    Words{StorageError::BadVersion, "bad_version",
          "the manifest's segments are sealed in a version after the object's"},
    Words{StorageError::BadDepth, "bad_depth", "the manifest is not of the level that it says"},
    Words{StorageError::BadStripe, "bad_stripe",
          "code, shard size, roots and places of a stripe do not fit each other"},
    Words{StorageError::UnusedStripe, "unused_stripe", "no segment lies in a stripe"},
    Words{StorageError::BadPlaces, "bad_places",
          "the manifest's table of places is out of order or has some that are not used"},
    Words{StorageError::BadSegmentLength, "bad_segment_length",
          "plain and sealed length of a segment do not fit each other"},
    Words{StorageError::BadSegmentNumber, "bad_segment_number",
          "the numbers of the segments do not ascend"},
    Words{StorageError::WrongProtection, "wrong_protection",
          "a segment is sealed otherwise than its manifest says"},
    Words{StorageError::NoSuchStripe, "no_such_stripe", "a segment lies in a stripe that is none"},
    Words{StorageError::BeyondStripe, "beyond_stripe",
          "a segment reaches past the end of its stripe"},
    Words{StorageError::WrongTotal, "wrong_total",
          "the segments together are not as long as the object"},
    Words{StorageError::BadReaders, "bad_readers",
          "an object cannot be sealed for no reader, for too many, or for one twice"},
    Words{StorageError::NotAReader, "not_a_reader", "this key is no reader's of the object"},
    Words{StorageError::ManifestNotOpened, "manifest_not_opened",
          "the sealed manifest was altered, or is of another object or version"},
    Words{StorageError::OtherObject, "other_object",
          "the manifest is not of the object or version that it was sealed for"},
    Words{StorageError::NoSuchRange, "no_such_range", "the object has no such range"},
    Words{StorageError::TooFewShards, "too_few_shards",
          "too few shards of a stripe can be had to read it"},
    Words{StorageError::WrongContent, "wrong_content",
          "the object does not have the hash that its manifest states"},
    Words{StorageError::NotParts, "not_parts", "the parts do not make one object"},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kWords.size(); ++i) {
    if (kWords[i].error != static_cast<StorageError>(i)) return false;
  }
  return true;
}
static_assert(in_order());

const Words& words_of(StorageError error) { return kWords[static_cast<std::size_t>(error)]; }

}  // namespace

std::string_view name_of(StorageError error) { return words_of(error).name; }
std::string_view explain(StorageError error) { return words_of(error).text; }

}  // namespace hm::storage
