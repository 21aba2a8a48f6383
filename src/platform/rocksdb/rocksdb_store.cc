// SPDX-License-Identifier: Apache-2.0
#include "platform/rocksdb/rocksdb_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <filesystem>
#include <span>

#include "foundation/base/check.h"

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

struct Family {
  Space space;
  const char* name;
};
constexpr Family kChainFamilies[] = {
    {Space::Meta, "default"}, {Space::Blocks, "blocks"}, {Space::State, "state"}};
constexpr Family kObjectFamilies[] = {{Space::Meta, "default"},
                                      {Space::Objects, "objects"},
                                      {Space::Manifests, "manifests"},
                                      {Space::Stripes, "stripes"},
                                      {Space::Segments, "segments"}};

std::span<const Family> families_of(Use use) {
  if (use == Use::Chain) return kChainFamilies;
  return kObjectFamilies;
}

struct Words {
  const char* store;
  const char* remedy;  // of damage
};
Words words_of(Use use) {
  if (use == Use::Chain) {
    return {"ledger store",
            "move the data folder away and start again: the node fetches the chain from its peers"};
  }
  return {"catalogue of stored objects",
          "keep a copy of the folder: nothing else knows the keys of what only it lists"};
}

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
  Use use = Use::Chain;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  // The first write that failed. RocksDB must not be asked to write or flush after that: it aborts
  // where it finds its log half written. Reopening repairs the log.
  std::optional<Error> broken;

  ~Impl() {
    for (auto* handle : handles) db->DestroyColumnFamilyHandle(handle);
  }
  rocksdb::ColumnFamilyHandle* family(Space space) const {
    const auto families = families_of(use);
    const auto found = std::ranges::find(families, space, &Family::space);
    HM_CHECK(found != families.end());
    return handles[static_cast<std::size_t>(found - families.begin())];
  }
  std::string words(const char* what) const { return std::string(what) + words_of(use).store; }
};

RocksDbStore::RocksDbStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RocksDbStore::~RocksDbStore() = default;

Result<std::unique_ptr<RocksDbStore>> RocksDbStore::open(const std::string& directory, Use use) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return fail(ErrorCode::Io, "cannot create folder " + directory, error.message());

  const rocksdb::Options opts = options();
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const Family& family : families_of(use)) descriptors.emplace_back(family.name, opts);
  auto impl = std::make_unique<Impl>();
  impl->use = use;
  rocksdb::DB* db = nullptr;
  const auto status = rocksdb::DB::Open(opts, directory, descriptors, &impl->handles, &db);
  if (status.IsCorruption()) {
    return fail(ErrorCode::Corrupt,
                impl->words("the ") + " in " + directory + " is damaged: " + status.ToString(),
                words_of(use).remedy);
  }
  if (!status.ok()) return failure(status, impl->words("cannot open the ") + " in " + directory);
  impl->db.reset(db);
  return std::unique_ptr<RocksDbStore>(new RocksDbStore(std::move(impl)));
}

Result<std::unique_ptr<RocksDbStore>> RocksDbStore::open_read_only(const std::string& directory) {
  rocksdb::Options opts = options();
  opts.create_if_missing = false;
  opts.create_missing_column_families = false;
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const Family& family : kChainFamilies) descriptors.emplace_back(family.name, opts);
  auto impl = std::make_unique<Impl>();
  rocksdb::DB* db = nullptr;
  const auto status =
      rocksdb::DB::OpenForReadOnly(opts, directory, descriptors, &impl->handles, &db);
  if (!status.ok()) return failure(status, "cannot read the ledger store in " + directory);
  impl->db.reset(db);
  return std::unique_ptr<RocksDbStore>(new RocksDbStore(std::move(impl)));
}

Result<std::optional<Bytes>> RocksDbStore::get(Space space, ByteView key) const {
  std::string value;
  const auto status =
      impl_->db->Get(rocksdb::ReadOptions(), impl_->family(space), slice(key), &value);
  if (status.IsNotFound()) return std::optional<Bytes>();
  if (!status.ok()) return failure(status, impl_->words("cannot read from the "));
  return std::optional<Bytes>(to_bytes(as_bytes(value)));
}

Result<void> RocksDbStore::write(const ports::WriteBatch& batch) {
  if (impl_->broken) return std::unexpected(*impl_->broken);
  rocksdb::WriteBatch writes;
  for (const ports::StoreWrite& write : batch) {
    auto* family = impl_->family(write.space);
    const auto status = write.value ? writes.Put(family, slice(write.key), slice(*write.value))
                                    : writes.Delete(family, slice(write.key));
    if (!status.ok()) return failure(status, "cannot build a write");
  }
  const auto status = impl_->db->Write(rocksdb::WriteOptions(), &writes);
  if (status.ok()) return {};
  auto failed = failure(status, impl_->words("cannot write to the "));
  impl_->broken = failed.error();
  return failed;
}

Result<void> RocksDbStore::sync() {
  if (impl_->broken) return std::unexpected(*impl_->broken);
  const auto status = impl_->db->FlushWAL(/*sync=*/true);
  if (status.ok()) return {};
  auto failed = failure(status, impl_->words("cannot flush the "));
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
  if (!it->status().ok()) return failure(it->status(), impl_->words("cannot scan the "));
  return {};
}

}  // namespace hm::rocksdb_store
