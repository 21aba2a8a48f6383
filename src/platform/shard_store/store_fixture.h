// SPDX-License-Identifier: Apache-2.0
// For tests: a store in a folder of its own, and shards that are told apart by a number.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "foundation/blake3/blake3.h"
#include "platform/shard_store/file_shard_store.h"
#include "platform/shard_store/record.h"

namespace hm::shard_store::test {

namespace fs = std::filesystem;
using ports::HolderId;
using ports::ShardRoot;
using ports::ShardStore;

inline constexpr std::uint64_t kUnlimited = std::uint64_t{1} << 60;

inline Bytes shard_bytes(std::uint64_t number, std::size_t size) {
  Bytes bytes(size);
  std::uint64_t state = number * 2 + 1;
  for (std::uint8_t& byte : bytes) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    byte = static_cast<std::uint8_t>(state >> 56);
  }
  return bytes;
}

inline ShardRoot root_of(ByteView shard) { return blake3::hash(shard); }

inline HolderId holder(std::uint8_t number) {
  HolderId id;
  id.bytes.fill(number);
  return id;
}

// Memory where that is, since most tests flush often and ask nothing of the disk.
enum class Medium : std::uint8_t { Memory, Disk };

// A folder that is gone with the object.
class TestFolder {
 public:
  explicit TestFolder(Medium medium = Medium::Memory) {
    const fs::path memory = "/dev/shm";
    const bool has_memory = ::access(memory.c_str(), W_OK) == 0;
    const fs::path below =
        medium == Medium::Memory && has_memory ? memory : fs::temp_directory_path();
    std::string name = (below / "hm-shards-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~TestFolder() { fs::remove_all(path_); }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

inline Bytes file_bytes(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline void write_bytes(const fs::path& path, ByteView bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
}

class StoreTest : public ::testing::Test {
 protected:
  explicit StoreTest(Medium medium = Medium::Memory) : folder_(medium) {}

  void open(std::uint64_t max_log_bytes = kMaxLogBytes) {
    store_.reset();
    auto opened = open_shard_store({folder().string(), 0, max_log_bytes});
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = std::move(opened->store);
    report_ = std::move(opened->report);
  }
  fs::path folder() const { return folder_.path() / "shards"; }
  fs::path log(unsigned number) const {
    char name[16];
    std::snprintf(name, sizeof name, "%08x.log", number);
    return folder() / name;
  }

  ShardRoot put(std::uint64_t number, std::size_t size, std::uint8_t for_holder = 1) {
    const Bytes bytes = shard_bytes(number, size);
    const auto done = store_->put(root_of(bytes), holder(for_holder), bytes, kUnlimited);
    EXPECT_TRUE(done) << done.error().message;
    return root_of(bytes);
  }
  void expect_whole(std::uint64_t number, std::size_t size) {
    const Bytes bytes = shard_bytes(number, size);
    const auto got = store_->read(root_of(bytes), 0, size);
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(*got, bytes);
  }
  void expect_gone(const ShardRoot& root) {
    EXPECT_EQ(store_->read(root, 0, 1).error().code, ErrorCode::NotFound);
  }
  // Until nothing is left to do.
  ports::CompactionReport compact() {
    ports::CompactionReport all;
    while (!all.is_done) {
      const auto step = store_->compact(1 << 20);
      EXPECT_TRUE(step) << step.error().message;
      if (!step) break;
      all.copied_bytes += step->copied_bytes;
      all.freed_bytes += step->freed_bytes;
      all.lost.insert(all.lost.end(), step->lost.begin(), step->lost.end());
      all.is_done = step->is_done;
    }
    return all;
  }

  TestFolder folder_;
  std::unique_ptr<ShardStore> store_;
  OpeningReport report_;
};

}  // namespace hm::shard_store::test
