// SPDX-License-Identifier: Apache-2.0
#include "platform/shard_store/file_shard_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "platform/files/atomic_file.h"
#include "platform/shard_store/compaction.h"
#include "platform/shard_store/shard_pages.h"
#include "platform/shard_store/store_parts.h"

namespace hm::shard_store {
namespace {

using blake3::kPageSize;
using ports::HolderId;
using ports::ShardRoot;

std::unexpected<Error> not_found(const ShardRoot& root) {
  return fail(ErrorCode::NotFound, fmt::format("shard {} is not here", root.to_string()));
}

std::unexpected<Error> damaged(const ShardRoot& root, std::uint64_t page) {
  return fail(ErrorCode::Corrupt,
              fmt::format("page {} of shard {} is damaged", page, root.to_string()),
              "take it from another node, and put the shard here again to make it whole");
}

class FileShardStore final : public ports::ShardStore {
 public:
  explicit FileShardStore(std::unique_ptr<StoreParts> parts)
      : parts_(std::move(parts)), compaction_(*parts_) {}

  Result<void> put(const ShardRoot& root, const HolderId& holder, ByteView shard,
                   std::uint64_t quota) override;
  Result<Bytes> read(const ShardRoot& root, std::uint64_t offset, std::uint64_t count) override;
  Result<ports::ProvenPage> prove(const ShardRoot& root, std::uint64_t page) override;
  Result<void> drop(std::span<const ShardRoot> roots, const HolderId& holder) override;
  Result<std::uint64_t> drop_holder(const HolderId& holder) override;
  std::vector<std::optional<ports::ShardState>> has(std::span<const ShardRoot> roots) override;
  ports::ShardList list(const HolderId& holder, const std::optional<ShardRoot>& cursor) override;
  std::vector<HolderId> holders() override;
  ports::HolderUsage usage(const HolderId& holder) override;
  ports::ShardStoreUsage usage() override;
  Result<ports::ScrubReport> scrub(std::uint64_t most_bytes) override;
  Result<ports::CompactionReport> compact(std::uint64_t most_bytes) override {
    return compaction_.step(most_bytes);
  }

 private:
  struct DropRun {
    std::size_t seen = 0;
    std::uint64_t dropped = 0;
  };
  // Those of the first ones that `holder` holds, in one write. At least one is seen.
  Result<DropRun> drop_run(Lock& lock, std::span<const ShardRoot> roots, const HolderId& holder);
  Result<void> check_quota(const HolderId& holder, std::uint64_t more, std::uint64_t quota) const;
  std::optional<ShardIndex::Shard> find(const ShardRoot& root);
  struct LoadFault {
    Error error;
    std::optional<std::uint64_t> damaged_page{};
  };
  // The pages of a shard as it was found; reads them again where compaction moves it meanwhile.
  Result<ShardPages, LoadFault> load(const ShardRoot& root, ShardIndex::Shard shard,
                                     PageRange range);
  bool has_right_header(const ShardRoot& root, const Place& place) const;
  Result<void> scrub_shard(const ShardRoot& root, ports::ScrubReport& report);

  std::unique_ptr<StoreParts> parts_;
  Compaction compaction_;
  std::mutex scrub_mutex_;
  std::optional<ShardRoot> scrubbed_;  // the last one of this round
};

Result<void> FileShardStore::check_quota(const HolderId& holder, std::uint64_t more,
                                         std::uint64_t quota) const {
  const auto reserved = parts_->reserved_quota.find(holder);
  const std::uint64_t used = parts_->index.usage(holder).counted_bytes +
                             (reserved == parts_->reserved_quota.end() ? 0 : reserved->second);
  if (used <= quota && more <= quota - used) return {};
  return fail(ErrorCode::NoCapacity,
              fmt::format("{} uses {} bytes of its {}, and {} more do not fit", holder.to_string(),
                          used, quota, more),
              "drop shards of this holder, or lease more");
}

Result<void> FileShardStore::put(const ShardRoot& root, const HolderId& holder, ByteView shard,
                                 std::uint64_t quota) {
  if (shard.empty() || shard.size() > ports::kMaxShardBytes) {
    return fail(ErrorCode::InvalidArgument, fmt::format("a shard has 1 to {} bytes, not {}",
                                                        ports::kMaxShardBytes, shard.size()));
  }
  const auto tree = blake3::PageTree::of(shard);
  if (tree.root() != root) {
    return fail(ErrorCode::Corrupt, fmt::format("these bytes are not shard {}", root.to_string()),
                "send them again: they were changed on the way, or the root is another one's");
  }
  Lock lock(parts_->mutex);
  TakenShards taken(parts_->busy);
  taken.take(lock, root);
  const auto known = parts_->index.find(root);
  const bool needs_bytes = !known || known->state.is_damaged;
  const bool is_held = known && parts_->index.holding(root, holder);
  if (is_held && !needs_bytes) return {};
  if (known && known->state.bytes != shard.size()) return damaged(root, 0);
  const std::uint64_t counted = is_held ? 0 : ports::counted_bytes(shard.size());
  HM_TRY_VOID(check_quota(holder, counted, quota));
  const RecordKind kind = needs_bytes ? RecordKind::Shard : RecordKind::HolderAdded;
  const Record record{kind, static_cast<std::uint32_t>(shard.size()), root, holder};
  const std::uint64_t bytes = block_up(record_bytes(record));
  HM_TRY_VOID(parts_->check_floor(bytes));

  parts_->reserved_bytes += bytes;
  parts_->reserved_quota[holder] += counted;
  Commit commit{.records = {{record, tree.values(), shard}}, .settled = [&] {
                  parts_->reserved_bytes -= bytes;
                  const auto reserved = parts_->reserved_quota.find(holder);
                  reserved->second -= counted;
                  if (reserved->second == 0) parts_->reserved_quota.erase(reserved);
                }};
  return parts_->writer.commit(lock, commit);
}

std::optional<ShardIndex::Shard> FileShardStore::find(const ShardRoot& root) {
  const Lock lock(parts_->mutex);
  return parts_->index.find(root);
}

Result<ShardPages, FileShardStore::LoadFault> FileShardStore::load(const ShardRoot& root,
                                                                   ShardIndex::Shard shard,
                                                                   PageRange range) {
  for (;;) {
    std::uint64_t page = range.first;
    if (shard.place.log != 0) {
      const auto file = LogFile::open(parts_->folder.log_path(shard.place.log), LogFile::Mode::Read,
                                      LogFile::PageCache::Bypass);
      if (file) {
        auto pages = read_pages(*file, shard.place.offset(), root, shard.state.bytes, range);
        if (pages) return std::move(*pages);
        page = pages.error().page;
      } else if (file.error().code != ErrorCode::NotFound) {
        return fail(LoadFault{file.error()});
      }
    }
    const Lock lock(parts_->mutex);
    const auto now = parts_->index.find(root);
    if (!now) return fail(LoadFault{not_found(root).error()});
    if (now->place == shard.place) {
      parts_->index.mark_damaged(root, shard.place);
      return fail(LoadFault{damaged(root, page).error(), page});
    }
    shard = *now;
  }
}

Result<Bytes> FileShardStore::read(const ShardRoot& root, std::uint64_t offset,
                                   std::uint64_t count) {
  const auto shard = find(root);
  if (!shard) return not_found(root);
  const std::uint64_t size = shard->state.bytes;
  if (offset > size) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("shard {} has {} bytes; there is nothing at {}", root.to_string(), size,
                            offset));
  }
  const std::uint64_t length = std::min(count, size - offset);
  if (length == 0) return Bytes();
  const std::uint64_t first = offset / kPageSize;
  const std::uint64_t pages = (offset + length - 1) / kPageSize - first + 1;
  auto loaded = load(root, *shard, {first, pages});
  if (!loaded) return fail(std::move(loaded.error().error));
  const auto skip = static_cast<std::ptrdiff_t>(offset - first * kPageSize);
  Bytes bytes = std::move(loaded->bytes);
  bytes.erase(bytes.begin(), bytes.begin() + skip);
  bytes.resize(static_cast<std::size_t>(length));
  return bytes;
}

Result<ports::ProvenPage> FileShardStore::prove(const ShardRoot& root, std::uint64_t page) {
  const auto shard = find(root);
  if (!shard) return not_found(root);
  const std::uint64_t pages = blake3::page_count(shard->state.bytes);
  if (page >= pages) {
    return fail(
        ErrorCode::InvalidArgument,
        fmt::format("shard {} has {} pages; there is no page {}", root.to_string(), pages, page));
  }
  auto loaded = load(root, *shard, {page, 1});
  if (!loaded) return fail(std::move(loaded.error().error));
  return ports::ProvenPage{shard->state.bytes, std::move(loaded->bytes), loaded->tree.prove(page)};
}

Result<FileShardStore::DropRun> FileShardStore::drop_run(Lock& lock,
                                                         std::span<const ShardRoot> roots,
                                                         const HolderId& holder) {
  DropRun run;
  TakenShards taken(parts_->busy);
  std::set<ShardRoot> wanted;
  Commit commit;
  for (const ShardRoot& root : roots.first(std::min(roots.size(), kMaxBatchRecords))) {
    if (!taken.take(lock, root)) break;
    ++run.seen;
    // It may have been dropped by another while this waited.
    if (!parts_->index.holding(root, holder) || !wanted.insert(root).second) continue;
    commit.records.push_back({.record = {RecordKind::HolderDropped, 0, root, holder}});
  }
  run.dropped = commit.records.size();
  if (!commit.records.empty()) HM_TRY_VOID(parts_->writer.commit(lock, commit));
  return run;
}

Result<void> FileShardStore::drop(std::span<const ShardRoot> roots, const HolderId& holder) {
  Lock lock(parts_->mutex);
  while (!roots.empty()) {
    HM_TRY(const DropRun run, drop_run(lock, roots, holder));
    roots = roots.subspan(run.seen);
  }
  return {};
}

Result<std::uint64_t> FileShardStore::drop_holder(const HolderId& holder) {
  Lock lock(parts_->mutex);
  std::uint64_t dropped = 0;
  std::optional<ShardRoot> cursor;
  for (;;) {
    const ports::ShardList part = parts_->index.list(holder, cursor, kMaxBatchRecords);
    std::vector<ShardRoot> roots;
    for (const ports::ListedShard& each : part.shards) roots.push_back(each.root);
    std::span<const ShardRoot> rest = roots;
    while (!rest.empty()) {
      HM_TRY(const DropRun run, drop_run(lock, rest, holder));
      dropped += run.dropped;
      rest = rest.subspan(run.seen);
    }
    if (!part.next) return dropped;
    cursor = part.next;
  }
}

std::vector<std::optional<ports::ShardState>> FileShardStore::has(
    std::span<const ShardRoot> roots) {
  std::vector<std::optional<ports::ShardState>> all;
  all.reserve(roots.size());
  const Lock lock(parts_->mutex);
  for (const ShardRoot& root : roots) {
    const auto found = parts_->index.find(root);
    all.push_back(found ? std::optional(found->state) : std::nullopt);
  }
  return all;
}

ports::ShardList FileShardStore::list(const HolderId& holder,
                                      const std::optional<ShardRoot>& cursor) {
  const Lock lock(parts_->mutex);
  return parts_->index.list(holder, cursor, ports::kMaxListedShards);
}

std::vector<HolderId> FileShardStore::holders() {
  const Lock lock(parts_->mutex);
  return parts_->index.holders();
}

ports::HolderUsage FileShardStore::usage(const HolderId& holder) {
  const Lock lock(parts_->mutex);
  return parts_->index.usage(holder);
}

ports::ShardStoreUsage FileShardStore::usage() {
  const Lock lock(parts_->mutex);
  return parts_->index.usage();
}

// A log is read anew by its headers if its index is lost.
bool FileShardStore::has_right_header(const ShardRoot& root, const Place& place) const {
  const auto file = LogFile::open(parts_->folder.log_path(place.log), LogFile::Mode::Read,
                                  LogFile::PageCache::Bypass);
  if (!file) return false;
  RecordHeader header{};
  const auto got = file->read(place.offset(), header);
  if (!got || *got != header.size()) return false;
  const auto record = parts_->codec.decode(header, place);
  return record && record->kind == RecordKind::Shard && record->root == root;
}

Result<void> FileShardStore::scrub_shard(const ShardRoot& root, ports::ScrubReport& report) {
  const auto shard = find(root);
  if (!shard) return {};
  const auto pages = load(root, *shard, all_pages(shard->state.bytes));
  report.bytes += shard->state.bytes;
  if (!pages) {
    if (const auto page = pages.error().damaged_page) {
      report.damaged.push_back({root, *page});
      return {};
    }
    if (pages.error().error.code == ErrorCode::NotFound) return {};
    return fail(pages.error().error);
  }
  if (!pages->values_are_damaged && has_right_header(root, shard->place)) {
    if (shard->state.is_damaged) report.damaged.push_back({root, 0});
    return {};
  }
  // What is wrong is only beside the pages.
  const Lock lock(parts_->mutex);
  const auto now = parts_->index.find(root);
  if (!now || now->place != shard->place) return {};
  parts_->index.mark_damaged(root, shard->place);
  report.damaged.push_back({root, 0});
  return {};
}

Result<ports::ScrubReport> FileShardStore::scrub(std::uint64_t most_bytes) {
  const std::lock_guard only_one(scrub_mutex_);
  ports::ScrubReport report;
  do {
    const auto next = [&] {
      const Lock lock(parts_->mutex);
      return parts_->index.after(scrubbed_);
    }();
    scrubbed_ = next;
    if (!next) {
      report.is_round_done = true;
      return report;
    }
    HM_TRY_VOID(scrub_shard(*next, report));
  } while (report.bytes < most_bytes);
  return report;
}

}  // namespace

Result<void> StoreParts::check_floor(std::uint64_t more) const {
  HM_TRY(const std::uint64_t free, folder.free_bytes());
  const std::uint64_t taken = reserved_bytes + more;
  if (free >= taken && free - taken >= options.floor_bytes) return {};
  return fail(ErrorCode::NoCapacity,
              fmt::format("{} bytes are free for shards in {}, of which {} stay free", free,
                          folder.path(), options.floor_bytes),
              "free some of its file system, or drop shards that are not needed");
}

Result<OpenedStore> open_shard_store(Options options) {
  HM_TRY_VOID(files::make_folder(options.folder, 0700));
  const Folder folder(options.folder);
  HM_TRY(files::ProcessLock lock, files::ProcessLock::take(folder.lock_path()));
  HM_TRY(const Key key, load_key(folder));
  auto parts = std::make_unique<StoreParts>(std::move(options), std::move(lock), key);
  HM_TRY(OpeningReport report, load_logs(*parts));
  return OpenedStore{std::make_unique<FileShardStore>(std::move(parts)), std::move(report)};
}

}  // namespace hm::shard_store
