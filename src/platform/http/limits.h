// SPDX-License-Identifier: Apache-2.0
// Bounds of the HTTP server and client, each with its reason.
#pragma once

#include <chrono>
#include <cstddef>

namespace hm::http {

// Request line and headers. Browsers stay below 4 KiB against a daemon that sets no cookies.
inline constexpr std::size_t kMaxHeaderBytes = 16 * 1024;
// Largest body read by default: a batch of 256 operations of 4 KiB in base64, with room.
inline constexpr std::size_t kMaxBodyBytes = 2 * 1024 * 1024;
// Read at a time; also what one idle connection costs in buffers.
inline constexpr std::size_t kReadChunk = 8 * 1024;
// All connections of the daemon: an operator, a scraper, a console and a load generator.
inline constexpr std::size_t kMaxConnections = 512;
// Surplus connections that are told so; above these they are closed without a word.
inline constexpr std::size_t kTurnedAwaySlots = 64;
// Open streams: event streams, of which each is written to for every block, and long answers.
inline constexpr std::size_t kMaxStreams = 64;
// Unread bytes that a stream's reader may leave behind before it is cut off: a piece that is being
// written and the next one, so that the socket is never idle.
inline constexpr std::size_t kMaxStreamBacklog = std::size_t{1} << 20;
// Bodies that are taken as they arrive, at one time. With the window: what all of them may make
// their handlers hold.
inline constexpr std::size_t kMaxUploads = 32;
// Bytes of a body that the server reads beyond those that its handler is done with: enough for a
// worker to have some while others are on the way to it.
inline constexpr std::size_t kUploadWindow = std::size_t{4} << 20;
// The largest piece of a body that is handed over: it should stay in a core's cache.
inline constexpr std::size_t kUploadPiece = std::size_t{256} << 10;
// What a piece fills of the window at least.
inline constexpr std::size_t kUploadPieceCost = std::size_t{4} << 10;
// Bytes that a connection may still send after it was refused; reading them keeps the kernel from
// destroying the refusal by a reset.
inline constexpr std::size_t kMaxLingerBytes = 1024 * 1024;
// A refused request whose body is at most this long keeps its connection: the body is read over.
inline constexpr std::size_t kMaxSkippedBody = 256 * 1024;

// From the first byte of a request to the end of its headers (slow senders hold a slot otherwise).
inline constexpr std::chrono::seconds kHeaderTime{5};
inline constexpr std::chrono::seconds kBodyTime{20};
// A body that is streamed may pause for so long, in either direction: a disk that flushes, or a
// pipe at whose other end something is computed.
inline constexpr std::chrono::seconds kStallTime{60};
// Between requests on one connection.
inline constexpr std::chrono::seconds kIdleTime{60};
// A reader that takes longer for one answer is gone.
inline constexpr std::chrono::seconds kWriteTime{20};
// Handlers answer within this, or the server answers 503 for them.
inline constexpr std::chrono::seconds kAnswerTime{60};
inline constexpr std::chrono::seconds kLingerTime{2};
// How often deadlines are looked at; they are that coarse.
inline constexpr std::chrono::milliseconds kSweepInterval{500};

// Open WebSockets: a container's terminal, logs or forwarded port each.
inline constexpr std::size_t kMaxWebSockets = 256;
// One message in either direction; also what an open WebSocket may hold unread.
inline constexpr std::size_t kMaxWebSocketMessage = 256 * 1024;
// Read at a time from one WebSocket.
inline constexpr std::size_t kWebSocketReadChunk = 16 * 1024;
// What may wait to be written to one WebSocket: two of the largest messages, with room.
inline constexpr std::size_t kMaxWebSocketPending = 1024 * 1024;
// Below this the sender is told to go on: enough to keep the socket busy meanwhile.
inline constexpr std::size_t kWebSocketLowMark = 256 * 1024;
// What a queued message counts beside its payload, so that empty ones fill the queue too.
inline constexpr std::size_t kWebSocketMessageCost = 64;
// Each side shows that it lives this often; a ping must be answered within kPongTime.
inline constexpr std::chrono::seconds kWebSocketPingInterval{20};
inline constexpr std::chrono::seconds kWebSocketPongTime{40};
// A message that the other side does not take for so long ends the WebSocket. A person may have
// stopped a terminal's output for a while; a machine that is gone says nothing either.
inline constexpr std::chrono::minutes kWebSocketStallTime{5};
// From our closing frame to theirs, and from the request to the handshake's end.
inline constexpr std::chrono::seconds kWebSocketCloseTime{5};
inline constexpr std::chrono::seconds kWebSocketOpenTime{10};

// What the client accepts as one answer: the largest listing of a mesh, and then some.
inline constexpr std::size_t kMaxAnswerBytes = 64 * 1024 * 1024;
// One line of an event stream.
inline constexpr std::size_t kMaxEventLine = 1024 * 1024;

}  // namespace hm::http
