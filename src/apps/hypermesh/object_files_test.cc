// SPDX-License-Identifier: Apache-2.0
// Files on their way into objects and back.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "apps/hypermesh/file_source.h"
#include "apps/hypermesh/folder_walk.h"
#include "apps/hypermesh/object_access.h"
#include "apps/hypermesh/partial_file.h"

namespace hm::cli {
namespace {

namespace fs = std::filesystem;

class ObjectFiles : public ::testing::Test {
 protected:
  ObjectFiles() : folder_((fs::temp_directory_path() / "hm-objects-XXXXXX").string()) {
    if (::mkdtemp(folder_.data()) == nullptr) std::abort();
  }
  ~ObjectFiles() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories(fs::path(path(name)).parent_path());
    std::ofstream(path(name), std::ios::binary) << text;
  }
  std::string text_of_file(const std::string& name) const {
    std::ifstream in(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      all.push_back(entry.path().filename().string());
    }
    return all;
  }

 private:
  std::string folder_;
};

// Everything that comes, or the failure.
Answer<std::string> read_all(FileSource& source, std::size_t step) {
  std::string all;
  std::vector<char> room(step);
  for (;;) {
    HM_CLI_TRY(const std::size_t count, source.read(room));
    if (count == 0) return all;
    all.append(room.data(), count);
  }
}

TEST_F(ObjectFiles, AFileComesWholeHoweverItIsRead) {
  const std::string text(100'000, 'x');
  write("a", text);
  for (const std::size_t step : {std::size_t{1000}, text.size(), text.size() * 2}) {
    auto source = FileSource::open(path("a"));
    ASSERT_TRUE(source);
    EXPECT_EQ(source->size(), text.size());
    EXPECT_EQ(read_all(*source, step), text);
    EXPECT_EQ(source->content(), blake3::hash(as_bytes(text)));
  }
  write("empty", "");
  auto empty = FileSource::open(path("empty"));
  ASSERT_TRUE(empty);
  EXPECT_EQ(read_all(*empty, 10), "");
}

TEST_F(ObjectFiles, AFileThatChangesMeanwhileIsAnErrorThatNamesIt) {
  const auto after = [&](const std::string& name, auto change) {
    write(name, "0123456789");
    auto source = FileSource::open(path(name));
    EXPECT_TRUE(source);
    std::vector<char> room(4);
    EXPECT_TRUE(source->read(room));
    change(path(name));
    const auto rest = read_all(*source, 4);
    EXPECT_FALSE(rest);
    return rest ? std::string() : rest.error().what;
  };
  const std::string longer = after(
      "longer", [](const std::string& file) { std::ofstream(file, std::ios::app) << "more"; });
  EXPECT_NE(longer.find("longer changed while it was read"), std::string::npos) << longer;
  after("shorter", [](const std::string& file) { fs::resize_file(file, 5); });
  after("written", [](const std::string& file) {
    const timespec times[2] = {{1, 0}, {1, 0}};
    ::utimensat(AT_FDCWD, file.c_str(), times, 0);
  });
}

TEST_F(ObjectFiles, OnlyRegularFilesAreRead) {
  EXPECT_FALSE(FileSource::open(path("nothing")));
  EXPECT_FALSE(FileSource::open(path("")));
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_FALSE(FileSource::open(path("pipe")));
}

TEST_F(ObjectFiles, AWalkFindsFilesByNameAndNamesWhatItLeavesOut) {
  write("tree/b", "2");
  write("tree/a/z", "1");
  write("tree/a/new\nline", "");
  write("tree/bad\xff", "");
  fs::create_symlink("b", path("tree/link"));
  ASSERT_EQ(::mkfifo(path("tree/pipe").c_str(), 0600), 0);
  const FolderWalk walk = walk_folder(path("tree"), "as/");
  std::vector<std::string> found;
  for (const FoundFile& file : walk.files) found.push_back(file.name);
  EXPECT_EQ(found, (std::vector<std::string>{"as/a/new\nline", "as/a/z", "as/b"}));
  EXPECT_EQ(walk.skipped, (std::vector<std::string>{path("tree/link"), path("tree/pipe")}));
  ASSERT_EQ(walk.failed.size(), 1U);
  EXPECT_NE(walk.failed[0].what.find("bad"), std::string::npos);
  EXPECT_FALSE(walk_folder(path("nothing"), "x/").failed.empty());
}

TEST_F(ObjectFiles, APartialFileIsFoundAgainByWhatItWillHold) {
  const std::string content(64, 'a');
  {
    auto file = PartialFile::open(path("out"), content, PartialFile::Begin::Anew);
    ASSERT_TRUE(file);
    ASSERT_TRUE(file->append("hello "));
    EXPECT_FALSE(PartialFile::open(path("out"), content, PartialFile::Begin::GoOn)) << "in use";
  }
  auto again = PartialFile::open(path("out"), content, PartialFile::Begin::GoOn);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->size(), 6U);
  ASSERT_TRUE(again->append("world"));
  EXPECT_EQ(again->content(), blake3::hash(as_bytes(std::string_view("hello world"))));
  ASSERT_TRUE(again->finish(PartialFile::Existing::Keep));
  EXPECT_EQ(text_of_file("out"), "hello world");
  EXPECT_EQ(names(), std::vector<std::string>{"out"});
}

TEST_F(ObjectFiles, APartialFileReplacesNothingUnlessItIsMeantTo) {
  write("out", "old");
  const std::string content(64, 'b');
  for (const auto existing : {PartialFile::Existing::Keep, PartialFile::Existing::Replace}) {
    auto file = PartialFile::open(path("out"), content, PartialFile::Begin::Anew);
    ASSERT_TRUE(file);
    ASSERT_TRUE(file->append("new"));
    const bool replaces = existing == PartialFile::Existing::Replace;
    EXPECT_EQ(file->finish(existing).has_value(), replaces);
    EXPECT_EQ(text_of_file("out"), replaces ? "new" : "old");
  }
}

TEST_F(ObjectFiles, APartialFileOfNothingOrDiscardedLeavesNothing) {
  const std::string content(64, 'c');
  {
    ASSERT_TRUE(PartialFile::open(path("out"), content, PartialFile::Begin::Anew));
  }
  EXPECT_TRUE(names().empty());
  auto file = PartialFile::open(path("out"), content, PartialFile::Begin::Anew);
  ASSERT_TRUE(file && file->append("x"));
  file->discard();
  EXPECT_TRUE(names().empty());
}

TEST(ObjectNames, TheLastPartIsAFileNameUnlessItLeadsElsewhere) {
  EXPECT_EQ(file_name_of("a"), "a");
  EXPECT_EQ(file_name_of("a/b"), "b");
  EXPECT_EQ(file_name_of("../b"), "b");
  for (const char* none : {"", "a/", "..", "a/..", ".", "/"})
    EXPECT_FALSE(file_name_of(none)) << none;
  EXPECT_EQ(folder_prefix("a"), "a/");
  EXPECT_EQ(folder_prefix("a/"), "a/");
  EXPECT_EQ(folder_prefix(""), "");
}

TEST(ObjectOwners, AreSplitAtCommas) {
  EXPECT_EQ(split_owners({"a,b", "c", ",d,"}), (std::vector<std::string>{"a", "b", "c", "d"}));
}

}  // namespace
}  // namespace hm::cli
