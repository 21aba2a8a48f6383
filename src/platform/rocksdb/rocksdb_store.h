// SPDX-License-Identifier: Apache-2.0
// ports::Store on RocksDB, one column family per space. Checksums are verified on every read;
// damage is reported as ErrorCode::Corrupt with RocksDB's own words.
#pragma once

#include <memory>
#include <string>

#include "ports/store.h"

namespace hm::rocksdb_store {

// What is in the database: which spaces it has, and what is said of one that is damaged.
enum class Use : std::uint8_t { Chain, Objects };

// Any thread reads; writing and syncing is one caller's at a time.
class RocksDbStore final : public ports::Store {
 public:
  // Opens or creates the database in `directory`. Fails if another process has it open.
  static Result<std::unique_ptr<RocksDbStore>> open(const std::string& directory,
                                                    Use use = Use::Chain);
  // Reads what the chain's database holds now; another process may have it open. Writing fails.
  static Result<std::unique_ptr<RocksDbStore>> open_read_only(const std::string& directory);
  ~RocksDbStore() override;

  Result<std::optional<Bytes>> get(ports::Space space, ByteView key) const override;
  Result<void> write(const ports::WriteBatch& batch) override;
  Result<void> sync() override;
  Result<void> scan(ports::Space space, ByteView first, ByteView last,
                    const std::function<bool(ByteView key, ByteView value)>& visit) const override;

 private:
  struct Impl;
  explicit RocksDbStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hm::rocksdb_store
