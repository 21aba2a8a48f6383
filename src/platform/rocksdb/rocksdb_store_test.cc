// SPDX-License-Identifier: Apache-2.0
#include "platform/rocksdb/rocksdb_store.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

namespace hm::rocksdb_store {
namespace {

namespace fs = std::filesystem;
using ports::Space;

class RocksDbStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "hm-store-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { fs::remove_all(directory_); }

  std::unique_ptr<RocksDbStore> open() {
    auto store = RocksDbStore::open(directory_);
    EXPECT_TRUE(store) << store.error().detail;
    return std::move(*store);
  }
  static Bytes key(std::string_view text) { return to_bytes(as_bytes(text)); }

  std::string directory_;
};

TEST_F(RocksDbStoreTest, BatchIsThereAfterReopeningAndSpacesAreSeparate) {
  {
    auto store = open();
    ASSERT_TRUE(
        store->write({{Space::State, key("a"), key("1")}, {Space::Blocks, key("a"), key("2")}}));
    ASSERT_TRUE(store->sync());
  }
  auto store = open();
  EXPECT_EQ(**store->get(Space::State, key("a")), key("1"));
  EXPECT_EQ(**store->get(Space::Blocks, key("a")), key("2"));
  EXPECT_FALSE(store->get(Space::Meta, key("a"))->has_value());
}

TEST_F(RocksDbStoreTest, ScanVisitsTheHalfOpenRangeInOrderUntilToldToStop) {
  auto store = open();
  for (const char* k : {"c", "a", "d", "b"}) {
    ASSERT_TRUE(store->write({{Space::State, key(k), key(k)}}));
  }
  ASSERT_TRUE(store->write({{Space::State, key("b"), std::nullopt}}));
  std::string seen;
  const auto collect = [&](ByteView k, ByteView) {
    seen += as_text(k);
    return true;
  };
  ASSERT_TRUE(store->scan(Space::State, key("a"), key("d"), collect));
  EXPECT_EQ(seen, "ac");
  seen.clear();
  ASSERT_TRUE(store->scan(Space::State, {}, {}, collect));
  EXPECT_EQ(seen, "acd");
}

TEST_F(RocksDbStoreTest, SecondOpenOfOneFolderIsRefused) {
  auto store = open();
  EXPECT_FALSE(RocksDbStore::open(directory_));
}

TEST_F(RocksDbStoreTest, ReaderSeesWhatARunningWriterHoldsAndCannotWrite) {
  EXPECT_FALSE(RocksDbStore::open_read_only(directory_));  // makes nothing
  auto store = open();
  ASSERT_TRUE(store->write({{Space::State, key("a"), key("1")}}));
  const auto reader = RocksDbStore::open_read_only(directory_);
  ASSERT_TRUE(reader) << reader.error().detail;
  EXPECT_EQ((*reader)->get(Space::State, key("a")).value(), key("1"));
  EXPECT_FALSE((*reader)->write({{Space::State, key("b"), key("2")}}));
}

TEST_F(RocksDbStoreTest, DamagedFileIsReportedNotServed) {
  {
    auto store = open();
    ASSERT_TRUE(store->write({{Space::State, key("a"), Bytes(4096, 7)}}));
    ASSERT_TRUE(store->sync());
  }
  fs::path manifest;
  for (const auto& entry : fs::directory_iterator(directory_)) {
    if (entry.path().filename().string().starts_with("MANIFEST")) manifest = entry.path();
  }
  {
    std::fstream file(manifest, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(20);
    file.write("damage", 6);
  }
  const auto store = RocksDbStore::open(directory_);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, ErrorCode::Corrupt) << store.error().detail;
}

// A limit on the size of files stands for a full disk: the kernel refuses in the same place.
TEST_F(RocksDbStoreTest, AFullDiskIsAnErrorAndEndsWithoutAbortingOrLosingWhatWasThere) {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  {
    auto store = open();
    ASSERT_TRUE(store->write({{Space::State, key("a"), key("1")}}));
    ASSERT_TRUE(store->sync());
    const rlimit tight{256 * 1024, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
    EXPECT_FALSE(store->write({{Space::State, key("b"), Bytes(1024 * 1024, 7)}}));
    EXPECT_FALSE(store->sync());
    EXPECT_FALSE(store->write({{Space::State, key("c"), key("3")}})) << "it must be opened anew";
    EXPECT_TRUE(store->get(Space::State, key("a"))->has_value());
  }
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, SIG_DFL);
  auto store = open();
  EXPECT_EQ(*store->get(Space::State, key("a")), key("1"));
  EXPECT_FALSE(store->get(Space::State, key("b"))->has_value());
  EXPECT_TRUE(store->write({{Space::State, key("b"), key("2")}}));
  EXPECT_TRUE(store->sync());
}

}  // namespace
}  // namespace hm::rocksdb_store
