// SPDX-License-Identifier: Apache-2.0
// The tenant's side of storage: the objects of a node's owner, kept by the nodes of others.
// Uploads, downloads, lists, sharing; and the care for what is stored: commitments on the ledger,
// audits, repair, garbage. docs/guide/storage.md says what a user sees, docs/protocols/storage.md
// what others do.
//
// Promises. What an upload reported is found again after any crash. Each change of the catalogue
// follows into a commitment on the ledger, and nothing that a newer commitment may refer to is
// dropped: a node whose catalogue is older than its last commitment stores nothing, drops nothing,
// and says so.
//
// All calls on the loop thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/storing/multipart_uploads.h"
#include "node/storing/object_download.h"
#include "node/storing/object_upload.h"

namespace hm::storing {

class StorageCare;
class StorageRecovery;

// InvalidArgument unless 1 to kMaxObjectName bytes of UTF-8 without a zero byte.
Result<void> check_object_name(std::string_view name);

// How an object stands.
struct ObjectHealth {
  std::size_t stripes = 0;
  std::size_t shards = 0;
  std::size_t healthy = 0;  // of the shards
  std::size_t bears = 0;    // so many more shards of each stripe may be lost
  bool is_readable = true;  // enough of every stripe can be had
  struct Holder {
    identity::NodeId node;
    identity::OwnerId owner;
    std::size_t shards = 0;
    std::uint64_t bytes = 0;
    bool is_reachable = false;
    bool stands = false;  // its lease goes on
  };
  std::vector<Holder> holders;
};

// An object with its manifest, which is of its version.
struct OpenedObject {
  ListedObject object;
  ManifestPtr manifest;
};

struct KeeperCounters {
  std::uint64_t objects_put = 0;
  std::uint64_t bytes_put = 0;
  std::uint64_t objects_got = 0;
  std::uint64_t bytes_got = 0;
  std::uint64_t commitments = 0;
  std::uint64_t audits_passed = 0;
  std::uint64_t audits_failed = 0;
  std::uint64_t shards_repaired = 0;
  std::uint64_t bytes_repaired = 0;
  std::uint64_t shards_dropped = 0;
  std::uint64_t orphans_dropped = 0;
};

struct KeeperStatus {
  std::vector<StorageLease> leases;
  std::uint64_t commitment = 0;  // the last that the ledger has
  bool is_pending = false;       // changes that are not in it yet
  std::size_t repairs_waiting = 0;
  std::string trouble;  // what keeps it from working; empty: nothing
  std::vector<FaultRow> faults;
  KeeperCounters counters;
};

class ObjectKeeper {
 public:
  // `store` outlives it, and so do the others. Corrupt: the catalogue is damaged.
  static Result<std::unique_ptr<ObjectKeeper>> open(node::Node& node,
                                                    node::OwnOperations& operations,
                                                    ShardClient& client, ports::Store& store,
                                                    std::function<node::RoundTrips()> round_trips);
  ~ObjectKeeper();

  // The ledger is there. Once.
  void start();

  // Unavailable: not started yet; FailedPrecondition: the catalogue is too old; Busy: kMaxTransfers
  // are under way.
  Result<std::shared_ptr<ObjectUpload>> upload(UploadPlan plan, ObjectUpload::Listener listener);
  struct Range {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
  };
  // Objects that arrive in parts.
  MultipartUploads& multipart() { return *multipart_; }
  // By name or id; a manifest may be long, and is read and decoded by a worker.
  void open_object(std::string name_or_id, std::function<void(Result<OpenedObject>)> done);
  // All of it without a range. Busy: kMaxTransfers are under way.
  Result<std::shared_ptr<ObjectDownload>> download(ManifestPtr manifest, std::optional<Range> range,
                                                   ObjectDownload::Listener listener);

  // By name, or by the id of an object.
  Result<ListedObject> find(std::string_view name_or_id) const;
  Result<ObjectList> list(std::string_view prefix, std::string_view after,
                          std::optional<char> delimiter, std::size_t count) const;
  // Its stripes are looked up by a worker.
  void health(ManifestPtr manifest, std::function<void(Result<ObjectHealth>)> done);

  using Done = std::function<void(Result<void>)>;
  void remove(std::vector<std::string> names, Done done);
  // Seals the manifest anew for exactly these readers beside the owner. Whoever is not among them
  // any more keeps what it could read: rewrite() takes that away.
  void share(std::string_view name, std::vector<identity::OwnerId> readers,
             std::function<void(Result<ListedObject>)> done);
  // Stores the object anew with secrets that nobody has, for these readers; what was stored is
  // dropped.
  void rewrite(std::string_view name, std::vector<identity::OwnerId> readers,
               std::function<void(Result<ListedObject>)> done);

  // The bundle with this root, from whoever has it.
  void fetch_bundle(const ports::ShardRoot& root, std::function<void(Result<Bytes>)> done);
  // Another owner's object, as its opened manifest says: to be read under this name.
  void attach(std::string name, storage::Manifest manifest, Done done);

  // The way back where the catalogue is lost or old. FailedPrecondition: it is neither.
  Result<StorageRecovery*> recovery();
  // What was adopted is all. Whether it is exactly what the node last committed to.
  // FailedPrecondition: nothing was listed.
  void end_recovery(std::function<void(Result<bool>)> done);

  KeeperStatus status() const;
  // Looks for orphans and garbage now.
  void collect();
  // Everything is moved away from this node.
  void drain(const identity::NodeId& node);

  KeeperParts& parts() { return parts_; }

 private:
  ObjectKeeper(node::Node& node, node::OwnOperations& operations, ShardClient& client,
               std::function<node::RoundTrips()> round_trips, std::shared_ptr<Catalogue> catalogue);

  class Rewrite;
  class BundleFetch;
  ObjectHealth judge(const std::vector<StripeRow>& stripes) const;
  void rewrite(const OpenedObject& opened, std::vector<identity::OwnerId> readers,
               std::function<void(Result<ListedObject>)> done);
  Result<void> ready() const;
  ObjectUpload::Listener counted(ObjectUpload::Listener listener);
  void resume_uploads();

  std::unique_ptr<StorageLeases> leases_;
  std::shared_ptr<const Catalogue> catalogue_;
  std::unique_ptr<CatalogueQueue> queue_;
  KeeperParts parts_;
  KeeperCounters counters_;
  std::unique_ptr<StorageCare> care_;
  std::unique_ptr<StorageRecovery> recovery_;
  std::unique_ptr<MultipartUploads> multipart_;
  bool is_started_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace hm::storing
