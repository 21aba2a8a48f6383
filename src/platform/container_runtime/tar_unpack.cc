// SPDX-License-Identifier: Apache-2.0
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <memory>
#include <system_error>

#include "platform/container_runtime/descriptor.h"
#include "platform/container_runtime/inner_path.h"
#include "platform/container_runtime/tar_copy.h"

namespace hm::container_runtime {
namespace {

constexpr std::size_t kBlockBytes = 64 * 1024;
constexpr mode_t kModeBits = 07777;
constexpr mode_t kNewFolderMode = 0755;

std::unexpected<Error> io_error(const std::string& what) {
  const ErrorCode code = errno == ENOSPC || errno == EDQUOT ? ErrorCode::NoCapacity : ErrorCode::Io;
  return fail(code, what, std::generic_category().message(errno));
}

struct Input {
  int socket = -1;
  std::array<char, kBlockBytes> block;
};

la_ssize_t receive(archive* reader, void* context, const void** data) {
  auto* input = static_cast<Input*>(context);
  *data = input->block.data();
  while (true) {
    const ssize_t count = ::recv(input->socket, input->block.data(), input->block.size(), 0);
    if (count >= 0) return count;
    if (errno == EINTR) continue;
    ::archive_set_error(reader, errno, "the stream broke");
    return -1;
  }
}

class Unpacker {
 public:
  Unpacker(int socket, const TarPlace& place)
      : input_(std::make_unique<Input>()), place_(place), reader_(::archive_read_new()) {
    input_->socket = socket;
  }

  Result<void> run() {
    HM_TRY(const InnerPath split, split_inner(place_.path));
    target_ = split.folder == "/" ? "/" + split.name : split.folder + "/" + split.name;
    HM_TRY(const Descriptor target, open_inside(place_.root, target_, O_PATH | O_DIRECTORY));
    if (!reader_ || ::archive_read_support_format_tar(reader_.get()) != ARCHIVE_OK ||
        ::archive_read_support_format_empty(reader_.get()) != ARCHIVE_OK ||
        ::archive_read_open(reader_.get(), input_.get(), nullptr, receive, nullptr) != ARCHIVE_OK) {
      return archive_error();
    }
    while (true) {
      archive_entry* entry = nullptr;
      const int status = ::archive_read_next_header(reader_.get(), &entry);
      if (status == ARCHIVE_EOF) break;
      if (status < ARCHIVE_WARN) return archive_error();
      HM_TRY_VOID(unpack(entry));
    }
    // What follows the end of the archive is passed over, so that the sender is not cut off.
    while (::recv(input_->socket, input_->block.data(), input_->block.size(), 0) > 0) {
    }
    return {};
  }

 private:
  struct Free {
    void operator()(archive* reader) const { ::archive_read_free(reader); }
  };

  std::unexpected<Error> archive_error() {
    const char* why = reader_ ? ::archive_error_string(reader_.get()) : nullptr;
    return fail(ErrorCode::Corrupt, "no tar stream that can be read", why != nullptr ? why : "");
  }

  // Of names in the stream, which are relative to the target whatever they begin with.
  Result<InnerPath> place_of(const char* name) const {
    // Also bounds how many folders are made for one entry.
    if (name == nullptr || target_.size() + std::strlen(name) >= PATH_MAX) {
      return fail(ErrorCode::Corrupt, "an entry without a name, or with one that is too long");
    }
    return split_inner(target_ + "/" + name);
  }

  Result<Descriptor> folder_of(const InnerPath& place) const {
    auto folder = open_inside(place_.root, place.folder, O_RDONLY | O_DIRECTORY);
    if (folder || folder.error().code != ErrorCode::NotFound) return folder;
    // Streams may leave out the folders that lead to a file.
    HM_TRY(const InnerPath above, split_inner(place.folder));
    HM_TRY(const Descriptor parent, folder_of(above));
    if (::mkdirat(parent.get(), above.name.c_str(), kNewFolderMode) != 0) {
      return io_error("cannot make " + place.folder);
    }
    HM_TRY_VOID(set_owner(parent.get(), above.name, 0, 0));
    return open_inside(place_.root, place.folder, O_RDONLY | O_DIRECTORY);
  }

  Result<void> set_owner(int folder, const std::string& name, std::int64_t user,
                         std::int64_t group) const {
    const auto outer = [this](std::int64_t id) {
      return place_.uid_shift + static_cast<std::uint32_t>(id);
    };
    if (user < 0 || group < 0 || user >= place_.ids || group >= place_.ids) {
      return fail(ErrorCode::InvalidArgument, "an owner that the container does not have: " + name);
    }
    if (::fchownat(folder, name.c_str(), outer(user), outer(group), AT_SYMLINK_NOFOLLOW) != 0) {
      return io_error("cannot give " + name + " to its owner");
    }
    return {};
  }

  Result<void> unpack(archive_entry* entry) {
    HM_TRY(const InnerPath place, place_of(::archive_entry_pathname(entry)));
    const mode_t type = ::archive_entry_filetype(entry);
    const std::string whole =
        target_ == "/" ? target_ + place.name : place.folder + "/" + place.name;
    // The target itself stays as it is.
    if (place.name.empty() || (type == AE_IFDIR && whole == target_)) return {};
    HM_TRY(const Descriptor folder, folder_of(place));
    const char* hard = ::archive_entry_hardlink(entry);
    if (hard != nullptr) return unpack_hard_link(folder.get(), place.name, hard);
    switch (type) {
      case AE_IFDIR: HM_TRY_VOID(unpack_folder(folder.get(), place.name)); break;
      case AE_IFREG: return unpack_file(folder.get(), place.name, entry);
      case AE_IFLNK: HM_TRY_VOID(unpack_link(folder.get(), place.name, entry)); break;
      default: return fail(ErrorCode::Unsupported, "neither file, folder nor link: " + place.name);
    }
    HM_TRY_VOID(set_owner(folder.get(), place.name, ::archive_entry_uid(entry),
                          ::archive_entry_gid(entry)));
    if (type == AE_IFLNK) return {};
    const Descriptor made(::openat(folder.get(), place.name.c_str(),
                                   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!made || ::fchmod(made.get(), ::archive_entry_perm(entry) & kModeBits) != 0) {
      return io_error("cannot set the mode of " + place.name);
    }
    return {};
  }

  Result<void> unpack_folder(int folder, const std::string& name) {
    if (::mkdirat(folder, name.c_str(), kNewFolderMode) == 0 || errno == EEXIST) return {};
    return io_error("cannot make the folder " + name);
  }

  // Never written through: a link or a second name of another file may lie there.
  Result<void> clear(int folder, const std::string& name) {
    if (::unlinkat(folder, name.c_str(), 0) == 0 || errno == ENOENT) return {};
    return io_error("cannot replace " + name);
  }

  Result<void> unpack_link(int folder, const std::string& name, archive_entry* entry) {
    HM_TRY_VOID(clear(folder, name));
    const char* target = ::archive_entry_symlink(entry);
    if (target != nullptr && ::symlinkat(target, folder, name.c_str()) == 0) return {};
    return io_error("cannot make the link " + name);
  }

  Result<void> unpack_hard_link(int folder, const std::string& name, const char* target) {
    HM_TRY(const InnerPath other, place_of(target));
    HM_TRY(const Descriptor other_folder,
           open_inside(place_.root, other.folder, O_RDONLY | O_DIRECTORY));
    HM_TRY_VOID(clear(folder, name));
    if (::linkat(other_folder.get(), other.name.c_str(), folder, name.c_str(), 0) == 0) return {};
    return io_error("cannot make the link " + name);
  }

  Result<void> unpack_file(int folder, const std::string& name, archive_entry* entry) {
    HM_TRY_VOID(clear(folder, name));
    const Descriptor file(
        ::openat(folder, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) return io_error("cannot make " + name);
    while (true) {
      const void* block = nullptr;
      std::size_t size = 0;
      la_int64_t offset = 0;
      const int status = ::archive_read_data_block(reader_.get(), &block, &size, &offset);
      if (status == ARCHIVE_EOF) break;
      if (status < ARCHIVE_WARN) return archive_error();
      HM_TRY_VOID(write_at(file.get(), name, block, size, offset));
    }
    // A sparse file may end in a hole.
    if (::archive_entry_size_is_set(entry) != 0 &&
        ::ftruncate(file.get(), ::archive_entry_size(entry)) != 0) {
      return io_error("cannot write " + name);
    }
    HM_TRY_VOID(set_owner(folder, name, ::archive_entry_uid(entry), ::archive_entry_gid(entry)));
    const timespec times[2] = {
        {.tv_sec = 0, .tv_nsec = UTIME_OMIT},
        {.tv_sec = ::archive_entry_mtime(entry), .tv_nsec = ::archive_entry_mtime_nsec(entry)}};
    // After the owner, because a change of owner takes the set-user-id bit away.
    if (::fchmod(file.get(), ::archive_entry_perm(entry) & kModeBits) != 0 ||
        ::futimens(file.get(), times) != 0) {
      return io_error("cannot set the mode of " + name);
    }
    return {};
  }

  Result<void> write_at(int file, const std::string& name, const void* block, std::size_t size,
                        la_int64_t offset) {
    const char* from = static_cast<const char*>(block);
    while (size > 0) {
      const ssize_t count = ::pwrite(file, from, size, offset);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return io_error("cannot write " + name);
      from += count;
      offset += count;
      size -= static_cast<std::size_t>(count);
    }
    return {};
  }

  std::unique_ptr<Input> input_;
  const TarPlace& place_;
  std::unique_ptr<archive, Free> reader_;
  std::string target_;
};

}  // namespace

Result<void> unpack_files(int socket, const TarPlace& place) {
  return Unpacker(socket, place).run();
}

}  // namespace hm::container_runtime
