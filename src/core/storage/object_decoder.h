// SPDX-License-Identifier: Apache-2.0
// A range of an object comes back from its manifest and from shards as they arrive.
//
//   auto decoder = ObjectDecoder::open(manifest, begin, end);
//   while (true) {
//     auto progress = decoder->read([&](ByteView plain) { … });
//     if (!progress || *progress == ObjectDecoder::Progress::Done) break;
//     for (const auto& want : decoder->wants()) …ask nodes; then decoder->give(…) or lose(…)
//   }
//
// Promises. Every byte that is handed out was verified: shards by their root as they come, segments
// by their seal. Bytes come in order. A segment whose data shards are there is read at once; any k
// shards of a stripe do for all of it. A shard that is not what the manifest says is named, counts
// for nothing, and is not asked for again, until give() gets the right one. When a stripe can no
// more be read, the failure names its shards that are missing. Memory: kStripesRead stripes, the
// shards of which come in any order, and four longest segments.
//
// Does not do. It asks nobody. The hash of the whole is compared when the whole is read, after its
// bytes were handed out; each byte was verified before by itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/storage/compression.h"
#include "core/storage/limits.h"
#include "core/storage/manifest.h"
#include "core/storage/segment_seal.h"
#include "core/storage/storage_error.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/blake3/blake3.h"
#include "foundation/erasure/coder.h"

namespace hm::storage {

using ShardIndex = std::uint8_t;

// Which shards of a stripe would help.
struct StripeWant {
  std::uint32_t stripe = 0;       // of the manifest
  std::vector<ShardIndex> ask;    // all of these are enough
  std::vector<ShardIndex> spare;  // instead of them, some of these
  std::size_t sufficient = 0;     // any so many of both are enough, too

  bool operator==(const StripeWant&) const = default;
};

enum class ShardVerdict : std::uint8_t {
  Taken,
  NotWanted,    // of no use now: not in a stripe that is wanted, or there already
  WrongLength,  // not the shard that the manifest names
  WrongRoot,    // likewise
};
std::string_view name_of(ShardVerdict verdict);  // "wrong_root"

struct ReadFailure {
  StorageError error;
  std::uint32_t stripe = 0;         // of TooFewShards and NotASegment
  std::vector<ShardIndex> missing;  // could not be had
  std::vector<ShardIndex> altered;  // came, and were not what the manifest names

  std::string to_string() const;
};

class ObjectDecoder {
 public:
  enum class Progress : std::uint8_t { NeedsShards, Done };

  // Bytes begin … end - 1. The manifest must outlive it. NoSuchRange. Requires: check() passes.
  static Result<ObjectDecoder, StorageError> open(const Manifest& manifest, std::uint64_t begin,
                                                  std::uint64_t end);

  // In the order in which they are needed, at most kStripesRead; empty when there is nothing to
  // ask for, be it that all is there or that too little can be had.
  std::vector<StripeWant> wants() const;

  // Requires: the manifest has this stripe, and that this shard.
  ShardVerdict give(std::uint32_t stripe, ShardIndex index, Bytes shard);

  // It cannot be had. Requires: as give().
  void lose(std::uint32_t stripe, ShardIndex index);

  // Hands out what can be read by now. Failures: TooFewShards, NotASegment, WrongContent, and what
  // Compressor::decompress() refuses; none of them passes.
  using PlainSink = std::function<void(ByteView plain)>;
  Result<Progress, ReadFailure> read(const PlainSink& sink);

 private:
  using ShardSet = std::uint64_t;  // bit i: shard i

  struct Held {
    std::vector<Bytes> shards;  // empty where not there
    ShardSet there = 0;
    ShardSet needed = 0;  // data shards in which wanted segments lie
  };
  struct Faults {
    ShardSet lost = 0;
    ShardSet altered = 0;
  };

  ObjectDecoder(const Manifest& manifest, std::uint64_t begin, std::uint64_t end);

  void look_ahead();
  ShardSet shards_of(const Segment& segment) const;
  bool is_readable(const Held& held, std::uint32_t stripe, ShardSet shards) const;
  Faults faults_of(std::uint32_t stripe) const;
  ShardSet unavailable(const Held& held, std::uint32_t stripe) const;
  void recover(Held& held, std::uint32_t stripe);
  ByteView sealed_bytes(const Held& held, const Segment& segment);
  std::span<std::uint8_t> space_for(std::size_t plain_length);
  bool is_whole() const { return begin_ == 0 && end_ == manifest_->size; }
  Result<void, ReadFailure> read_segment(const Segment& segment, const PlainSink& sink);
  ReadFailure failure(StorageError error, std::uint32_t stripe) const;
  erasure::Coder& coder_for(erasure::Code code);

  const Manifest* manifest_;
  std::uint64_t begin_;
  std::uint64_t end_;
  std::size_t next_ = 0;              // segment
  std::uint64_t position_ = 0;        // of its first byte
  std::vector<std::uint32_t> order_;  // the stripes that are wanted, by need
  std::map<std::uint32_t, Held> held_;
  std::map<std::uint32_t, Faults> faults_;
  std::vector<erasure::Coder> coders_;
  SegmentSealer sealer_;
  Compressor compressor_;
  blake3::Hasher hasher_;
  Bytes sealed_;  // of a segment that lies in several shards
  Bytes stored_;  // of one that was compressed
  Bytes plain_;   // segments one behind the other, until they are hashed
  std::size_t plain_used_ = 0;
};

}  // namespace hm::storage
