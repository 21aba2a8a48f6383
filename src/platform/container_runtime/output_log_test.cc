// SPDX-License-Identifier: Apache-2.0
#include "platform/container_runtime/output_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "platform/container_runtime/descriptor.h"
#include "platform/container_runtime/monitor_protocol.h"

namespace hm::container_runtime {
namespace {

namespace fs = std::filesystem;

class OutputLogTest : public testing::Test {
 protected:
  OutputLogTest() {
    std::string pattern = testing::TempDir() + "hm-log-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
    folder_ = Descriptor(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  ~OutputLogTest() override { fs::remove_all(path_); }

  int folder() const { return folder_.get(); }
  // All that is there from `offset` on, as "lane:bytes" for each piece.
  std::string read(std::uint64_t offset, std::size_t most = kMaxChunk) const {
    LogReader reader(folder());
    reader.seek(offset);
    std::string all;
    while (const auto piece = reader.next(most)) {
      all += std::to_string(piece->lane) + ":" + std::string(as_text(piece->bytes)) + ";";
    }
    return all;
  }

  fs::path path_;
  Descriptor folder_;
};

TEST_F(OutputLogTest, PiecesComeBackInOrderWithTheirLanesFromAnyOffset) {
  OutputLog log(folder());
  log.append(0, as_bytes("first"), 1);
  log.append(1, as_bytes("second"), 2);
  log.append(0, {}, 3);
  EXPECT_EQ(log.end(), 11U);
  EXPECT_EQ(read(0), "0:first;1:second;");
  EXPECT_EQ(read(3), "0:st;1:second;");
  EXPECT_EQ(read(5), "1:second;");
  EXPECT_EQ(read(0, 4), "0:firs;0:t;1:seco;1:nd;");
  EXPECT_EQ(read(11), "");
  EXPECT_EQ(LogReader::end_of(folder()), 11U);
}

TEST_F(OutputLogTest, AReaderSeesWhatComesLaterAndNothingTwice) {
  OutputLog log(folder());
  LogReader reader(folder());
  EXPECT_FALSE(reader.next(10));
  log.append(0, as_bytes("one"), 1);
  ASSERT_TRUE(reader.next(10));
  EXPECT_FALSE(reader.next(10));
  log.append(0, as_bytes("two"), 2);
  const auto peek = reader.next(0);
  ASSERT_TRUE(peek);
  EXPECT_TRUE(peek->bytes.empty());
  const auto piece = reader.next(10);
  ASSERT_TRUE(piece);
  EXPECT_EQ(as_text(piece->bytes), "two");
  EXPECT_EQ(piece->offset, 3U);
  EXPECT_EQ(piece->unix_millis, 2U);
  EXPECT_FALSE(reader.next(0));
}

TEST_F(OutputLogTest, SpaceIsBoundedAndReadersFollowAcrossTheFiles) {
  OutputLog log(folder());
  LogReader reader(folder());
  const Bytes chunk(kMaxChunk, 'x');
  std::uint64_t seen = 0;
  for (int i = 0; i < 400; ++i) {
    log.append(0, chunk, 1);
    while (const auto piece = reader.next(kMaxChunk)) {
      EXPECT_EQ(piece->offset, seen);
      seen += piece->bytes.size();
    }
    EXPECT_EQ(seen, log.end());
  }
  EXPECT_LE(fs::file_size(path_ / "log") + fs::file_size(path_ / "log.old"), 2 * kLogBytes);
  // From the beginning there is only what is kept, and its offsets say where that begins.
  LogReader late(folder());
  late.seek(0);
  const auto first = late.next(kMaxChunk);
  ASSERT_TRUE(first);
  EXPECT_GT(first->offset, 0U);
  EXPECT_EQ(first->offset % kMaxChunk, 0U);
  EXPECT_EQ(LogReader::end_of(folder()), log.end());
}

TEST_F(OutputLogTest, ALaterWriterGoesOnAfterTheLastWholeRecord) {
  {
    OutputLog log(folder());
    log.append(0, as_bytes("whole"), 1);
    log.append(0, as_bytes("half"), 1);
  }
  fs::resize_file(path_ / "log", fs::file_size(path_ / "log") - 2);
  EXPECT_EQ(read(0), "0:whole;");
  OutputLog log(folder());
  EXPECT_EQ(log.end(), 5U);
  log.append(1, as_bytes("next"), 2);
  EXPECT_EQ(read(0), "0:whole;1:next;");
}

TEST_F(OutputLogTest, AFileThatIsNoLogHasNoRecords) {
  std::ofstream(path_ / "log") << std::string(1000, '\xff');
  EXPECT_EQ(read(0), "");
  EXPECT_EQ(LogReader::end_of(folder()), 0U);
}

}  // namespace
}  // namespace hm::container_runtime
