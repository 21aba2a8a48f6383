// SPDX-License-Identifier: Apache-2.0
#include "platform/container_runtime/state_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace hm::container_runtime {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

class StateFolderTest : public testing::Test {
 protected:
  StateFolderTest() {
    std::string pattern = testing::TempDir() + "hm-state-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
    state_ = StateFolder(path_);
  }
  ~StateFolderTest() override { fs::remove_all(path_); }

  static Record record(const std::string& id) {
    Record made{.order = {.id = id}};
    made.order.spec.process.arguments = {"a", "b"};
    made.order.label = {1, 2};
    made.order.tenant = "somebody";
    made.restarts = 3;
    made.layers = {"/top", "/bottom"};
    made.network = "/net";
    made.processors = {1};
    return made;
  }

  fs::path path_;
  StateFolder state_{""};
};

TEST_F(StateFolderTest, AnOrderComesBackAsItWas) {
  ASSERT_TRUE(state_.make("one"));
  EXPECT_EQ(state_.make("one").error().code, ErrorCode::AlreadyExists);
  EXPECT_EQ(state_.read_order("one").error().code, ErrorCode::NotFound);
  for (const Durable durable : {Durable::No, Durable::Yes}) {
    ASSERT_TRUE(state_.write_order(record("one"), durable));
    const auto read = state_.read_order("one");
    ASSERT_TRUE(read);
    EXPECT_EQ(read->order.spec, record("one").order.spec);
    EXPECT_EQ(read->order.label, (Bytes{1, 2}));
    EXPECT_EQ(read->order.tenant, "somebody");
    EXPECT_EQ(read->restarts, 3U);
    EXPECT_THAT(read->layers, ElementsAre("/top", "/bottom"));
    EXPECT_THAT(read->processors, ElementsAre(1U));
  }
  EXPECT_THAT(state_.ids(), ElementsAre("one"));
}

TEST_F(StateFolderTest, AnOrderThatIsCutOffForeignOrOfAnotherFormatIsCorrupt) {
  ASSERT_TRUE(state_.make("one"));
  ASSERT_TRUE(state_.make("two"));
  ASSERT_TRUE(state_.write_order(record("one"), Durable::No));
  fs::copy_file(path_ / "one/order", path_ / "two/order");
  EXPECT_EQ(state_.read_order("two").error().code, ErrorCode::Corrupt);
  const auto size = fs::file_size(path_ / "one/order");
  for (std::uintmax_t cut = 0; cut < size; ++cut) {
    fs::copy_file(path_ / "two/order", path_ / "one/order", fs::copy_options::overwrite_existing);
    fs::resize_file(path_ / "one/order", cut);
    EXPECT_EQ(state_.read_order("one").error().code, ErrorCode::Corrupt) << cut;
  }
  std::ofstream(path_ / "one/order") << '\x02';
  EXPECT_EQ(state_.read_order("one").error().detail, "unknown format");
}

TEST_F(StateFolderTest, AnExitIsReadStrictly) {
  ASSERT_TRUE(state_.make("one"));
  EXPECT_FALSE(state_.read_exit("one"));
  ASSERT_TRUE(state_.write_exit("one", {.code = 137, .at = UnixMillis(5), .seen = 9}));
  const auto exit = state_.read_exit("one");
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->code, 137);
  EXPECT_EQ(exit->at, UnixMillis(5));
  EXPECT_EQ(exit->seen, 9U);
  for (const char* text : {"", "1", "1 2", "1 2 3", "256 2 3\n", "1 2 3\nx", "a 2 3\n", "1 2 \n",
                           "1 2 99999999999999999999999\n"}) {
    std::ofstream(path_ / "one/exit") << text;
    EXPECT_FALSE(state_.read_exit("one")) << text;
  }
  state_.clear_start("one");
  EXPECT_FALSE(fs::exists(path_ / "one/exit"));
}

TEST_F(StateFolderTest, UsageIsZeroUntilItIsWritten) {
  ASSERT_TRUE(state_.make("one"));
  EXPECT_EQ(state_.read_usage("one"), UsageTotals{});
  const UsageTotals totals{.starts = 1, .cpu_us = 2, .memory_byte_seconds = 3};
  state_.write_usage("one", totals);
  EXPECT_EQ(state_.read_usage("one"), totals);
}

TEST_F(StateFolderTest, OnlyFoldersWithAnIdForANameAreContainers) {
  for (const char* name : {"good", ".networks", "Bad", "-x", "a.b"}) {
    fs::create_directories(path_ / name);
  }
  std::ofstream(path_ / "file") << "x";
  EXPECT_THAT(state_.ids(), ElementsAre("good"));
}

}  // namespace
}  // namespace hm::container_runtime
