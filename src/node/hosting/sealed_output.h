// SPDX-License-Identifier: Apache-2.0
// What a sealed run writes: kept here until the run has ended and its result is fixed, shown when
// the tenant asks. docs/protocols/containers.md, "Sealed runs".
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "core/ledger/job_result.h"
#include "node/hosting/session_mux.h"
#include "ports/container_runtime.h"
#include "ports/random.h"

namespace hm::hosting {

class SealedOutput final : public ports::ContainerStreamListener,
                           public std::enable_shared_from_this<SealedOutput> {
 public:
  using OnEnd = std::function<void(const Result<ports::ProcessExit>&)>;
  explicit SealedOutput(OnEnd on_end) : on_end_(std::move(on_end)) {}

  // Its input is at its end from the start: what comes from outside is not the same for all.
  void join(std::unique_ptr<ports::ContainerStream> container);
  // More was written than is kept.
  bool is_too_long() const { return is_too_long_; }
  // Once it has ended.
  void fix(std::uint8_t exit_code, ports::Random& random);
  bool is_fixed() const { return fixed_.has_value(); }
  // Requires: it is fixed.
  ledger::SignedResult word(const identity::ChainId& chain, const ledger::LeaseId& lease,
                            const crypto::SigningKey& key) const;
  void show(std::shared_ptr<Stream> stream, const RunExit& exit) const;

  // ports::ContainerStreamListener
  void on_output(ports::ContainerStreamListener::Lane lane, ByteView bytes) override;
  void on_taken(std::size_t /*bytes*/) override {}
  void on_end(const Result<ports::ProcessExit>& exit) override;

 private:
  OnEnd on_end_;
  std::unique_ptr<ports::ContainerStream> container_;
  std::shared_ptr<Bytes> out_ = std::make_shared<Bytes>();
  std::shared_ptr<Bytes> error_ = std::make_shared<Bytes>();
  bool is_too_long_ = false;
  std::optional<RevealedReport> fixed_;
};

}  // namespace hm::hosting
