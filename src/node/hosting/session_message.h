// SPDX-License-Identifier: Apache-2.0
// What two nodes say to each other about containers, on STOQ's channel of containers: streams, each
// opened by a request, of bytes in both directions against windows, ended by an outcome.
// docs/protocols/containers.md is normative.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "core/containers/run_spec.h"
#include "core/ledger/job_result.h"
#include "core/ledger/lease.h"
#include "foundation/base/bytes.h"
#include "foundation/base/error.h"
#include "foundation/base/result.h"
#include "foundation/base/strong.h"
#include "foundation/codec/error_code.h"
#include "foundation/codec/reader.h"

namespace hm::hosting {

// Drawn at random by the tenant's node.
struct RunIdTag;
using RunId = Id32<RunIdTag>;

enum class OutputMode : std::uint8_t {
  Stream,  // as it is written
  Sealed,  // committed to when the run has ended, shown when the tenant asks
};

// Start a container. The stream is that of its process; of a detached one it ends with the start.
struct StartRun {
  RunId run;
  containers::RunSpec spec;
  std::vector<ledger::LeaseId> leases;
  OutputMode output = OutputMode::Stream;
  bool operator==(const StartRun&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.run, self.spec, self.leases, self.output);
  }
};
// The stream of its process, from now on.
struct AttachRun {
  RunId run;
  bool operator==(const AttachRun&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.run); }
};
struct ExecInRun {
  RunId run;
  containers::ProcessSpec process;
  bool operator==(const ExecInRun&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.run, self.process); }
};
enum class Follow : std::uint8_t { No, Yes };
struct ReadLogs {
  RunId run;
  std::uint64_t tail = 0;  // bytes
  Follow follow = Follow::No;
  bool operator==(const ReadLogs&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.run, self.tail, self.follow); }
};
enum class CopyWay : std::uint8_t { Into, OutOf };
// A tar stream of what is below `path`.
struct CopyFiles {
  RunId run;
  CopyWay way = CopyWay::Into;
  std::string path;
  bool operator==(const CopyFiles&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.run, self.way, self.path); }
};
struct ConnectPort {
  RunId run;
  std::uint16_t port = 0;
  bool operator==(const ConnectPort&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.run, self.port); }
};
struct SignalRun {
  RunId run;
  std::uint8_t number = 0;
  bool operator==(const SignalRun&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.run, self.number); }
};
// The image's stop signal, then, after the grace, the end of every process.
struct StopRun {
  RunId run;
  std::uint32_t grace_ms = 0;
  bool operator==(const StopRun&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.run, self.grace_ms); }
};
struct RemoveRun {
  RunId run;
  bool operator==(const RemoveRun&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.run); }
};
// Answered by a RunReport for each run of the asking node's owner.
struct ListRuns {
  bool operator==(const ListRuns&) const = default;
  static constexpr auto fields(auto&) { return std::tie(); }
};
// Answered by one RunReport.
struct InspectRun {
  RunId run;
  bool operator==(const InspectRun&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.run); }
};
// A sealed run's output, once it has ended: a RevealedReport, then the bytes.
struct RevealRun {
  RunId run;
  bool operator==(const RevealRun&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.run); }
};
// Bytes of an image's blob, from `offset` on.
struct FetchBlob {
  crypto::Digest digest;
  std::uint64_t offset = 0;
  bool operator==(const FetchBlob&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.digest, self.offset); }
};

// The order of the alternatives is the wire format, here and below.
using Request =
    std::variant<StartRun, AttachRun, ExecInRun, ReadLogs, CopyFiles, ConnectPort, SignalRun,
                 StopRun, RemoveRun, ListRuns, InspectRun, RevealRun, FetchBlob>;

enum class RunPhase : std::uint8_t {
  Fetching,  // the image is on its way here
  Starting,
  Running,
  Waiting,  // ended, and to be started again
  Ended,
};
std::string_view name_of(RunPhase phase);

struct RunExit {
  std::uint8_t code = 0;
  bool out_of_memory = false;
  UnixMillis at;
  bool operator==(const RunExit&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.code, self.out_of_memory, self.at);
  }
};

// As ports::ContainerUsage has it.
struct RunUsage {
  std::optional<std::uint64_t> cpu_us;
  std::optional<std::uint64_t> memory_bytes;
  std::optional<std::uint64_t> memory_peak_bytes;
  std::optional<std::uint64_t> memory_byte_seconds;
  std::optional<std::uint64_t> disk_bytes;
  std::optional<std::uint64_t> read_bytes;
  std::optional<std::uint64_t> written_bytes;
  std::optional<std::uint64_t> received_bytes;
  std::optional<std::uint64_t> sent_bytes;
  std::optional<std::uint64_t> pids;
  std::optional<std::uint64_t> throttled_us;
  bool operator==(const RunUsage&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.cpu_us, self.memory_bytes, self.memory_peak_bytes,
                    self.memory_byte_seconds, self.disk_bytes, self.read_bytes, self.written_bytes,
                    self.received_bytes, self.sent_bytes, self.pids, self.throttled_us);
  }
};

// From the acceptor: how the start goes on.
struct ProgressReport {
  RunPhase phase = RunPhase::Fetching;
  std::uint64_t done = 0;  // bytes of the image
  std::uint64_t total = 0;
  bool operator==(const ProgressReport&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.phase, self.done, self.total); }
};
// The process runs. `clamped`: what this machine cannot hold it to, in words.
struct StartedReport {
  std::vector<std::string> clamped;
  bool operator==(const StartedReport&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.clamped); }
};
struct RunReport {
  RunId run;
  RunPhase phase = RunPhase::Fetching;
  std::optional<RunExit> exit;
  std::uint32_t restarts = 0;
  UnixMillis started;
  RunUsage usage;
  bool operator==(const RunReport&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.run, self.phase, self.exit, self.restarts, self.started, self.usage);
  }
};
// A sealed run has ended: its node's word on the result, under each of the run's leases, that does
// not show it yet.
struct CommittedReport {
  struct Word {
    ledger::LeaseId lease;
    crypto::Digest commitment;
    crypto::Signature signature;  // of ledger::result_statement(), by the node's key
    bool operator==(const Word&) const = default;
    static constexpr auto fields(auto& self) {
      return std::tie(self.lease, self.commitment, self.signature);
    }
  };
  std::vector<Word> words;
  bool operator==(const CommittedReport&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.words); }
};
// Opens the commitments. `output`: SHA-256 of what was written to standard output.
struct RevealedReport {
  crypto::Digest output;
  std::uint8_t exit_code = 0;
  ledger::ResultSalt salt{};
  bool operator==(const RevealedReport&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.output, self.exit_code, self.salt);
  }
};
using Report =
    std::variant<ProgressReport, StartedReport, RunReport, CommittedReport, RevealedReport>;

struct SendSignal {
  std::uint8_t number = 0;
  bool operator==(const SendSignal&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.number); }
};
struct ResizeTerminal {
  std::uint16_t rows = 0;
  std::uint16_t columns = 0;
  bool operator==(const ResizeTerminal&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.rows, self.columns); }
};
using Control = std::variant<SendSignal, ResizeTerminal>;

struct Done {
  bool operator==(const Done&) const = default;
  static constexpr auto fields(auto&) { return std::tie(); }
};
struct Failure {
  ErrorCode code = ErrorCode::Unavailable;
  std::string message;
  std::string detail;
  bool operator==(const Failure&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.code, self.message, self.detail);
  }
};
using Outcome = std::variant<Done, RunExit, Failure>;

// Which stream: numbered by whoever opened it. `side`: who says this.
enum class Side : std::uint8_t { Opener, Acceptor };
struct StreamRef {
  Side side = Side::Opener;
  std::uint64_t number = 0;
  bool operator==(const StreamRef&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.side, self.number); }
};

struct Open {  // by the opener; numbers rise
  std::uint64_t number = 0;
  Request request;
  bool operator==(const Open&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.number, self.request); }
};
enum class Lane : std::uint8_t { Main, Error };
struct Data {
  StreamRef stream;
  Lane lane = Lane::Main;
  Bytes bytes;
  bool operator==(const Data&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.stream, self.lane, self.bytes); }
};
struct Credit {  // so many bytes more may come towards the sender of this
  StreamRef stream;
  std::uint32_t bytes = 0;
  bool operator==(const Credit&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.stream, self.bytes); }
};
struct EndOfInput {  // by the opener: no more data
  std::uint64_t number = 0;
  bool operator==(const EndOfInput&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.number); }
};
struct Command {  // by the opener
  std::uint64_t number = 0;
  Control control;
  bool operator==(const Command&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.number, self.control); }
};
struct Tell {  // by the acceptor
  std::uint64_t number = 0;
  Report report;
  bool operator==(const Tell&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.number, self.report); }
};
struct Close {  // by the acceptor: the end
  std::uint64_t number = 0;
  Outcome outcome;
  bool operator==(const Close&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.number, self.outcome); }
};
struct Abandon {  // by the opener: it wants nothing more of it
  std::uint64_t number = 0;
  bool operator==(const Abandon&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.number); }
};

using SessionMessage = std::variant<Open, Data, Credit, EndOfInput, Command, Tell, Close, Abandon>;

enum class SessionError : std::uint8_t {
  TooLong,     // above kMaxMessage, or a piece of data above kMaxPiece
  Malformed,   // not the one encoding of a message
  BadRequest,  // a spec that does not validate, a path or number out of its range
};
std::string_view name_of(SessionError error);

Bytes encode(const SessionMessage& message);
// Everything about a message that needs no state.
Result<SessionMessage, SessionError> decode_session_message(ByteView bytes);

// Whether the stream of this request moves much: kBulkWindow, kMaxBulkStreams.
bool is_bulk(const Request& request);
std::size_t window_of(const Request& request);

}  // namespace hm::hosting

template <>
inline constexpr auto hm::codec::kMaxEnum<hm::hosting::OutputMode> =
    hm::hosting::OutputMode::Sealed;
template <>
inline constexpr auto hm::codec::kMaxEnum<hm::hosting::Follow> = hm::hosting::Follow::Yes;
template <>
inline constexpr auto hm::codec::kMaxEnum<hm::hosting::CopyWay> = hm::hosting::CopyWay::OutOf;
template <>
inline constexpr auto hm::codec::kMaxEnum<hm::hosting::RunPhase> = hm::hosting::RunPhase::Ended;
template <>
inline constexpr auto hm::codec::kMaxEnum<hm::hosting::Side> = hm::hosting::Side::Acceptor;
template <>
inline constexpr auto hm::codec::kMaxEnum<hm::hosting::Lane> = hm::hosting::Lane::Error;
