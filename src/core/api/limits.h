// SPDX-License-Identifier: Apache-2.0
// Bounds of what the API reads and answers.
#pragma once

#include <cstddef>

namespace hm::api {

inline constexpr int kSchema = 1;  // of every JSON document; raised when a meaning changes

// Operations in one POST: at 12 KiB each in base64 the worst batch still fits a request body.
inline constexpr std::size_t kMaxBatchOperations = 1024;

// A register request is an object of objects of arrays; nothing of ours goes deeper.
inline constexpr std::size_t kMaxJsonDepth = 8;

// Entries of one page.
inline constexpr std::size_t kDefaultPage = 200;
inline constexpr std::size_t kMaxPage = 1000;

// Blocks of one page: each is read from the store.
inline constexpr std::size_t kDefaultBlocks = 20;
inline constexpr std::size_t kMaxBlocks = 100;

// A name in a filter or a request.
inline constexpr std::size_t kMaxText = 512;

// A step of joining, in base64: an owner's keys and signatures are about 5 KiB before it.
inline constexpr std::size_t kMaxSealedText = 12 * 1024;

// A signed operation in hex, which is longer than base64; what is longer is none
// (ledger/limits.h).
inline constexpr std::size_t kMaxSealedOperationText = 24 * 1024;

// Of a container's log, in bytes: what is shown unless more is asked for, and the most.
inline constexpr std::size_t kDefaultLogTail = 1024 * 1024;
inline constexpr std::size_t kMaxLogTail = 16 * 1024 * 1024;
// What a stopped container has to end by itself.
inline constexpr unsigned kDefaultStopGraceMillis = 10'000;
inline constexpr unsigned kMaxStopGraceMillis = 600'000;

// Objects that one request removes; their names fit a body.
inline constexpr std::size_t kMaxObjectNames = 1000;
// A name as bytes; JSON may spell each in six. The keeper allows less, and says so.
inline constexpr std::size_t kMaxObjectNameText = 4096;
// What whoever sends an object in parts notes with it, to find it again.
inline constexpr std::size_t kMaxUploadNote = 8192;
// A sealed box has no more wraps.
inline constexpr std::size_t kMaxReaders = 1024;
// The line before an object of a batch: a name and metadata at their longest spelling.
inline constexpr std::size_t kMaxBatchLine = std::size_t{128} << 10;
// Objects of one batch: their manifests are in memory until all of them are sealed.
inline constexpr std::size_t kMaxBatchObjects = 8192;

}  // namespace hm::api
