// SPDX-License-Identifier: Apache-2.0
// A file that is written beside its place and put there when it is whole. Until then it has a name
// that follows from what it will hold, so that a later attempt at the same content finds it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "apps/hypermesh/failure.h"
#include "foundation/blake3/blake3.h"

namespace hm::cli {

class PartialFile {
 public:
  enum class Begin : std::uint8_t { Anew, GoOn };

  // `target` is where it will be; `content` what it will hold. With GoOn bytes that are there
  // already are kept and hashed.
  static Answer<PartialFile> open(const std::string& target, const std::string& content,
                                  Begin begin);
  ~PartialFile();
  PartialFile(PartialFile&& other) noexcept;
  PartialFile& operator=(PartialFile&&) = delete;

  std::uint64_t size() const { return size_; }
  crypto::Digest content() const { return hasher_.digest(); }
  const std::string& path() const { return path_; }

  Outcome append(std::string_view piece);
  // Puts it in its place. Failure where something is there, unless that is to be replaced.
  enum class Existing : std::uint8_t { Keep, Replace };
  Outcome finish(Existing existing);
  // What is in it is good for nothing.
  void discard();

 private:
  PartialFile(std::string target, std::string path, int fd)
      : target_(std::move(target)), path_(std::move(path)), fd_(fd) {}

  std::string target_;
  std::string path_;
  int fd_;
  std::uint64_t size_ = 0;
  blake3::Hasher hasher_;
};

}  // namespace hm::cli
