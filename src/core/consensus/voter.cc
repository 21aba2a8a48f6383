// SPDX-License-Identifier: Apache-2.0
#include "core/consensus/voter.h"

#include "core/consensus/certificate.h"

namespace hm::consensus {

Voter::Voter(ChainDomain domain, ValidatorIndex index, std::optional<SigningKey> key)
    : domain_(domain), index_(index), key_(std::move(key)) {}

Vote Voter::sign(const Statement& statement) {
  restore(statement);
  return sign_vote(statement, index_, *key_, domain_);
}

std::optional<Vote> Voter::propose(View current, const Digest& block) {
  if (!may_sign(current) || has_proposed(current)) return std::nullopt;
  return sign({VoteKind::Propose, current, block});
}

std::optional<Vote> Voter::notarize(View current, const Digest& block) {
  if (!may_sign(current) || notarized(current)) return std::nullopt;
  // Finalized on the votes of others, perhaps before a restart: only that block, or it is S3.
  const auto own = signed_.find(current);
  if (own != signed_.end() && own->second.finalized && *own->second.finalized != block) {
    return std::nullopt;
  }
  return sign({VoteKind::Notarize, current, block});
}

std::optional<Vote> Voter::nullify(View current, View view) {
  if (!may_sign(view) || view > current) return std::nullopt;
  if (has_finalized(view) || has_nullified(view)) return std::nullopt;
  return sign({VoteKind::Nullify, view, {}});
}

std::optional<Vote> Voter::finalize(const Certificate& notarization) {
  const auto& [kind, view, block] = notarization.statement;
  if (kind != VoteKind::Notarize || !may_sign(view) || has_finalized(view)) return std::nullopt;
#ifndef HM_PLANTED_BUG  // the bug that the simulator must find: finalize although nullified
  if (has_nullified(view)) return std::nullopt;
#endif
  const auto own = notarized(view);
  if (own && *own != block) return std::nullopt;
  return sign({VoteKind::Finalize, view, block});
}

bool Voter::has_proposed(View view) const {
  const auto found = signed_.find(view);
  return found != signed_.end() && found->second.proposed.has_value();
}

bool Voter::has_nullified(View view) const {
  const auto found = signed_.find(view);
  return found != signed_.end() && found->second.nullified;
}

bool Voter::has_finalized(View view) const {
  const auto found = signed_.find(view);
  return found != signed_.end() && found->second.finalized.has_value();
}

std::optional<Digest> Voter::notarized(View view) const {
  const auto found = signed_.find(view);
  return found == signed_.end() ? std::nullopt : found->second.notarized;
}

void Voter::restore(const Statement& statement) {
  if (statement.view <= floor_) return;
  Signed& view = signed_[statement.view];
  switch (statement.kind) {
    case VoteKind::Propose: view.proposed = statement.block; break;
    case VoteKind::Notarize: view.notarized = statement.block; break;
    case VoteKind::Nullify: view.nullified = true; break;
    case VoteKind::Finalize: view.finalized = statement.block; break;
  }
}

void Voter::raise_floor(View view) {
  if (view <= floor_) return;
  floor_ = view;
  signed_.erase(signed_.begin(), signed_.upper_bound(view));
}

void Voter::resume(View view) {
  raise_floor(view);
  abstaining_ = false;
}

}  // namespace hm::consensus
