// SPDX-License-Identifier: Apache-2.0
// Objects that arrive in parts: whoever sends a large one begins it, puts its parts in any order,
// each as often as it takes, and completes it, today or after any number of broken connections and
// crashes. docs/protocols/storage.md, "Parts".
//
// Promises. A part that was acknowledged stays until its object is completed or given up, or
// nothing came for kMultipartMillis of the ledger's time. Completing is one change of the
// catalogue: before it there is no object, after it there are no parts. What is given up is
// garbage like what is removed.
//
// All calls on the loop thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "node/node.h"
#include "node/storing/object_upload.h"

namespace hm::storing {

struct MultipartWish {
  NewObject object;
  std::optional<erasure::Code> code;
  std::optional<std::uint64_t> bytes;  // of the whole, if known
  std::uint64_t part_bytes = 0;        // of each part but the last
  std::string note;                    // the sender's; at most kMaxMultipartNote bytes
};

// With this begins why parts cannot be completed.
inline constexpr std::string_view kNoObjectYet = "the parts make no object yet";

struct ListedMultipart {
  MultipartId id;
  MultipartRow row;
  UnixMillis ends;  // by the ledger's time, if nothing comes any more
};

struct ListedPart {
  PartNumber number = 0;
  std::uint64_t size = 0;
  crypto::Digest content;  // the hash of the part by itself
};

class MultipartUploads final : public node::NodeObserver {
 public:
  struct Hooks {
    // Whether anything may be stored now.
    std::function<Result<void>()> ready;
    // What goes on is counted, and cleared away when it fails.
    std::function<ObjectUpload::Listener(ObjectUpload::Listener)> counted;
  };
  MultipartUploads(KeeperParts& parts, Hooks hooks);
  ~MultipartUploads() override;

  // InvalidArgument: part_bytes is no multiple of kPartAlignment up to kMaxPartBytes, or the note
  // is too long; AlreadyExists: the condition does not hold; Busy: kMaxMultiparts are under way.
  void begin(MultipartWish wish, std::function<void(Result<ListedMultipart>)> done);

  // Read from the catalogue, on any thread. NotFound.
  Result<ListedMultipart> find(const MultipartId& id) const;
  Result<std::vector<ListedMultipart>> list() const;  // by id
  Result<std::vector<ListedPart>> parts(const MultipartId& id, PartNumber after,
                                        std::size_t count) const;

  // `begun` has what the bytes are pushed into; end() and finish() come behind them. NotFound;
  // InvalidArgument: no such part; Busy: this one is being sent already, the object is being
  // completed, or kMaxTransfers are under way.
  void put_part(const MultipartId& id, PartNumber number, std::optional<std::uint64_t> bytes,
                ObjectUpload::Listener listener,
                std::function<void(Result<std::shared_ptr<ObjectUpload>>)> begun);

  struct Completion {
    std::optional<PutCondition> condition;  // else that of its beginning
    std::optional<std::uint64_t> bytes;     // what it must be
    std::optional<crypto::Digest> content;
  };
  // NotFound; FailedPrecondition: a part is missing, or it is not what it must be; Busy.
  void complete(const MultipartId& id, Completion completion,
                std::function<void(Result<UploadReport>)> done);
  // NotFound; Busy.
  void abort(const MultipartId& id, std::function<void(Result<void>)> done);

  // node::NodeObserver
  void on_final(const node::FinalEvent& event) override;

 private:
  struct Live {
    std::set<PartNumber> parts;  // on their way
    bool is_ending = false;
  };
  using LiveTable = std::map<MultipartId, Live>;

  Result<std::shared_ptr<void>> hold_part(const MultipartId& id, PartNumber number);
  Result<std::shared_ptr<void>> hold_all(const MultipartId& id);
  void start_part(const MultipartId& id, PartNumber number, std::optional<std::uint64_t> bytes,
                  std::shared_ptr<void> hold, ObjectUpload::Listener listener,
                  std::function<void(Result<std::shared_ptr<ObjectUpload>>)> begun);
  void end_untouched();
  UnixMillis ledger_time() const;

  KeeperParts& parts_;
  Hooks hooks_;
  std::shared_ptr<LiveTable> live_ = std::make_shared<LiveTable>();
  std::optional<UnixMillis> looked_;  // for what nobody touches
  bool is_looking_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace hm::storing
