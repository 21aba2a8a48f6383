// SPDX-License-Identifier: Apache-2.0
#include "core/consensus/vote_log.h"

#include <algorithm>

#include "foundation/codec/reader.h"

namespace hm::consensus {
namespace {

// Trimming makes the driver flush its store, so it is not done for every record: only when this
// many records or bytes (blocks are among them) can go.
constexpr std::size_t kTrimRecords = 512;
constexpr std::size_t kTrimBytes = std::size_t{16} << 20;

// Certificates waiting for a vote to ride with; a replica that does not vote must not pile them up.
constexpr std::size_t kMaxWaitingCertificates = 256;

}  // namespace

VoteLog::Entry VoteLog::entry_of(LogSequence sequence, const LogRecord& record) {
  Entry entry{sequence, 0, 0, 0};
  for (const Vote& vote : record.votes) {
    entry.newest_vote = std::max(entry.newest_vote, vote.statement.view);
  }
  for (const Certificate& certificate : record.certificates) {
    if (certificate.statement.kind == VoteKind::Finalize) {
      entry.newest_finalization = std::max(entry.newest_finalization, certificate.statement.view);
    }
  }
  return entry;
}

std::optional<LogRecord> VoteLog::restore(LogSequence sequence, ByteView bytes) {
  auto record = codec::decode<LogRecord>(bytes);
  next_ = std::max(next_, sequence + 1);
  durable_ = next_ - 1;
  if (!record) return std::nullopt;
  entries_.push_back(entry_of(sequence, *record));
  entries_.back().bytes = bytes.size();
  return std::move(*record);
}

void VoteLog::note_certificate(const Certificate& certificate) {
  if (certificate.statement.kind == VoteKind::Finalize) {
    std::erase_if(certificates_, [&](const Certificate& waiting) {
      return waiting.statement.view <= certificate.statement.view;
    });
  }
  if (certificates_.size() >= kMaxWaitingCertificates) certificates_.erase(certificates_.begin());
  certificates_.push_back(certificate);
}

Persist VoteLog::append(std::vector<Vote> votes, BlockPtr block) {
  LogRecord record{std::exchange(certificates_, {}), std::move(votes), std::nullopt};
  entries_.push_back(entry_of(next_, record));
  // Written out field by field to spare a copy of the body.
  codec::Writer writer;
  writer.write(record.certificates);
  writer.write(record.votes);
  writer.write(block != nullptr);
  if (block != nullptr) writer.write(*block);
  entries_.back().bytes = writer.bytes().size();
  waiting_.push_back({next_, std::move(record.votes), std::move(block)});
  return {next_++, std::move(writer).take()};
}

std::vector<VoteLog::Waiting> VoteLog::take_durable(LogSequence sequence) {
  durable_ = std::max(durable_, std::min(sequence, next_ - 1));
  std::vector<Waiting> ready;
  while (!waiting_.empty() && waiting_.front().sequence <= sequence) {
    ready.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return ready;
}

std::optional<LogSequence> VoteLog::trim(View final_view) {
  // A durable record with a finalization has to stay, so that after a restart the floor is known
  // even if the store lost its newest block.
  const auto anchor = std::ranges::find_if(entries_.rbegin(), entries_.rend(), [&](const Entry& e) {
    return e.sequence <= durable_ && e.newest_finalization > 0;
  });
  if (anchor == entries_.rend()) return std::nullopt;
  const View decided = std::min(final_view, anchor->newest_finalization);
  std::size_t useless = 0;
  std::size_t bytes = 0;
  while (useless < entries_.size() && entries_[useless].sequence < anchor->sequence &&
         entries_[useless].newest_vote <= decided) {
    bytes += entries_[useless].bytes;
    ++useless;
  }
  if (useless < kTrimRecords && bytes < kTrimBytes) return std::nullopt;
  entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(useless));
  return entries_.front().sequence;
}

}  // namespace hm::consensus
