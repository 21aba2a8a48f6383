// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/file_archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace hm::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPiece = std::size_t{64} << 10;

struct FreeArchive {
  void operator()(archive* a) const { ::archive_free(a); }
};
struct FreeEntry {
  void operator()(archive_entry* e) const { ::archive_entry_free(e); }
};
using Archive = std::unique_ptr<archive, FreeArchive>;
using Entry = std::unique_ptr<archive_entry, FreeEntry>;

std::unexpected<Failure> cannot(std::string_view what, const std::string& path, std::string why) {
  return failed(ExitCode::Failure, fmt::format("cannot {} {}", what, path), std::move(why),
                "check the name, who may do that there, and how much room there is");
}

std::unexpected<Failure> of_archive(archive* a) {
  const char* why = ::archive_error_string(a);
  return failed(ExitCode::Failure, "the files cannot be carried as an archive",
                why != nullptr ? why : "it is damaged", "try again; copy less at a time");
}

// Without "./" before it and "/" behind it; empty for the root itself.
std::string plain(std::string name) {
  while (name.starts_with("./")) name.erase(0, name.find_first_not_of('/', 1));
  while (name.size() > 1 && name.ends_with('/')) name.pop_back();
  return name == "." || name == "./" ? std::string() : name;
}

// True iff a name stays below where it is put.
bool is_below(const std::string& name) {
  if (name.starts_with('/')) return false;
  for (const fs::path& part : fs::path(name)) {
    if (part == "..") return false;
  }
  return true;
}

std::string name_of_path(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  const std::string name = fs::path(path).filename().string();
  return name == "/" || name == "." || name == ".." ? std::string() : name;
}

// Comes back to where it was.
class InFolder {
 public:
  explicit InFolder(const std::string& path)
      : back_(::open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    is_there_ = back_ >= 0 && ::chdir(path.c_str()) == 0;
    if (!is_there_) error_ = errno;
  }
  ~InFolder() {
    if (back_ < 0) return;
    (void)!::fchdir(back_);
    ::close(back_);
  }
  InFolder(const InFolder&) = delete;
  InFolder& operator=(const InFolder&) = delete;
  bool is_there() const { return is_there_; }
  int error() const { return error_; }

 private:
  int back_;
  bool is_there_ = false;
  int error_ = 0;
};

struct Source {
  const NextBytes& next;
  std::string piece;
};

la_ssize_t read_piece(archive*, void* context, const void** bytes) {
  auto& source = *static_cast<Source*>(context);
  auto piece = source.next();
  source.piece = piece ? std::move(*piece) : std::string();
  *bytes = source.piece.data();
  return static_cast<la_ssize_t>(source.piece.size());
}

Archive open_reader(Source& source) {
  Archive reader(::archive_read_new());
  ::archive_read_support_format_tar(reader.get());
  if (::archive_read_open(reader.get(), &source, nullptr, read_piece, nullptr) != ARCHIVE_OK) {
    return nullptr;
  }
  return reader;
}

Outcome copy_data(archive* reader, archive* writer) {
  for (;;) {
    const void* bytes = nullptr;
    std::size_t count = 0;
    la_int64_t offset = 0;
    const int read = ::archive_read_data_block(reader, &bytes, &count, &offset);
    if (read == ARCHIVE_EOF) return {};
    if (read != ARCHIVE_OK) return of_archive(reader);
    if (::archive_write_data_block(writer, bytes, count, offset) != ARCHIVE_OK) {
      return of_archive(writer);
    }
  }
}

bool is_carried(const archive_entry* entry, mode_t type) {
  return type == AE_IFREG || type == AE_IFDIR || type == AE_IFLNK ||
         ::archive_entry_hardlink(const_cast<archive_entry*>(entry)) != nullptr;
}

}  // namespace

struct ArchiveWriter::State {
  std::string root;
  std::string name;
  Archive writer{::archive_write_new()};
  Archive disk{::archive_read_disk_new()};
  std::string out;
  bool has_root = false;
  bool is_closed = false;
  fs::recursive_directory_iterator at;
  int file = -1;  // the one that is read
  std::uint64_t left = 0;
  std::vector<std::string> left_out;

  ~State() {
    if (file >= 0) ::close(file);
  }

  static la_ssize_t take(archive*, void* context, const void* bytes, std::size_t count) {
    static_cast<State*>(context)->out.append(static_cast<const char*>(bytes), count);
    return static_cast<la_ssize_t>(count);
  }

  Outcome begin(const std::string& path, const std::string& called) {
    if (::archive_write_add_filter_none(writer.get()) != ARCHIVE_OK ||
        ::archive_write_set_format_pax_restricted(writer.get()) != ARCHIVE_OK ||
        ::archive_write_set_bytes_in_last_block(writer.get(), 1) != ARCHIVE_OK ||
        ::archive_write_open(writer.get(), this, nullptr, take, nullptr) != ARCHIVE_OK) {
      return of_archive(writer.get());
    }
    ::archive_read_disk_set_symlink_physical(disk.get());
    return add(path, called);
  }

  // The header of one; its bytes follow by read_some().
  Outcome add(const std::string& path, const std::string& called) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0) return cannot("read", path, std::strerror(errno));
    if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode) && !S_ISLNK(status.st_mode)) {
      left_out.push_back(path);
      return {};
    }
    if (S_ISREG(status.st_mode)) {
      file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
      if (file < 0) return cannot("read", path, std::strerror(errno));
      left = static_cast<std::uint64_t>(status.st_size);
    }
    if (called.empty()) return {};
    const Entry entry(::archive_entry_new());
    ::archive_entry_copy_sourcepath(entry.get(), path.c_str());
    ::archive_entry_copy_pathname(entry.get(), called.c_str());
    ::archive_entry_copy_stat(entry.get(), &status);
    ::archive_entry_set_uid(entry.get(), 0);
    ::archive_entry_set_gid(entry.get(), 0);
    ::archive_entry_set_nlink(entry.get(), 1);
    if (S_ISLNK(status.st_mode)) {
      std::error_code error;
      const fs::path target = fs::read_symlink(path, error);
      if (error) return cannot("read", path, error.message());
      ::archive_entry_copy_symlink(entry.get(), target.c_str());
    }
    if (::archive_write_header(writer.get(), entry.get()) < ARCHIVE_WARN) {
      return of_archive(writer.get());
    }
    return {};
  }

  // A file that became shorter meanwhile is filled up, since its header has said how long it is.
  Outcome read_some() {
    std::array<char, kPiece> buffer{};
    const std::size_t wanted = std::min<std::uint64_t>(left, buffer.size());
    const ssize_t count = wanted == 0 ? 0 : ::read(file, buffer.data(), wanted);
    if (count < 0) return cannot("read", "a file below " + root, std::strerror(errno));
    const std::size_t now = count == 0 ? wanted : static_cast<std::size_t>(count);
    if (now > 0 && ::archive_write_data(writer.get(), buffer.data(), now) < 0) {
      return of_archive(writer.get());
    }
    left -= now;
    if (left == 0) {
      ::close(file);
      file = -1;
    }
    return {};
  }

  Outcome step() {
    if (file >= 0) return read_some();
    std::error_code error;
    if (!has_root) {
      has_root = true;
      if (fs::is_directory(fs::symlink_status(root))) {
        at = fs::recursive_directory_iterator(root, error);
        if (error) return cannot("read", root, error.message());
      }
    } else if (at != fs::recursive_directory_iterator()) {
      at.increment(error);
      if (error) return cannot("read", root, error.message());
    }
    if (at == fs::recursive_directory_iterator()) {
      is_closed = true;
      if (::archive_write_close(writer.get()) != ARCHIVE_OK) return of_archive(writer.get());
      return {};
    }
    const std::string below = at->path().lexically_relative(root).string();
    return add(at->path().string(), name.empty() ? below : name + "/" + below);
  }
};

ArchiveWriter::ArchiveWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
ArchiveWriter::~ArchiveWriter() = default;
ArchiveWriter::ArchiveWriter(ArchiveWriter&&) noexcept = default;
ArchiveWriter& ArchiveWriter::operator=(ArchiveWriter&&) noexcept = default;

Answer<ArchiveWriter> ArchiveWriter::of(const std::string& path, const std::string& name) {
  auto state = std::make_unique<State>();
  state->root = path;
  state->name = name;
  HM_CLI_TRY_VOID(state->begin(path, name));
  return ArchiveWriter(std::move(state));
}

Answer<std::optional<std::string>> ArchiveWriter::next() {
  while (state_->out.size() < kPiece && !state_->is_closed) {
    HM_CLI_TRY_VOID(state_->step());
  }
  if (state_->out.empty()) return std::nullopt;
  return std::exchange(state_->out, {});
}

const std::vector<std::string>& ArchiveWriter::left_out() const { return state_->left_out; }

Outcome unpack(const NextBytes& next, const std::string& path, const std::string& to,
               std::vector<std::string>& left_out) {
  std::error_code error;
  const std::string base = name_of_path(path);
  const bool is_into = fs::is_directory(to, error);
  const std::string folder = is_into ? to : fs::path(to).parent_path().string();
  // What the copied thing is called here.
  const std::string root = is_into ? base : fs::path(to).filename().string();
  const InFolder there(folder.empty() ? "." : folder);
  if (!there.is_there()) {
    return cannot("write to", folder.empty() ? "." : folder, std::strerror(there.error()));
  }
  Source source{next, {}};
  const Archive reader = open_reader(source);
  if (!reader)
    return failed(ExitCode::Failure, "the node sent no archive", "it sent nothing of one");
  const Archive writer(::archive_write_disk_new());
  ::archive_write_disk_set_options(
      writer.get(), ARCHIVE_EXTRACT_TIME | ARCHIVE_EXTRACT_SECURE_SYMLINKS |
                        ARCHIVE_EXTRACT_SECURE_NODOTDOT | ARCHIVE_EXTRACT_SECURE_NOABSOLUTEPATHS);
  std::optional<bool> is_prefixed;  // the names begin with that of what was copied
  archive_entry* entry = nullptr;
  for (;;) {
    const int read = ::archive_read_next_header(reader.get(), &entry);
    if (read == ARCHIVE_EOF) break;
    if (read < ARCHIVE_WARN) return of_archive(reader.get());
    const char* raw = ::archive_entry_pathname(entry);
    const auto placed = [&](std::string name) -> std::optional<std::string> {
      if (!is_below(name)) return std::nullopt;
      name = plain(std::move(name));
      if (!is_prefixed) is_prefixed = !base.empty() && name == base;
      if (*is_prefixed && name == base) name.clear();
      if (*is_prefixed && name.starts_with(base + "/")) name.erase(0, base.size() + 1);
      if (root.empty()) return name.empty() ? "." : name;
      return name.empty() ? root : root + "/" + name;
    };
    const auto name = raw != nullptr ? placed(raw) : std::nullopt;
    const char* hard = ::archive_entry_hardlink(entry);
    const auto target = hard != nullptr ? placed(hard) : std::optional<std::string>("");
    if (!name || !target || !is_carried(entry, ::archive_entry_filetype(entry))) {
      left_out.emplace_back(raw != nullptr ? raw : "");
      continue;
    }
    ::archive_entry_copy_pathname(entry, name->c_str());
    if (hard != nullptr) ::archive_entry_copy_hardlink(entry, target->c_str());
    if (::archive_write_header(writer.get(), entry) < ARCHIVE_WARN) return of_archive(writer.get());
    if (::archive_entry_size(entry) > 0) {
      HM_CLI_TRY_VOID(copy_data(reader.get(), writer.get()));
    }
    if (::archive_write_finish_entry(writer.get()) < ARCHIVE_WARN) return of_archive(writer.get());
  }
  if (::archive_write_close(writer.get()) != ARCHIVE_OK) return of_archive(writer.get());
  return {};
}

ArchivedRoot root_of(const NextBytes& next) {
  Source source{next, {}};
  const Archive reader = open_reader(source);
  archive_entry* entry = nullptr;
  if (!reader || ::archive_read_next_header(reader.get(), &entry) < ARCHIVE_WARN) return {};
  return {true, ::archive_entry_filetype(entry) == AE_IFDIR};
}

}  // namespace hm::cli
