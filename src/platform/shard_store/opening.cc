// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "foundation/base/log.h"
#include "platform/files/atomic_file.h"
#include "platform/files/key_file.h"
#include "platform/shard_store/store_parts.h"

namespace hm::shard_store {
namespace {

// Headers are small and stand one behind the other, or far apart.
Result<LogFile> open_to_read(const std::string& path) {
  return LogFile::open(path, LogFile::Mode::Read, LogFile::PageCache::Use);
}

// The key as the first bytes of the file say.
std::optional<Key> key_in(const std::string& path, LogNumber log) {
  const auto file = open_to_read(path);
  if (!file) return std::nullopt;
  LogHeader header{};
  const auto got = file->read(0, header);
  if (!got || *got != header.size()) return std::nullopt;
  return decode_log_header(header, log);
}

Result<void> write_key(const Folder& folder, const Key& key) {
  return files::write_file(folder.key_path(), encode_log_header(0, key), files::Access::Secret,
                           files::Existing::Replace);
}

class Loading {
 public:
  explicit Loading(StoreParts& parts) : parts_(parts) {}

  Result<OpeningReport> run() {
    HM_TRY(const Folder::Content content, parts_.folder.list());
    HM_TRY_VOID(tidy(content));
    for (const LogNumber log : content.logs) {
      const bool is_last = log == content.logs.back();
      HM_TRY_VOID(is_last ? load_open(log) : load_sealed(log));
    }
    parts_.index.end_reading();
    if (content.logs.empty()) HM_TRY_VOID(parts_.writer.begin(1));
    report_.logs = std::max<std::uint64_t>(content.logs.size(), 1);
    return std::move(report_);
  }

 private:
  // Removes what a crash has left, and nothing that is not ours.
  Result<void> tidy(const Folder::Content& content) {
    for (const std::string& path : content.unfinished) HM_TRY_VOID(parts_.folder.remove(path));
    for (const LogNumber log : content.indexes) {
      const bool is_sealed =
          std::ranges::binary_search(content.logs, log) && log != content.logs.back();
      if (!is_sealed) HM_TRY_VOID(parts_.folder.remove(parts_.folder.index_path(log)));
    }
    for (const std::string& name : content.foreign) {
      log::warning("shards", "a file that is not ours lies among the logs", {{"name", name}});
    }
    return {};
  }

  Result<void> load_sealed(LogNumber log) {
    HM_TRY(const LogFile file, open_to_read(parts_.folder.log_path(log)));
    HM_TRY(const std::uint64_t bytes, file.size());
    const auto index =
        files::read_file(parts_.folder.index_path(log), max_index_bytes(), files::Access::Secret);
    if (index) {
      if (const auto records = decode_index(*index, log, bytes, parts_.codec)) {
        apply(log, bytes, *records);
        return {};
      }
    }
    HM_TRY(const LogContent content, read(file, log, bytes));
    keep_as_sealed(log, bytes, content);
    return {};
  }

  Result<void> load_open(LogNumber log) {
    const std::string path = parts_.folder.log_path(log);
    HM_TRY(const LogFile to_read, open_to_read(path));
    HM_TRY(const std::uint64_t bytes, to_read.size());
    HM_TRY(LogContent content, read(to_read, log, bytes - std::min(bytes, kMaxBatchBytes)));
    if (!content.is_readable) {
      // Perhaps it can be read another time: nothing of it is cut.
      keep_as_sealed(log, bytes, content);
      return parts_.writer.begin(log + 1);
    }
    const std::uint64_t torn = forget_torn_end(content, bytes);
    report_.torn_bytes += torn;
    HM_TRY(LogFile file, LogFile::open(path, LogFile::Mode::Write, LogFile::PageCache::Bypass));
    if (torn > 0) HM_TRY_VOID(file.cut(content.end));
    if (!content.has_header) HM_TRY_VOID(write_header(file, log));
    // What is read now was perhaps not flushed when the process was killed.
    HM_TRY_VOID(file.sync());
    if (content.end % kBlockBytes != 0) {
      // A write of which only a part is there, none of it reported durable.
      keep_as_sealed(log, content.end, content);
      return parts_.writer.begin(log + 1);
    }
    tell_of_damage(log, content);
    apply(log, content.end, content.records);
    parts_.writer.go_on_with({log, std::move(file), content.end, std::move(content.records)});
    return {};
  }

  Result<LogContent> read(const LogFile& file, LogNumber log, std::uint64_t verify_from) {
    ++report_.read_logs;
    return scan_log(file, log, parts_.codec, verify_from);
  }

  void keep_as_sealed(LogNumber log, std::uint64_t bytes, const LogContent& content) {
    tell_of_damage(log, content);
    apply(log, bytes, content.records);
    // An index would outlast a failure to read that does not.
    if (!content.is_readable) return;
    const auto written = files::write_file(parts_.folder.index_path(log),
                                           encode_index(log, bytes, content.records, parts_.codec),
                                           files::Access::Secret, files::Existing::Replace);
    if (!written) {
      log::warning("shards", "the index of a log could not be written",
                   {{"file", log_name(log)}, {"why", written.error().message}});
    }
  }

  Result<void> write_header(LogFile& file, LogNumber log) const {
    HM_TRY(const Key key, load_key(parts_.folder));
    return write_log_header(file, log, key);
  }

  void apply(LogNumber log, std::uint64_t bytes, const std::vector<LogRecord>& records) {
    parts_.index.set_log(log, bytes);
    for (const LogRecord& each : records) {
      const Place place{log, each.unit};
      if (!parts_.index.apply(each.record, place, each.is_damaged)) {
        tell({log_name(log), place.offset(), record_bytes(each.record), each.record.root});
      }
    }
  }

  void tell_of_damage(LogNumber log, const LogContent& content) {
    const bool is_new = content.records.empty() && content.gaps.empty();
    if (!content.has_header && !is_new) tell({log_name(log), 0, kLogHeaderBytes, {}});
    for (const LogGap& gap : content.gaps) tell({log_name(log), gap.offset, gap.bytes, {}});
    for (const LogRecord& each : content.records) {
      if (!each.is_damaged) continue;
      const Place place{log, each.unit};
      tell({log_name(log), place.offset(), record_bytes(each.record), each.record.root});
    }
  }

  void tell(FoundDamage damage) {
    if (++report_.damages > kMaxNamedDamage) return;
    log::error("shards", "a part of a log is damaged",
               {{"file", damage.file},
                {"offset", damage.offset},
                {"bytes", damage.bytes},
                {"shard", damage.root ? damage.root->to_string() : "not known"}});
    report_.damage.push_back(std::move(damage));
  }

  std::string log_name(LogNumber log) const {
    return parts_.folder.log_path(log).substr(parts_.folder.path().size() + 1);
  }

  StoreParts& parts_;
  OpeningReport report_;
};

}  // namespace

Result<Key> load_key(const Folder& folder) {
  if (const auto key = key_in(folder.key_path(), 0)) return *key;
  HM_TRY(const Folder::Content content, folder.list());
  for (const LogNumber log : content.logs) {
    const auto key = key_in(folder.log_path(log), log);
    if (!key) continue;
    log::warning("shards", "the key file was missing or damaged; a log had the key",
                 {{"folder", folder.path()}});
    HM_TRY_VOID(write_key(folder, *key));
    return *key;
  }
  // A first log that a crash has cut short holds nothing.
  bool is_empty = true;
  for (const LogNumber log : content.logs) {
    HM_TRY(const LogFile file, open_to_read(folder.log_path(log)));
    HM_TRY(const std::uint64_t bytes, file.size());
    is_empty = is_empty && bytes <= kFirstRecord;
  }
  if (!is_empty) {
    return fail(ErrorCode::Corrupt,
                fmt::format("the key of the shards in {} is lost", folder.path()),
                "Without it nothing there can be told from forged records. Move the folder away; "
                "what it held has to be repaired from other nodes.");
  }
  Key key;
  files::fill_random(key);
  HM_TRY_VOID(write_key(folder, key));
  return key;
}

Result<OpeningReport> load_logs(StoreParts& parts) { return Loading(parts).run(); }

}  // namespace hm::shard_store
