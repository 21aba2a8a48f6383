// SPDX-License-Identifier: Apache-2.0
#include "node/hosting/sealed_output.h"

#include <algorithm>
#include <utility>

namespace hm::hosting {
namespace {

// Sends both lanes as the other side has room.
class Showing final : public StreamListener, public std::enable_shared_from_this<Showing> {
 public:
  Showing(std::shared_ptr<Stream> stream, std::shared_ptr<const Bytes> out,
          std::shared_ptr<const Bytes> error, const RunExit& exit)
      : stream_(std::move(stream)), out_(std::move(out)), error_(std::move(error)), exit_(exit) {}

  void on_room() override {
    if (!stream_) return;
    send(Lane::Main, *out_, out_at_);
    send(Lane::Error, *error_, error_at_);
    if (out_at_ < out_->size() || error_at_ < error_->size()) return;
    std::exchange(stream_, nullptr)->close(exit_);
  }
  void on_closed(const Outcome& /*outcome*/) override { stream_.reset(); }

 private:
  void send(Lane lane, const Bytes& bytes, std::size_t& at) {
    const std::size_t now = std::min(stream_->room(), bytes.size() - at);
    stream_->send(lane, ByteView(bytes).subspan(at, now));
    at += now;
  }

  std::shared_ptr<Stream> stream_;
  std::shared_ptr<const Bytes> out_;
  std::shared_ptr<const Bytes> error_;
  RunExit exit_;
  std::size_t out_at_ = 0;
  std::size_t error_at_ = 0;
};

}  // namespace

void SealedOutput::join(std::unique_ptr<ports::ContainerStream> container) {
  container_ = std::move(container);
  container_->close_input();
  // One byte more than is kept tells that there was more.
  container_->allow(kMaxSealedOutput + 1);
}

void SealedOutput::on_output(ports::ContainerStreamListener::Lane lane, ByteView bytes) {
  if (is_too_long_) return;
  Bytes& to = lane == ports::ContainerStreamListener::Lane::Out ? *out_ : *error_;
  if (out_->size() + error_->size() + bytes.size() > kMaxSealedOutput) {
    is_too_long_ = true;
    container_->signal(kKillSignal);
    container_->allow(kMaxSealedOutput);  // what is on its way is thrown away
    return;
  }
  to.insert(to.end(), bytes.begin(), bytes.end());
}

void SealedOutput::on_end(const Result<ports::ProcessExit>& exit) {
  const auto self = shared_from_this();
  if (const auto ended = std::exchange(on_end_, nullptr)) ended(exit);
}

void SealedOutput::fix(std::uint8_t exit_code, ports::Random& random) {
  RevealedReport result{.output = crypto::sha256(*out_), .exit_code = exit_code};
  random.fill(result.salt);
  fixed_ = result;
}

ledger::SignedResult SealedOutput::word(const identity::ChainId& chain,
                                        const ledger::LeaseId& lease,
                                        const crypto::SigningKey& key) const {
  return ledger::sign_result(chain, lease, fixed_->output, fixed_->exit_code, fixed_->salt, key);
}

void SealedOutput::show(std::shared_ptr<Stream> stream, const RunExit& exit) const {
  auto showing = std::make_shared<Showing>(stream, out_, error_, exit);
  stream->set_listener(showing);
  stream->report(*fixed_);
  showing->on_room();
}

}  // namespace hm::hosting
