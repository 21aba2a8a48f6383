// SPDX-License-Identifier: Apache-2.0
// Why something of storage is refused.
#pragma once

#include <cstdint>
#include <string_view>

namespace hm::storage {

enum class StorageError : std::uint8_t {
  BadSizes,        // sizes of a profile that limits.h does not allow
  SegmentTooLong,  // a segment of no byte, or of more than kMaxSegment
  NotOneFrame,     // not exactly one Zstandard frame that states its content's size
  WrongSize,       // the frame's content does not have the size that was announced
  DamagedFrame,    // the frame does not decompress

  BadLayout,        // a code or a shard size that limits.h does not allow
  NoOwners,         // nobody to hold a shard
  ObjectIdTooLong,  // longer than a sealed box takes
  NameTooLong,      // longer than kMaxName
  MetadataTooLong,  // more than kMaxMetadataEntries or kMaxMetadataBytes
  TooManySegments,  // more than kMaxSegments
  TooManyShards,    // more than kMaxManifestShards, or than kMaxPlaces places

  NotASegment,  // does not open: altered, or sealed with another key or for another object

  ManifestTooLong,    // longer than kMaxManifestBytes, or than is sealed at once
  UnknownFormat,      // a manifest of another version
  NotAManifest,       // not the one encoding of a manifest
  BadVersion,         // segments sealed in a version after the object's
  BadDepth,           // not of the level that it must be of
  BadStripe,          // code, shard size or number of roots or places do not fit each other
  UnusedStripe,       // a stripe in which no segment lies
  BadPlaces,          // table of places out of order, or with places that no shard is in
  BadSegmentLength,   // plain and sealed length do not fit each other
  BadSegmentNumber,   // numbers that do not ascend
  WrongProtection,    // a segment that is sealed otherwise than its manifest says
  NoSuchStripe,       // a segment in a stripe that is none
  BeyondStripe,       // a segment that reaches past the end of its stripe
  WrongTotal,         // the segments are not as long as the object
  BadReaders,         // none, too many, or one twice
  NotAReader,         // the sealed manifest has no wrap for this key
  ManifestNotOpened,  // the sealed manifest was altered, or is of another object or version
  OtherObject,        // a manifest that is not of the object or version that it was sealed for

  NoSuchRange,   // begins or ends behind the end of the object
  TooFewShards,  // of a stripe, fewer than its segments need can be had
  WrongContent,  // the object does not have the hash that its manifest states

  NotParts,  // parts that do not follow each other, or are none
};
std::string_view name_of(StorageError error);  // "bad_sizes"
std::string_view explain(StorageError error);  // a sentence for an operator

}  // namespace hm::storage
