// SPDX-License-Identifier: Apache-2.0
// Archives of images that no tool makes: what is taken, named and refused.
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/containers/image_digest.h"
#include "platform/oci/image_store.h"
#include "platform/oci/stored_image.h"
#include "platform/oci/test_images.h"

namespace hm::oci {
namespace {

using containers::Descriptor;
using containers::LayerPacking;

class ArchiveImport : public ::testing::Test {
 protected:
  ArchiveImport() {
    auto store = open_image_store(
        {.folder = folder_ / "store", .uid_shift = 0, .max_bytes = std::uint64_t{64} << 20});
    EXPECT_TRUE(store);
    if (store) store_ = std::move(*store);
  }

  Result<std::vector<ports::NamedImage>> import_entries(const std::vector<TestEntry>& entries,
                                                        const std::string& reference = "") {
    write_text(folder_ / "archive.tar", as_text(tar_of(entries)));
    return store_->import_file(folder_ / "archive.tar", reference, nullptr);
  }
  Result<std::vector<ports::NamedImage>> import_layout(const TestLayout& layout,
                                                       const std::string& reference = "") {
    return import_entries(layout.entries(), reference);
  }
  std::optional<ErrorCode> refusal(const std::vector<TestEntry>& entries,
                                   const std::string& reference = "a") {
    const auto imported = import_entries(entries, reference);
    EXPECT_TRUE(imported || store_->names().empty());
    return imported ? std::nullopt : std::optional(imported.error().code);
  }

  TestFolder folder_;
  std::unique_ptr<ports::ImageStore> store_;
};

TestImage image_with(const std::string& word) { return {.layers = {{test_file("word", word)}}}; }

Descriptor named(Descriptor descriptor, std::string name) {
  descriptor.reference_name = std::move(name);
  return descriptor;
}

Descriptor unplaced(Descriptor descriptor) {
  descriptor.platform = std::nullopt;
  return descriptor;
}

TEST_F(ArchiveImport, NamesComeFromTheArchive) {
  TestLayout layout;
  layout.index = {named(layout.put_image(image_with("a")), "example.org/a:v1"),
                  named(layout.put_image(image_with("b")), "b:v2")};
  const auto images = import_layout(layout);
  ASSERT_TRUE(images) << images.error().message;
  ASSERT_EQ(images->size(), 2U);
  EXPECT_EQ((*images)[0].reference, "example.org/a:v1");
  EXPECT_EQ((*images)[1].reference, "b:v2");
  EXPECT_EQ(store_->find("b:v2")->manifest, layout.index[1].digest);
}

TEST_F(ArchiveImport, TheCallerNamesWhatHasNoName) {
  TestLayout layout;
  layout.index = {layout.put_image(image_with("a"))};
  EXPECT_EQ(import_layout(layout).error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(import_layout(layout, "Not A Name").error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(import_layout(layout, "given")->front().reference, "given:latest");
  layout.index = {named(layout.index[0], "own:v1")};
  EXPECT_EQ(import_layout(layout, "given")->front().reference, "given:latest")
      << "also if the archive calls it something else";
  layout.index = {named(layout.index[0], "tag"), named(layout.put_image(image_with("b")), "other")};
  const auto both = import_layout(layout, "example.org/given");
  ASSERT_TRUE(both);
  EXPECT_EQ((*both)[0].reference, "example.org/given:tag");
  EXPECT_EQ((*both)[1].reference, "example.org/given:other");
}

TEST_F(ArchiveImport, OneNameForSeveralPlatformsIsOneImage) {
  TestLayout layout;
  TestImage foreign = image_with("a");
  foreign.platform = {"linux", "s390x", ""};
  const auto ours = layout.put_image(image_with("a"));
  layout.index = {named(layout.put_image(foreign), "a:v1"), named(ours, "a:v1")};
  const auto images = import_layout(layout);
  ASSERT_TRUE(images);
  ASSERT_EQ(images->size(), 1U);
  EXPECT_EQ((*images)[0].manifest, ours.digest);
}

TEST_F(ArchiveImport, IndexesMayNestButNotForEver) {
  TestLayout layout;
  auto entry = layout.put_image(image_with("a"));
  for (int i = 0; i < 3; ++i) {
    entry = layout.put(containers::kOciIndex,
                       to_bytes(as_bytes(containers::write_index({.manifests = {entry}}))));
  }
  layout.index = {entry};
  EXPECT_TRUE(import_layout(layout, "a"));
  layout.index = {layout.put(containers::kOciIndex,
                             to_bytes(as_bytes(containers::write_index({.manifests = {entry}}))))};
  EXPECT_EQ(import_layout(layout, "a").error().code, ErrorCode::Corrupt);
}

TEST_F(ArchiveImport, WhatIsForOtherMachinesIsNotTaken) {
  TestLayout layout;
  TestImage foreign = image_with("a");
  foreign.platform = {"linux", "s390x", ""};
  layout.index = {layout.put_image(foreign)};
  EXPECT_EQ(refusal(layout.entries()), ErrorCode::Unsupported);
  // Its configuration counts where the index says nothing.
  layout.index = {unplaced(layout.index[0])};
  EXPECT_EQ(refusal(layout.entries()), ErrorCode::Unsupported);
}

TEST_F(ArchiveImport, WhatIsNoImageIsRefused) {
  EXPECT_EQ(refusal({test_file("a", "b")}), ErrorCode::InvalidArgument);
  EXPECT_EQ(refusal({test_file("../index.json", "{}"), test_file("oci-layout", "{}")}),
            ErrorCode::Corrupt);
  write_text(folder_ / "text", std::string(5000, 'x'));
  EXPECT_EQ(store_->import_file(folder_ / "text", "a", nullptr).error().code, ErrorCode::Corrupt);
  EXPECT_EQ(store_->import_file(folder_ / "none", "a", nullptr).error().code, ErrorCode::NotFound);
  EXPECT_EQ(store_->import_file("/dev/null", "a", nullptr).error().code,
            ErrorCode::InvalidArgument);
  TestLayout layout;
  layout.index = {layout.put_image(image_with("a"))};
  auto entries = layout.entries();
  entries.back().content = R"({"imageLayoutVersion":"9.9.9"})";
  EXPECT_EQ(refusal(entries), ErrorCode::Corrupt);
}

TEST_F(ArchiveImport, ABlobThatIsNotItsDigestIsRefused) {
  TestLayout layout;
  layout.index = {layout.put_image(image_with("a"))};
  for (const auto& [digest, bytes] : layout.blobs) {
    TestLayout damaged = layout;
    damaged.blobs.at(digest).back() ^= 1;
    EXPECT_EQ(refusal(damaged.entries()), ErrorCode::Corrupt);
    damaged = layout;
    damaged.blobs.at(digest).pop_back();
    EXPECT_EQ(refusal(damaged.entries()), ErrorCode::Corrupt);
    damaged = layout;
    damaged.blobs.at(digest).push_back(0);
    EXPECT_EQ(refusal(damaged.entries()), ErrorCode::Corrupt);
    damaged = layout;
    damaged.blobs.erase(digest);
    EXPECT_EQ(refusal(damaged.entries()), ErrorCode::NotFound);
  }
  EXPECT_TRUE(import_layout(layout, "a"));
}

TEST_F(ArchiveImport, ACutOffArchiveIsRefused) {
  TestLayout layout;
  layout.index = {layout.put_image(image_with(std::string(100'000, 'a')))};
  const Bytes tar = tar_of(layout.entries());
  for (const std::size_t size : {tar.size() / 4, tar.size() / 2, tar.size() * 3 / 4}) {
    write_text(folder_ / "cut.tar", as_text(ByteView(tar).first(size)));
    EXPECT_FALSE(store_->import_file(folder_ / "cut.tar", "a", nullptr)) << size;
  }
}

TEST_F(ArchiveImport, AFolderIsNotLeft) {
  TestLayout layout;
  layout.index = {layout.put_image(image_with("a"))};
  layout.write_folder(folder_ / "layout");
  std::filesystem::rename(folder_ / "layout/index.json", folder_ / "index.json");
  std::filesystem::create_symlink("../index.json", folder_ / "layout/index.json");
  EXPECT_EQ(store_->import_file(folder_ / "layout", "a", nullptr).error().code,
            ErrorCode::InvalidArgument);
  std::filesystem::remove(folder_ / "layout/index.json");
  std::filesystem::rename(folder_ / "index.json", folder_ / "layout/index.json");
  EXPECT_TRUE(store_->import_file(folder_ / "layout", "a", nullptr));
}

TEST_F(ArchiveImport, WhatIsExportedIsImportedAgain) {
  TestLayout layout;
  layout.index = {named(layout.put_image(image_with("a")), "example.org/a:v1")};
  ASSERT_TRUE(import_layout(layout));
  const auto manifest = layout.index[0].digest;
  ASSERT_TRUE(store_->export_file(manifest, "example.org/again:v2", folder_ / "out.tar"));
  const std::string first = read_text(folder_ / "out.tar");
  ASSERT_TRUE(store_->export_file(manifest, "example.org/again:v2", folder_ / "out.tar"));
  EXPECT_EQ(read_text(folder_ / "out.tar"), first);
  auto other = open_image_store(
      {.folder = folder_ / "other", .uid_shift = 0, .max_bytes = std::uint64_t{64} << 20});
  ASSERT_TRUE(other);
  const auto images = (*other)->import_file(folder_ / "out.tar", "", nullptr);
  ASSERT_TRUE(images) << images.error().message;
  EXPECT_EQ((*images)[0].reference, "example.org/again:v2");
  EXPECT_EQ((*images)[0].manifest, manifest);
  EXPECT_EQ(store_->export_file(crypto::sha256({}), "", folder_ / "none.tar").error().code,
            ErrorCode::NotFound);
  EXPECT_EQ(store_->export_file(manifest, "", folder_ / "none/none.tar").error().code,
            ErrorCode::NotFound);
}

// What `docker save` writes, in its older form.
struct SavedImage {
  std::vector<Bytes> layers;
  std::vector<TestEntry> entries;

  SavedImage(std::string_view tags, const std::vector<crypto::Digest>& diff_ids,
             const std::vector<std::string>& names) {
    const auto& machine = machine_platform();
    std::string list;
    for (const auto& name : names) list += (list.empty() ? "\"" : ",\"") + name + "\"";
    entries = {test_file("config.json", config_of(machine, {}, diff_ids)),
               test_file("manifest.json", R"([{"Config":"config.json","RepoTags":)" +
                                              std::string(tags) + R"(,"Layers":[)" + list + "]}]")};
  }
};

TEST_F(ArchiveImport, ADockerArchiveGetsAnOciManifest) {
  const Bytes first = tar_of({test_file("a", "x")});
  const Bytes second = tar_of({test_file("b", "y")});
  const auto zipped = packed(second, LayerPacking::Gzip);
  SavedImage saved(R"(["web:v1","example.org/web:v2"])",
                   {crypto::sha256(first), crypto::sha256(second), crypto::sha256(first)},
                   {"1/layer.tar", "2/layer.tar", "3/layer.tar"});
  saved.entries.push_back(test_file("1/layer.tar", std::string(as_text(first))));
  saved.entries.push_back(test_file("2/layer.tar", std::string(as_text(zipped))));
  saved.entries.push_back(test_symlink("3/layer.tar", "../1/layer.tar"));
  const auto images = import_entries(saved.entries);
  ASSERT_TRUE(images) << images.error().message << images.error().detail;
  ASSERT_EQ(images->size(), 2U);
  EXPECT_EQ((*images)[0].reference, "web:v1");
  EXPECT_EQ((*images)[1].reference, "example.org/web:v2");
  EXPECT_EQ((*images)[0].manifest, (*images)[1].manifest);
  const auto blobs = store_->blobs_of((*images)[0].manifest);
  ASSERT_TRUE(blobs);
  ASSERT_EQ(blobs->size(), 4U);
  EXPECT_EQ((*blobs)[2].digest, crypto::sha256(first));
  EXPECT_EQ((*blobs)[3].digest, crypto::sha256(zipped));
  EXPECT_EQ(import_entries(saved.entries)->front().manifest, (*images)[0].manifest);
}

TEST_F(ArchiveImport, ADockerArchivesLayersAreWhatItsConfigurationSays) {
  const Bytes layer = tar_of({test_file("a", "x")});
  SavedImage wrong("null", {crypto::sha256({})}, {"layer.tar"});
  wrong.entries.push_back(test_file("layer.tar", std::string(as_text(layer))));
  EXPECT_EQ(refusal(wrong.entries), ErrorCode::Corrupt);
  SavedImage missing("null", {crypto::sha256(layer)}, {"layer.tar"});
  EXPECT_EQ(refusal(missing.entries), ErrorCode::Corrupt);
  SavedImage uneven("null", {}, {"layer.tar"});
  uneven.entries.push_back(test_file("layer.tar", std::string(as_text(layer))));
  EXPECT_EQ(refusal(uneven.entries), ErrorCode::Corrupt);
  SavedImage outside("null", {crypto::sha256(layer)}, {"layer.tar"});
  outside.entries.push_back(test_symlink("layer.tar", "../../layer.tar"));
  EXPECT_EQ(refusal(outside.entries), ErrorCode::Corrupt);
  SavedImage circle("null", {crypto::sha256(layer)}, {"layer.tar"});
  circle.entries.push_back(test_symlink("layer.tar", "layer.tar"));
  EXPECT_EQ(refusal(circle.entries), ErrorCode::Corrupt);
}

TEST_F(ArchiveImport, ProgressEndsWhereItSaid) {
  TestLayout layout;
  layout.index = {named(layout.put_image(image_with(std::string(500'000, 'a'))), "a:v1")};
  layout.write_folder(folder_ / "layout");
  std::uint64_t last = 0;
  std::uint64_t total = 0;
  ASSERT_TRUE(store_->import_file(folder_ / "layout", "", [&](auto done, auto all) {
    EXPECT_GE(done, last);
    last = done;
    total = all;
  }));
  EXPECT_EQ(last, total);
  EXPECT_GT(total, 0U);
}

}  // namespace
}  // namespace hm::oci
