// SPDX-License-Identifier: Apache-2.0
// `hypermesh put`: files, folders and standard input become stored objects.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "apps/hypermesh/file_source.h"
#include "apps/hypermesh/folder_walk.h"
#include "apps/hypermesh/json_fields.h"
#include "apps/hypermesh/object_parts.h"
#include "apps/hypermesh/object_transfer.h"
#include "apps/hypermesh/object_view.h"
#include "apps/hypermesh/quantity.h"
#include "core/api/limits.h"
#include "core/api/storage_request.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

// Of the files of a folder: small ones go together, since each request waits for leases, disks and
// a commitment; a batch is stored whole or not at all, and sent again whole.
constexpr std::uint64_t kBatchBytes = std::uint64_t{1} << 30;
// What is longer goes alone.
constexpr std::uint64_t kBatchedFile = std::uint64_t{64} << 20;

Answer<StoreWish> wish_of(const ObjectPut& options) {
  StoreWish wish;
  if (options.code) {
    if (!api::parse_code(*options.code)) {
      return failed(ExitCode::Usage, fmt::format("--code: '{}' is no code", *options.code),
                    "it is how many parts are needed and how many more there are",
                    "for example --code 4+2");
    }
    wish.code = *options.code;
  }
  wish.profile = options.profile.value_or("");
  wish.is_alone = options.is_alone;
  wish.no_compress = options.no_compress;
  wish.only_new = options.only_new;
  wish.readers = split_owners(options.with);
  for (const std::string& pair : options.metadata) {
    const std::size_t equals = pair.find('=');
    std::string key = pair.substr(0, equals);
    const bool is_key = !key.empty() && std::ranges::all_of(key, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    });
    if (equals == std::string::npos || !is_key) {
      return failed(ExitCode::Usage, fmt::format("--meta: '{}' is no KEY=VALUE", pair),
                    "a key has lower-case letters, digits and -_.", "for example --meta year=2026");
    }
    wish.metadata[key] = pair.substr(equals + 1);
  }
  return wish;
}

// What one command has done so far.
class Putting {
 public:
  Putting(const Context& context, const ObjectPut& options, ObjectAccess& access, StoreWish wish)
      : context_(context), options_(options), access_(access), wish_(std::move(wish)) {}

  Outcome put_input();
  Outcome put_file(const std::string& path, const std::string& name);
  Outcome put_folder(const std::string& path, const std::string& prefix);
  // A failure that --keep-going goes on behind; otherwise it is the outcome.
  Outcome note(Failure failure);
  Outcome tell();

 private:
  Outcome send_file(const std::string& path, const std::string& name);
  Outcome send_batch_of(std::vector<FoundFile> files);
  Answer<ordered_json> try_batch(const std::vector<FoundFile>& files,
                                 std::map<std::string, crypto::Digest>& contents,
                                 std::string& culprit);
  Answer<bool> is_stored(const FoundFile& file);
  Outcome take(ordered_json report, bool is_single, Clock::duration took);
  std::chrono::milliseconds since(Clock::time_point begin) const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
  }

  const Context& context_;
  const ObjectPut& options_;
  ObjectAccess& access_;
  StoreWish wish_;
  Clock::time_point began_ = Clock::now();
  std::map<std::string, ordered_json> there_;  // with --resume: what is stored already
  std::vector<ordered_json> objects_;
  ordered_json last_report_;
  std::size_t files_ = 0;  // of folders
  std::uint64_t plain_ = 0;
  std::uint64_t shared_ = 0;
  std::uint64_t stored_ = 0;
  std::uint64_t unplaced_ = 0;
  std::uint64_t resumed_ = 0;  // that an earlier command had sent
  std::size_t known_ = 0;      // left out by --resume
  std::vector<std::string> skipped_;
  std::vector<Failure> failures_;
};

std::unexpected<Failure> other_content(const std::string& name) {
  return failed(ExitCode::Failure, fmt::format("{} is stored with another content", name),
                "the node read other bytes than were sent to it",
                "its machine may be faulty; store it again and compare");
}

Outcome Putting::note(Failure failure) {
  if (!options_.keep_going || failure.exit != ExitCode::Failure) {
    return std::unexpected(std::move(failure));
  }
  context_.terminal.fail(failure);
  failures_.push_back(std::move(failure));
  return {};
}

Outcome Putting::take(ordered_json report, bool is_single, Clock::duration took) {
  plain_ += number_of(report, "plain_bytes");
  shared_ += number_of(report, "shared_bytes");
  stored_ += number_of(report, "stored_bytes");
  unplaced_ += number_of(report, "unplaced");
  resumed_ += number_of(report, "resumed_bytes");
  if (is_single) {
    objects_.push_back(member_of(report, "object"));
    if (!context_.globals.json) {
      const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(took);
      for (const auto& [name, value] : stored_lines(report, elapsed)) {
        context_.terminal.data(fmt::format("{:<9} {}", name, printable(value)));
      }
    }
  } else {
    for (const ordered_json& object : list_of(report, "objects")) objects_.push_back(object);
  }
  last_report_ = std::move(report);
  return {};
}

Outcome Putting::put_input() {
  const auto began = Clock::now();
  blake3::Hasher hasher;
  HM_CLI_TRY(ordered_json report,
             send_object(access_, options_.as, wish_, std::nullopt,
                         [&](std::span<char> room) -> Answer<std::size_t> {
                           ssize_t n = 0;
                           do {
                             n = ::read(STDIN_FILENO, room.data(), room.size());
                           } while (n < 0 && errno == EINTR);
                           if (n < 0) {
                             return failed(ExitCode::Failure, "cannot read standard input",
                                           std::strerror(errno));
                           }
                           const auto count = static_cast<std::size_t>(n);
                           hasher.update(as_bytes(std::string_view(room.data(), count)));
                           return count;
                         }));
  if (text_of(member_of(report, "object"), "content") != hasher.digest().to_string()) {
    return other_content(options_.as);
  }
  return take(std::move(report), true, Clock::now() - began);
}

Outcome Putting::send_file(const std::string& path, const std::string& name) {
  const auto began = Clock::now();
  HM_CLI_TRY(FileSource source, FileSource::open(path));
  if (source.size() > kPartBytes) {
    HM_CLI_TRY(ordered_json report, send_in_parts(access_, {path, name, options_.resume}, wish_));
    return take(std::move(report), true, Clock::now() - began);
  }
  HM_CLI_TRY(ordered_json report,
             send_object(access_, name, wish_, source.size(),
                         [&](std::span<char> room) { return source.read(room); }));
  if (text_of(member_of(report, "object"), "content") != source.content().to_string()) {
    return other_content(name);
  }
  return take(std::move(report), true, Clock::now() - began);
}

Answer<bool> Putting::is_stored(const FoundFile& file) {
  const auto found = there_.find(file.name);
  if (found == there_.end() || number_of(found->second, "size") != file.size) return false;
  HM_CLI_TRY(const crypto::Digest content, content_of_file(file.path));
  return text_of(found->second, "content") == content.to_string();
}

Outcome Putting::put_file(const std::string& path, const std::string& name) {
  if (options_.resume) {
    HM_CLI_TRY(const ordered_json found, look_for_object(access_, name));
    if (!found.is_null()) there_[name] = member_of(found, "object");
    HM_CLI_TRY(FileSource source, FileSource::open(path));
    HM_CLI_TRY(const bool is_there, is_stored({path, name, source.size()}));
    if (is_there) {
      ++known_;
      context_.terminal.talk(printable(fmt::format("{} is stored already", name)));
      return {};
    }
  }
  return send_file(path, name);
}

// One line and the bytes of each file, as the node reads a batch.
class BatchSource {
 public:
  explicit BatchSource(const std::vector<FoundFile>& files) : files_(files) {
    for (const FoundFile& file : files) {
      lines_.push_back(ordered_json({{"name", file.name}, {"size", file.size}}).dump() + "\n");
      length_ += lines_.back().size() + file.size;
    }
  }

  std::uint64_t length() const { return length_; }
  // The file that is read, or was when it failed.
  const std::string& at() const { return files_[std::min(next_, files_.size() - 1)].name; }

  Answer<std::size_t> read(std::span<char> room, std::map<std::string, crypto::Digest>& contents) {
    std::size_t filled = 0;
    while (filled < room.size() && next_ < files_.size()) {
      const std::string& line = lines_[next_];
      if (written_ < line.size()) {
        const std::size_t part = std::min(line.size() - written_, room.size() - filled);
        std::memcpy(room.data() + filled, line.data() + written_, part);
        written_ += part;
        filled += part;
        continue;
      }
      const FoundFile& file = files_[next_];
      if (!source_) {
        HM_CLI_TRY(FileSource opened, FileSource::open(file.path));
        if (opened.size() != file.size) {
          return failed(ExitCode::Failure, fmt::format("{} changed while it was read", file.path),
                        "it has another size than a moment ago",
                        "--keep-going stores the others without it");
        }
        source_ = std::make_unique<FileSource>(std::move(opened));
      }
      HM_CLI_TRY(const std::size_t count, source_->read(room.subspan(filled)));
      filled += count;
      // Nobody asks again behind the last byte of the last file.
      if (!source_->is_read()) continue;
      contents.emplace(file.name, source_->content());
      source_.reset();
      written_ = 0;
      ++next_;
    }
    return filled;
  }

 private:
  const std::vector<FoundFile>& files_;
  std::vector<std::string> lines_;
  std::uint64_t length_ = 0;
  std::size_t next_ = 0;
  std::size_t written_ = 0;  // of the line
  std::unique_ptr<FileSource> source_;
};

Answer<ordered_json> Putting::try_batch(const std::vector<FoundFile>& files,
                                        std::map<std::string, crypto::Digest>& contents,
                                        std::string& culprit) {
  BatchSource source(files);
  std::uint64_t plain = 0;
  for (const FoundFile& file : files) plain += file.size;
  bool has_failed = false;
  auto report = send_batch(access_, wish_, plain, source.length(),
                           [&](std::span<char> room) -> Answer<std::size_t> {
                             auto count = source.read(room, contents);
                             has_failed = !count;
                             return count;
                           });
  if (has_failed) culprit = source.at();
  return report;
}

Outcome Putting::send_batch_of(std::vector<FoundFile> files) {
  while (!files.empty()) {
    std::map<std::string, crypto::Digest> contents;
    std::string culprit;
    const auto began = Clock::now();
    auto report = try_batch(files, contents, culprit);
    if (report) {
      for (const ordered_json& object : list_of(*report, "objects")) {
        const auto sent = contents.find(text_of(object, "name"));
        if (sent == contents.end() || sent->second.to_string() != text_of(object, "content")) {
          return other_content(text_of(object, "name"));
        }
      }
      files_ += files.size();
      return take(std::move(*report), false, Clock::now() - began);
    }
    if (culprit.empty()) return std::unexpected(std::move(report.error()));
    HM_CLI_TRY_VOID(note(std::move(report.error())));
    std::erase_if(files, [&](const FoundFile& file) { return file.name == culprit; });
  }
  return {};
}

Outcome Putting::put_folder(const std::string& path, const std::string& prefix) {
  FolderWalk walk = walk_folder(path, prefix);
  for (Failure& failure : walk.failed) HM_CLI_TRY_VOID(note(std::move(failure)));
  skipped_.insert(skipped_.end(), walk.skipped.begin(), walk.skipped.end());
  if (options_.resume) {
    HM_CLI_TRY(const auto objects, objects_below(access_, prefix));
    for (const ordered_json& object : objects) there_[text_of(object, "name")] = object;
  }
  std::vector<FoundFile> batch;
  std::uint64_t bytes = 0;
  for (FoundFile& file : walk.files) {
    if (options_.resume) {
      auto is_there = is_stored(file);
      if (!is_there) {
        HM_CLI_TRY_VOID(note(std::move(is_there.error())));
        continue;
      }
      known_ += *is_there ? 1 : 0;
      if (*is_there) continue;
    }
    if (file.size > kBatchedFile) {
      auto sent = send_file(file.path, file.name);
      if (!sent) HM_CLI_TRY_VOID(note(std::move(sent.error())));
      continue;
    }
    if (bytes + file.size > kBatchBytes || batch.size() == api::kMaxBatchObjects) {
      HM_CLI_TRY_VOID(send_batch_of(std::exchange(batch, {})));
      bytes = 0;
    }
    bytes += file.size;
    batch.push_back(std::move(file));
  }
  return send_batch_of(std::move(batch));
}

Outcome Putting::tell() {
  for (const std::string& path : skipped_) {
    context_.terminal.talk(printable(
        fmt::format("left out: {} (only files are stored, no links and special files)", path)));
  }
  if (context_.globals.json) {
    ordered_json document = {{"schema", 1},
                             {"objects", objects_},
                             {"plain_bytes", plain_},
                             {"shared_bytes", shared_},
                             {"stored_bytes", stored_},
                             {"unplaced", unplaced_},
                             {"code", text_of(last_report_, "code")},
                             {"losses", number_of(last_report_, "losses")},
                             {"stored_before", known_},
                             {"resumed_bytes", resumed_},
                             {"left_out", skipped_},
                             {"failed", failures_.size()}};
    context_.terminal.data(document.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
  } else if (files_ > 0 || known_ > 0) {
    std::string line =
        files_ == 0 ? std::string("nothing was sent")
                    : fmt::format("{} files stored, {}", files_, rate_words(plain_, since(began_)));
    if (known_ > 0) line += fmt::format("; {} were stored already", known_);
    if (shared_ > 0) {
      line += fmt::format("; {} of the bytes, too", format_quantity(shared_, "bytes"));
    }
    context_.terminal.data(line);
    if (const std::string words = text_of(last_report_, "words"); !words.empty()) {
      context_.terminal.data(words);
    }
  }
  if (failures_.empty()) return {};
  return failed(ExitCode::Failure,
                fmt::format("{} {} not stored", failures_.size(),
                            failures_.size() == 1 ? "file is" : "files are"),
                "each is named above", "the others are stored; --resume leaves them out next time");
}

// How the names of a path's objects begin: without "--as" its own last part.
Answer<std::string> name_of_path(const ObjectPut& options, const std::string& path) {
  std::filesystem::path full = std::filesystem::absolute(path).lexically_normal();
  if (full.filename().empty()) full = full.parent_path();
  const std::string own = full.filename().string();
  const bool is_folder_name = options.as.ends_with('/');
  if (!options.as.empty() && !is_folder_name) {
    if (options.files.size() == 1) return options.as;
    return failed(ExitCode::Usage, "several files cannot have one name",
                  fmt::format("--as {} is the name of one", options.as),
                  fmt::format("--as {}/ puts all of them below it", options.as));
  }
  if (own.empty() || own == "/") {
    return failed(ExitCode::Usage, fmt::format("{} has no name of its own", path),
                  "it is the root folder", "--as NAME says what to call it");
  }
  return options.as + own;
}

}  // namespace

Outcome run(const ObjectPut& options, const Context& context) {
  const bool reads_input = std::ranges::count(options.files, "-") > 0;
  if (reads_input &&
      (options.files.size() > 1 || options.as.empty() || options.as.ends_with('/'))) {
    return failed(ExitCode::Usage, "standard input needs a name of its own",
                  "what comes from it is called nothing", "hypermesh put --as NAME -");
  }
  HM_CLI_TRY(StoreWish wish, wish_of(options));
  HM_CLI_TRY(ObjectAccess access, object_access(context.globals));
  Putting putting(context, options, access, std::move(wish));
  if (reads_input) {
    HM_CLI_TRY_VOID(putting.put_input());
    return putting.tell();
  }
  for (const std::string& path : options.files) {
    HM_CLI_TRY(const std::string name, name_of_path(options, path));
    std::error_code error;
    const bool is_folder = std::filesystem::is_directory(path, error);
    auto put =
        is_folder ? putting.put_folder(path, folder_prefix(name)) : putting.put_file(path, name);
    if (!put) HM_CLI_TRY_VOID(putting.note(std::move(put.error())));
  }
  return putting.tell();
}

}  // namespace hm::cli
