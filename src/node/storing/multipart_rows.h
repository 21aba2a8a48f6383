// SPDX-License-Identifier: Apache-2.0
// What the catalogue has of objects that arrive in parts, as BCS. Secret like the rest of it
// (docs/protocols/storage.md, "Parts").
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "core/storage/content_parts.h"
#include "core/storage/profile.h"
#include "node/storing/catalogue_rows.h"

namespace hm::storing {

// 32 random bytes.
struct MultipartIdTag;
using MultipartId = Id32<MultipartIdTag>;

// From 1 on.
using PartNumber = std::uint32_t;

// An object whose parts arrive.
struct MultipartRow {
  std::string name;
  std::map<std::string, std::string> metadata;
  PutCondition condition;
  std::vector<identity::OwnerId> readers;     // beside its owner
  std::array<std::uint32_t, 3> profile{};     // shortest, mean and longest segment
  bool compresses = true;                     // where it pays
  std::optional<storage::WithOwnSecret> own;  // what all parts are sealed with; none: in the domain
  std::optional<erasure::Code> code;          // that was asked for
  std::optional<std::uint64_t> bytes;         // of the whole, if it was said
  std::uint64_t part_bytes = 0;               // of each part but the last
  std::string note;                           // of whoever sends it, to find it again
  UnixMillis begun;                           // by this node's clock, for people
  UnixMillis touched;                         // the ledger's time when something last came
  std::uint64_t attempts = 0;                 // parts that were begun
  std::uint32_t parts = 0;                    // that are there, and what they are together
  std::uint64_t stored_bytes = 0;
  std::uint64_t segments = 0;

  bool operator==(const MultipartRow&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.name, self.metadata, self.condition, self.readers, self.profile,
                    self.compresses, self.own, self.code, self.bytes, self.part_bytes, self.note,
                    self.begun, self.touched, self.attempts, self.parts, self.stored_bytes,
                    self.segments);
  }
};
// As it was made from; Corrupt: none.
Result<storage::Profile> profile_of(const MultipartRow& row);

// A part that is kept. The key is its object and number.
struct PartRow {
  storage::PartContent content;
  std::uint64_t segments = 0;

  bool operator==(const PartRow&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.content, self.segments); }
};

struct StoredPart {
  MultipartId of;
  PartNumber number = 0;
  PartRow row;
  storage::Manifest manifest;  // its stripes without places
  UnixMillis touched;
};

}  // namespace hm::storing
