// SPDX-License-Identifier: Apache-2.0
#include "simulator/economy/economy_draw.h"

#include <algorithm>
#include <string>

#include "foundation/base/check.h"

namespace hm::simulator {
namespace {

constexpr std::uint32_t kSpoiltPermille = 15;
constexpr std::size_t kRecent = 64;
constexpr std::uint64_t kFirstRotations = 20;
constexpr std::uint64_t kMostRotations = 300;
constexpr std::size_t kTries = 16;

}  // namespace

// In 1/10 000. What needs a Falcon signature is seldom, because it takes a thousand times as long.
const std::vector<Draw::Verb>& Draw::verbs() {
  static const std::vector<Verb> kVerbs = {
      {4'200, &Draw::meter_lease},
      {1'500, &Draw::open_lease},
      {1'400, &Draw::accept_lease},
      {500, &Draw::settle_lease},
      {180, &Draw::close_lease},
      {250, &Draw::renew_lease},
      {60, &Draw::decline_lease},
      {100, &Draw::reclaim_lease},
      {300, &Draw::report_disagreement},
      {500, &Draw::transfer_caes},
      {100, &Draw::bond},
      {60, &Draw::unbond},
      {150, &Draw::delegate},
      {80, &Draw::undelegate},
      {80, &Draw::register_asset},
      {200, &Draw::update_asset},
      {60, &Draw::transfer_asset},
      {10, &Draw::retire_asset},
      {15, &Draw::add_grant},
      {10, &Draw::revoke_grant},
      {30, &Draw::set_group},
      {5, &Draw::record_certificate},
      {2, &Draw::record_federation},
      {40, &Draw::commit_vault},
      {40, &Draw::commit_storage},
      {4, &Draw::register_owner},
      {8, &Draw::register_node},
      {2, &Draw::rotate_keys},
      {60, &Draw::set_allowance},
  };
  return kVerbs;
}

Draw::Draw(Cast& cast, const ledger::Ledger& ledger, SimRandom& random, std::uint64_t operations)
    : cast_(cast), ledger_(ledger), random_(random), operations_(operations) {}

void Draw::begin() {
  time_ = ledger_.head().time;
  sequences_.clear();
  pool_.emplace(ledger_);
}

void Draw::follow(const ledger::BlockOutcome& outcome) {
  pool_.reset();
  leases_.follow(ledger_, outcome);
}

Proposed Draw::next() {
  ++drawn_;
  Proposed made{draw(), {}};
  made.expected = pool_->admit(made.operation);
  const ledger::Operation& operation = made.operation.operation;
  if (made.expected) return made;
  sequences_[operation.actor] = operation.sequence;
  if (std::holds_alternative<ledger::RetireAsset>(operation.action)) ++retired_;
  if (recent_.size() == kRecent) recent_.pop_front();
  recent_.push_back(made.operation);
  return made;
}

ledger::PreparedOperation Draw::draw() {
  if (!recent_.empty() && random_.chance(3)) return recent_[random_.below(recent_.size())];
  std::uint64_t total = 0;
  for (const Verb& verb : verbs()) total += verb.weight;
  for (;;) {
    std::uint64_t ticket = random_.below(total);
    auto verb = verbs().begin();
    while (ticket >= verb->weight) ticket -= (verb++)->weight;
    // Nothing drawn: there is nothing of the kind to act on now.
    if (auto drawn = (this->*verb->draw)()) return std::move(*drawn);
  }
}

crypto::PublicKey Draw::key_of(const ledger::Actor& actor) const {
  if (const auto* node = std::get_if<identity::NodeId>(&actor)) {
    const Machine* machine = cast_.machine_of(*node);
    return machine != nullptr ? machine->key.public_key() : crypto::PublicKey{};
  }
  const auto person = cast_.person_of(std::get<identity::OwnerId>(actor));
  return person ? cast_.current(ledger_, *person).ed25519().public_key() : crypto::PublicKey{};
}

std::uint64_t Draw::next_sequence(const ledger::Actor& actor) const {
  const auto found = sequences_.find(actor);
  return found != sequences_.end() ? found->second + 1 : ledger_.next_sequence(actor).value_or(1);
}

ledger::PreparedOperation Draw::make(const ledger::Actor& actor, ledger::Action action) {
  ledger::PreparedOperation made{
      .id = {},
      .operation = {.chain_id = ledger_.chain().chain_id,
                    .actor = actor,
                    .sequence = next_sequence(actor),
                    .anchor = ledger_.anchor(),
                    .expiry_height = ledger_.height() + 1 + random_.below(100),
                    .action = std::move(action),
                    .proofs = {}},
      .key = key_of(actor)};
  random_.fill(made.id.bytes);
  if (random_.chance(kSpoiltPermille)) spoil(made);
  return made;
}

void Draw::spoil(ledger::PreparedOperation& made) {
  ledger::Operation& operation = made.operation;
  const ledger::Policy& policy = ledger_.policy();
  switch (random_.below(12)) {
    case 0: operation.sequence += 1 + random_.below(3); return;
    case 1: operation.sequence -= std::min(operation.sequence, 1 + random_.below(20)); return;
    case 2: operation.sequence = random_.next(); return;
    case 3: operation.anchor.hash.bytes[random_.below(32)] ^= 1; return;
    case 4: operation.anchor.height = ledger_.height() + 1 + random_.below(9); return;
    case 5:
      operation.anchor.height -= std::min(operation.anchor.height, policy.anchor_max_age);
      return;
    case 6: operation.expiry_height = random_.below(ledger_.height() + 1); return;
    case 7: operation.expiry_height = operation.anchor.height + policy.expiry_max_ahead + 1; return;
    case 8: operation.chain_id.bytes[0] ^= 1; return;
    case 9: made.key.bytes[1] ^= 1; return;
    case 10: operation.proofs.space.emplace(); return;
    default:
      // Somebody who is not there, a machine in its owner's place, or the reverse.
      if (random_.chance(300)) {
        identity::OwnerId nobody;
        random_.fill(nobody.bytes);
        operation.actor = nobody;
      } else {
        const Machine& machine = cast_.machines[random_.below(cast_.machines.size())];
        operation.actor = machine.id;
        made.key = machine.key.public_key();
        operation.sequence = next_sequence(machine.id);
      }
  }
}

ledger::PreparedOperation Draw::by_owner(std::size_t person, ledger::Action action) {
  const ledger::Actor actor = id_of(person);
  auto made = make(actor, std::move(action));
  made.operation.chain_id = ledger_.chain().chain_id;
  made.operation.actor = actor;
  made.operation.sequence = *ledger_.next_sequence(actor);
  made.operation.anchor = ledger_.anchor();
  made.operation.expiry_height = ledger_.height() + 1;
  made.operation.proofs = {};
  made.key = key_of(actor);
  return made;
}

bool Draw::is_registered(std::size_t person) const {
  return ledger_.owner(id_of(person)) != nullptr;
}

std::size_t Draw::any_person() { return random_.below(cast_.people.size()); }

std::size_t Draw::registered_person() {
  for (std::size_t i = 0; i < kTries; ++i) {
    const std::size_t person = any_person();
    if (is_registered(person)) return person;
  }
  return random_.below(kFounders);
}

caesar::Amount Draw::part_of(caesar::Amount amount) {
  switch (random_.below(40)) {
    case 0: return caesar::Amount{amount.value + 1 + random_.below(1'000)};
    case 1: return caesar::Amount{random_.next() | 1};
    case 2: return amount.value > 0 ? amount : caesar::Amount{1};
    case 3: return caesar::Amount{1 + random_.below(3)};
    default: return caesar::Amount{1 + random_.below(amount.value / 8 + 1)};
  }
}

std::uint64_t Draw::quota(std::uint64_t first, std::uint64_t last) const {
  return first + (last - first) * std::min(drawn_, operations_) / operations_;
}

UnixMillis Draw::later(std::uint64_t shortest_ms, std::uint64_t longest_ms) {
  return UnixMillis{time_.value + random_.between(shortest_ms, longest_ms)};
}

Draw::Drawn Draw::register_owner() {
  const std::size_t sponsor = registered_person();
  const caesar::Amount balance = ledger_.account(id_of(sponsor)).balance;
  const ledger::Policy& policy = ledger_.policy();
  std::size_t newcomer = any_person();
  const bool is_due = newcomer < quota(kFounders + 4, kPeople);
  if (!is_registered(newcomer) && !is_due) newcomer = registered_person();
  ledger::RegisterOwner action{.name = "person-" + std::to_string(newcomer),
                               .bundle = cast_.people[newcomer].sets[0].bundle(),
                               .credit = part_of(balance),
                               .bond = {}};
  if (random_.chance(700)) {
    action.bond = caesar::Amount{policy.bond_register_owner.value +
                                 random_.below(500) * policy.bond_per_record.value};
  }
  return make(id_of(sponsor), std::move(action));
}

Draw::Drawn Draw::register_node() {
  const std::size_t index = random_.below(cast_.machines.size());
  Machine& machine = cast_.machines[index];
  if (!is_registered(machine.owner)) return std::nullopt;
  if (!machine.binding || (ledger_.node(machine.id) == nullptr && random_.chance(300))) {
    const bool is_stranger = random_.chance(100);
    const std::size_t signer = is_stranger ? registered_person() : machine.owner;
    machine.binding =
        identity::bind_node(cast_.current(ledger_, signer), machine.key,
                            identity::binding_context(ledger_.chain().chain_id),
                            "node-" + std::to_string(index), signing_randomness(random_));
    machine.binding->owner = id_of(machine.owner);
  }
  return make(id_of(machine.owner), ledger::RegisterNode{*machine.binding});
}

Draw::Drawn Draw::rotate_keys() {
  // Each takes three Falcon signatures.
  if (rotations_ >= quota(kFirstRotations, kMostRotations)) return std::nullopt;
  ++rotations_;
  const std::size_t person = registered_person();
  const ledger::Actor actor = id_of(person);
  const identity::RotationContext context{ledger_.chain().chain_id, id_of(person),
                                          next_sequence(actor)};
  const bool is_same = random_.chance(200);
  const identity::OwnerKeys& from = cast_.current(ledger_, person);
  const identity::OwnerKeys& to = is_same ? from : cast_.other(ledger_, person);
  std::uint64_t overlap = random_.below(50);
  if (random_.chance(100)) overlap = ledger_.policy().expiry_max_ahead + 1;
  auto rotation = identity::sign_rotation(
      from, to, context, overlap, {signing_randomness(random_), signing_randomness(random_)});
  if (random_.chance(200)) rotation.agreement = rotation.possession.falcon;
  return make(actor, ledger::RotateKeys{std::move(rotation)});
}

Draw::Drawn Draw::transfer_caes() {
  const std::size_t from = registered_person();
  std::size_t to = registered_person();
  if (random_.chance(30)) to = any_person();
  return make(id_of(from),
              ledger::TransferCaes{id_of(to), part_of(ledger_.account(id_of(from)).balance)});
}

Draw::Drawn Draw::bond() {
  const std::size_t person = registered_person();
  return make(id_of(person), ledger::Bond{part_of(ledger_.account(id_of(person)).balance)});
}

Draw::Drawn Draw::unbond() {
  const std::size_t person = registered_person();
  const ledger::OwnerRecord& owner = *ledger_.owner(id_of(person));
  // Mostly from what is loose, so that people do not lose the bond that they act with.
  const ledger::Policy& policy = ledger_.policy();
  const std::uint64_t kept = owner.staked.value + policy.bond_register_owner.value +
                             owner.records_created * policy.bond_per_record.value;
  const caesar::Amount bond = owner.account.bond;
  const caesar::Amount loose{bond.value - std::min(bond.value, kept)};
  return make(id_of(person), ledger::Unbond{part_of(random_.chance(950) ? loose : bond)});
}

Draw::Drawn Draw::delegate() {
  const std::size_t person = registered_person();
  const std::size_t machine = random_.chance(30) ? random_.below(cast_.machines.size())
                                                 : kMachinesEach * random_.below(kValidators);
  return make(id_of(person), ledger::Delegate{cast_.machines[machine].id,
                                              part_of(ledger_.account(id_of(person)).balance)});
}

Draw::Drawn Draw::undelegate() {
  const std::size_t person = registered_person();
  const std::size_t machine = random_.chance(30) ? random_.below(cast_.machines.size())
                                                 : kMachinesEach * random_.below(kValidators);
  const auto& delegations = ledger_.tables().delegations;
  const auto held = delegations.find({cast_.machines[machine].id, id_of(person)});
  const std::uint64_t shares = held != delegations.end() ? held->second.shares : 0;
  if (shares == 0 && random_.chance(900)) return std::nullopt;
  return make(id_of(person), ledger::Undelegate{cast_.machines[machine].id,
                                                part_of(caesar::Amount{shares}).value});
}

Draw::Drawn Draw::commit_vault() {
  const Machine& machine = cast_.machines[random_.below(cast_.machines.size())];
  ledger::CommitVault action{.node = machine.id, .root = {}};
  random_.fill(action.root.bytes);
  if (random_.chance(50)) return make(id_of(registered_person()), action);
  if (ledger_.node(machine.id) == nullptr) return std::nullopt;
  if (random_.chance(500)) return make(machine.id, action);
  return make(id_of(machine.owner), action);
}

Draw::Drawn Draw::commit_storage() {
  const Machine& machine = cast_.machines[random_.below(cast_.machines.size())];
  ledger::CommitStorage action{.node = machine.id, .objects = {}, .shards = {}};
  random_.fill(action.objects.bytes);
  random_.fill(action.shards.bytes);
  const auto* last = ledger_.storage_commitment(machine.id);
  action.generation = (last != nullptr ? last->generation : 0) + 1;
  if (random_.chance(100)) action.generation += random_.below(4) - 1;
  if (random_.chance(50)) return make(id_of(registered_person()), action);
  if (ledger_.node(machine.id) == nullptr) return std::nullopt;
  if (random_.chance(500)) return make(machine.id, action);
  return make(id_of(machine.owner), action);
}

}  // namespace hm::simulator
