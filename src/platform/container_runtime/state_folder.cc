// SPDX-License-Identifier: Apache-2.0
#include "platform/container_runtime/state_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "foundation/codec/reader.h"
#include "foundation/codec/writer.h"
#include "platform/container_runtime/descriptor.h"
#include "platform/container_runtime/limits.h"
#include "platform/container_runtime/monitor_protocol.h"

namespace hm::container_runtime {
namespace {

constexpr const char* kOrderFile = "order";
constexpr const char* kUsageFile = "usage";
// The first byte of an order: a later format is told apart.
constexpr std::uint8_t kOrderFormat = 1;

std::unexpected<Error> io_error(const std::string& what) {
  return fail(ErrorCode::Io, what, std::generic_category().message(errno));
}

// Whole or not at all, and durable only if asked for: a flush takes as long as a container's start.
Result<void> replace_file(const std::string& path, ByteView content, Durable durable) {
  const std::string unfinished = path + ".new";
  const Descriptor file(
      ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return io_error("cannot write " + unfinished);
  while (!content.empty()) {
    const ssize_t count = ::write(file.get(), content.data(), content.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return io_error("cannot write " + unfinished);
    content = content.subspan(static_cast<std::size_t>(count));
  }
  if (durable == Durable::Yes && ::fsync(file.get()) != 0) return io_error("cannot flush " + path);
  if (::rename(unfinished.c_str(), path.c_str()) != 0) return io_error("cannot write " + path);
  if (durable == Durable::No) return {};
  // Its own folder's entry, and the one of that folder in the state folder.
  std::string folder = path;
  for (int level = 0; level < 2; ++level) {
    folder.resize(folder.rfind('/'));
    const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!opened || ::fsync(opened.get()) != 0) return io_error("cannot flush " + folder);
  }
  return {};
}

Result<Bytes> read_file(const std::string& path, std::size_t most) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file && errno == ENOENT) return fail(ErrorCode::NotFound, "no file " + path);
  struct stat info{};
  if (!file || ::fstat(file.get(), &info) != 0) return io_error("cannot read " + path);
  if (!S_ISREG(info.st_mode) || info.st_size < 0 || static_cast<std::size_t>(info.st_size) > most) {
    return fail(ErrorCode::Corrupt, "no file of the expected size: " + path);
  }
  Bytes content(static_cast<std::size_t>(info.st_size));
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t count = ::read(file.get(), content.data() + done, content.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return io_error("cannot read " + path);
    done += static_cast<std::size_t>(count);
  }
  return content;
}

// "code millis seen\n"
std::optional<ExitRecord> parse_exit(std::string_view text) {
  std::uint64_t numbers[3] = {};
  for (std::uint64_t& number : numbers) {
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    if (parsed.ec != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
    if (!text.starts_with(&number == &numbers[2] ? '\n' : ' ')) return std::nullopt;
    text.remove_prefix(1);
  }
  if (!text.empty() || numbers[0] > 255) return std::nullopt;
  return ExitRecord{.code = static_cast<std::uint8_t>(numbers[0]),
                    .at = UnixMillis(numbers[1]),
                    .seen = numbers[2]};
}

bool is_word(std::string_view text, std::size_t most) {
  const auto is_plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !text.empty() && text.size() <= most && is_plain(text.front()) &&
         std::ranges::all_of(text, [&](char c) { return is_plain(c) || c == '-'; });
}

}  // namespace

bool is_id(std::string_view id) { return is_word(id, kMaxIdBytes); }
bool is_tenant(std::string_view tenant) { return is_word(tenant, kMaxTenantBytes); }

std::vector<std::string> StateFolder::ids() const {
  std::vector<std::string> all;
  std::error_code error;
  for (std::filesystem::directory_iterator at(path_, error), end; !error && at != end;
       at.increment(error)) {
    std::string name = at->path().filename().string();
    std::error_code ignored;
    if (is_id(name) && at->is_directory(ignored)) all.push_back(std::move(name));
  }
  std::ranges::sort(all);
  return all;
}

Result<void> StateFolder::make(const std::string& id) const {
  // Searchable by others: the OCI runtime walks through it as an id of the user namespace.
  if (::mkdir(of(id).c_str(), 0711) == 0) {
    if (::mkdir((of(id) + "/bundle").c_str(), 0711) == 0) return {};
  } else if (errno == EEXIST) {
    return fail(ErrorCode::AlreadyExists, "there is a container " + id + " already");
  }
  return io_error("cannot make " + of(id));
}

Result<void> StateFolder::write_order(const Record& record, Durable durable) const {
  Bytes content{kOrderFormat};
  const Bytes encoded = codec::encode(record);
  content.insert(content.end(), encoded.begin(), encoded.end());
  return replace_file(of(record.order.id) + "/" + kOrderFile, content, durable);
}

Result<Record> StateFolder::read_order(const std::string& id) const {
  HM_TRY(const Bytes content, read_file(of(id) + "/" + kOrderFile, kMaxOrderBytes));
  const auto corrupt = [&id](std::string_view why) {
    return fail(ErrorCode::Corrupt, "the order of container " + id + " cannot be read",
                std::string(why));
  };
  if (content.empty() || content.front() != kOrderFormat) return corrupt("unknown format");
  auto record = codec::decode<Record>(ByteView(content).subspan(1));
  if (!record) return corrupt(codec::name_of(record.error()));
  if (record->order.id != id) return corrupt("it is another container's");
  return std::move(*record);
}

std::optional<ExitRecord> StateFolder::read_exit(const std::string& id) const {
  const auto content = read_file(of(id) + "/" + kExitFile, kMaxSmallFile);
  if (!content) return std::nullopt;
  return parse_exit(as_text(*content));
}

Result<void> StateFolder::write_exit(const std::string& id, const ExitRecord& exit) const {
  const std::string text = std::to_string(exit.code) + " " + std::to_string(exit.at.value) + " " +
                           std::to_string(exit.seen) + "\n";
  return replace_file(of(id) + "/" + kExitFile, as_bytes(text), Durable::No);
}

UsageTotals StateFolder::read_usage(const std::string& id) const {
  const auto content = read_file(of(id) + "/" + kUsageFile, kMaxSmallFile);
  if (!content) return {};
  return codec::decode<UsageTotals>(*content).value_or(UsageTotals{});
}

void StateFolder::write_usage(const std::string& id, const UsageTotals& totals) const {
  // Without it the counters begin anew; nothing else depends on it.
  (void)replace_file(of(id) + "/" + kUsageFile, codec::encode(totals), Durable::No);
}

void StateFolder::clear_start(const std::string& id) const {
  const std::string folder = of(id) + "/";
  for (const char* name : {kExitFile, kPidFile, kAttachSocket, kConsoleSocket, "runtime.log"}) {
    ::unlink((folder + name).c_str());
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder + "runtime", ignored);
}

}  // namespace hm::container_runtime
