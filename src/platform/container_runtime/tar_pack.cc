// SPDX-License-Identifier: Apache-2.0
#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <memory>
#include <system_error>

#include "platform/container_runtime/descriptor.h"
#include "platform/container_runtime/inner_path.h"
#include "platform/container_runtime/limits.h"
#include "platform/container_runtime/tar_copy.h"

namespace hm::container_runtime {
namespace {

constexpr std::size_t kBlockBytes = 64 * 1024;

std::unexpected<Error> io_error(const std::string& what) {
  return fail(ErrorCode::Io, what, std::generic_category().message(errno));
}

la_ssize_t send_all(archive* writer, void* context, const void* data, std::size_t size) {
  const int socket = *static_cast<const int*>(context);
  while (true) {
    const ssize_t count = ::send(socket, data, size, MSG_NOSIGNAL);
    if (count >= 0) return count;
    if (errno == EINTR) continue;
    ::archive_set_error(writer, errno, "nobody takes the files any more");
    return -1;
  }
}

class Packer {
 public:
  Packer(int socket, const TarPlace& place)
      : socket_(socket),
        place_(place),
        writer_(::archive_write_new()),
        entry_(::archive_entry_new()) {}

  Result<void> run() {
    HM_TRY(const InnerPath split, split_inner(place_.path));
    if (!writer_ || !entry_ ||
        ::archive_write_set_format_pax_restricted(writer_.get()) != ARCHIVE_OK ||
        ::archive_write_set_bytes_in_last_block(writer_.get(), 1) != ARCHIVE_OK ||
        ::archive_write_open2(writer_.get(), &socket_, nullptr, send_all, nullptr, nullptr) !=
            ARCHIVE_OK) {
      return archive_error();
    }
    HM_TRY(Descriptor folder, open_inside(place_.root, split.folder, O_RDONLY | O_DIRECTORY));
    if (split.name.empty()) {
      HM_TRY_VOID(pack_folder(std::move(folder), ".", 0));
    } else {
      HM_TRY_VOID(pack(folder.get(), split.name, split.name, 0));
    }
    if (::archive_write_close(writer_.get()) != ARCHIVE_OK) return archive_error();
    return {};
  }

 private:
  struct Free {
    void operator()(archive* writer) const { ::archive_write_free(writer); }
    void operator()(archive_entry* entry) const { ::archive_entry_free(entry); }
    void operator()(DIR* folder) const { ::closedir(folder); }
  };

  std::unexpected<Error> archive_error() {
    const char* why = writer_ ? ::archive_error_string(writer_.get()) : nullptr;
    return fail(ErrorCode::Io, "cannot write a tar stream", why != nullptr ? why : "");
  }

  std::int64_t inner_id(std::uint32_t id) const {
    return id >= place_.uid_shift && id - place_.uid_shift < place_.ids ? id - place_.uid_shift : 0;
  }

  Result<void> write_header(const std::string& path, const struct stat& info,
                            const std::string& link) {
    ::archive_entry_clear(entry_.get());
    ::archive_entry_copy_pathname(entry_.get(), path.c_str());
    ::archive_entry_set_mode(entry_.get(), info.st_mode);
    ::archive_entry_set_uid(entry_.get(), inner_id(info.st_uid));
    ::archive_entry_set_gid(entry_.get(), inner_id(info.st_gid));
    ::archive_entry_set_mtime(entry_.get(), info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
    ::archive_entry_set_size(entry_.get(), S_ISREG(info.st_mode) ? info.st_size : 0);
    if (!link.empty()) ::archive_entry_copy_symlink(entry_.get(), link.c_str());
    // A warning is about the spelling of a name; the entry is there.
    if (::archive_write_header(writer_.get(), entry_.get()) < ARCHIVE_WARN) return archive_error();
    return {};
  }

  Result<void> pack(int folder, const std::string& name, const std::string& path,
                    std::size_t depth) {
    struct stat info{};
    if (::fstatat(folder, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
      // Gone since the folder was read; what was asked for itself must be there.
      if (errno == ENOENT && depth > 0) return {};
      if (errno == ENOENT)
        return fail(ErrorCode::NotFound, "no " + place_.path + " in the container");
      return io_error("cannot look at " + path);
    }
    if (S_ISLNK(info.st_mode)) return pack_link(folder, name, path, info);
    // Without waiting: what was a file a moment ago may be a pipe.
    const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    if (S_ISDIR(info.st_mode)) {
      Descriptor inner(::openat(folder, name.c_str(), flags | O_DIRECTORY));
      if (!inner) return io_error("cannot open " + path);
      return pack_folder(std::move(inner), path, depth);
    }
    if (!S_ISREG(info.st_mode)) return {};
    const Descriptor file(::openat(folder, name.c_str(), flags));
    if (!file || ::fstat(file.get(), &info) != 0) return io_error("cannot open " + path);
    return S_ISREG(info.st_mode) ? pack_content(file.get(), path, info) : Result<void>();
  }

  Result<void> pack_link(int folder, const std::string& name, const std::string& path,
                         const struct stat& info) {
    std::array<char, PATH_MAX> target;
    const ssize_t size = ::readlinkat(folder, name.c_str(), target.data(), target.size());
    if (size <= 0) return {};  // replaced by something else meanwhile
    return write_header(path, info, std::string(target.data(), static_cast<std::size_t>(size)));
  }

  Result<void> pack_content(int file, const std::string& path, const struct stat& info) {
    HM_TRY_VOID(write_header(path, info, {}));
    std::array<char, kBlockBytes> block;
    while (true) {
      const ssize_t count = ::read(file, block.data(), block.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return io_error("cannot read " + path);
      // A file that grows is cut at the size in its header, one that shrinks is filled with zeros.
      if (count == 0) return {};
      const la_ssize_t written =
          ::archive_write_data(writer_.get(), block.data(), static_cast<std::size_t>(count));
      if (written < 0) return archive_error();
      if (written < count) return {};
    }
  }

  Result<void> pack_folder(Descriptor folder, const std::string& path, std::size_t depth) {
    if (depth >= kMaxFolderDepth) {
      return fail(ErrorCode::InvalidArgument, "folders lie too deep in each other: " + path);
    }
    struct stat info{};
    if (::fstat(folder.get(), &info) != 0) return io_error("cannot look at " + path);
    HM_TRY_VOID(write_header(path + "/", info, {}));
    const std::unique_ptr<DIR, Free> listing(::fdopendir(folder.get()));
    if (!listing) return io_error("cannot read the folder " + path);
    const int listed = folder.release();
    while (const dirent* found = ::readdir(listing.get())) {
      const std::string name = found->d_name;
      if (name == "." || name == "..") continue;
      HM_TRY_VOID(pack(listed, name, path + "/" + name, depth + 1));
    }
    return {};
  }

  int socket_;
  const TarPlace& place_;
  std::unique_ptr<archive, Free> writer_;
  std::unique_ptr<archive_entry, Free> entry_;
};

}  // namespace

Result<void> pack_files(int socket, const TarPlace& place) { return Packer(socket, place).run(); }

}  // namespace hm::container_runtime
