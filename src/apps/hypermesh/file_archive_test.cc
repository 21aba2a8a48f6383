// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/file_archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace hm::cli {
namespace {

namespace fs = std::filesystem;

class FileArchive : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "hm-archive-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    fs::create_directories(folder_ / "out");
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const fs::path& path, const std::string& text) {
    fs::create_directories((folder_ / path).parent_path());
    std::ofstream(folder_ / path) << text;
  }
  std::string read(const fs::path& path) {
    std::ifstream file(folder_ / path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::string at(const fs::path& path) { return (folder_ / path).string(); }

  std::string packed(const std::string& path, const std::string& name) {
    auto writer = ArchiveWriter::of(path, name);
    EXPECT_TRUE(writer);
    std::string all;
    while (writer) {
      auto piece = writer->next();
      EXPECT_TRUE(piece);
      if (!piece || !*piece) break;
      all += **piece;
    }
    left_out_ = writer->left_out();
    return all;
  }

  // In pieces that fit no block.
  Outcome unpacked(const std::string& bytes, const std::string& path, const std::string& to) {
    std::size_t position = 0;
    left_out_.clear();
    return unpack(
        [&]() -> std::optional<std::string> {
          if (position == bytes.size()) return std::nullopt;
          const std::string piece = bytes.substr(position, 777);
          position += piece.size();
          return piece;
        },
        path, to, left_out_);
  }

  fs::path folder_;
  std::vector<std::string> left_out_;
};

struct Made {
  std::string name;
  mode_t type = AE_IFREG;
  std::string text;  // or where a link leads
  bool is_hard_link = false;
};

std::string made(const std::vector<Made>& entries) {
  std::string all;
  archive* writer = ::archive_write_new();
  ::archive_write_set_format_pax_restricted(writer);
  ::archive_write_set_bytes_in_last_block(writer, 1);
  ::archive_write_open(
      writer, &all, nullptr,
      [](archive*, void* context, const void* bytes, std::size_t count) {
        static_cast<std::string*>(context)->append(static_cast<const char*>(bytes), count);
        return static_cast<la_ssize_t>(count);
      },
      nullptr);
  for (const Made& each : entries) {
    archive_entry* entry = ::archive_entry_new();
    ::archive_entry_set_pathname(entry, each.name.c_str());
    ::archive_entry_set_filetype(entry, each.type);
    ::archive_entry_set_perm(entry, each.type == AE_IFDIR ? 0755 : 04755);
    if (each.is_hard_link) {
      ::archive_entry_set_hardlink(entry, each.text.c_str());
    } else if (each.type == AE_IFLNK) {
      ::archive_entry_set_symlink(entry, each.text.c_str());
    } else if (each.type == AE_IFREG) {
      ::archive_entry_set_size(entry, static_cast<la_int64_t>(each.text.size()));
    }
    EXPECT_EQ(::archive_write_header(writer, entry), ARCHIVE_OK) << each.name;
    if (each.type == AE_IFREG && !each.is_hard_link) {
      ::archive_write_data(writer, each.text.data(), each.text.size());
    }
    ::archive_entry_free(entry);
  }
  ::archive_write_close(writer);
  ::archive_write_free(writer);
  return all;
}

TEST_F(FileArchive, AFolderComesBackAsItWas) {
  write("site/index.html", "hello");
  write("site/deep/er/data", std::string(300'000, 'x'));
  write("site/empty", "");
  fs::create_symlink("index.html", folder_ / "site/link");
  const std::string bytes = packed(at("site"), "site");
  ASSERT_TRUE(unpacked(bytes, "/srv/site", at("out")));
  EXPECT_EQ(read("out/site/index.html"), "hello");
  EXPECT_EQ(read("out/site/deep/er/data").size(), 300'000U);
  EXPECT_TRUE(fs::exists(folder_ / "out/site/empty"));
  EXPECT_EQ(fs::read_symlink(folder_ / "out/site/link"), "index.html");
  EXPECT_TRUE(left_out_.empty());
}

TEST_F(FileArchive, AFileTakesTheNameItIsGiven) {
  write("notes", "text");
  const std::string bytes = packed(at("notes"), "notes");
  ASSERT_TRUE(unpacked(bytes, "/srv/notes", at("out")));
  EXPECT_EQ(read("out/notes"), "text");
  ASSERT_TRUE(unpacked(bytes, "/srv/notes", at("out/other")));
  EXPECT_EQ(read("out/other"), "text");
}

TEST_F(FileArchive, AFolderThatIsNotThereIsWhatIsCopied) {
  const std::string bytes =
      made({{"logs/", AE_IFDIR, {}}, {"logs/a", AE_IFREG, "1"}, {"logs/logs", AE_IFREG, "2"}});
  ASSERT_TRUE(unpacked(bytes, "/var/logs", at("out/mine")));
  EXPECT_EQ(read("out/mine/a"), "1");
  EXPECT_EQ(read("out/mine/logs"), "2");
}

// An archive may name what is in the folder, without the folder.
TEST_F(FileArchive, NamesWithoutTheFolderGoIntoOneOfItsName) {
  const std::string bytes = made({{"./", AE_IFDIR, {}}, {"./a", AE_IFREG, "1"}});
  ASSERT_TRUE(unpacked(bytes, "/var/logs/", at("out")));
  EXPECT_EQ(read("out/logs/a"), "1");
}

TEST_F(FileArchive, OnlyWhatIsInTheFolderIsPackedWithoutAName) {
  write("site/a", "1");
  const std::string bytes = packed(at("site"), "");
  ASSERT_TRUE(unpacked(bytes, "/", at("out")));
  EXPECT_EQ(read("out/a"), "1");
}

TEST_F(FileArchive, NothingIsWrittenOutside) {
  write("secret", "mine");
  const std::string bytes = made({{"data/", AE_IFDIR, {}},
                                  {"data/../../secret", AE_IFREG, "theirs"},
                                  {"../secret", AE_IFREG, "theirs"},
                                  {at("secret"), AE_IFREG, "theirs"},
                                  {"data/hard", AE_IFREG, at("secret"), true},
                                  {"data/up", AE_IFREG, "../secret", true},
                                  {"data/ok", AE_IFREG, "fine"}});
  ASSERT_TRUE(unpacked(bytes, "/data", at("out")));
  EXPECT_EQ(read("secret"), "mine");
  EXPECT_EQ(read("out/data/ok"), "fine");
  EXPECT_EQ(left_out_.size(), 5U);
  EXPECT_FALSE(fs::exists(folder_ / "out/data/hard"));
}

TEST_F(FileArchive, NothingIsWrittenThroughALink) {
  fs::create_directories(folder_ / "target");
  const std::string bytes = made({{"data/", AE_IFDIR, {}},
                                  {"data/way", AE_IFLNK, at("target")},
                                  {"data/way/in", AE_IFREG, "theirs"}});
  (void)unpacked(bytes, "/data", at("out"));
  EXPECT_TRUE(fs::is_empty(folder_ / "target"));
}

TEST_F(FileArchive, DevicesAndSetUserIdBitsAreLeftOut) {
  const std::string bytes = made({{"data/", AE_IFDIR, {}},
                                  {"data/pipe", AE_IFIFO, {}},
                                  {"data/null", AE_IFCHR, {}},
                                  {"data/program", AE_IFREG, "#!"}});
  ASSERT_TRUE(unpacked(bytes, "/data", at("out")));
  EXPECT_EQ(left_out_.size(), 2U);
  struct stat status{};
  ASSERT_EQ(::stat(at("out/data/program").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & (S_ISUID | S_ISGID), 0U);
  EXPECT_EQ(status.st_uid, ::geteuid());
}

TEST_F(FileArchive, PipesAreNotPacked) {
  write("site/a", "1");
  ASSERT_EQ(::mkfifo(at("site/pipe").c_str(), 0600), 0);
  packed(at("site"), "site");
  ASSERT_EQ(left_out_.size(), 1U);
  EXPECT_NE(left_out_.front().find("pipe"), std::string::npos);
}

TEST_F(FileArchive, ABrokenArchiveIsRefused) {
  write("site/data", std::string(100'000, 'x'));
  const std::string bytes = packed(at("site"), "site");
  const auto half = unpacked(bytes.substr(0, bytes.size() / 2), "/site", at("out"));
  ASSERT_FALSE(half);
  EXPECT_FALSE(half.error().why.empty());
  EXPECT_FALSE(unpacked("this is no archive at all" + std::string(2000, '!'), "/site", at("out")));
  EXPECT_FALSE(ArchiveWriter::of(at("missing"), "missing"));
}

TEST_F(FileArchive, TheRootSaysWhatItIs) {
  const auto root = [](const std::string& bytes) {
    bool is_given = false;
    return root_of([&]() -> std::optional<std::string> {
      if (std::exchange(is_given, true)) return std::nullopt;
      return bytes;
    });
  };
  EXPECT_TRUE(root(made({{"./", AE_IFDIR, {}}})).is_folder);
  EXPECT_TRUE(root(made({{"notes", AE_IFREG, "x"}})).is_there);
  EXPECT_FALSE(root(made({{"notes", AE_IFREG, "x"}})).is_folder);
  EXPECT_FALSE(root("").is_there);
}

}  // namespace
}  // namespace hm::cli
