// SPDX-License-Identifier: Apache-2.0
// The end of an upload: manifests are sealed to their readers and stored in bundles.
#include <algorithm>
#include <utility>

#include "core/ledger/ledger.h"
#include "core/storage/manifest_box.h"
#include "foundation/blake3/blake3.h"
#include "node/storing/bundle.h"
#include "node/storing/upload_encoding.h"

namespace hm::storing {

blake3::Key cut_key_of(const CatalogueHead& head) {
  auto hasher = blake3::Hasher::deriving("hm.storage.catalogue.segment-key.v1");
  hasher.update(head.domain_secret);
  blake3::Key key;
  hasher.extended_output(0, key);
  return key;
}

std::shared_ptr<ObjectUpload> ObjectUpload::reseal(KeeperParts& parts, std::string name,
                                                   const ObjectRow& row, storage::Manifest manifest,
                                                   std::vector<identity::OwnerId> readers,
                                                   Listener listener) {
  auto upload = std::make_shared<ObjectUpload>(parts, UploadPlan{.bytes = 0, .code = row.code},
                                               std::move(listener));
  upload->is_finished_ = true;
  upload->choose();
  if (upload->is_over_) return upload;
  upload->stage_ = Stage::Sealing;
  upload->encoding_->sealed.push_back({.name = std::move(name),
                                       .condition = {.only_version = row.what.version},
                                       .readers = std::move(readers),
                                       .manifest = std::move(manifest)});
  upload->resealed_ = row;
  upload->seal();
  return upload;
}

// Manifests, and their boxes for the owner and for whom the objects are shared with.
void ObjectUpload::seal() {
  if (part_) return commit_part();
  std::map<identity::OwnerId, sealed_box::EncapsulationKey> keys;
  std::set<identity::OwnerId> owners{encoding_->owner};
  for (const Encoding::Open& open : encoding_->objects) {
    owners.insert(open.object.readers.begin(), open.object.readers.end());
  }
  for (const Encoding::Sealed& each : encoding_->sealed) {
    owners.insert(each.readers.begin(), each.readers.end());
  }
  for (const identity::OwnerId& id : owners) {
    const auto* owner = parts_.node.ledger().owner_keys(id);
    const auto valid = owner == nullptr ? fail(identity::BundleError::MissingKey)
                                        : identity::validate(owner->bundle);
    if (!valid) {
      return fail_with({ErrorCode::NotFound, "a reader is not on the ledger: " + id.to_string(),
                        "hypermesh owner ls shows who is"});
    }
    keys.emplace(id, valid->ml_kem);
  }
  is_running_ = true;
  parts_.node.ports().workers.submit(
      [encoding = encoding_.get(), keys = std::move(keys)] {
        encoding->state = seal_all(*encoding, keys);
      },
      [self = shared_from_this()] {
        self->is_running_ = false;
        if (self->is_over_) return;
        if (!self->encoding_->state)
          return self->fail_with(not_stored(self->encoding_->state.error()));
        self->stage_ = Stage::Bundles;
        self->store_bundles();
      });
}

Result<void, storage::StorageError> ObjectUpload::seal_all(
    Encoding& encoding, const std::map<identity::OwnerId, sealed_box::EncapsulationKey>& keys) {
  for (Encoding::Open& open : encoding.objects) {
    HM_TRY(storage::Manifest manifest, open.encoder->take_manifest());
    encoding.shared_bytes += open.encoder->bytes_shared();
    open.encoder.reset();
    encoding.sealed.push_back({.name = std::move(open.object.name),
                               .condition = open.object.condition,
                               .readers = std::move(open.object.readers),
                               .manifest = std::move(manifest)});
  }
  std::vector<BundleEntry> entries;
  for (Encoding::Sealed& each : encoding.sealed) {
    const storage::Manifest* sealed = &each.manifest;
    std::optional<storage::Manifest> outer;
    if (!storage::fits_a_box(each.manifest)) {
      HM_TRY(outer, storage::cut_manifest(each.manifest, encoding.writer, encoding.randomness));
      for (const storage::Stripe& stripe : outer->stripes) {
        each.own_stripes.push_back(stripe_id_of(stripe.roots));
      }
      sealed = &*outer;
    }
    std::vector<sealed_box::EncapsulationKey> readers{keys.at(encoding.owner)};
    for (const identity::OwnerId& id : each.readers) {
      if (id != encoding.owner) readers.push_back(keys.at(id));
    }
    HM_TRY(const auto box, storage::seal_manifest(*sealed, readers, encoding.randomness));
    each.commitment = crypto::Digest{box.commitment};
    entries.push_back({each.manifest.what, sealed_box::encode(box)});
  }
  const auto counts = bundle(std::move(entries), encoding.bundles);
  std::size_t next = 0;
  for (std::size_t b = 0; b < counts.size(); ++b) {
    for (std::size_t i = 0; i < counts[b]; ++i) encoding.sealed[next++].bundle = b;
  }
  return {};
}

// Copies of each bundle, so many that it bears the losses that its objects bear.
void ObjectUpload::store_bundles() {
  for (Bytes& bytes : encoding_->bundles) {
    auto flight = std::make_unique<Flight>();
    const auto shared = std::make_shared<const Bytes>(std::move(bytes));
    const auto parity = static_cast<std::uint8_t>(code_->losses);
    flight->row = {
        ShardKind::Box, {1, parity}, static_cast<std::uint32_t>(shared->size()), {}, {}, 0};
    flight->row.roots.assign(flight->row.code.shards(), blake3::hash(*shared));
    flight->shards.assign(flight->row.code.shards(), shared);
    bundles_.push_back(stripe_id_of(flight->row.roots));
    bundle_roots_.push_back(flight->row.roots.front());
    encoding_->stripes.push_back(std::move(flight));
  }
  queue_stripes();
  if (waiting_.empty()) return commit();
  place_waiting();
}

}  // namespace hm::storing
