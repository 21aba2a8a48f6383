// SPDX-License-Identifier: Apache-2.0
#include "node/storing/catalogue.h"

#include <algorithm>
#include <set>
#include <utility>

#include "foundation/base/check.h"
#include "foundation/codec/reader.h"
#include "foundation/codec/writer.h"
#include "node/storing/catalogue_keys.h"
#include "node/storing/keeper_limits.h"

namespace hm::storing {
namespace {

using ports::Space;

ByteView manifest_key_bytes(const ObjectRow& row) { return row.what.object; }

}  // namespace

Result<void> check(const PutCondition& condition, const std::string& name,
                   const std::optional<ObjectRow>& old) {
  if (condition.only_new && old) {
    return fail(ErrorCode::AlreadyExists, "there is an object of this name: " + name,
                "remove it first, or store it without that condition");
  }
  if (condition.only_version && (!old || old->what.version != *condition.only_version)) {
    return fail(ErrorCode::FailedPrecondition,
                old ? "the object has another version: " + std::to_string(old->what.version)
                    : "there is no object of this name: " + name,
                "somebody changed it meanwhile; look at it again");
  }
  return {};
}

StripeId stripe_id_of(const std::vector<crypto::Digest>& roots) {
  return StripeId{crypto::tagged_hash("hm.storage.stripe.v1", codec::encode(roots)).bytes};
}

ObjectId object_id_of(const identity::NodeId& node, std::string_view name) {
  Bytes input = to_bytes(node.view());
  input.insert(input.end(), name.begin(), name.end());
  return ObjectId{crypto::tagged_hash("hm.storage.object.v1", input).bytes};
}

std::string_view name_of(Fault fault) {
  switch (fault) {
    case Fault::Missing: return "missing";
    case Fault::Corrupt: return "corrupt";
    case Fault::Wrong: return "wrong";
    case Fault::Silent: return "silent";
  }
  return "unknown";
}

// The stripes that change, each read once, with what follows from their references.
class Catalogue::Batch {
 public:
  explicit Batch(Catalogue& catalogue) : catalogue_(catalogue) {}

  ports::WriteBatch writes;

  Result<StripeRow*> stripe(const StripeId& id) {
    const auto found = stripes_.find(id);
    if (found != stripes_.end()) return &found->second;
    HM_TRY(auto row, catalogue_.stripe(id));
    if (!row) {
      return fail(ErrorCode::FailedPrecondition, "a stripe is not stored: " + id.to_string(),
                  "it was given up meanwhile; store the object again");
    }
    return &stripes_.emplace(id, std::move(*row)).first->second;
  }
  // An equal one that is there already stays as it is.
  Result<void> add(StripeRow row) {
    const StripeId id = stripe_id_of(row.roots);
    HM_TRY(const auto known, catalogue_.stripe(id));
    if (known) return {};
    row.references = 0;
    stripes_.emplace(id, std::move(row));
    return {};
  }

  Result<void> refer(const std::vector<StripeId>& own, const storage::Manifest& manifest, int by) {
    std::set<StripeId> distinct(own.begin(), own.end());
    for (const storage::Stripe& each : manifest.stripes) distinct.insert(stripe_id_of(each.roots));
    for (const StripeId& id : distinct) {
      HM_TRY(StripeRow* const row, stripe(id));
      if (by < 0 && row->references == 0)
        return damaged("a stripe has fewer references than objects");
      row->references = by < 0 ? row->references - 1 : row->references + 1;
    }
    return {};
  }

  // Writes the stripes. Those without references become garbage of the next commitment, or are
  // `idle`.
  void finish(Stripes stripes, std::set<StripeId>& idle) {
    const std::uint64_t generation = catalogue_.head_.last_generation + 1;
    for (const auto& [id, row] : stripes_) {
      idle.erase(id);
      if (row.references == 0 && stripes == Stripes::Keep) idle.insert(id);
      if (row.references > 0 || stripes == Stripes::Keep) {
        writes.push_back({Space::Stripes, to_bytes(id.view()), codec::encode(row)});
        continue;
      }
      writes.push_back({Space::Stripes, to_bytes(id.view()), std::nullopt});
      GarbageRow garbage{row.kind, generation, id, row.shard_bytes, {}};
      for (std::size_t i = 0; i < row.places.size(); ++i) {
        if (!row.places[i].node.is_zero()) garbage.items.push_back({row.places[i], row.roots[i]});
      }
      if (!garbage.items.empty()) add_garbage(garbage);
    }
  }

  // Whoever has the same segments finds them here.
  void find_segments(const storage::Manifest& manifest) {
    for (const storage::Segment& segment : manifest.segments) {
      const auto* shared = std::get_if<storage::SharedSegment>(&segment.seal);
      if (shared == nullptr) continue;
      const SegmentRow row{segment, stripe_id_of(manifest.stripes[segment.stripe].roots)};
      writes.push_back({Space::Segments, to_bytes(shared->id.view()), codec::encode(row)});
    }
  }

  void add_garbage(const GarbageRow& garbage) {
    Bytes key = prefixed(kGarbageRow, big_endian(garbage.generation));
    // Keys of earlier processes may be there: the first item's root makes them differ.
    const Bytes number = big_endian(catalogue_.garbage_number_++);
    const ByteView root = garbage.items.front().root.view();
    key.insert(key.end(), number.begin(), number.end());
    key.insert(key.end(), root.begin(), root.end());
    writes.push_back({Space::Meta, std::move(key), codec::encode(garbage)});
  }

 private:
  Catalogue& catalogue_;
  std::map<StripeId, StripeRow> stripes_;
};

std::optional<storage::KnownSegment> Catalogue::find(const storage::SegmentId& id) const {
  const auto segment = read<SegmentRow>(store_, Space::Segments, id.view(), "a segment");
  if (!segment || !*segment) return std::nullopt;
  const auto row = stripe((*segment)->stripe);
  // A stripe that is gone leaves its segments behind.
  if (!row || !*row) return std::nullopt;
  return storage::KnownSegment{(*segment)->segment,
                               std::make_shared<const storage::Stripe>((*row)->stripe())};
}

Result<std::shared_ptr<Catalogue>> Catalogue::open(
    ports::Store& store, const std::function<void(std::span<std::uint8_t>)>& random) {
  const Bytes key{kHeadRow};
  HM_TRY(const auto found, read<CatalogueHead>(store, Space::Meta, key, "its head"));
  if (found) {
    if (found->format != CatalogueHead{}.format) return damaged("its format is not known");
    return std::shared_ptr<Catalogue>(new Catalogue(store, *found));
  }
  CatalogueHead head;
  random(head.domain.bytes);
  random(head.domain_secret);
  auto made = std::shared_ptr<Catalogue>(new Catalogue(store, head));
  HM_TRY_VOID(store.write({made->head_row()}));
  HM_TRY_VOID(store.sync());
  return made;
}

ports::StoreWrite Catalogue::head_row() const {
  return {Space::Meta, Bytes{kHeadRow}, codec::encode(head_)};
}

Result<void> Catalogue::flush() { return store_.sync(); }

Result<std::optional<ObjectRow>> Catalogue::object(std::string_view name) const {
  return read<ObjectRow>(store_, Space::Objects, as_bytes(name), "the row of an object");
}

Result<std::optional<std::string>> Catalogue::name_of(const ObjectId& id) const {
  HM_TRY(const auto name, store_.get(Space::Manifests, prefixed(kIdRow, id.view())));
  if (!name) return std::optional<std::string>();
  return std::optional(std::string(as_text(*name)));
}

Result<storage::Manifest> Catalogue::manifest(const ObjectRow& row) const {
  HM_TRY(const auto bytes,
         store_.get(Space::Manifests, prefixed(kManifestRow, manifest_key_bytes(row))));
  if (!bytes) return damaged("a manifest is missing");
  auto manifest = storage::decode_manifest(*bytes);
  if (!manifest || manifest->what != row.what) return damaged("a manifest");
  return std::move(*manifest);
}

Result<std::optional<StripeRow>> Catalogue::stripe(const StripeId& id) const {
  return read<StripeRow>(store_, Space::Stripes, id.view(), "the row of a stripe");
}

Result<ObjectList> Catalogue::list(std::string_view prefix, std::string_view after,
                                   std::optional<char> delimiter, std::size_t count) const {
  ObjectList list;
  bool is_damaged = false;
  Bytes first = key_of(std::max(prefix, after));
  if (after >= prefix && !after.empty()) first.push_back(0);
  const Bytes last = behind(as_bytes(prefix));
  // Each folder is one seek: what is below it is passed over.
  while (true) {
    std::optional<Bytes> go_on;
    HM_TRY_VOID(store_.scan(Space::Objects, first, last, [&](ByteView key, ByteView value) {
      const std::string_view name = as_text(key);
      if (!name.starts_with(prefix)) return false;
      if (list.objects.size() + list.folders.size() >= count) {
        list.next = list.objects.empty() ? std::string() : list.objects.back().name;
        if (!list.folders.empty() && list.folders.back() > *list.next) {
          // Behind everything that the folder has.
          list.next = list.folders.back() + '\xff';
        }
        return false;
      }
      if (delimiter) {
        const auto at = name.find(*delimiter, prefix.size());
        if (at != std::string_view::npos) {
          const std::string_view folder = name.substr(0, at + 1);
          list.folders.emplace_back(folder);
          go_on = behind(as_bytes(folder));
          return false;
        }
      }
      auto row = codec::decode<ObjectRow>(value);
      if (!row) {
        is_damaged = true;
        return false;
      }
      list.objects.push_back({std::string(name), std::move(*row)});
      return true;
    }));
    if (is_damaged) return damaged("the row of an object");
    if (!go_on || go_on->empty()) return list;
    first = std::move(*go_on);
  }
}

Result<void> Catalogue::apply(const CatalogueChange& change, Stripes stripes) {
  Batch batch(*this);
  std::set<StripeId> idle = idle_;
  if (stripes == Stripes::MayGiveUp) {
    for (const StripeId& id : idle) HM_TRY_VOID(batch.stripe(id));
  }
  for (const StripeRow& row : change.stripes) HM_TRY_VOID(batch.add(row));

  CatalogueHead head = head_;
  std::map<std::string, const StoredObject*> put;  // the last of a name counts
  for (const StoredObject& each : change.put) put[each.name] = &each;
  std::set<std::string> names(change.removed.begin(), change.removed.end());
  for (const auto& [name, each] : put) names.insert(name);

  for (const auto& [name, each] : put) {
    if (each->row.origin == Origin::Own)
      HM_TRY_VOID(batch.refer(each->row.own_stripes, each->manifest, 1));
  }
  for (const std::string& name : names) {
    HM_TRY(const auto old, object(name));
    if (const auto made = put.find(name); made != put.end()) {
      HM_TRY_VOID(check(made->second->condition, name, old));
    }
    if (!old) continue;
    if (old->origin == Origin::Own) {
      HM_TRY(const auto manifest, this->manifest(*old));
      HM_TRY_VOID(batch.refer(old->own_stripes, manifest, -1));
    }
    batch.writes.push_back({Space::Objects, key_of(name), std::nullopt});
    batch.writes.push_back(
        {Space::Manifests, prefixed(kManifestRow, manifest_key_bytes(*old)), std::nullopt});
    batch.writes.push_back({Space::Manifests, prefixed(kIdRow, old->what.object), std::nullopt});
  }
  for (const auto& [name, each] : put) {
    batch.writes.push_back({Space::Objects, key_of(name), codec::encode(each->row)});
    batch.writes.push_back({Space::Manifests, prefixed(kManifestRow, manifest_key_bytes(each->row)),
                            storage::encode(each->manifest)});
    batch.writes.push_back(
        {Space::Manifests, prefixed(kIdRow, each->row.what.object), key_of(name)});
    head.last_version = std::max(head.last_version, each->row.what.version);
    if (each->row.origin != Origin::Own) continue;
    batch.find_segments(each->manifest);
  }
  for (const StoredPart& part : change.parts) HM_TRY_VOID(put_part(part, batch));
  for (const MultipartId& id : change.ended) HM_TRY_VOID(end_multipart(id, batch));
  for (const MovedShard& move : change.moved) {
    HM_TRY(StripeRow* const row, batch.stripe(move.stripe));
    if (move.index >= row->places.size()) return damaged("a moved shard is not in its stripe");
    row->places[move.index] = move.to;
    if (move.from.node.is_zero() || move.from == move.to) continue;
    batch.add_garbage({row->kind,
                       head_.last_generation + 1,
                       move.stripe,
                       row->shard_bytes,
                       {{move.from, row->roots[move.index]}}});
  }
  batch.finish(stripes, idle);
  std::swap(head_, head);
  batch.writes.push_back(head_row());
  if (auto written = store_.write(batch.writes); !written) {
    std::swap(head_, head);
    return written;
  }
  idle_ = std::move(idle);
  return {};
}

Result<void> Catalogue::put_part(const StoredPart& part, Batch& batch) {
  HM_TRY(auto row, multipart(part.of));
  if (!row) return multipart_has_ended(part.of);
  HM_TRY_VOID(batch.refer({}, part.manifest, 1));
  const Bytes key = part_key(kPartRow, part.of, part.number);
  HM_TRY(const auto old, read<PartRow>(store_, Space::Meta, key, "the row of a part"));
  if (old) {
    HM_TRY(const auto manifest, part_manifest(part.of, part.number));
    HM_TRY_VOID(batch.refer({}, manifest, -1));
    --row->parts;
    row->stored_bytes -= old->content.size;
    row->segments -= old->segments;
  }
  ++row->parts;
  row->stored_bytes += part.row.content.size;
  row->segments += part.row.segments;
  row->touched = std::max(row->touched, part.touched);
  HM_TRY_VOID(check_fit(*row, part));
  batch.find_segments(part.manifest);
  batch.writes.push_back({Space::Meta, key, codec::encode(part.row)});
  batch.writes.push_back({Space::Manifests, part_key(kPartManifestRow, part.of, part.number),
                          storage::encode(part.manifest)});
  batch.writes.push_back(
      {Space::Meta, prefixed(kMultipartRow, part.of.view()), codec::encode(*row)});
  return {};
}

Result<void> Catalogue::end_multipart(const MultipartId& id, Batch& batch) {
  HM_TRY(const auto row, multipart(id));
  if (!row) return multipart_has_ended(id);
  std::vector<PartNumber> numbers;
  HM_TRY_VOID(parts(id, 0, [&](PartNumber number, const PartRow&) {
    numbers.push_back(number);
    return true;
  }));
  for (const PartNumber number : numbers) {
    HM_TRY(const auto manifest, part_manifest(id, number));
    HM_TRY_VOID(batch.refer({}, manifest, -1));
    batch.writes.push_back({Space::Meta, part_key(kPartRow, id, number), std::nullopt});
    batch.writes.push_back(
        {Space::Manifests, part_key(kPartManifestRow, id, number), std::nullopt});
  }
  batch.writes.push_back({Space::Meta, prefixed(kMultipartRow, id.view()), std::nullopt});
  return {};
}

Result<void> Catalogue::sweep() {
  std::set<StripeId> idle;
  HM_TRY_VOID(stripes({}, [&](const StripeId& id, const StripeRow& row) {
    if (row.references == 0) idle.insert(id);
    return true;
  }));
  Batch batch(*this);
  for (const StripeId& id : idle) HM_TRY_VOID(batch.stripe(id));
  batch.finish(Stripes::MayGiveUp, idle_);
  HM_TRY_VOID(store_.write(batch.writes));
  // A stripe never comes back: its name has random bytes in it.
  ports::WriteBatch gone;
  Result<void> state;
  HM_TRY_VOID(store_.scan(Space::Segments, {}, {}, [&](ByteView key, ByteView value) {
    const auto row = codec::decode<SegmentRow>(value);
    const Result<std::optional<Bytes>> there =
        row ? store_.get(Space::Stripes, row->stripe.view()) : std::optional<Bytes>();
    if (!there) {
      state = std::unexpected(there.error());
      return false;
    }
    if (!*there) gone.push_back({Space::Segments, to_bytes(key), std::nullopt});
    return true;
  }));
  HM_TRY_VOID(state);
  return store_.write(gone);
}

Result<void> Catalogue::begin_generation(std::uint64_t generation) {
  if (head_.last_generation >= generation) return {};
  head_.last_generation = generation;
  return store_.write({head_row()});
}

Result<void> Catalogue::stripes(
    const StripeId& from,
    const std::function<bool(const StripeId&, const StripeRow&)>& visit) const {
  bool is_damaged = false;
  HM_TRY_VOID(store_.scan(Space::Stripes, from.view(), {}, [&](ByteView key, ByteView value) {
    StripeId id;
    const auto row = codec::decode<StripeRow>(value);
    is_damaged = !row || key.size() != id.bytes.size() || row->places.size() != row->roots.size();
    if (is_damaged) return false;
    std::ranges::copy(key, id.bytes.begin());
    return visit(id, *row);
  }));
  if (is_damaged) return damaged("the row of a stripe");
  return {};
}

Result<void> Catalogue::objects(
    const std::function<bool(std::string_view name, const ObjectRow&)>& visit) const {
  bool is_damaged = false;
  HM_TRY_VOID(store_.scan(Space::Objects, {}, {}, [&](ByteView key, ByteView value) {
    const auto row = codec::decode<ObjectRow>(value);
    is_damaged = !row;
    return row && visit(as_text(key), *row);
  }));
  if (is_damaged) return damaged("the row of an object");
  return {};
}

Result<void> Catalogue::garbage(
    std::uint64_t generation,
    const std::function<bool(ByteView key, GarbageRow row)>& visit) const {
  bool is_damaged = false;
  const Bytes first{kGarbageRow};
  const Bytes last = prefixed(kGarbageRow, big_endian(generation + 1));
  HM_TRY_VOID(store_.scan(Space::Meta, first, last, [&](ByteView key, ByteView value) {
    auto row = codec::decode<GarbageRow>(value);
    is_damaged = !row;
    return row && visit(key, std::move(*row));
  }));
  if (is_damaged) return damaged("a row of garbage");
  return {};
}

Result<std::vector<std::pair<Bytes, GarbageRow>>> Catalogue::garbage(std::uint64_t generation,
                                                                     std::size_t count) const {
  std::vector<std::pair<Bytes, GarbageRow>> found;
  HM_TRY_VOID(garbage(generation, [&](ByteView key, GarbageRow row) {
    found.emplace_back(to_bytes(key), std::move(row));
    return found.size() < count;
  }));
  return found;
}

Result<void> Catalogue::forget_garbage(const Bytes& key) {
  return store_.write({{Space::Meta, key, std::nullopt}});
}

Result<void> Catalogue::remember_upload(std::uint64_t number,
                                        const std::vector<storage::Place>& places) {
  return store_.write(
      {{Space::Meta, prefixed(kUploadRow, big_endian(number)), codec::encode(places)}});
}

Result<void> Catalogue::forget_upload(std::uint64_t number) {
  return store_.write({{Space::Meta, prefixed(kUploadRow, big_endian(number)), std::nullopt}});
}

Result<std::vector<std::pair<std::uint64_t, std::vector<storage::Place>>>> Catalogue::uploads()
    const {
  std::vector<std::pair<std::uint64_t, std::vector<storage::Place>>> found;
  bool is_damaged = false;
  HM_TRY_VOID(store_.scan(Space::Meta, Bytes{kUploadRow}, Bytes{kUploadRow + 1},
                          [&](ByteView key, ByteView value) {
                            auto places = codec::decode<std::vector<storage::Place>>(value);
                            is_damaged = !places || key.size() != 9;
                            if (is_damaged) return false;
                            found.emplace_back(from_big_endian(key.subspan(1)), std::move(*places));
                            return true;
                          }));
  if (is_damaged) return damaged("the row of an upload");
  return found;
}

Result<void> Catalogue::add_fault(const FaultRow& fault) {
  ports::WriteBatch batch;
  std::vector<Bytes> keys;
  HM_TRY_VOID(store_.scan(Space::Meta, Bytes{kFaultRow}, Bytes{kFaultRow + 1},
                          [&](ByteView key, ByteView /*value*/) {
                            keys.push_back(to_bytes(key));
                            return true;
                          }));
  for (std::size_t i = 0; i + kMaxFaults <= keys.size(); ++i) {
    batch.push_back({Space::Meta, keys[i], std::nullopt});
  }
  const std::uint64_t number =
      keys.empty() ? 0 : from_big_endian(ByteView(keys.back()).subspan(1)) + 1;
  batch.push_back({Space::Meta, prefixed(kFaultRow, big_endian(number)), codec::encode(fault)});
  return store_.write(batch);
}

Result<std::vector<FaultRow>> Catalogue::faults() const {
  std::vector<FaultRow> found;
  bool is_damaged = false;
  HM_TRY_VOID(store_.scan(Space::Meta, Bytes{kFaultRow}, Bytes{kFaultRow + 1},
                          [&](ByteView /*key*/, ByteView value) {
                            auto row = codec::decode<FaultRow>(value);
                            is_damaged = !row;
                            if (row) found.push_back(std::move(*row));
                            return !is_damaged;
                          }));
  if (is_damaged) return damaged("the row of a fault");
  return found;
}

}  // namespace hm::storing
