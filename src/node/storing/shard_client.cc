// SPDX-License-Identifier: Apache-2.0
#include "node/storing/shard_client.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "foundation/base/log.h"
#include "foundation/blake3/blake3.h"
#include "node/storing/limits.h"

namespace hm::storing {
namespace {

Error lost_node() {
  return {ErrorCode::Unavailable, "the node is not connected", "it ended, or the way to it is cut"};
}
Error silent_node() {
  return {ErrorCode::Unavailable, "the node said nothing",
          "it is overloaded, or does not want to answer"};
}
Error broken_protocol() {
  return {ErrorCode::Corrupt, "the node gave an answer that is none to what was asked", {}};
}
Error wrong_bytes(const ports::ShardRoot& root) {
  return {ErrorCode::Corrupt, "the bytes that the node gave are not of shard " + root.to_string(),
          "take them from another node"};
}

// Numbers begin at random, so that an answer to an earlier process is none to this one.
std::uint64_t first_number(ports::Random& random) {
  std::array<std::uint8_t, sizeof(std::uint64_t)> bytes{};
  random.fill(bytes);
  std::uint64_t number = 0;
  for (const std::uint8_t byte : bytes) number = number << 8 | byte;
  return number >> 1;
}

template <class T>
bool is(const Reply& reply) {
  return std::holds_alternative<T>(reply);
}

bool fits(const GetShard& asked, const Reply& reply) {
  const auto* part = std::get_if<ShardPart>(&reply);
  if (part == nullptr || asked.offset > part->shard_bytes) return false;
  return part->bytes.size() == std::min(asked.count, part->shard_bytes - asked.offset);
}

bool fits(const ListShards& asked, const Reply& reply) {
  const auto* list = std::get_if<ports::ShardList>(&reply);
  if (list == nullptr) return false;
  // Whoever follows `next` comes to an end.
  if (list->next && asked.cursor && *list->next <= *asked.cursor) return false;
  return list->shards.empty() || !asked.cursor || list->shards.front().root > *asked.cursor;
}

Result<void> verify_whole(const ports::ShardRoot& root, const Reply& reply) {
  const auto& part = std::get<ShardPart>(reply);
  if (part.bytes.size() != part.shard_bytes || blake3::hash(part.bytes) == root) return {};
  return std::unexpected(wrong_bytes(root));
}

Result<void> verify_page(const ProvePage& asked, const Reply& reply) {
  const auto& proven = std::get<ports::ProvenPage>(reply);
  if (blake3::verify_page(asked.root, proven.shard_bytes, asked.page, proven.page, proven.proof)) {
    return {};
  }
  return std::unexpected(wrong_bytes(asked.root));
}

}  // namespace

ShardClient::ShardClient(node::Node& node)
    : node_(node),
      next_question_(first_number(node.ports().random)),
      task_timer_(node.ports().timers.create([this] { run_tasks(); })),
      patience_timer_(node.ports().timers.create([this] { check_patience(); })) {
  node_.add_observer(*this);
}

ShardClient::~ShardClient() {
  *alive_ = false;
  node_.remove_observer(*this);
}

template <class T, class Settle>
ShardClient::Question ShardClient::ask(const identity::NodeId& node, Request request,
                                       Expected expected, Answer<T> done, Settle settle) {
  return enter(node, std::move(request), std::move(expected),
               [done = std::move(done), settle = std::move(settle)](Result<Reply> reply) {
                 if (!reply) return done(std::unexpected(std::move(reply.error())));
                 settle(*reply, done);
               });
}

namespace {

// The answer of the kind that was asked for.
template <class T>
constexpr auto kHandOn =
    [](Reply& reply, const auto& done) { done(std::move(std::get<T>(reply))); };
constexpr auto kHandOnDone = [](Reply& /*reply*/, const auto& done) { done({}); };

}  // namespace

ShardClient::Question ShardClient::put(PutOrder order, Answer<void> done) {
  return ask<void>(order.node,
                   PutShard{order.lease, order.kind, order.root, std::move(order.shard)},
                   {.fits = is<Done>, .verify = {}}, std::move(done), kHandOnDone);
}

ShardClient::Question ShardClient::get(const identity::NodeId& from, const ports::ShardRoot& root,
                                       std::uint64_t offset, std::uint64_t count,
                                       Answer<ShardPart> done, Check check) {
  const GetShard request{root, offset, std::min(count, ports::kMaxShardBytes)};
  Expected expected{.fits = [request](const Reply& reply) { return fits(request, reply); },
                    .verify = {}};
  if (offset == 0 && check == Check::Root) {
    expected.verify = [root](const Reply& reply) { return verify_whole(root, reply); };
  }
  return ask<ShardPart>(from, request, std::move(expected), std::move(done), kHandOn<ShardPart>);
}

ShardClient::Question ShardClient::prove(const identity::NodeId& by, const ports::ShardRoot& root,
                                         std::uint64_t page, Answer<ports::ProvenPage> done) {
  const ProvePage request{root, page};
  return ask<ports::ProvenPage>(
      by, request,
      {.fits = is<ports::ProvenPage>,
       .verify = [request](const Reply& reply) { return verify_page(request, reply); }},
      std::move(done), kHandOn<ports::ProvenPage>);
}

ShardClient::Question ShardClient::has(const identity::NodeId& node,
                                       std::vector<ports::ShardRoot> roots,
                                       Answer<std::vector<std::optional<ports::ShardState>>> done) {
  const std::size_t count = roots.size();
  return ask<std::vector<std::optional<ports::ShardState>>>(
      node, HasShards{std::move(roots)},
      {.fits =
           [count](const Reply& reply) {
             const auto* states = std::get_if<ShardStates>(&reply);
             return states != nullptr && states->states.size() == count;
           },
       .verify = {}},
      std::move(done), [](Reply& reply, const auto& hand_on) {
        hand_on(std::move(std::get<ShardStates>(reply).states));
      });
}

ShardClient::Question ShardClient::list(const identity::NodeId& node, const ledger::LeaseId& lease,
                                        ShardKind kind, std::optional<ports::ShardRoot> cursor,
                                        Answer<ports::ShardList> done) {
  const ListShards request{lease, kind, cursor};
  return ask<ports::ShardList>(
      node, request,
      {.fits = [request](const Reply& reply) { return fits(request, reply); }, .verify = {}},
      std::move(done), kHandOn<ports::ShardList>);
}

ShardClient::Question ShardClient::drop(const identity::NodeId& node, const ledger::LeaseId& lease,
                                        ShardKind kind, std::uint64_t generation,
                                        std::vector<ports::ShardRoot> roots, Answer<void> done) {
  return ask<void>(node, DropShards{lease, kind, generation, std::move(roots)},
                   {.fits = is<Done>, .verify = {}}, std::move(done), kHandOnDone);
}

ShardClient::Question ShardClient::usage(const identity::NodeId& node, const ledger::LeaseId& lease,
                                         Answer<ports::HolderUsage> done) {
  return ask<ports::HolderUsage>(node, LeaseUsage{lease},
                                 {.fits = is<ports::HolderUsage>, .verify = {}}, std::move(done),
                                 kHandOn<ports::HolderUsage>);
}

bool ShardClient::is_reachable(const identity::NodeId& node) const {
  return node == node_.id() ? local_ != nullptr : node_.peers().contains(node);
}

std::uint64_t ShardClient::waiting_bytes(const identity::NodeId& node) const {
  const auto peer = peers_.find(node);
  return peer == peers_.end() ? 0 : peer->second.moving;
}

ShardClient::Question ShardClient::enter(const identity::NodeId& node, Request request,
                                         Expected expected,
                                         std::function<void(Result<Reply>)> settle) {
  const Question question = next_question_++;
  const bool is_valid = is_sound(request);
  if (!is_valid || !is_reachable(node)) {
    Entry& entry = entries_[question];
    entry.node = node;
    entry.stage = Stage::Checking;
    entry.settle = std::move(settle);
    Error error = is_valid ? lost_node()
                           : Error{ErrorCode::InvalidArgument,
                                   "no shard is asked for, or more than one question allows",
                                   {}};
    later([this, question, error = std::move(error)] {
      this->settle(question, std::unexpected(error));
    });
    return question;
  }
  const bool reads =
      std::holds_alternative<GetShard>(request) || std::holds_alternative<ProvePage>(request);
  Entry entry{.node = node,
              .cost = cost_of(request),
              .moved = shard_bytes_of(request),
              .expected = std::move(expected),
              .settle = std::move(settle)};
  entry.request = std::move(request);
  Peer& peer = peers_[node];
  peer.lanes[reads ? kReadLane : kOtherLane].push_back(question);
  peer.moving += entry.moved;
  entries_.emplace(question, std::move(entry));
  pump(node);
  return question;
}

std::optional<ShardClient::Question> ShardClient::next_of(Peer& peer) {
  for (auto& lane : peer.lanes) {
    while (!lane.empty() && !entries_.contains(lane.front())) lane.pop_front();
  }
  const std::size_t other = 1 - peer.next_lane;
  const std::size_t lane = peer.lanes[peer.next_lane].empty() ? other : peer.next_lane;
  if (peer.lanes[lane].empty()) return std::nullopt;
  const Question question = peer.lanes[lane].front();
  if (peer.sent != 0 && peer.sent_cost + entries_.at(question).cost > kWindowBytes) {
    return std::nullopt;
  }
  peer.lanes[lane].pop_front();
  peer.next_lane = 1 - lane;
  return question;
}

void ShardClient::pump(const identity::NodeId& node) {
  Peer& peer = peers_[node];
  while (const auto question = next_of(peer)) {
    Entry& entry = entries_.at(*question);
    if (peer.sent == 0) peer.quiet_since = now();
    ++peer.sent;
    peer.sent_cost += entry.cost;
    entry.stage = Stage::Sent;
    entry.sent_at = now();
    if (send(*question, entry)) continue;
    later([this, question = *question] { settle(question, std::unexpected(lost_node())); });
  }
  if (peer.sent == 0 || is_patience_armed_) return;
  is_patience_armed_ = true;
  patience_timer_->arm(now() + kPatienceCheck);
}

bool ShardClient::send(Question question, Entry& entry) {
  if (entry.node != node_.id()) {
    auto encoded =
        encode_apart(Query{question, std::exchange(entry.request, Request{HasShards{}})});
    return node_.send_storage_message(entry.node, std::move(encoded.head),
                                      std::move(encoded.shard));
  }
  local_(std::exchange(entry.request, Request{HasShards{}}),
         [this, alive = alive_, question](Reply reply) {
           if (!*alive) return;
           const auto kept = std::make_shared<Reply>(std::move(reply));
           later([this, question, kept] { on_reply(node_.id(), question, std::move(*kept)); });
         });
  return true;
}

void ShardClient::on_storage_message(const identity::NodeId& from, ByteView payload) {
  if (!claims_response(payload)) return;
  auto message = decode_shard_message(payload);
  if (!message) {
    ++counters_.violations;
    log::debug("shards", "an answer is refused",
               {{"peer", from.to_string()}, {"why", name_of(message.error())}});
    return;
  }
  auto& response = std::get<Response>(*message);
  on_reply(from, response.number, std::move(response.reply));
}

void ShardClient::on_reply(const identity::NodeId& from, Question question, Reply reply) {
  const auto found = entries_.find(question);
  // Answered or given up already, or asked by an earlier process.
  if (found == entries_.end() || found->second.node != from || found->second.stage != Stage::Sent) {
    return;
  }
  Entry& entry = found->second;
  release(entry);
  entry.stage = Stage::Checking;
  peers_[from].quiet_since = now();
  const auto alive = alive_;
  if (!entry.settle) {
    entries_.erase(found);
  } else if (auto* refused = std::get_if<Refused>(&reply)) {
    ++counters_.refused;
    settle(question, fail(refused->code, std::move(refused->message), std::move(refused->detail)));
  } else if (!entry.expected.fits(reply)) {
    ++counters_.violations;
    settle(question, std::unexpected(broken_protocol()));
  } else if (entry.expected.verify) {
    struct Checked {
      Reply reply;
      Result<void> verdict;
    };
    const auto check = std::make_shared<Checked>(Checked{std::move(reply), {}});
    node_.ports().workers.submit(
        [check, verify = std::move(entry.expected.verify)] {
          check->verdict = verify(check->reply);
        },
        [this, alive, question, check] {
          if (!*alive) return;
          if (!check->verdict) {
            ++counters_.corrupt;
            return settle(question, std::unexpected(std::move(check->verdict.error())));
          }
          settle(question, std::move(check->reply));
        });
  } else {
    settle(question, std::move(reply));
  }
  if (*alive) pump(from);
}

void ShardClient::release(const Entry& entry) {
  Peer& peer = peers_[entry.node];
  peer.moving -= entry.moved;
  if (entry.stage != Stage::Sent) return;
  --peer.sent;
  peer.sent_cost -= entry.cost;
}

void ShardClient::settle(Question question, Result<Reply> result) {
  const auto found = entries_.find(question);
  if (found == entries_.end()) return;
  if (found->second.stage != Stage::Checking) release(found->second);
  Entry entry = std::move(found->second);
  entries_.erase(found);
  if (!entry.settle) return;
  if (result) {
    if (const auto* part = std::get_if<ShardPart>(&*result)) {
      counters_.got_bytes += part->bytes.size();
    } else if (is<Done>(*result)) {
      counters_.put_bytes += entry.moved;
    }
  }
  entry.settle(std::move(result));
}

void ShardClient::cancel(Question question) {
  const auto found = entries_.find(question);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  if (entry.stage == Stage::Sent) {
    // The other node's answer is on its way, and takes its part of the window until it is here.
    entry.settle = nullptr;
    entry.expected = {};
    return;
  }
  const identity::NodeId node = entry.node;
  const bool was_waiting = entry.stage == Stage::Waiting;
  if (was_waiting) release(entry);
  entries_.erase(found);
  if (was_waiting) pump(node);
}

void ShardClient::fail_all(const identity::NodeId& node, const Error& error,
                           std::uint64_t& counter) {
  std::vector<Question> questions;
  for (const auto& [question, entry] : entries_) {
    if (entry.node == node && entry.stage != Stage::Checking) questions.push_back(question);
  }
  const auto alive = alive_;
  for (const Question question : questions) {
    ++counter;
    settle(question, std::unexpected(error));
    if (!*alive) return;
  }
}

void ShardClient::on_disconnected(const identity::NodeId& peer) {
  fail_all(peer, lost_node(), counters_.lost);
}

void ShardClient::check_patience() {
  is_patience_armed_ = false;
  std::vector<identity::NodeId> silent;
  for (const auto& [node, peer] : peers_) {
    if (peer.sent != 0 && now() - peer.quiet_since >= kShardPatience) silent.push_back(node);
  }
  std::vector<Question> overdue;
  for (const auto& [question, entry] : entries_) {
    if (entry.stage == Stage::Sent && now() - entry.sent_at >= kLongestPatience) {
      overdue.push_back(question);
    }
  }
  const auto alive = alive_;
  for (const identity::NodeId& node : silent) {
    fail_all(node, silent_node(), counters_.silent);
    if (!*alive) return;
  }
  for (const Question question : overdue) {
    ++counters_.silent;
    settle(question, std::unexpected(silent_node()));
    if (!*alive) return;
  }
  for (const auto& [node, peer] : peers_) pump(node);
}

void ShardClient::later(std::function<void()> task) {
  tasks_.push_back(std::move(task));
  if (tasks_.size() == 1) task_timer_->arm(now());
}

void ShardClient::run_tasks() {
  std::deque<std::function<void()>> due;
  due.swap(tasks_);
  const auto alive = alive_;
  for (const auto& task : due) {
    task();
    if (!*alive) return;
  }
}

}  // namespace hm::storing
