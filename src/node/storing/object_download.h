// SPDX-License-Identifier: Apache-2.0
// A range of an object on its way back: shards are asked for at the nodes that keep them, the data
// shards first and others where one of these is lost, slow or wrong, and bytes are handed out in
// order as soon as they are verified.
//
// Promises. No byte that was not verified is handed out. A shard that does not come costs kHedge
// until others are asked, not its whole patience; what is not needed any more is cancelled. A node
// that gives something else than it took is named as a fault. Memory: the decoder's stripes, and
// kDownloadWindow of bytes that are not taken.
//
// All calls on the loop thread. Dropping it ends it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "core/storage/object_decoder.h"
#include "node/storing/keeper_parts.h"

namespace hm::storing {

using ManifestPtr = std::shared_ptr<const storage::Manifest>;

class ObjectDownload : public std::enable_shared_from_this<ObjectDownload> {
 public:
  struct Listener {
    std::function<void(std::string piece)> on_bytes;
    // The last call. NoCapacity names the shards that are missing and who had them.
    std::function<void(Result<void>)> on_done;
  };

  // Bytes begin … end - 1. InvalidArgument: there is no such range.
  static Result<std::shared_ptr<ObjectDownload>> start(KeeperParts& parts, ManifestPtr manifest,
                                                       std::uint64_t begin, std::uint64_t end,
                                                       Listener listener);
  ObjectDownload(KeeperParts& parts, ManifestPtr manifest, storage::ObjectDecoder decoder,
                 Listener listener);
  ~ObjectDownload();

  // So many bytes of those handed out are dealt with.
  void take(std::size_t bytes);
  // The keeper is gone.
  void detach();

 private:
  struct Arrival {
    std::uint32_t stripe = 0;
    storage::ShardIndex index = 0;
    std::optional<Bytes> shard;  // none: it cannot be had
  };
  struct Asked {
    ShardClient::Question question = 0;
    bool is_over = false;
  };
  struct Fetch {
    std::vector<storage::Place> places;
    bool is_locating = false;
    std::size_t locating = 0;  // answers that are awaited
    std::map<storage::ShardIndex, Asked> asked;
    MonoTime since{};
    bool is_hedged = false;
  };
  struct Decoding;  // what workers use, one at a time

  void run();
  void on_decoded();
  void ask_for(const storage::StripeWant& want);
  std::vector<storage::ShardIndex> choose(const Fetch& fetch,
                                          const storage::StripeWant& want) const;
  void ask(std::uint32_t stripe, storage::ShardIndex index);
  void locate(std::uint32_t stripe, Fetch& fetch);
  void on_answer(std::uint32_t stripe, storage::ShardIndex index, const storage::Place& place,
                 Result<ShardPart> answer);
  void hedge();
  void finish(Result<void> result);
  Error describe(const storage::ReadFailure& failure);
  void blame(const storage::Place& place, const crypto::Digest& root, const Error& error);

  KeeperParts& parts_;
  ManifestPtr manifest_;
  Listener listener_;
  std::unique_ptr<Decoding> decoding_;
  bool is_running_ = false;
  bool is_over_ = false;
  bool is_detached_ = false;
  bool has_begun_ = false;
  std::vector<Arrival> arrived_;
  std::map<std::uint32_t, Fetch> fetches_;
  std::vector<storage::StripeWant> wants_;
  std::size_t untaken_ = 0;
  std::unique_ptr<ports::Timer> timer_;
};

}  // namespace hm::storing
