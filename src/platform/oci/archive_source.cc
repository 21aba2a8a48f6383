// SPDX-License-Identifier: Apache-2.0
#include "platform/oci/archive_source.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <utility>

#include "platform/oci/layer_folder.h"
#include "platform/oci/layer_stream.h"
#include "platform/oci/limits.h"

namespace hm::oci {
namespace {

bool is_fine(int status) { return status == ARCHIVE_OK || status == ARCHIVE_WARN; }

std::unexpected<Error> no_member(const std::string& name) {
  return fail(ErrorCode::NotFound, fmt::format("the archive has no file {}", name));
}

class FolderSource : public ArchiveSource {
 public:
  explicit FolderSource(FileHandle root) : root_(std::move(root)) {}

  std::optional<std::uint64_t> size(const std::string& name) const override {
    const auto file = open_file(name);
    if (!file) return std::nullopt;
    const auto size = size_of(file->get(), name);
    return size ? std::optional(*size) : std::nullopt;
  }

  Result<ByteSource> open(const std::string& name) const override {
    HM_TRY(auto file, open_file(name));
    HM_TRY(const auto size, size_of(file.get(), name));
    struct State {
      FileHandle file;
      Bytes buffer = Bytes(kCopyBytes);
      std::uint64_t offset = 0;
    };
    auto state = std::make_shared<State>();
    state->file = std::move(file);
    return ByteSource([state, size, name]() -> Result<ByteView> {
      const auto most = std::min<std::uint64_t>(kCopyBytes, size - state->offset);
      const auto out = std::span(state->buffer).first(static_cast<std::size_t>(most));
      HM_TRY(const auto n, read_some_at(state->file.get(), out, state->offset, name));
      if (n < most) return fail(ErrorCode::Corrupt, fmt::format("{} became shorter", name));
      state->offset += n;
      return ByteView(out);
    });
  }

 private:
  Result<FileHandle> open_file(const std::string& name) const {
    open_how how{};
    how.flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    FileHandle file(
        static_cast<int>(::syscall(SYS_openat2, root_.get(), name.c_str(), &how, sizeof how)));
    struct stat status{};
    if (!file.is_open() || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
      return no_member(name);
    }
    return file;
  }

  FileHandle root_;
};

// A libarchive reader over a part of a file.
class TarReader {
 public:
  TarReader(int fd, std::uint64_t offset) : fd_(fd), offset_(offset) {
    reader_ = ::archive_read_new();
    is_open_ = reader_ != nullptr && is_fine(::archive_read_support_format_tar(reader_)) &&
               is_fine(::archive_read_open(reader_, this, nullptr, read, nullptr));
  }
  ~TarReader() {
    if (reader_ != nullptr) ::archive_read_free(reader_);
  }
  TarReader(const TarReader&) = delete;
  TarReader& operator=(const TarReader&) = delete;

  // Null at the end.
  Result<archive_entry*> next() {
    archive_entry* entry = nullptr;
    const int status = is_open_ ? ::archive_read_next_header(reader_, &entry) : ARCHIVE_FATAL;
    if (status == ARCHIVE_EOF) return nullptr;
    if (!is_fine(status)) return failure();
    return entry;
  }

  Result<std::size_t> read_data(std::span<std::uint8_t> out) {
    const la_ssize_t n = ::archive_read_data(reader_, out.data(), out.size());
    if (n < 0) return failure();
    return static_cast<std::size_t>(n);
  }

  // Where in the file the entry's header begins.
  std::uint64_t position(std::uint64_t start) const {
    return start + static_cast<std::uint64_t>(::archive_read_header_position(reader_));
  }

 private:
  static la_ssize_t read(archive* reader, void* self, const void** out) {
    auto& tar = *static_cast<TarReader*>(self);
    const auto n = read_some_at(tar.fd_, tar.buffer_, tar.offset_, "the archive");
    if (!n) {
      tar.error_ = n.error();
      ::archive_set_error(reader, EIO, "cannot read");
      return -1;
    }
    tar.offset_ += *n;
    *out = tar.buffer_.data();
    return static_cast<la_ssize_t>(*n);
  }

  std::unexpected<Error> failure() {
    return archive_failure(reader_, error_, "the file is no tar archive of an image");
  }

  int fd_;
  std::uint64_t offset_;
  Bytes buffer_ = Bytes(kCopyBytes);
  std::optional<Error> error_;
  archive* reader_ = nullptr;
  bool is_open_ = false;
};

class TarSource : public ArchiveSource {
 public:
  static Result<std::unique_ptr<ArchiveSource>> open_file(FileHandle file) {
    auto source = std::make_unique<TarSource>(std::move(file));
    HM_TRY_VOID(source->find_members());
    return std::unique_ptr<ArchiveSource>(std::move(source));
  }
  explicit TarSource(FileHandle file) : file_(std::make_shared<FileHandle>(std::move(file))) {}

  std::optional<std::uint64_t> size(const std::string& name) const override {
    const Member* const member = find(name);
    return member == nullptr ? std::nullopt : std::optional(member->size);
  }

  Result<ByteSource> open(const std::string& name) const override {
    const Member* const member = find(name);
    if (member == nullptr) return no_member(name);
    struct State {
      std::shared_ptr<FileHandle> file;
      TarReader reader;
      Bytes buffer = Bytes(kCopyBytes);
      std::uint64_t left = 0;
    };
    const auto state = std::shared_ptr<State>(new State{
        .file = file_, .reader = TarReader(file_->get(), member->position), .left = member->size});
    const PlainLocale locale;
    HM_TRY(const archive_entry* const entry, state->reader.next());
    if (entry == nullptr) return no_member(name);
    return ByteSource([state, name]() -> Result<ByteView> {
      const auto most = std::min<std::uint64_t>(kCopyBytes, state->left);
      const auto out = std::span(state->buffer).first(static_cast<std::size_t>(most));
      if (out.empty()) return ByteView();
      HM_TRY(const auto n, state->reader.read_data(out));
      if (n == 0) return fail(ErrorCode::Corrupt, fmt::format("{} is cut off", name));
      state->left -= n;
      return ByteView(out.first(n));
    });
  }

 private:
  struct Member {
    std::uint64_t position = 0;
    std::uint64_t size = 0;
    std::string target;  // of a link
  };

  Result<void> find_members() {
    const PlainLocale locale;
    TarReader reader(file_->get(), 0);
    while (true) {
      HM_TRY(archive_entry* const entry, reader.next());
      if (entry == nullptr) return {};
      if (members_.size() >= kMaxArchiveMembers) {
        return fail(ErrorCode::NoCapacity,
                    fmt::format("the archive has more than {} files", kMaxArchiveMembers));
      }
      const char* const text = ::archive_entry_pathname(entry);
      const auto path = parse_entry_path(text != nullptr ? text : "");
      if (!path) return fail(path.error());
      add(entry, *path, reader.position(0));
    }
  }

  // The first of a name counts, so that what was checked is what is read.
  void add(archive_entry* entry, const EntryPath& path, std::uint64_t position) {
    if (path.is_root()) return;
    Member member{.position = position};
    if (const char* const link = ::archive_entry_hardlink(entry)) {
      member.target = link;
    } else if (::archive_entry_filetype(entry) == AE_IFLNK) {
      const char* const target = ::archive_entry_symlink(entry);
      member.target = resolve(path.parent(), target != nullptr ? target : "");
    } else if (::archive_entry_filetype(entry) == AE_IFREG && ::archive_entry_size(entry) >= 0) {
      member.size = static_cast<std::uint64_t>(::archive_entry_size(entry));
    } else {
      return;
    }
    members_.emplace(path.text(), std::move(member));
  }

  // A symbolic link's target as a member's name; empty if it leads out.
  static std::string resolve(EntryPath at, std::string_view target) {
    if (target.starts_with('/')) return {};
    while (target.starts_with("../")) {
      if (at.is_root()) return {};
      at = at.parent();
      target.remove_prefix(3);
    }
    const auto rest = parse_entry_path(target);
    if (!rest) return {};
    at.parts.insert(at.parts.end(), rest->parts.begin(), rest->parts.end());
    return at.text();
  }

  const Member* find(const std::string& name) const {
    auto found = members_.find(name);
    if (found != members_.end() && !found->second.target.empty()) {
      found = members_.find(found->second.target);
    }
    return found == members_.end() || !found->second.target.empty() ? nullptr : &found->second;
  }

  std::shared_ptr<FileHandle> file_;
  std::map<std::string, Member> members_;
};

ByteSource source_of(int fd, std::string path) {
  struct State {
    Bytes buffer = Bytes(kCopyBytes);
    std::uint64_t offset = 0;
  };
  return [state = std::make_shared<State>(), fd, path = std::move(path)]() -> Result<ByteView> {
    HM_TRY(const auto n, read_some_at(fd, state->buffer, state->offset, path));
    state->offset += n;
    return ByteView(state->buffer).first(n);
  };
}

Result<FileHandle> unpack_to_scratch(const FileHandle& file, containers::LayerPacking packing,
                                     const std::string& path, const BlobStore& blobs) {
  HM_TRY(FileHandle scratch, blobs.scratch_file());
  HM_TRY(const auto source, unpacked_source(source_of(file.get(), path), packing));
  std::uint64_t bytes = 0;
  while (true) {
    HM_TRY(const ByteView piece, source());
    if (piece.empty()) return scratch;
    bytes += piece.size();
    if (bytes > kMaxImageBytes) {
      return fail(ErrorCode::NoCapacity,
                  fmt::format("{} is larger than {} bytes unpacked", path, kMaxImageBytes));
    }
    HM_TRY_VOID(write_all(scratch.get(), piece, "a scratch file"));
  }
}

}  // namespace

Result<Bytes> ArchiveSource::read_first(const std::string& name, std::size_t most) const {
  HM_TRY(const auto source, open(name));
  Bytes bytes;
  while (bytes.size() < most) {
    HM_TRY(const ByteView piece, source());
    if (piece.empty()) break;
    const auto taken = piece.first(std::min(piece.size(), most - bytes.size()));
    bytes.insert(bytes.end(), taken.begin(), taken.end());
  }
  return bytes;
}

Result<Bytes> ArchiveSource::read(const std::string& name, std::size_t most) const {
  const auto bytes = size(name);
  if (!bytes) return no_member(name);
  if (*bytes > most) {
    return fail(ErrorCode::Corrupt, fmt::format("{} of the archive is too large", name));
  }
  return read_first(name, most);
}

Result<std::unique_ptr<ArchiveSource>> open_archive_source(const std::string& path,
                                                           const BlobStore& blobs) {
  FileHandle file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat status{};
  if (!file.is_open() || ::fstat(file.get(), &status) != 0) {
    return system_error("open", path, errno);
  }
  if (S_ISDIR(status.st_mode)) {
    return std::unique_ptr<ArchiveSource>(std::make_unique<FolderSource>(std::move(file)));
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorCode::InvalidArgument, path + " is neither a file nor a folder");
  }
  Bytes first(kMagicBytes);
  HM_TRY(const auto n, read_some_at(file.get(), first, 0, path));
  first.resize(n);
  const auto packing = packing_by_magic(first);
  if (packing != containers::LayerPacking::None) {
    HM_TRY(file, unpack_to_scratch(file, packing, path, blobs));
  }
  return TarSource::open_file(std::move(file));
}

}  // namespace hm::oci
