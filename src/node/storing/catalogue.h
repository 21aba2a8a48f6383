// SPDX-License-Identifier: Apache-2.0
// What a node knows of the objects that it stored, on disk: names, manifests, where each shard is,
// which segments are stored already, and what is to be dropped. docs/protocols/storage.md,
// "Catalogue".
//
// Promises. A change is one atomic batch; after any crash the catalogue is the one before or after
// it, and the one after it once flush() returned. Memory: nothing per object or stripe, save for
// stripes that are not given up yet.
//
// Any thread may read and find segments; one caller at a time writes (catalogue_queue.h). Who found
// a segment may refer to its stripe as long as nothing was applied since that may give stripes up.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/storage/segment_index.h"
#include "foundation/base/result.h"
#include "node/storing/catalogue_rows.h"
#include "node/storing/multipart_rows.h"
#include "ports/store.h"

namespace hm::storing {

struct StoredObject {
  std::string name;
  PutCondition condition;
  ObjectRow row;
  storage::Manifest manifest;  // its stripes without places
};

struct MovedShard {
  StripeId stripe;
  std::uint8_t index = 0;
  storage::Place from;  // dropped there, if it has a node
  storage::Place to;
};

// What changes at once. Stripes come before the objects and parts that refer to them.
struct CatalogueChange {
  std::vector<StripeRow> stripes;  // new ones; `references` is counted here
  std::vector<StoredObject> put;   // in place of what had the name
  std::vector<std::string> removed;
  std::vector<MovedShard> moved;
  std::vector<StoredPart> parts;   // each in place of the one with its number
  std::vector<MultipartId> ended;  // objects in parts, which are forgotten with their parts
};

struct ListedObject {
  std::string name;
  ObjectRow row;
};
struct ObjectList {
  std::vector<ListedObject> objects;  // by name
  std::vector<std::string> folders;   // what begins so and goes on behind the delimiter, once
  std::optional<std::string> next;    // where to go on; none at the end
};

class Catalogue {
 public:
  // Makes a new catalogue where there is none; `random` fills its secrets. Corrupt, by name.
  static Result<std::shared_ptr<Catalogue>> open(
      ports::Store& store, const std::function<void(std::span<std::uint8_t>)>& random);

  // As it was opened.
  const CatalogueHead& head() const { return opened_; }
  // A segment of this domain that is stored already.
  std::optional<storage::KnownSegment> find(const storage::SegmentId& id) const;
  Result<std::optional<ObjectRow>> object(std::string_view name) const;
  // The name of an object of this id.
  Result<std::optional<std::string>> name_of(const ObjectId& id) const;
  Result<storage::Manifest> manifest(const ObjectRow& row) const;
  Result<std::optional<StripeRow>> stripe(const StripeId& id) const;
  // Names that begin with `prefix`, behind `after`; with a delimiter, names that go on behind it
  // are folded. At most `count` of both.
  Result<ObjectList> list(std::string_view prefix, std::string_view after,
                          std::optional<char> delimiter, std::size_t count) const;

  // AlreadyExists and FailedPrecondition: a condition does not hold, or a stripe that an object
  // refers to is not there; NotFound: an object in parts has ended; InvalidArgument: a part does
  // not fit its object. Then nothing changes.
  // What no object refers to any more becomes garbage if it may be given up, otherwise with the
  // next change that may.
  enum class Stripes : std::uint8_t { Keep, MayGiveUp };
  Result<void> apply(const CatalogueChange& change, Stripes stripes);
  bool has_idle_stripes() const { return !idle_.empty(); }
  // Everything that was written is durable.
  Result<void> flush();
  // Removes what an earlier process left: segments of stripes that are gone, and stripes without
  // references. Reads everything.
  Result<void> sweep();
  // A commitment of this generation is about to be made: what becomes garbage from here on waits
  // for the next.
  Result<void> begin_generation(std::uint64_t generation);

  // All stripes from `from` on, until `visit` says false.
  Result<void> stripes(const StripeId& from,
                       const std::function<bool(const StripeId&, const StripeRow&)>& visit) const;
  Result<void> objects(
      const std::function<bool(std::string_view name, const ObjectRow&)>& visit) const;
  // Garbage that waits for no later generation, with keys for forget_garbage(), until `visit` says
  // false; and the first of it.
  Result<void> garbage(std::uint64_t generation,
                       const std::function<bool(ByteView key, GarbageRow row)>& visit) const;
  Result<std::vector<std::pair<Bytes, GarbageRow>>> garbage(std::uint64_t generation,
                                                            std::size_t count) const;
  Result<void> forget_garbage(const Bytes& key);

  // What is on its way under these leases and not in the catalogue yet; none of it is there any
  // more. A later process looks there for orphans.
  Result<void> remember_upload(std::uint64_t number, const std::vector<storage::Place>& places);
  Result<void> forget_upload(std::uint64_t number);
  Result<std::vector<std::pair<std::uint64_t, std::vector<storage::Place>>>> uploads() const;

  // Objects that arrive in parts. Busy: there are kMaxMultiparts already.
  Result<void> begin_multipart(const MultipartId& id, const MultipartRow& row);
  Result<std::optional<MultipartRow>> multipart(const MultipartId& id) const;
  Result<void> multiparts(
      const std::function<bool(const MultipartId&, const MultipartRow&)>& visit) const;
  // The number of an attempt at a part, which none had before. NotFound.
  Result<std::uint64_t> begin_attempt(const MultipartId& id, UnixMillis touched);
  // In order, those above `after`, until `visit` says false.
  Result<void> parts(const MultipartId& id, PartNumber after,
                     const std::function<bool(PartNumber, const PartRow&)>& visit) const;
  Result<storage::Manifest> part_manifest(const MultipartId& id, PartNumber number) const;

  // The last kMaxFaults are kept.
  Result<void> add_fault(const FaultRow& fault);
  Result<std::vector<FaultRow>> faults() const;

 private:
  Catalogue(ports::Store& store, const CatalogueHead& head)
      : store_(store), opened_(head), head_(head) {}

  class Batch;
  Result<void> put_part(const StoredPart& part, Batch& batch);
  Result<void> end_multipart(const MultipartId& id, Batch& batch);
  ports::StoreWrite head_row() const;

  ports::Store& store_;
  const CatalogueHead opened_;
  // The rest is the writer's.
  CatalogueHead head_;
  std::set<StripeId> idle_;           // without references, not given up yet
  std::uint64_t garbage_number_ = 0;  // makes keys of one generation differ
};

}  // namespace hm::storing
