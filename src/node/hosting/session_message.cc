// SPDX-License-Identifier: Apache-2.0
#include "node/hosting/session_message.h"

#include <algorithm>

#include "core/containers/limits.h"
#include "foundation/codec/writer.h"
#include "node/hosting/limits.h"

namespace hm::hosting {
namespace {

constexpr std::uint8_t kLastSignal = 64;

// What a request may say, beyond its encoding.
struct IsSound {
  bool operator()(const StartRun& r) const {
    return containers::validate(r.spec).has_value() && r.leases.size() <= kMaxRunLeases;
  }
  bool operator()(const ExecInRun& r) const { return containers::validate(r.process).has_value(); }
  bool operator()(const ReadLogs& r) const { return r.tail <= kMaxLogTail; }
  bool operator()(const CopyFiles& r) const {
    return !r.path.empty() && r.path.size() <= containers::kMaxPathBytes && r.path.front() == '/' &&
           r.path.find('\0') == std::string::npos;
  }
  bool operator()(const ConnectPort& r) const { return r.port != 0; }
  bool operator()(const SignalRun& r) const { return r.number >= 1 && r.number <= kLastSignal; }
  bool operator()(const StopRun& r) const { return r.grace_ms <= kMaxStopGraceMillis; }
  bool operator()(const auto& /*request*/) const { return true; }
};

bool is_sound(const SessionMessage& message) {
  if (const auto* open = std::get_if<Open>(&message)) return std::visit(IsSound{}, open->request);
  if (const auto* credit = std::get_if<Credit>(&message)) return credit->bytes != 0;
  if (const auto* command = std::get_if<Command>(&message)) {
    const auto* signal = std::get_if<SendSignal>(&command->control);
    return signal == nullptr || (signal->number >= 1 && signal->number <= kLastSignal);
  }
  return true;
}

}  // namespace

std::string_view name_of(RunPhase phase) {
  switch (phase) {
    case RunPhase::Fetching: return "fetching";
    case RunPhase::Starting: return "starting";
    case RunPhase::Running: return "running";
    case RunPhase::Waiting: return "waiting";
    case RunPhase::Ended: return "ended";
  }
  return "unknown";
}

std::string_view name_of(SessionError error) {
  switch (error) {
    case SessionError::TooLong: return "too_long";
    case SessionError::Malformed: return "malformed";
    case SessionError::BadRequest: return "bad_request";
  }
  return "unknown";
}

Bytes encode(const SessionMessage& message) { return codec::encode(message); }

Result<SessionMessage, SessionError> decode_session_message(ByteView bytes) {
  if (bytes.size() > kMaxMessage) return fail(SessionError::TooLong);
  auto message = codec::decode<SessionMessage>(bytes);
  if (!message) return fail(SessionError::Malformed);
  if (const auto* data = std::get_if<Data>(&*message)) {
    if (data->bytes.size() > kMaxPiece) return fail(SessionError::TooLong);
    if (data->bytes.empty()) return fail(SessionError::Malformed);
  }
  if (!is_sound(*message)) return fail(SessionError::BadRequest);
  return std::move(*message);
}

bool is_bulk(const Request& request) { return std::holds_alternative<FetchBlob>(request); }

std::size_t window_of(const Request& request) { return is_bulk(request) ? kBulkWindow : kWindow; }

}  // namespace hm::hosting
