// SPDX-License-Identifier: Apache-2.0
#include "node/storing/object_download.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/ledger/ledger.h"
#include "node/storing/keeper_limits.h"

namespace hm::storing {

struct ObjectDownload::Decoding {
  storage::ObjectDecoder decoder;
  std::vector<std::string> pieces;
  std::vector<storage::StripeWant> wants;
  bool is_done = false;
  std::optional<storage::ReadFailure> failure;
  std::vector<std::pair<std::uint32_t, storage::ShardIndex>> wrong;
};

Result<std::shared_ptr<ObjectDownload>> ObjectDownload::start(KeeperParts& parts,
                                                              ManifestPtr manifest,
                                                              std::uint64_t begin,
                                                              std::uint64_t end,
                                                              Listener listener) {
  auto decoder = storage::ObjectDecoder::open(*manifest, begin, end);
  if (!decoder) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("the object has {} bytes; {} to {} are not all of it", manifest->size,
                            begin, end),
                "ask for a range within it");
  }
  auto download = std::make_shared<ObjectDownload>(parts, std::move(manifest), std::move(*decoder),
                                                   std::move(listener));
  download->run();
  return download;
}

ObjectDownload::ObjectDownload(KeeperParts& parts, ManifestPtr manifest,
                               storage::ObjectDecoder decoder, Listener listener)
    : parts_(parts),
      manifest_(std::move(manifest)),
      listener_(std::move(listener)),
      decoding_(new Decoding{std::move(decoder), {}, {}, false, std::nullopt, {}}),
      timer_(parts.node.ports().timers.create([this] { hedge(); })) {
  parts_.downloads.insert(this);
}

void ObjectDownload::detach() {
  is_over_ = true;
  is_detached_ = true;
  timer_.reset();
}

ObjectDownload::~ObjectDownload() {
  if (is_detached_) return;
  parts_.downloads.erase(this);
  for (const auto& [stripe, fetch] : fetches_) {
    for (const auto& [index, asked] : fetch.asked) {
      if (!asked.is_over) parts_.client.cancel(asked.question);
    }
  }
}

void ObjectDownload::take(std::size_t bytes) {
  untaken_ -= std::min(untaken_, bytes);
  run();
}

void ObjectDownload::run() {
  if (is_running_ || is_over_ || untaken_ >= kDownloadWindow) return;
  if (arrived_.empty() && has_begun_) return;
  has_begun_ = true;
  is_running_ = true;
  auto arrivals = std::make_shared<std::vector<Arrival>>(std::exchange(arrived_, {}));
  parts_.node.ports().workers.submit(
      [decoding = decoding_.get(), arrivals] {
        for (Arrival& each : *arrivals) {
          if (!each.shard) {
            decoding->decoder.lose(each.stripe, each.index);
            continue;
          }
          const auto verdict =
              decoding->decoder.give(each.stripe, each.index, std::move(*each.shard));
          if (verdict == storage::ShardVerdict::WrongLength ||
              verdict == storage::ShardVerdict::WrongRoot) {
            decoding->wrong.emplace_back(each.stripe, each.index);
          }
        }
        const auto progress = decoding->decoder.read([decoding](ByteView plain) {
          if (decoding->pieces.empty() ||
              decoding->pieces.back().size() + plain.size() > kDownloadPiece) {
            decoding->pieces.emplace_back().reserve(std::max(plain.size(), kDownloadPiece));
          }
          decoding->pieces.back().append(as_text(plain));
        });
        if (!progress) {
          decoding->failure = progress.error();
        } else {
          decoding->is_done = *progress == storage::ObjectDecoder::Progress::Done;
        }
        decoding->wants = decoding->decoder.wants();
      },
      [self = shared_from_this()] {
        if (!self->is_over_) self->on_decoded();
      });
}

// What is taken within counts when this is through: a worker must not have `decoding_` before.
void ObjectDownload::on_decoded() {
  for (const auto& [stripe, index] : std::exchange(decoding_->wrong, {})) {
    const auto fetch = fetches_.find(stripe);
    if (fetch == fetches_.end() || index >= fetch->second.places.size()) continue;
    parts_.fault({Fault::Wrong, fetch->second.places[index],
                  manifest_->stripes[stripe].roots[index], parts_.wall(),
                  "it sent other bytes than it took"});
  }
  const auto self = shared_from_this();
  for (std::string& piece : std::exchange(decoding_->pieces, {})) {
    untaken_ += piece.size();
    listener_.on_bytes(std::move(piece));
    if (is_over_) return;
  }
  if (decoding_->failure) return finish(std::unexpected(describe(*decoding_->failure)));
  if (decoding_->is_done) return finish({});
  wants_ = std::exchange(decoding_->wants, {});
  // What is not wanted any more need not come.
  for (auto fetch = fetches_.begin(); fetch != fetches_.end();) {
    const bool is_wanted = std::ranges::any_of(
        wants_, [&](const storage::StripeWant& want) { return want.stripe == fetch->first; });
    if (is_wanted) {
      ++fetch;
      continue;
    }
    for (const auto& [index, asked] : fetch->second.asked) {
      if (!asked.is_over) parts_.client.cancel(asked.question);
    }
    fetch = fetches_.erase(fetch);
  }
  for (const storage::StripeWant& want : wants_) ask_for(want);
  is_running_ = false;
  run();
}

void ObjectDownload::ask_for(const storage::StripeWant& want) {
  const auto [at, is_new] = fetches_.try_emplace(want.stripe);
  Fetch& fetch = at->second;
  if (is_new) {
    fetch.since = parts_.now();
    timer_->arm(parts_.now() + kHedge);
    const auto row = parts_.catalogue->stripe(stripe_id_of(manifest_->stripes[want.stripe].roots));
    if (row && *row) {
      fetch.places = (*row)->places;
    } else {
      return locate(want.stripe, fetch);
    }
  }
  if (fetch.is_locating) return;
  for (const storage::ShardIndex index : choose(fetch, want)) ask(want.stripe, index);
}

// Shards of slow nodes are replaced by others, as long as there are enough.
std::vector<storage::ShardIndex> ObjectDownload::choose(const Fetch& fetch,
                                                        const storage::StripeWant& want) const {
  const auto is_slow = [&](storage::ShardIndex index) {
    if (index >= fetch.places.size()) return false;
    const auto slow = parts_.slow_until.find(fetch.places[index].node);
    return slow != parts_.slow_until.end() && parts_.now() < slow->second;
  };
  if (std::ranges::none_of(want.ask, is_slow)) return want.ask;
  std::vector<storage::ShardIndex> chosen;
  for (const auto& list : {want.ask, want.spare}) {
    for (const storage::ShardIndex index : list) {
      if (chosen.size() < want.sufficient && !is_slow(index)) chosen.push_back(index);
    }
  }
  return chosen.size() == want.sufficient ? chosen : want.ask;
}

void ObjectDownload::ask(std::uint32_t stripe, storage::ShardIndex index) {
  Fetch& fetch = fetches_.at(stripe);
  if (fetch.asked.contains(index)) return;
  const storage::Place place = index < fetch.places.size() ? fetch.places[index] : storage::Place{};
  if (place.node.is_zero() || !parts_.client.is_reachable(place.node)) {
    fetch.asked[index].is_over = true;
    arrived_.push_back({stripe, index, std::nullopt});
    return;
  }
  const storage::Stripe& described = manifest_->stripes[stripe];
  fetch.asked[index].question = parts_.client.get(
      place.node, described.roots[index], 0, described.shard_bytes,
      [weak = weak_from_this(), stripe, index, place](Result<ShardPart> answer) {
        const auto self = weak.lock();
        if (self && !self->is_over_) self->on_answer(stripe, index, place, std::move(answer));
      },
      ShardClient::Check::ByCaller);
}

// Who has the shards of a stripe that this node did not place: everybody is asked.
void ObjectDownload::locate(std::uint32_t stripe, Fetch& fetch) {
  fetch.is_locating = true;
  const auto& roots = manifest_->stripes[stripe].roots;
  fetch.places.assign(roots.size(), storage::Place{});
  std::set<identity::NodeId> nodes = parts_.node.peers();
  nodes.insert(parts_.node.id());
  fetch.locating = nodes.size();
  for (const identity::NodeId& node : nodes) {
    (void)parts_.client.has(node, roots,
                            [weak = weak_from_this(), stripe,
                             node](Result<std::vector<std::optional<ports::ShardState>>> answer) {
                              const auto self = weak.lock();
                              if (!self || self->is_over_) return;
                              const auto at = self->fetches_.find(stripe);
                              if (at == self->fetches_.end()) return;
                              Fetch& found = at->second;
                              if (answer) {
                                for (std::size_t i = 0;
                                     i < answer->size() && i < found.places.size(); ++i) {
                                  if ((*answer)[i] && found.places[i].node.is_zero())
                                    found.places[i].node = node;
                                }
                              }
                              if (--found.locating > 0) return;
                              found.is_locating = false;
                              found.since = self->parts_.now();
                              for (const storage::StripeWant& want : self->wants_) {
                                if (want.stripe == stripe) self->ask_for(want);
                              }
                              self->run();
                            });
  }
}

void ObjectDownload::on_answer(std::uint32_t stripe, storage::ShardIndex index,
                               const storage::Place& place, Result<ShardPart> answer) {
  const auto fetch = fetches_.find(stripe);
  if (fetch == fetches_.end()) return;
  fetch->second.asked[index].is_over = true;
  if (answer) {
    parts_.slow_until.erase(place.node);
    arrived_.push_back({stripe, index, std::move(answer->bytes)});
  } else {
    blame(place, manifest_->stripes[stripe].roots[index], answer.error());
    arrived_.push_back({stripe, index, std::nullopt});
  }
  run();
}

void ObjectDownload::blame(const storage::Place& place, const crypto::Digest& root,
                           const Error& error) {
  if (place.lease.is_zero()) return;  // another owner's: it is not for this node to judge
  Fault fault = Fault::Missing;
  if (error.code == ErrorCode::Corrupt) {
    fault = Fault::Corrupt;
  } else if (error.code == ErrorCode::Unavailable) {
    if (!parts_.client.is_reachable(place.node)) return;
    fault = Fault::Silent;
  } else if (error.code != ErrorCode::NotFound) {
    return;
  }
  parts_.fault({fault, place, root, parts_.wall(), error.message});
}

// What has not come for a while is asked of two more.
void ObjectDownload::hedge() {
  if (is_over_) return;
  std::optional<MonoTime> next;
  for (const storage::StripeWant& want : wants_) {
    const auto at = fetches_.find(want.stripe);
    if (at == fetches_.end() || at->second.is_hedged || at->second.is_locating) continue;
    const MonoTime due = at->second.since + kHedge;
    if (parts_.now() < due) {
      next = next ? std::min(*next, due) : due;
      continue;
    }
    at->second.is_hedged = true;
    for (const auto& [index, asked] : at->second.asked) {
      if (!asked.is_over && index < at->second.places.size())
        parts_.slow_until[at->second.places[index].node] = parts_.now() + kSlowFor;
    }
    std::size_t more = kHedgeShards;
    for (const storage::ShardIndex index : want.spare) {
      if (more == 0) break;
      if (at->second.asked.contains(index)) continue;
      ask(want.stripe, index);
      --more;
    }
  }
  if (next) timer_->arm(*next);
  run();
}

Error ObjectDownload::describe(const storage::ReadFailure& failure) {
  if (failure.error != storage::StorageError::TooFewShards) {
    return {ErrorCode::Corrupt, "the object cannot be read: " + failure.to_string(),
            "its manifest and its shards do not belong together"};
  }
  std::string who;
  const auto fetch = fetches_.find(failure.stripe);
  for (const auto& list : {failure.missing, failure.altered}) {
    for (const storage::ShardIndex index : list) {
      std::string node = "nobody";
      if (fetch != fetches_.end() && index < fetch->second.places.size() &&
          !fetch->second.places[index].node.is_zero()) {
        const identity::NodeId& id = fetch->second.places[index].node;
        const auto* record = parts_.node.ledger().node(id);
        node = record != nullptr ? record->binding.name : id.to_string().substr(0, 8);
        if (!parts_.client.is_reachable(id)) node += " (not connected)";
      }
      who += fmt::format("{}{} at {}", who.empty() ? "" : ", ", index, node);
    }
  }
  const erasure::Code code = manifest_->stripes[failure.stripe].code;
  return {
      ErrorCode::Unavailable,
      fmt::format("too much of the object is lost now: of stripe {} only {} of {} parts can be "
                  "had, {} are needed",
                  failure.stripe, code.shards() - failure.missing.size() - failure.altered.size(),
                  code.shards(), code.data),
      "missing: " + who + "; it can be read again when enough of these nodes are back"};
}

void ObjectDownload::finish(Result<void> result) {
  is_over_ = true;
  for (auto& [stripe, fetch] : fetches_) {
    for (auto& [index, asked] : fetch.asked) {
      if (!std::exchange(asked.is_over, true)) parts_.client.cancel(asked.question);
    }
  }
  auto done = std::move(listener_.on_done);
  listener_ = {};
  if (done) done(std::move(result));
}

}  // namespace hm::storing
