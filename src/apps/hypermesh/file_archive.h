// SPDX-License-Identifier: Apache-2.0
// Files and folders as a tar stream, for copies into containers and out of them. What comes out of
// one was made by whoever controls it: nothing of it is written outside the folder that was named,
// through no symbolic link, with no owner, no set-user-id bit and no device.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/hypermesh/failure.h"

namespace hm::cli {

// Makes the stream piece by piece. Symbolic links stay links; everything is root's in it. What is
// neither file, folder nor link is left out.
class ArchiveWriter {
 public:
  // `path` is called `name` in the archive; with an empty name only what is in the folder is.
  static Answer<ArchiveWriter> of(const std::string& path, const std::string& name);
  ~ArchiveWriter();
  ArchiveWriter(ArchiveWriter&&) noexcept;
  ArchiveWriter& operator=(ArchiveWriter&&) noexcept;

  // The next bytes; none: that was all.
  Answer<std::optional<std::string>> next();
  const std::vector<std::string>& left_out() const;

 private:
  struct State;
  explicit ArchiveWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The next bytes of a stream; none: its end.
using NextBytes = std::function<std::optional<std::string>()>;

struct ArchivedRoot {
  bool is_there = false;
  bool is_folder = false;
};

// Unpacks what was copied out of `path`, which ends with its name or is what is in it, to `to`:
// into it if that is a folder that is there, otherwise as it. What is no file, folder or link is
// named in `left_out`.
Outcome unpack(const NextBytes& next, const std::string& path, const std::string& to,
               std::vector<std::string>& left_out);

// What the archive is of, from its beginning.
ArchivedRoot root_of(const NextBytes& next);

}  // namespace hm::cli
