// SPDX-License-Identifier: Apache-2.0
#include "platform/oci/layer_unpack.h"

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <string>

#include "platform/oci/limits.h"
#include "platform/oci/test_images.h"

namespace hm::oci {
namespace {

using containers::LayerPacking;
using Kind = TestEntry::Kind;

constexpr std::uint32_t kShift = 100'000;

ByteSource source_over(Bytes bytes, std::size_t piece = 1000) {
  auto state = std::make_shared<std::pair<Bytes, std::size_t>>(std::move(bytes), 0);
  return [state, piece]() -> Result<ByteView> {
    const auto rest = ByteView(state->first).subspan(state->second);
    const auto next = rest.first(std::min(piece, rest.size()));
    state->second += next.size();
    return next;
  };
}

class LayerUnpack : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "unpacking layers needs root";
    std::filesystem::create_directories(folder_ / "fs");
    write_text(folder_ / "secret", "outside");
  }

  Result<UnpackedLayer> unpack(Bytes layer, LayerPacking packing = LayerPacking::None) {
    return unpack_layer(source_over(std::move(layer)), packing, folder_ / "fs", options_);
  }
  Result<UnpackedLayer> unpack(const std::vector<TestEntry>& entries) {
    return unpack(tar_of(entries));
  }
  // The error of unpacking these; nothing beside the folder has changed.
  std::optional<ErrorCode> refusal(const std::vector<TestEntry>& entries) {
    const auto result = unpack(entries);
    EXPECT_EQ(read_text(folder_ / "secret"), "outside");
    std::vector<std::string> beside;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
      beside.push_back(entry.path().filename().string());
    }
    std::ranges::sort(beside);
    EXPECT_EQ(beside, (std::vector<std::string>{"fs", "secret"}));
    return result ? std::nullopt : std::optional(result.error().code);
  }

  std::string at(const std::string& name) const { return folder_ / "fs/" + name; }
  struct stat status(const std::string& name) const {
    struct stat found{};
    EXPECT_EQ(::lstat(at(name).c_str(), &found), 0) << name;
    return found;
  }
  bool exists(const std::string& name) const {
    struct stat found{};
    return ::lstat(at(name).c_str(), &found) == 0;
  }
  bool is_whiteout(const std::string& name) const {
    const auto found = status(name);
    return S_ISCHR(found.st_mode) && found.st_rdev == makedev(0, 0);
  }
  std::string attribute(const std::string& name, const char* key) const {
    std::array<char, 256> value{};
    const ssize_t n = ::lgetxattr(at(name).c_str(), key, value.data(), value.size());
    return n < 0 ? "none" : std::string(value.data(), static_cast<std::size_t>(n));
  }

  TestFolder folder_;
  UnpackOptions options_{
      .uid_shift = kShift, .limits = {.bytes = 1 << 20, .entries = 100}, .take_space = nullptr};
};

TEST_F(LayerUnpack, FilesFoldersAndLinksAreAsTheLayerSays) {
  TestEntry file = test_file("usr/bin/su", "binary", 04755);
  file.uid = 3;
  file.gid = 65'535;
  const auto layer = unpack({test_folder("./"),
                             test_folder("usr/", 0700),
                             file,
                             test_symlink("usr/sbin", "bin"),
                             test_hard_link("su", "usr/bin/su"),
                             test_folder("tmp", 01777),
                             {.kind = Kind::Fifo, .path = "usr/fifo", .mode = 0620}});
  ASSERT_TRUE(layer) << layer.error().message << layer.error().detail;
  EXPECT_EQ(read_text(at("usr/bin/su")), "binary");
  const auto su = status("usr/bin/su");
  EXPECT_EQ(su.st_mode, S_IFREG | 04755U);
  EXPECT_EQ(su.st_uid, kShift + 3);
  EXPECT_EQ(su.st_gid, kShift + 65'535);
  EXPECT_EQ(su.st_mtim.tv_sec, 1'600'000'000);
  EXPECT_EQ(status("su").st_ino, su.st_ino);
  EXPECT_EQ(status("usr").st_mode, S_IFDIR | 0700U);
  EXPECT_EQ(status("usr").st_mtim.tv_sec, 1'600'000'000);
  EXPECT_EQ(status("usr").st_uid, kShift);
  EXPECT_EQ(status("tmp").st_mode, S_IFDIR | 01777U);
  EXPECT_EQ(status("usr/fifo").st_mode, S_IFIFO | 0620U);
  EXPECT_EQ(std::filesystem::read_symlink(at("usr/sbin")), "bin");
  EXPECT_EQ(status("usr/sbin").st_uid, kShift);
  EXPECT_EQ(layer->entries, 7U);
}

TEST_F(LayerUnpack, FoldersThatItDoesNotNameBelongToTheContainersRoot) {
  ASSERT_TRUE(unpack({test_file("a/b/c", "x")}));
  EXPECT_EQ(status("a/b").st_mode, S_IFDIR | 0755U);
  EXPECT_EQ(status("a/b").st_uid, kShift);
  EXPECT_EQ(status(".").st_uid, kShift);
}

TEST_F(LayerUnpack, TheDigestIsOfTheTarStreamInAnyPacking) {
  Bytes tar = tar_of({test_file("a", std::string(5000, 'a'))});
  tar.resize(tar.size() + 10'240);  // padding behind the end mark
  for (const auto packing : {LayerPacking::None, LayerPacking::Gzip, LayerPacking::Zstd}) {
    const auto layer = unpack(packed(tar, packing), packing);
    ASSERT_TRUE(layer) << layer.error().detail << static_cast<int>(packing);
    EXPECT_EQ(layer->diff_id, crypto::sha256(tar));
  }
}

TEST_F(LayerUnpack, ThePaddingOfTheLastFileMayBeMissing) {
  Bytes tar = tar_of({test_file("a", std::string(600, 'a'))});
  tar.resize(tar.size() - 1024 - 424);  // without the end mark
  ASSERT_EQ(tar.back(), 'a');
  const auto layer = unpack(tar);
  ASSERT_TRUE(layer) << layer.error().detail;
  EXPECT_EQ(layer->diff_id, crypto::sha256(tar));
  EXPECT_EQ(read_text(at("a")), std::string(600, 'a'));
}

TEST_F(LayerUnpack, NamesAreBytes) {
  const std::string name = "caf\xc3\xa9-cafe\xcc\x81-\xff";
  ASSERT_TRUE(unpack({test_file(name, "x")}));
  EXPECT_EQ(read_text(at(name)), "x");
}

TEST_F(LayerUnpack, WhiteoutsAreThoseOfOverlayfs) {
  ASSERT_TRUE(unpack({test_file("a/.wh.gone"), test_file(".wh.top")}));
  EXPECT_TRUE(is_whiteout("a/gone"));
  EXPECT_TRUE(is_whiteout("top"));
  EXPECT_FALSE(exists("a/.wh.gone"));
}

TEST_F(LayerUnpack, AWhiteoutHidesNothingOfItsOwnLayer) {
  ASSERT_TRUE(unpack({test_file("before", "x"), test_file(".wh.before"), test_file(".wh.after"),
                      test_file("after", "y")}));
  EXPECT_EQ(read_text(at("before")), "x");
  EXPECT_EQ(read_text(at("after")), "y");
}

TEST_F(LayerUnpack, AFolderMadeAnewHidesTheOneBelow) {
  ASSERT_TRUE(unpack({test_file(".wh.a"), test_file("a/new"), test_folder("b"), test_file(".wh.b"),
                      test_folder("c")}));
  EXPECT_EQ(attribute("a", "trusted.overlay.opaque"), "y");
  EXPECT_EQ(attribute("b", "trusted.overlay.opaque"), "y");
  EXPECT_EQ(attribute("c", "trusted.overlay.opaque"), "none");
  EXPECT_TRUE(exists("a/new"));
}

TEST_F(LayerUnpack, AnOpaqueFolderIsMarked) {
  ASSERT_TRUE(unpack({test_folder("a"), test_file("a/.wh..wh..opq"), test_file("a/kept", "x"),
                      test_file(".wh..wh.plnk")}));
  EXPECT_EQ(attribute("a", "trusted.overlay.opaque"), "y");
  EXPECT_EQ(read_text(at("a/kept")), "x");
  EXPECT_FALSE(exists(".wh..wh.plnk"));
}

TEST_F(LayerUnpack, OnlyHarmlessAttributesAreKept) {
  TestEntry file = test_file("a", "x");
  file.attributes = {{"user.note", "hello"},
                     {"user.overlay.redirect", "/etc"},
                     {"trusted.overlay.redirect", "/etc"},
                     {"security.selinux", "x"}};
  const auto layer = unpack({file});
  ASSERT_TRUE(layer) << layer.error().detail;
  EXPECT_EQ(attribute("a", "user.note"), "hello");
  EXPECT_EQ(attribute("a", "trusted.overlay.redirect"), "none");
  EXPECT_EQ(attribute("a", "user.overlay.redirect"), "none");
  EXPECT_EQ(layer->attributes_left_out, 3U);
}

TEST_F(LayerUnpack, FileCapabilitiesHoldForTheContainersRoot) {
  vfs_ns_cap_data capability{};
  capability.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE;
  capability.data[0].permitted = 1U << CAP_NET_BIND_SERVICE;
  TestEntry file = test_file("ping", "x", 0755);
  file.attributes = {{"security.capability",
                      std::string(reinterpret_cast<const char*>(&capability), XATTR_CAPS_SZ_2)}};
  TestEntry damaged = test_file("damaged", "x");
  damaged.attributes = {{"security.capability", "short"}};
  const auto layer = unpack({file, damaged});
  ASSERT_TRUE(layer);
  vfs_ns_cap_data found{};
  ASSERT_EQ(::getxattr(at("ping").c_str(), "security.capability", &found, sizeof found),
            static_cast<ssize_t>(XATTR_CAPS_SZ_3));
  EXPECT_EQ(found.rootid, kShift);
  EXPECT_EQ(found.data[0].permitted, 1U << CAP_NET_BIND_SERVICE);
  EXPECT_EQ(layer->attributes_left_out, 1U);
}

TEST_F(LayerUnpack, DevicesAreLeftOutAndSocketsRefused) {
  const auto layer = unpack({{.kind = Kind::CharDevice, .path = "dev/null"}, test_file("a")});
  ASSERT_TRUE(layer);
  EXPECT_EQ(layer->devices_left_out, 1U);
  EXPECT_FALSE(exists("dev/null"));
  EXPECT_TRUE(exists("a"));
}

TEST_F(LayerUnpack, NoNameLeadsOut) {
  for (const char* name : {"../secret", "a/../../secret", "a/..", "..", "/secret", "//secret"}) {
    EXPECT_EQ(refusal({test_file(name, "evil")}), ErrorCode::Corrupt) << name;
    EXPECT_EQ(refusal({test_folder(name)}), ErrorCode::Corrupt) << name;
    EXPECT_EQ(refusal({test_symlink(name, "x")}), ErrorCode::Corrupt) << name;
  }
}

TEST_F(LayerUnpack, NothingIsWrittenThroughASymbolicLink) {
  for (const std::string& target :
       {folder_.path(), std::string("../"), std::string("."), std::string("/proc/self/root"),
        std::string("/proc/self/cwd")}) {
    std::filesystem::remove_all(folder_ / "fs");
    std::filesystem::create_directories(folder_ / "fs");
    EXPECT_EQ(refusal({test_symlink("out", target), test_file("out/secret", "evil")}),
              ErrorCode::Corrupt);
    EXPECT_EQ(refusal({test_symlink("out", target), test_folder("out/made")}), ErrorCode::Corrupt);
    EXPECT_EQ(refusal({test_symlink("out", target), test_file("out/.wh.secret")}),
              ErrorCode::Corrupt);
    EXPECT_EQ(refusal({test_symlink("out", target), test_file("out/.wh..wh..opq")}),
              ErrorCode::Corrupt);
    EXPECT_EQ(refusal({test_symlink("out", target), test_folder("out")}), ErrorCode::Corrupt);
    EXPECT_EQ(refusal({test_symlink("out", target), test_symlink("out/x", "y")}),
              ErrorCode::Corrupt);
  }
}

TEST_F(LayerUnpack, ALinkItselfIsReplacedNotFollowed) {
  EXPECT_EQ(refusal({test_symlink("a", folder_ / "secret"), test_file("a", "mine")}), std::nullopt);
  EXPECT_EQ(read_text(at("a")), "mine");
  EXPECT_TRUE(S_ISREG(status("a").st_mode));
}

TEST_F(LayerUnpack, HardLinksStayInside) {
  for (const std::string& target : {std::string("../secret"), folder_ / "secret",
                                    std::string("a/../../secret"), std::string("none")}) {
    EXPECT_EQ(refusal({test_hard_link("a", target)}), ErrorCode::Corrupt) << target;
  }
  EXPECT_EQ(refusal({test_symlink("out", ".."), test_hard_link("a", "out/secret")}),
            ErrorCode::Corrupt);
  // A link to a link is a link, and leads nowhere by itself.
  EXPECT_EQ(refusal({test_symlink("out2", "../secret"), test_hard_link("b", "out2"),
                     test_file("b", "mine")}),
            std::nullopt);
  EXPECT_EQ(read_text(at("b")), "mine");
  EXPECT_EQ(refusal({test_folder("d"), test_hard_link("e", "d")}), ErrorCode::Corrupt);
  EXPECT_EQ(refusal({test_file(".wh.w"), test_hard_link("f", "w")}), ErrorCode::Corrupt);
  EXPECT_EQ(refusal({test_file("g", "x"), test_hard_link("g", "g")}), ErrorCode::Corrupt);
}

TEST_F(LayerUnpack, AWhiteoutHasAName) {
  for (const char* name : {".wh.", ".wh..", ".wh...", "a/.wh...", ".wh.a/b"}) {
    EXPECT_EQ(refusal({test_file(name)}), ErrorCode::Corrupt) << name;
  }
}

TEST_F(LayerUnpack, AFolderAndAFileAreNotTheSame) {
  EXPECT_EQ(refusal({test_folder("a"), test_file("a")}), ErrorCode::Corrupt);
  EXPECT_EQ(refusal({test_file("b"), test_folder("b")}), ErrorCode::Corrupt);
  EXPECT_EQ(refusal({test_file("c"), test_file("c/d")}), ErrorCode::Corrupt);
  EXPECT_EQ(refusal({test_file("./", "root")}), ErrorCode::Corrupt);
}

TEST_F(LayerUnpack, NamesAreBounded) {
  EXPECT_EQ(refusal({test_file(std::string(256, 'a'))}), ErrorCode::Corrupt);
  std::string deep;
  for (std::size_t i = 0; i <= kMaxEntryDepth; ++i) deep += "d/";
  EXPECT_EQ(refusal({test_folder(deep)}), ErrorCode::Corrupt);
  std::string longest;
  while (longest.size() <= kMaxEntryPath) longest += std::string(200, 'l') + "/";
  EXPECT_EQ(refusal({test_folder(longest)}), ErrorCode::Corrupt);
  EXPECT_EQ(refusal({test_symlink("s", std::string(5000, 's'))}), ErrorCode::Corrupt);
}

TEST_F(LayerUnpack, OwnersThatNoContainerHasAreRefused) {
  for (const std::int64_t id : {std::int64_t{65'536}, std::int64_t{4'294'967'295}}) {
    TestEntry file = test_file("a");
    file.uid = id;
    EXPECT_EQ(refusal({file}), ErrorCode::Corrupt);
    file.uid = 0;
    file.gid = id;
    EXPECT_EQ(refusal({file}), ErrorCode::Corrupt);
  }
}

TEST_F(LayerUnpack, BytesAndEntriesAreBounded) {
  options_.limits.entries = 3;
  EXPECT_EQ(refusal({test_file("a"), test_file("b"), test_file("c"), test_file("d")}),
            ErrorCode::NoCapacity);
  options_.limits = {.bytes = 4096, .entries = 100};
  EXPECT_EQ(refusal({test_file("a", std::string(5000, 'a'))}), ErrorCode::NoCapacity);
}

TEST_F(LayerUnpack, ABombIsCutOff) {
  options_.limits.bytes = 1 << 20;
  for (const auto packing : {LayerPacking::Gzip, LayerPacking::Zstd}) {
    const Bytes bomb = packed(tar_of({test_file("a", std::string(16 << 20, '\0'))}), packing);
    ASSERT_LT(bomb.size(), std::size_t{1} << 17);
    const auto layer = unpack(bomb, packing);
    ASSERT_FALSE(layer);
    EXPECT_EQ(layer.error().code, ErrorCode::NoCapacity);
  }
}

// A header that claims `octal_size` bytes, with 512 behind it.
Bytes claiming(std::string_view octal_size) {
  Bytes tar = tar_of({test_file("a", std::string(512, 'a'))});
  const auto header = std::ranges::search(tar, as_bytes("ustar")).begin() - tar.begin() - 257;
  const auto at = static_cast<std::size_t>(header);
  std::ranges::copy(octal_size, tar.begin() + static_cast<std::ptrdiff_t>(at + 124));
  std::ranges::fill_n(tar.begin() + static_cast<std::ptrdiff_t>(at + 148), 8, ' ');
  unsigned sum = 0;
  for (std::size_t i = 0; i < 512; ++i) sum += tar[at + i];
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%06o", sum);
  std::ranges::copy(text, tar.begin() + static_cast<std::ptrdiff_t>(at + 148));
  return tar;
}

TEST_F(LayerUnpack, AClaimedSizeTakesNothing) {
  const auto huge = unpack(claiming("77777777777"));
  ASSERT_FALSE(huge);
  EXPECT_EQ(huge.error().code, ErrorCode::NoCapacity);
  const auto cut = unpack(claiming("00000177777"));
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, ErrorCode::Corrupt);
}

TEST_F(LayerUnpack, SpaceIsTakenBeforeItIsUsed) {
  std::uint64_t left = 3 * kEntryBytes;
  options_.take_space = [&left](std::uint64_t bytes) -> Result<void> {
    if (bytes > left) return fail(ErrorCode::NoCapacity, "full");
    left -= bytes;
    return {};
  };
  EXPECT_EQ(refusal({test_file("a"), test_file("b", std::string(8192, 'b'))}),
            ErrorCode::NoCapacity);
  EXPECT_FALSE(exists("b"));
}

TEST_F(LayerUnpack, WhatIsCutOffIsRefused) {
  const Bytes tar = tar_of({test_file("a", std::string(5000, 'a'))});
  for (const auto packing : {LayerPacking::None, LayerPacking::Gzip, LayerPacking::Zstd}) {
    Bytes half = packed(tar, packing);
    half.resize(half.size() / 2);
    EXPECT_FALSE(unpack(half, packing)) << static_cast<int>(packing);
  }
}

TEST_F(LayerUnpack, NothingButTheAnnouncedPackingIsUnderstood) {
  const Bytes tar = tar_of({test_file("a", "x")});
  const Bytes gzip = packed(tar, LayerPacking::Gzip);
  EXPECT_FALSE(unpack(tar, LayerPacking::Gzip));
  EXPECT_FALSE(unpack(gzip, LayerPacking::Zstd));
  EXPECT_FALSE(unpack(gzip, LayerPacking::None));
  EXPECT_FALSE(unpack(packed(gzip, LayerPacking::Gzip), LayerPacking::Gzip));
  for (const std::string& other :
       {std::string("070707000000"), std::string("PK\3\4abcdefgh"), std::string("!<arch>\n"),
        std::string("#mtree\n./a type=file\n"), std::string(2000, 'x'), std::string()}) {
    EXPECT_FALSE(unpack(to_bytes(as_bytes(other)), LayerPacking::None)) << other.substr(0, 8);
  }
}

}  // namespace
}  // namespace hm::oci
