// SPDX-License-Identifier: Apache-2.0
// Logs where the page cache can be left out, and where it cannot: the same bytes, and the same
// answers.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "platform/shard_store/log_file.h"
#include "platform/shard_store/store_fixture.h"

namespace hm::shard_store::test {
namespace {

constexpr std::size_t kPage = blake3::kPageSize;
constexpr std::size_t kSizes[] = {1,         4'000,    4'096,          kPage,   kPage + 1,
                                  3 * kPage, 2u << 20, (2u << 20) + 9, 4u << 20};

class PageCacheTest : public StoreTest {
 protected:
  PageCacheTest() : StoreTest(Medium::Disk) {}

  bool bypasses(const fs::path& path) const {
    const auto file = LogFile::open(path.string(), LogFile::Mode::Read, LogFile::PageCache::Bypass);
    return file && file->bypasses_page_cache();
  }

  // How many of the file's pages are in memory.
  static std::size_t cached_pages(const fs::path& path) {
    const std::size_t bytes = fs::file_size(path);
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    void* const at = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, descriptor, 0);
    ::close(descriptor);
    EXPECT_NE(at, MAP_FAILED);
    std::vector<unsigned char> pages((bytes + 4095) / 4096);
    EXPECT_EQ(::mincore(at, bytes, pages.data()), 0);
    ::munmap(at, bytes);
    return static_cast<std::size_t>(
        std::ranges::count_if(pages, [](unsigned char page) { return (page & 1) != 0; }));
  }

  void put_all_sizes() {
    for (const std::size_t size : kSizes) put(size, size);
    ASSERT_TRUE(store_->drop(std::array{root_of(shard_bytes(1, 1))}, holder(1)));
  }
};

TEST_F(PageCacheTest, IsLeftOutWhereTheFileSystemTakesBlocksAsTheyAre) {
  open();
  if (!bypasses(log(1))) GTEST_SKIP() << "a file system without direct I/O: " << folder();
  put_all_sizes();
  for (const std::size_t size : kSizes) {
    if (size == 1) continue;
    expect_whole(size, size);
    EXPECT_TRUE(store_->prove(root_of(shard_bytes(size, size)), blake3::page_count(size) - 1));
  }
  EXPECT_EQ(cached_pages(log(1)), 0u);
  open();
  EXPECT_EQ(report_.damages, 0u);
  EXPECT_EQ(report_.torn_bytes, 0u);
  put(77, kPage);
  for (const std::size_t size : kSizes) {
    if (size != 1) expect_whole(size, size);
  }
  expect_gone(root_of(shard_bytes(1, 1)));
  ASSERT_TRUE(store_->drop_holder(holder(1)));
  compact();
  EXPECT_EQ(store_->usage().shards, 0u);
}

// What is read here was cached before, and is cached again, by whoever reads the file like any
// other.
TEST_F(PageCacheTest, WhoReadsALogThroughItSeesWhatIsAppendedPastIt) {
  open();
  for (std::uint64_t i = 0; i < 20; ++i) {
    put(i, 5'000 + i);
    const Bytes all = file_bytes(log(1));
    const Bytes body = shard_bytes(i, 5'000 + i);
    EXPECT_NE(std::ranges::search(all, body).begin(), all.end()) << i;
    expect_whole(i, 5'000 + i);
  }
}

TEST_F(PageCacheTest, ALogHasTheSameBytesWithItAndWithout) {
  open();
  const bool is_left_out = bypasses(log(1));
  store_.reset();
  const TestFolder memory;
  const fs::path other = memory.path() / "shards";
  fs::create_directory(other);
  fs::remove(log(1));
  fs::copy_file(folder() / "key", other / "key");
  open();
  put_all_sizes();
  store_.reset();
  const Bytes bytes = file_bytes(log(1));
  auto opened = open_shard_store({other.string(), 0});
  ASSERT_TRUE(opened) << opened.error().message;
  if (bypasses(other / "00000001.log") == is_left_out) {
    GTEST_SKIP() << "the page cache is used, or left out, both in " << folder() << " and in "
                 << other;
  }
  store_ = std::move(opened->store);
  put_all_sizes();
  EXPECT_TRUE(file_bytes(other / "00000001.log") == bytes);
}

}  // namespace
}  // namespace hm::shard_store::test
