// SPDX-License-Identifier: Apache-2.0
#include "platform/oci/image_store.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/containers/image_digest.h"
#include "core/containers/image_manifest.h"
#include "platform/oci/test_images.h"

namespace hm::oci {
namespace {

using containers::LayerPacking;

constexpr std::uint64_t kRoom = std::uint64_t{1} << 30;

class ImageStore : public ::testing::Test {
 protected:
  std::unique_ptr<ports::ImageStore> open(std::uint64_t max_bytes = kRoom) {
    auto store = open_image_store(
        {.folder = folder_ / "store", .uid_shift = 100'000, .max_bytes = max_bytes});
    EXPECT_TRUE(store) << store.error().message;
    return store ? std::move(*store) : nullptr;
  }

  static Result<void> put(ports::ImageStore& store, ByteView bytes, const crypto::Digest& digest) {
    HM_TRY(const auto writer, store.write_blob({.digest = digest, .bytes = bytes.size()}));
    HM_TRY_VOID(writer->write(bytes.subspan(static_cast<std::size_t>(writer->offset()))));
    return writer->commit();
  }
  static void put_all(ports::ImageStore& store, const TestLayout& layout) {
    for (const auto& [digest, bytes] : layout.blobs) EXPECT_TRUE(put(store, bytes, digest));
  }

  // As if nobody had touched them for two days.
  void make_old(const std::string& part) const {
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / "store/" + part)) {
      const timespec then[2] = {{.tv_sec = ::time(nullptr) - 172'800},
                                {.tv_sec = ::time(nullptr) - 172'800}};
      EXPECT_EQ(::utimensat(AT_FDCWD, entry.path().c_str(), then, 0), 0);
    }
  }
  std::size_t count(const std::string& part) const {
    const std::filesystem::directory_iterator entries(folder_ / "store/" + part);
    return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
  }

  TestFolder folder_;
};

std::optional<ErrorCode> code_of(const auto& result) {
  return result ? std::nullopt : std::optional(result.error().code);
}

TestImage small_image(const std::string& word) {
  return {.layers = {{test_folder("etc"), test_file("etc/word", word)},
                     {test_file("etc/.wh.word"), test_file("etc/next", word)}}};
}

TEST_F(ImageStore, ABlobIsSeenOnceItIsWholeAndRight) {
  const auto store = open();
  const Bytes bytes(100'000, 7);
  const auto digest = crypto::sha256(bytes);
  {
    auto writer = store->write_blob({.digest = digest, .bytes = bytes.size()});
    ASSERT_TRUE(writer);
    ASSERT_TRUE((*writer)->write(ByteView(bytes).first(60'000)));
    EXPECT_EQ(store->blob_size(digest), std::nullopt);
    EXPECT_EQ(code_of((*writer)->commit()), ErrorCode::FailedPrecondition);
    EXPECT_EQ(code_of(store->write_blob({.digest = digest, .bytes = 1})), ErrorCode::Busy);
  }
  auto writer = store->write_blob({.digest = digest, .bytes = bytes.size()});
  ASSERT_TRUE(writer);
  EXPECT_EQ((*writer)->offset(), 60'000U);
  ASSERT_TRUE((*writer)->write(ByteView(bytes).subspan(60'000)));
  ASSERT_TRUE((*writer)->commit());
  EXPECT_EQ(store->blob_size(digest), bytes.size());
  EXPECT_EQ(store->read_blob(digest, 99'999, 10).value(), Bytes{7});
  EXPECT_EQ(store->read_blob(digest, 100'000, 10).value(), Bytes{});
  EXPECT_EQ(code_of(store->write_blob({.digest = digest, .bytes = bytes.size()})),
            ErrorCode::AlreadyExists);
}

TEST_F(ImageStore, WhatCameStaysForTheNextProcess) {
  const Bytes bytes(5000, 1);
  const ports::ImageBlob blob{.digest = crypto::sha256(bytes), .bytes = bytes.size()};
  {
    const auto store = open();
    auto writer = store->write_blob(blob);
    ASSERT_TRUE((*writer)->write(ByteView(bytes).first(10)));
  }
  const auto store = open();
  auto writer = store->write_blob(blob);
  EXPECT_EQ((*writer)->offset(), 10U);
  ASSERT_TRUE((*writer)->write(ByteView(bytes).subspan(10)));
  EXPECT_TRUE((*writer)->commit());
}

TEST_F(ImageStore, AWrongBlobIsForgotten) {
  const auto store = open();
  const Bytes bytes(1000, 1);
  const ports::ImageBlob blob{.digest = crypto::sha256(as_bytes("other")), .bytes = bytes.size()};
  {
    auto writer = store->write_blob(blob);
    ASSERT_TRUE((*writer)->write(bytes));
    EXPECT_EQ(code_of((*writer)->commit()), ErrorCode::Corrupt);
    EXPECT_EQ(code_of((*writer)->commit()), ErrorCode::FailedPrecondition);
  }
  EXPECT_EQ(count("incoming"), 0U);
  {
    auto writer = store->write_blob(blob);
    EXPECT_EQ((*writer)->offset(), 0U);
    ASSERT_TRUE((*writer)->write(bytes));
    EXPECT_EQ(code_of((*writer)->write(as_bytes("x"))), ErrorCode::Corrupt);
  }
  EXPECT_EQ(count("incoming"), 0U);
  EXPECT_EQ(store->blob_size(blob.digest), std::nullopt);
}

TEST_F(ImageStore, ItsSizeIsLimited) {
  const auto store = open(10'000);
  const Bytes bytes(6000, 1);
  const auto digest = crypto::sha256(bytes);
  ASSERT_TRUE(put(*store, bytes, digest));
  EXPECT_EQ(code_of(store->write_blob({.digest = {}, .bytes = 6000})), ErrorCode::NoCapacity);
  EXPECT_EQ(code_of(store->write_blob({.digest = {}, .bytes = ~std::uint64_t{0}})),
            ErrorCode::InvalidArgument);
  {
    const auto reserved = store->write_blob({.digest = {}, .bytes = 3000});
    ASSERT_TRUE(reserved);
    EXPECT_EQ(code_of(store->write_blob({.digest = digest, .bytes = 3000})),
              ErrorCode::AlreadyExists);
    EXPECT_EQ(code_of(store->write_blob({.digest = crypto::sha256({}), .bytes = 3000})),
              ErrorCode::NoCapacity);
  }
  EXPECT_TRUE(store->write_blob({.digest = crypto::sha256({}), .bytes = 3000}));
  EXPECT_EQ(count("incoming"), 0U) << "of what never began, nothing is left";
}

TEST_F(ImageStore, ItsSizeIsCountedAgainWhenItOpens) {
  const Bytes bytes(6000, 1);
  ASSERT_TRUE(put(*open(), bytes, crypto::sha256(bytes)));
  EXPECT_EQ(code_of(open(10'000)->write_blob({.digest = {}, .bytes = 6000})),
            ErrorCode::NoCapacity);
}

TEST_F(ImageStore, AManifestSaysWhatItNeeds) {
  const auto store = open();
  TestLayout layout;
  const auto manifest = layout.put_image(small_image("a"));
  EXPECT_EQ(code_of(store->blobs_of(manifest.digest)), ErrorCode::NotFound);
  ASSERT_TRUE(put(*store, layout.blobs.at(manifest.digest), manifest.digest));
  const auto blobs = store->blobs_of(manifest.digest);
  ASSERT_TRUE(blobs);
  EXPECT_EQ(blobs->size(), 4U);
  EXPECT_EQ(blobs->front().digest, manifest.digest);
  EXPECT_EQ(code_of(store->set_name("a", manifest.digest)), ErrorCode::NotFound);
  const auto config = blobs->at(1).digest;
  ASSERT_TRUE(put(*store, layout.blobs.at(config), config));
  EXPECT_EQ(code_of(store->set_name("a", manifest.digest)), ErrorCode::FailedPrecondition);
}

TEST_F(ImageStore, NamesOutliveIt) {
  TestLayout layout;
  const auto first = layout.put_image(small_image("a"));
  const auto second = layout.put_image(small_image("b"));
  {
    const auto store = open();
    put_all(*store, layout);
    ASSERT_TRUE(store->set_name("web", first.digest));
    ASSERT_TRUE(store->set_name("Registry.Example/db:v1", second.digest));
    ASSERT_TRUE(store->set_name("web", second.digest));
    ASSERT_TRUE(store->set_name("web:v1", first.digest));
    EXPECT_EQ(code_of(store->set_name("Web", first.digest)), ErrorCode::InvalidArgument);
  }
  const auto store = open();
  ASSERT_EQ(store->names().size(), 3U);
  EXPECT_EQ(store->find("web")->manifest, second.digest);
  EXPECT_EQ(store->find("web:latest")->reference, "web:latest");
  const auto found = store->find("web:v1");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->manifest, first.digest);
  EXPECT_EQ(found->created, UnixMillis(1'704'164'645'000));
  EXPECT_TRUE(found->platform.starts_with("linux/"));
  EXPECT_GT(found->bytes, 500U);
  EXPECT_EQ(store->find(first.digest.to_string().substr(0, 12))->manifest, first.digest);
  EXPECT_EQ(store->find("sha256:" + second.digest.to_string())->manifest, second.digest);
  EXPECT_EQ(code_of(store->find("web:v2")), ErrorCode::NotFound);
  EXPECT_EQ(code_of(store->find("0123456789")), ErrorCode::NotFound);
  EXPECT_EQ(code_of(store->find("no such name")), ErrorCode::InvalidArgument);
  EXPECT_TRUE(store->remove_name("web"));
  EXPECT_EQ(code_of(store->remove_name("web")), ErrorCode::NotFound);
}

TEST_F(ImageStore, WhatIsNamedOrHeldOrYoungIsNotCollected) {
  if (::geteuid() != 0) GTEST_SKIP() << "unpacking layers needs root";
  const auto store = open();
  TestLayout layout;
  const auto manifest = layout.put_image(small_image("a"));
  put_all(*store, layout);
  EXPECT_EQ(store->collect().value(), 0U);  // on its way
  ASSERT_TRUE(store->set_name("web", manifest.digest));
  auto unpacked = store->unpack(manifest.digest, nullptr);
  ASSERT_TRUE(unpacked) << unpacked.error().message;
  make_old("blobs/sha256");
  EXPECT_EQ(store->collect().value(), 0U);  // named
  ASSERT_TRUE(store->remove_name("web"));
  EXPECT_EQ(store->collect().value(), 0U);  // held
  EXPECT_EQ(count("layers"), 2U);
  unpacked->hold.reset();
  EXPECT_GT(store->collect().value(), 0U);
  EXPECT_EQ(count("layers"), 0U);
  EXPECT_EQ(count("blobs/sha256"), 0U);
}

TEST_F(ImageStore, WhatLostItsNameGoesAtOnce) {
  const auto store = open();
  TestLayout layout;
  const auto first = layout.put_image(small_image("a"));
  const auto second = layout.put_image(small_image("a"));  // the same
  const auto third = layout.put_image({.layers = {small_image("a").layers[0]}});
  EXPECT_EQ(first.digest, second.digest);
  put_all(*store, layout);
  ASSERT_TRUE(store->set_name("one", first.digest));
  ASSERT_TRUE(store->set_name("two", third.digest));
  ASSERT_TRUE(store->remove_name("one"));
  EXPECT_GT(store->collect().value(), 0U);
  // The layer that both have stays.
  EXPECT_EQ(count("blobs/sha256"), 3U);
  EXPECT_EQ(code_of(store->blobs_of(first.digest)), ErrorCode::NotFound);
}

TEST_F(ImageStore, OldLeftoversAreCollected) {
  const auto store = open();
  TestLayout layout;
  layout.put_image(small_image("a"));
  put_all(*store, layout);
  const Bytes bytes(100, 1);
  {
    auto writer = store->write_blob({.digest = {}, .bytes = 1000});
    ASSERT_TRUE((*writer)->write(bytes));
    make_old("incoming");
    EXPECT_EQ(store->collect().value(), 0U);  // somebody writes it
  }
  EXPECT_EQ(store->collect().value(), 100U);
  make_old("blobs/sha256");
  EXPECT_GT(store->collect().value(), 0U);
  EXPECT_EQ(count("blobs/sha256"), 0U);
}

class ImageStoreUnpack : public ImageStore {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "unpacking layers needs root";
  }
};

TEST_F(ImageStoreUnpack, LayersLieTopmostFirst) {
  const auto store = open();
  TestLayout layout;
  const auto manifest = layout.put_image(small_image("a"));
  put_all(*store, layout);
  std::uint64_t last = 0;
  std::uint64_t total = 0;
  const auto unpacked = store->unpack(manifest.digest, [&](std::uint64_t done, std::uint64_t all) {
    EXPECT_GE(done, last);
    last = done;
    total = all;
  });
  ASSERT_TRUE(unpacked) << unpacked.error().message;
  EXPECT_EQ(last, total);
  EXPECT_GT(total, 0U);
  ASSERT_EQ(unpacked->layers.size(), 2U);
  EXPECT_EQ(read_text(unpacked->layers[0] + "/etc/next"), "a");
  EXPECT_EQ(read_text(unpacked->layers[1] + "/etc/word"), "a");
  EXPECT_EQ(crypto::sha256(unpacked->config), store->blobs_of(manifest.digest)->at(1).digest);
}

TEST_F(ImageStoreUnpack, ALayerThatStandsTwiceIsStackedOnce) {
  const auto store = open();
  TestLayout layout;
  const auto layer = small_image("a").layers[0];
  const auto manifest = layout.put_image({.layers = {layer, small_image("b").layers[1], layer}});
  put_all(*store, layout);
  const auto unpacked = store->unpack(manifest.digest, nullptr);
  ASSERT_TRUE(unpacked);
  ASSERT_EQ(unpacked->layers.size(), 2U);
  EXPECT_EQ(read_text(unpacked->layers[0] + "/etc/word"), "a");
}

TEST_F(ImageStoreUnpack, WhatIsHeldIsThereWhateverOthersDo) {
  const auto store = open();
  TestLayout kept;
  TestLayout lost;  // nothing names it, so that it goes whenever nobody holds it
  const auto first = kept.put_image(small_image("a"));
  const auto second =
      lost.put_image({.layers = {small_image("a").layers[0], small_image("c").layers[1]}});
  put_all(*store, kept);
  ASSERT_TRUE(store->set_name("kept", first.digest));
  std::atomic<int> failed = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      const bool is_kept = i % 2 == 0;
      for (int round = 0; round < 10; ++round) {
        if (!is_kept) {
          for (const auto& [digest, bytes] : lost.blobs) (void)put(*store, bytes, digest);
        }
        const auto unpacked = store->unpack(is_kept ? first.digest : second.digest, nullptr);
        if (!store->collect()) ++failed;
        if (unpacked ? read_text(unpacked->layers[0] + "/etc/next") != (is_kept ? "a" : "c")
                     : is_kept || unpacked.error().code != ErrorCode::NotFound) {
          ++failed;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
}

TEST_F(ImageStoreUnpack, ALayerThatIsNotItsDiffIdIsRefused) {
  const auto store = open();
  TestLayout layout;
  const auto layer = layout.put(containers::kOciLayer, tar_of({test_file("a")}));
  const auto config =
      layout.put(containers::kOciConfig,
                 to_bytes(as_bytes(config_of({"linux", "amd64", ""}, {}, {crypto::sha256({})}))));
  const auto manifest = layout.put(
      containers::kOciManifest,
      to_bytes(as_bytes(containers::write_manifest({.config = config, .layers = {layer}}))));
  const auto none =
      layout.put(containers::kOciManifest,
                 to_bytes(as_bytes(containers::write_manifest({.config = config, .layers = {}}))));
  put_all(*store, layout);
  EXPECT_EQ(code_of(store->unpack(manifest.digest, nullptr)), ErrorCode::Corrupt);
  EXPECT_EQ(code_of(store->unpack(none.digest, nullptr)), ErrorCode::Corrupt);
  EXPECT_EQ(count("layers"), 0U);
}

TEST_F(ImageStoreUnpack, AnImageForAnotherMachineIsRefused) {
  const auto store = open();
  TestLayout layout;
  TestImage image = small_image("a");
  image.platform = {"linux", "s390x", ""};
  const auto manifest = layout.put_image(image);
  put_all(*store, layout);
  EXPECT_EQ(code_of(store->unpack(manifest.digest, nullptr)), ErrorCode::Unsupported);
  EXPECT_EQ(code_of(store->set_name("a", manifest.digest)), ErrorCode::Unsupported);
}

TEST_F(ImageStoreUnpack, WhatAKilledProcessLeftIsRemoved) {
  TestLayout layout;
  const auto manifest = layout.put_image(small_image("a"));
  {
    const auto store = open();
    put_all(*store, layout);
    ASSERT_TRUE(store->unpack(manifest.digest, nullptr));
  }
  write_text(folder_ / "store/layers/tmp-7/fs/etc/half", "x");
  const std::string unmarked = crypto::sha256({}).to_string();
  write_text(folder_ / "store/layers/" + unmarked + "/fs/etc/half", "x");
  const auto store = open();
  EXPECT_EQ(count("layers"), 2U);
  const auto unpacked = store->unpack(manifest.digest, nullptr);
  ASSERT_TRUE(unpacked);
  EXPECT_EQ(read_text(unpacked->layers[1] + "/etc/word"), "a");
}

TEST_F(ImageStoreUnpack, AKillAtAnyMomentLeavesAWholeStore) {
  TestLayout layout;
  std::vector<TestEntry> many;
  for (int i = 0; i < 500; ++i) many.push_back(test_file("f" + std::to_string(i), "content"));
  const auto manifest = layout.put_image({.layers = {many, small_image("a").layers[0]}});
  put_all(*open(), layout);
  for (const int delay_ms : {3, 40}) {
    const pid_t child = ::fork();
    if (child == 0) {
      while (true) {
        const auto store = open();
        (void)store->unpack(manifest.digest, nullptr).has_value();
        (void)store->set_name("a", manifest.digest).has_value();
        (void)store->remove_name("a").has_value();
        // As collect() does it, but for the blobs.
        std::filesystem::rename(folder_ / "store/layers", folder_ / "store/gone");
        std::filesystem::remove_all(folder_ / "store/gone");
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(delay_ms));
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    std::filesystem::remove_all(folder_ / "store/gone");
    const auto store = open();
    ASSERT_NE(store, nullptr);
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / "store/layers")) {
      EXPECT_TRUE(crypto::Digest::parse(entry.path().filename().string())) << entry.path();
    }
    const auto unpacked = store->unpack(manifest.digest, nullptr);
    ASSERT_TRUE(unpacked) << unpacked.error().message;
    const std::filesystem::directory_iterator files(unpacked->layers[1]);
    EXPECT_EQ(std::distance(begin(files), end(files)), 500);
  }
}

// Mounts the layers under a writable folder, in a mount namespace that ends with its thread, and
// gives what there is: "path" or "path=content".
std::vector<std::string> seen_through_overlayfs(const std::vector<std::string>& layers,
                                                const std::string& scratch, int& error) {
  std::vector<std::string> seen;
  std::thread([&] {
    std::string lower;
    for (const auto& layer : layers) lower += (lower.empty() ? "" : ":") + layer;
    for (const char* part : {"/upper", "/work", "/merged"}) {
      std::filesystem::create_directories(scratch + part);
    }
    const std::string options =
        "lowerdir=" + lower + ",upperdir=" + scratch + "/upper,workdir=" + scratch + "/work";
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("overlay", (scratch + "/merged").c_str(), "overlay", 0, options.c_str()) != 0) {
      error = errno;
      return;
    }
    const std::string root = scratch + "/merged/";
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
      std::string text = entry.path().string().substr(root.size());
      if (entry.is_regular_file()) text += "=" + read_text(entry.path());
      seen.push_back(text);
    }
  }).join();
  std::ranges::sort(seen);
  return seen;
}

TEST_F(ImageStoreUnpack, OverlayfsShowsWhatTheImageSays) {
  TestLayout layout;
  const auto manifest = layout.put_image(
      {.layers = {
           {test_file("a", "1"), test_file("b/x", "1"), test_file("b/y", "1"), test_file("c", "1"),
            test_file("d/e", "1"), test_file("f/g", "1")},
           {test_file(".wh.a"), test_folder("b"), test_file("b/.wh..wh..opq"),
            test_file("b/z", "2"), test_file("c", "2"), test_file("d/.wh.e")},
           {test_file("c", "3"), test_file(".wh.f"), test_folder("f"), test_file("a", "3")}}});
  const auto store = open();
  put_all(*store, layout);
  const auto unpacked = store->unpack(manifest.digest, nullptr);
  ASSERT_TRUE(unpacked) << unpacked.error().message;
  int error = 0;
  const auto seen = seen_through_overlayfs(unpacked->layers, folder_.path(), error);
  if (error != 0) GTEST_SKIP() << "overlayfs cannot be mounted here: " << std::strerror(error);
  EXPECT_EQ(seen, (std::vector<std::string>{"a=3", "b", "b/z=2", "c=3", "d", "f"}));
}

TEST_F(ImageStoreUnpack, LayersOfAnotherShiftAreUnpackedAnew) {
  TestLayout layout;
  const auto manifest = layout.put_image(small_image("a"));
  put_all(*open(), layout);
  ASSERT_TRUE(open()->unpack(manifest.digest, nullptr));
  auto store =
      open_image_store({.folder = folder_ / "store", .uid_shift = 200'000, .max_bytes = kRoom});
  ASSERT_TRUE(store);
  const auto unpacked = (*store)->unpack(manifest.digest, nullptr);
  ASSERT_TRUE(unpacked);
  struct stat found{};
  ASSERT_EQ(::stat((unpacked->layers[1] + "/etc/word").c_str(), &found), 0);
  EXPECT_EQ(found.st_uid, 200'000U);
}

TEST_F(ImageStoreUnpack, ItTakesTheStoresSpace) {
  TestLayout layout;
  const auto manifest = layout.put_image(small_image("a"));
  const auto store = open(15'000);
  put_all(*store, layout);
  EXPECT_EQ(code_of(store->unpack(manifest.digest, nullptr)), ErrorCode::NoCapacity);
  EXPECT_EQ(count("layers"), 0U);
  EXPECT_TRUE(store->write_blob({.digest = {}, .bytes = 10'000})) << "all was given back";
}

}  // namespace
}  // namespace hm::oci
