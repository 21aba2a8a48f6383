// SPDX-License-Identifier: Apache-2.0
#include "core/consensus/replica.h"

#include "core/consensus/machine.h"

namespace hm::consensus {

std::string_view name_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::Malformed: return "malformed";
    case Refusal::ForeignVote: return "foreign_vote";
    case Refusal::UnknownSigner: return "unknown_signer";
    case Refusal::BadSignature: return "bad_signature";
    case Refusal::BadCertificate: return "bad_certificate";
    case Refusal::BadBlock: return "bad_block";
    case Refusal::NotLeader: return "not_leader";
    case Refusal::OutsideWindow: return "outside_window";
    case Refusal::BadTime: return "bad_time";
    case Refusal::BadExecutionRoot: return "bad_execution_root";
    case Refusal::InvalidPayload: return "invalid_payload";
    case Refusal::UnexpectedReply: return "unexpected_reply";
    case Refusal::PeerLimit: return "peer_limit";
  }
  return "unknown";
}

Replica::Replica(Config config, ValidatorSet validators, std::optional<SigningKey> key)
    : machine_(std::make_unique<Machine>(config, std::move(validators), std::move(key))) {}
Replica::~Replica() = default;
Replica::Replica(Replica&&) noexcept = default;
Replica& Replica::operator=(Replica&&) noexcept = default;

void Replica::restore_final(const FinalBlock& newest) { machine_->restore_final(newest); }
void Replica::restore_executed(Height height, const Digest& root) {
  machine_->restore_executed(height, root);
}
bool Replica::restore_record(LogSequence sequence, ByteView record) {
  return machine_->restore_record(sequence, record);
}
void Replica::note_damaged_tail() { machine_->note_damaged_tail(); }
void Replica::start(Now now) { machine_->start(now); }

void Replica::handle_peer_up(const NodeId& peer, Now now) { machine_->handle_peer_up(peer, now); }
void Replica::handle_peer_down(const NodeId& peer, Now now) {
  machine_->handle_peer_down(peer, now);
}
void Replica::handle_message(const NodeId& from, ByteView message, Now now) {
  machine_->handle_message(from, message, now);
}
void Replica::handle_durable(LogSequence sequence, Now now) {
  machine_->handle_durable(sequence, now);
}
std::optional<Digest> Replica::handle_payload(View view, Bytes payload, Now now) {
  return machine_->handle_payload(view, std::move(payload), now);
}
void Replica::handle_validated(const Digest& block, Verdict verdict, Now now) {
  machine_->handle_validated(block, verdict, now);
}
void Replica::handle_executed(Height height, const Digest& root, Now now) {
  machine_->handle_executed(height, root, now);
}
void Replica::handle_pending(Pending pending, Now now) { machine_->handle_pending(pending, now); }
void Replica::handle_stored(const NodeId& peer, Height from, std::vector<Bytes> blocks, Now now) {
  machine_->handle_stored(peer, from, std::move(blocks), now);
}
void Replica::handle_tick(Now now) { machine_->handle_tick(now); }

std::optional<MonoTime> Replica::next_deadline() const { return machine_->next_deadline(); }
std::optional<Effect> Replica::poll_effect() { return machine_->poll_effect(); }

View Replica::view() const { return machine_->view(); }
View Replica::final_view() const { return machine_->tip().view; }
Height Replica::final_height() const { return machine_->tip().height; }
const Digest& Replica::final_hash() const { return machine_->tip().hash; }
std::uint64_t Replica::final_time_ms() const { return machine_->tip().time_ms; }
const std::optional<Certificate>& Replica::final_certificate() const {
  return machine_->final_certificate();
}
Height Replica::claimed_height() const { return machine_->claimed_height(); }
ValidatorIndex Replica::leader(View view) const { return machine_->validators().leader(view); }
const ValidatorSet& Replica::validators() const { return machine_->validators(); }
std::optional<ValidatorIndex> Replica::own_index() const { return machine_->own_index(); }
bool Replica::is_abstaining() const { return machine_->is_abstaining(); }
bool Replica::is_idle() const { return machine_->is_idle(); }
Duration Replica::delta() const { return machine_->delta(); }
const Counters& Replica::counters() const { return machine_->counters(); }
const std::vector<Evidence>& Replica::faults() const { return machine_->faults(); }
std::string Replica::describe() const { return machine_->describe(); }

}  // namespace hm::consensus
