// SPDX-License-Identifier: Apache-2.0
// Objects on their way into the mesh: bytes are pushed in, sealed stripes go to nodes of different
// owners, and when all of it is kept there the catalogue has the objects, all of an upload at once.
//
// Promises. An upload that succeeded is whole: of every stripe so many shards were kept that half
// of the parity may be lost at once, and the catalogue is durable. One that failed or was given up
// leaves nothing in the catalogue; what nodes took of it is known and dropped later. Memory:
// kUploadWindow and kBytesOnTheirWay.
//
// All calls on the loop thread. Dropping it gives it up.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/storage/code_choice.h"
#include "core/storage/object_encoder.h"
#include "foundation/crypto/sealed_box/sealed_box.h"
#include "node/storing/keeper_parts.h"
#include "node/storing/multipart_rows.h"

namespace hm::storing {

// Whether equal segments of the node's objects are stored once.
enum class Sharing : std::uint8_t {
  InDomain,  // yes: keys follow from content and the domain's secret
  Alone,     // no: a secret of its own
};

struct NewObject {
  std::string name;
  std::map<std::string, std::string> metadata;
  Sharing sharing = Sharing::InDomain;
  storage::Profile profile = storage::Profile::standard();
  storage::Compression compression = storage::Compression::WherePays;
  PutCondition condition;
  std::vector<identity::OwnerId> readers;  // beside the owner
  // Of the whole, where the bytes are verified against it before the upload is finished.
  std::optional<crypto::Digest> known_hash;
};

struct UploadPlan {
  std::optional<std::uint64_t> bytes;  // of all objects, if known
  std::optional<erasure::Code> code;   // else what suits size and owners
  // The size that the code is to suit, where it is not what is sent: of the whole, for a part.
  std::optional<std::uint64_t> suits;
};

// One part of an object, to be kept until all are there (multipart_uploads.h).
struct PartPlan {
  MultipartId of;
  PartNumber number = 0;
  MultipartRow row;
  std::uint64_t attempt = 0;   // none of this object had this number before
  UnixMillis touched;          // the ledger's time
  std::shared_ptr<void> hold;  // let go of when the part is kept or lost
};
// All of its parts, as one object.
struct JoinPlan {
  MultipartId of;
  MultipartRow row;
  PutCondition condition;
  // What it must be, if it was said.
  std::optional<std::uint64_t> bytes;
  std::optional<crypto::Digest> content;
  std::shared_ptr<void> hold;
};

struct UploadReport {
  std::vector<ListedObject> objects;
  storage::CodeChoice code;
  std::uint64_t plain_bytes = 0;
  std::uint64_t shared_bytes = 0;  // that were stored before
  std::uint64_t stored_bytes = 0;  // shards that were sent
  std::size_t unplaced = 0;        // shards that nobody took; repair places them
  std::optional<PartRow> part;     // of an upload of one
};

class ObjectUpload : public std::enable_shared_from_this<ObjectUpload> {
 public:
  struct Listener {
    // So many pushed bytes are dealt with; more may come.
    std::function<void(std::size_t bytes)> on_taken;
    // The last call.
    std::function<void(Result<UploadReport> report)> on_done;
  };

  static std::shared_ptr<ObjectUpload> start(KeeperParts& parts, UploadPlan plan,
                                             Listener listener);
  // The manifest of an object that is stored, sealed anew for these readers.
  static std::shared_ptr<ObjectUpload> reseal(KeeperParts& parts, std::string name,
                                              const ObjectRow& row, storage::Manifest manifest,
                                              std::vector<identity::OwnerId> readers,
                                              Listener listener);
  // A part is pushed like an object, between begin() and end().
  static std::shared_ptr<ObjectUpload> start_part(KeeperParts& parts, UploadPlan plan,
                                                  PartPlan part, Listener listener);
  // The object of the parts that are there, which are forgotten as such.
  static std::shared_ptr<ObjectUpload> join(KeeperParts& parts, JoinPlan plan, Listener listener);
  ObjectUpload(KeeperParts& parts, UploadPlan plan, Listener listener);
  ~ObjectUpload();

  // One after the other: begin, push …, end, begin …, then finish. At most kUploadWindow bytes may
  // be pushed and not taken.
  void begin(NewObject object);
  void push(std::string piece);
  void end();
  void finish();
  // Nothing of it is stored. on_done is not called.
  void give_up();

  // The keeper is gone.
  void detach();
  // What it waited for may have passed.
  void run();
  // Roots of what was sent and is not in the catalogue yet.
  const std::set<ports::ShardRoot>& roots() const { return sent_; }
  // By which the catalogue remembers it; 0 before anything was sent.
  std::uint64_t number() const { return remembered_.value_or(0); }

 private:
  struct Encoding;  // what workers use, one at a time
  struct Step;      // of the input
  struct Flight;    // a stripe on its way

  void on_encoded();
  void go_on();
  void choose();
  void place(std::unique_ptr<Flight> flight);
  void queue_stripes();
  void place_waiting();
  void remember();
  void forget();
  void stop_writing();
  void send(const std::shared_ptr<Flight>& flight, std::size_t index, const storage::Place& place);
  void on_answer(const std::shared_ptr<Flight>& flight, std::size_t index,
                 const storage::Place& place, const Result<void>& answer);
  void replace(const std::shared_ptr<Flight>& flight, std::size_t index);
  void settle(const std::shared_ptr<Flight>& flight);
  void seal();
  void store_bundles();
  void commit();
  void commit_part();
  void join_parts();
  void apply(CatalogueChange change);
  static Result<void, storage::StorageError> seal_all(
      Encoding& encoding, const std::map<identity::OwnerId, sealed_box::EncapsulationKey>& keys);
  void fail_with(Error error);
  std::uint64_t reserve_each(std::uint64_t shard_bytes) const;
  std::size_t least_places(const erasure::Code& code) const;

  KeeperParts& parts_;
  UploadPlan plan_;
  Listener listener_;
  std::unique_ptr<Encoding> encoding_;
  std::deque<Step> steps_;
  std::size_t steps_bytes_ = 0;
  std::uint64_t encoded_bytes_ = 0;  // of them, as of the last turn of a worker
  bool is_running_ = false;          // a worker has encoding_, and nobody else touches it
  bool is_finished_ = false;         // no input comes any more
  bool is_over_ = false;
  bool is_detached_ = false;
  bool is_writer_ = false;  // counted by the queue
  enum class Stage : std::uint8_t { Encoding, Sealing, Bundles, Committing };
  Stage stage_ = Stage::Encoding;

  std::optional<storage::CodeChoice> code_;
  std::vector<storage::Place> places_;
  std::set<storage::Place> all_places_;  // that ever got something
  std::uint64_t room_each_ = 0;          // of each place, reserved and not used
  std::uint64_t reserved_each_ = 0;
  bool is_reserving_ = false;
  std::uint64_t rotation_ = 0;
  std::deque<std::unique_ptr<Flight>> waiting_;
  std::size_t flights_ = 0;
  std::uint64_t bytes_placed_ = 0;        // of these
  std::uint64_t bytes_on_their_way_ = 0;  // and of what waits
  std::vector<StripeRow> rows_;
  std::set<ports::ShardRoot> sent_;
  std::vector<std::pair<storage::Place, std::uint64_t>> used_;
  std::optional<std::uint64_t> remembered_;  // number of the upload in the catalogue
  bool is_unsure_ = false;                   // a node may have kept what it did not confirm
  std::optional<ObjectRow> resealed_;
  std::optional<PartPlan> part_;
  std::optional<JoinPlan> joined_;
  std::vector<StripeId> bundles_;
  std::vector<crypto::Digest> bundle_roots_;
  UploadReport report_;
};

}  // namespace hm::storing
