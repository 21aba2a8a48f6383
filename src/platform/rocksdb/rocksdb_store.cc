// SPDX-License-Identifier: Apache-2.0
#include "platform/rocksdb/rocksdb_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <array>
#include <filesystem>

namespace hm::rocksdb_store {
namespace {

using ports::Space;

// A node must stay small (≤ 100 MB resident when idle), and a ledger's working set is its recent
// blocks and the accounts in use.
constexpr std::size_t kBlockCacheBytes = 8 << 20;
constexpr std::size_t kWriteBufferBytes = 8 << 20;
constexpr int kWriteBuffers = 2;
constexpr int kOpenFiles = 256;
constexpr std::size_t kInfoLogBytes = 1 << 20;
constexpr std::size_t kInfoLogFiles = 2;

constexpr std::array<const char*, ports::kSpaceCount> kFamilies = {"default", "blocks", "state"};

rocksdb::Slice slice(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
ByteView view(const rocksdb::Slice& bytes) { return as_bytes({bytes.data(), bytes.size()}); }

std::unexpected<Error> failure(const rocksdb::Status& status, std::string what) {
  ErrorCode code = ErrorCode::Io;
  if (status.IsCorruption()) code = ErrorCode::Corrupt;
  if (status.IsNoSpace()) code = ErrorCode::NoCapacity;
  if (status.IsBusy()) code = ErrorCode::FailedPrecondition;
  return fail(code, std::move(what), status.ToString());
}

rocksdb::Options options() {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.paranoid_checks = true;
  options.write_buffer_size = kWriteBufferBytes;
  options.max_write_buffer_number = kWriteBuffers;
  options.max_open_files = kOpenFiles;
  options.keep_log_file_num = kInfoLogFiles;
  options.max_log_file_size = kInfoLogBytes;
  // The statistics thread would wake an idle node every few minutes for nothing.
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(kBlockCacheBytes);
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

}  // namespace

struct RocksDbStore::Impl {
  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> families;
  // The first write that failed. RocksDB must not be asked to write or flush after that: it aborts
  // where it finds its log half written. Reopening repairs the log.
  std::optional<Error> broken;

  ~Impl() {
    for (auto* family : families) db->DestroyColumnFamilyHandle(family);
  }
  rocksdb::ColumnFamilyHandle* family(Space space) const {
    return families[static_cast<std::size_t>(space)];
  }
};

RocksDbStore::RocksDbStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RocksDbStore::~RocksDbStore() = default;

Result<std::unique_ptr<RocksDbStore>> RocksDbStore::open(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return fail(ErrorCode::Io, "cannot create folder " + directory, error.message());

  const rocksdb::Options opts = options();
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const char* name : kFamilies) descriptors.emplace_back(name, opts);
  auto impl = std::make_unique<Impl>();
  rocksdb::DB* db = nullptr;
  const auto status = rocksdb::DB::Open(opts, directory, descriptors, &impl->families, &db);
  if (status.IsCorruption()) {
    return fail(ErrorCode::Corrupt,
                "the ledger store in " + directory + " is damaged: " + status.ToString(),
                "move the data folder away and start again: the node fetches the chain from its "
                "peers");
  }
  if (!status.ok()) return failure(status, "cannot open the ledger store in " + directory);
  impl->db.reset(db);
  return std::unique_ptr<RocksDbStore>(new RocksDbStore(std::move(impl)));
}

Result<std::unique_ptr<RocksDbStore>> RocksDbStore::open_read_only(const std::string& directory) {
  rocksdb::Options opts = options();
  opts.create_if_missing = false;
  opts.create_missing_column_families = false;
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const char* name : kFamilies) descriptors.emplace_back(name, opts);
  auto impl = std::make_unique<Impl>();
  rocksdb::DB* db = nullptr;
  const auto status =
      rocksdb::DB::OpenForReadOnly(opts, directory, descriptors, &impl->families, &db);
  if (!status.ok()) return failure(status, "cannot read the ledger store in " + directory);
  impl->db.reset(db);
  return std::unique_ptr<RocksDbStore>(new RocksDbStore(std::move(impl)));
}

Result<std::optional<Bytes>> RocksDbStore::get(Space space, ByteView key) const {
  std::string value;
  const auto status =
      impl_->db->Get(rocksdb::ReadOptions(), impl_->family(space), slice(key), &value);
  if (status.IsNotFound()) return std::optional<Bytes>();
  if (!status.ok()) return failure(status, "cannot read from the ledger store");
  return std::optional<Bytes>(to_bytes(as_bytes(value)));
}

Result<void> RocksDbStore::write(const ports::WriteBatch& batch) {
  if (impl_->broken) return std::unexpected(*impl_->broken);
  rocksdb::WriteBatch writes;
  for (const ports::StoreWrite& write : batch) {
    auto* family = impl_->family(write.space);
    const auto status = write.value ? writes.Put(family, slice(write.key), slice(*write.value))
                                    : writes.Delete(family, slice(write.key));
    if (!status.ok()) return failure(status, "cannot build a ledger write");
  }
  const auto status = impl_->db->Write(rocksdb::WriteOptions(), &writes);
  if (status.ok()) return {};
  auto failed = failure(status, "cannot write to the ledger store");
  impl_->broken = failed.error();
  return failed;
}

Result<void> RocksDbStore::sync() {
  if (impl_->broken) return std::unexpected(*impl_->broken);
  const auto status = impl_->db->FlushWAL(/*sync=*/true);
  if (status.ok()) return {};
  auto failed = failure(status, "cannot flush the ledger store");
  impl_->broken = failed.error();
  return failed;
}

Result<void> RocksDbStore::scan(
    Space space, ByteView first, ByteView last,
    const std::function<bool(ByteView key, ByteView value)>& visit) const {
  const rocksdb::Slice upper = slice(last);
  rocksdb::ReadOptions read;
  if (!last.empty()) read.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> it(impl_->db->NewIterator(read, impl_->family(space)));
  for (it->Seek(slice(first)); it->Valid(); it->Next()) {
    if (!visit(view(it->key()), view(it->value()))) break;
  }
  if (!it->status().ok()) return failure(it->status(), "cannot scan the ledger store");
  return {};
}

}  // namespace hm::rocksdb_store
