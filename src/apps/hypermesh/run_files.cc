// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/run_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "node/hosting/limits.h"
#include "platform/files/atomic_file.h"

namespace hm::cli {
namespace {

constexpr std::size_t kMaxRecord = std::size_t{256} << 10;  // a spec with room

std::unexpected<Error> io_failure(const std::string& path, const char* what) {
  return fail(ErrorCode::Io, fmt::format("cannot {} {}", what, path), std::strerror(errno));
}

Result<void> write_all(const std::string& path, ByteView bytes) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) return io_failure(path, "make");
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      ::close(descriptor);
      return io_failure(path, "write");
    }
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  if (::close(descriptor) != 0) return io_failure(path, "write");
  return {};
}

// Each is called by an id of 64 hex digits.
Result<std::vector<Bytes>> read_records(const std::string& folder, std::size_t most) {
  HM_TRY_VOID(files::make_folder(folder, 0700));
  std::vector<Bytes> records;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".new")) {  // written by a process that ended in between
      std::filesystem::remove(entry.path(), error);
      continue;
    }
    if (!hosting::RunId::parse(name)) continue;
    if (records.size() >= most) {
      return fail(ErrorCode::Corrupt, folder + " holds more than a node remembers",
                  "remove what is not yours");
    }
    HM_TRY(Bytes record,
           files::read_file(entry.path().string(), kMaxRecord, files::Access::Secret));
    records.push_back(std::move(record));
  }
  if (error) return fail(ErrorCode::Io, "cannot list " + folder, error.message());
  return records;
}

Result<void> write_record(const std::string& folder, const std::string& name,
                          const std::optional<Bytes>& record) {
  const std::string path = folder + "/" + name;
  if (!record) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return io_failure(path, "remove");
    return {};
  }
  const std::string fresh = path + ".new";
  HM_TRY_VOID(write_all(fresh, *record));
  if (::rename(fresh.c_str(), path.c_str()) != 0) return io_failure(path, "replace");
  return {};
}

}  // namespace

Result<std::vector<Bytes>> read_runs(const NodeFolder& folder) {
  return read_records(folder.runs(), hosting::kMaxRuns);
}

Result<void> write_run(const NodeFolder& folder, const hosting::RunId& run,
                       const std::optional<Bytes>& record) {
  return write_record(folder.runs(), run.to_string(), record);
}

Result<std::vector<Bytes>> read_services(const NodeFolder& folder) {
  return read_records(folder.services(), hosting::kMaxServiceRecords);
}

Result<void> write_service(const NodeFolder& folder, const hosting::ServiceId& service,
                           const std::optional<Bytes>& record) {
  return write_record(folder.services(), service.to_string(), record);
}

}  // namespace hm::cli
