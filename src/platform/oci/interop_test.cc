// SPDX-License-Identifier: Apache-2.0
// The store against other people's tools: what they make we take, and what we make they take.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/containers/image_reference.h"
#include "platform/oci/image_store.h"
#include "platform/oci/interop_tools.h"
#include "platform/oci/registry_client.h"
#include "platform/oci/test_images.h"

#define SKIP_WITHOUT(program) \
  if (!is_installed(program)) GTEST_SKIP() << program << " is not installed"

namespace hm::oci {
namespace {

class Interop : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "unpacking layers needs root";
    if (::access("/bin/busybox", R_OK) != 0) GTEST_SKIP() << "/bin/busybox is not there";
    store_ = open("store");
  }

  std::unique_ptr<ports::ImageStore> open(const std::string& name) {
    auto store = open_image_store(
        {.folder = folder_ / name, .uid_shift = 100'000, .max_bytes = std::uint64_t{1} << 30});
    EXPECT_TRUE(store) << store.error().message;
    return store ? std::move(*store) : nullptr;
  }

  // Busybox, made by ourselves, as an OCI layout in the folder "layout".
  std::string layout() {
    TestLayout layout;
    auto image = layout.put_image(busybox_image());
    image.reference_name = "example.org/busybox:v1";
    layout.index.push_back(image);
    layout.write_folder(folder_ / "layout");
    return folder_ / "layout";
  }
  // The same imported, and its manifest.
  crypto::Digest imported() {
    const auto images = store_->import_file(layout(), "", nullptr);
    EXPECT_TRUE(images && images->size() == 1);
    return images ? images->front().manifest : crypto::Digest{};
  }

  static containers::ImageReference reference(const std::string& text) {
    const auto parsed = containers::parse_image_reference(text);
    EXPECT_TRUE(parsed) << text;
    return *parsed;
  }

  static bool succeeds(const std::vector<std::string>& arguments) {
    const auto result = run_tool(arguments);
    EXPECT_EQ(result.status, 0) << arguments[0] << ": " << result.output;
    return result.status == 0;
  }

  // The image of this name unpacks to busybox itself in one of its layers.
  static void expect_busybox(ports::ImageStore& store, const std::string& name) {
    const auto image = store.find(name);
    ASSERT_TRUE(image) << image.error().message;
    const auto unpacked = store.unpack(image->manifest, nullptr);
    ASSERT_TRUE(unpacked) << unpacked.error().message << unpacked.error().detail;
    bool found = false;
    for (const std::string& layer : unpacked->layers) {
      found |= std::filesystem::exists(layer + "/bin/busybox") &&
               read_text(layer + "/bin/busybox") == read_text("/bin/busybox");
    }
    EXPECT_TRUE(found);
  }
  void expect_import(const std::string& path, const std::string& name,
                     const std::string& given = "") {
    const auto images = store_->import_file(path, given, nullptr);
    ASSERT_TRUE(images) << images.error().message << " " << images.error().detail;
    ASSERT_EQ(images->size(), 1U);
    EXPECT_EQ(images->front().reference, name);
    expect_busybox(*store_, name);
  }

  TestFolder folder_;
  std::unique_ptr<ports::ImageStore> store_;
};

TEST_F(Interop, SkopeoReadsWhatWeExport) {
  SKIP_WITHOUT("skopeo");
  ASSERT_TRUE(store_->export_file(imported(), "example.org/busybox:v1", folder_ / "ours.tar"));
  const auto seen = run_tool({"skopeo", "inspect", "oci-archive:" + (folder_ / "ours.tar")});
  EXPECT_EQ(seen.status, 0) << seen.output;
  EXPECT_NE(seen.output.find("\"Architecture\": \"amd64\""), std::string::npos) << seen.output;
  EXPECT_TRUE(succeeds(
      {"skopeo", "copy", "oci-archive:" + (folder_ / "ours.tar"), "dir:" + (folder_ / "dir")}));
}

TEST_F(Interop, UmociUnpacksWhatWeExport) {
  SKIP_WITHOUT("umoci");
  ASSERT_TRUE(store_->export_file(imported(), "v1", folder_ / "ours.tar"));
  std::filesystem::create_directories(folder_ / "ours");
  ASSERT_TRUE(succeeds({"tar", "-C", folder_ / "ours", "-xf", folder_ / "ours.tar"}));
  ASSERT_TRUE(
      succeeds({"umoci", "unpack", "--image", (folder_ / "ours") + ":v1", folder_ / "bundle"}));
  EXPECT_EQ(read_text(folder_ / "bundle/rootfs/bin/busybox"), read_text("/bin/busybox"));
}

TEST_F(Interop, WhatUmociChangedIsImported) {
  SKIP_WITHOUT("umoci");
  const std::string path = layout();
  const std::string image = path + ":example.org/busybox:v1";
  write_text(folder_ / "new/etc/motd", "hello");
  ASSERT_TRUE(
      succeeds({"umoci", "insert", "--image", image, folder_ / "new/etc/motd", "/etc/motd"}));
  ASSERT_TRUE(succeeds({"umoci", "insert", "--image", image, "--whiteout", "/etc/passwd"}));
  ASSERT_TRUE(succeeds({"umoci", "config", "--image", image, "--config.cmd", "/bin/sh",
                        "--config.user", "1000:1000"}));
  expect_import(path, "example.org/busybox:v1");
  const auto unpacked = store_->unpack(store_->find("example.org/busybox:v1")->manifest, nullptr);
  ASSERT_TRUE(unpacked);
  ASSERT_EQ(unpacked->layers.size(), 3U);
  EXPECT_TRUE(std::filesystem::is_character_file(unpacked->layers[0] + "/etc/passwd"));
  EXPECT_EQ(read_text(unpacked->layers[1] + "/etc/motd"), "hello");
}

TEST_F(Interop, WhatUmociMadeFromNothingIsImported) {
  SKIP_WITHOUT("umoci");
  const std::string path = folder_ / "fresh";
  ASSERT_TRUE(succeeds({"umoci", "init", "--layout", path}));
  ASSERT_TRUE(succeeds({"umoci", "new", "--image", path + ":v2"}));
  ASSERT_TRUE(
      succeeds({"umoci", "insert", "--image", path + ":v2", "/bin/busybox", "/bin/busybox"}));
  EXPECT_EQ(store_->import_file(path, "", nullptr).error().code, ErrorCode::InvalidArgument);
  expect_import(path, "made:here", "made:here");
}

TEST_F(Interop, SkopeosArchivesAreImported) {
  SKIP_WITHOUT("skopeo");
  const std::string from = "oci:" + layout() + ":example.org/busybox:v1";
  ASSERT_TRUE(succeeds(
      {"skopeo", "copy", from, "docker-archive:" + (folder_ / "docker.tar") + ":busybox:docker"}));
  expect_import(folder_ / "docker.tar", "docker.io/library/busybox:docker");
  ASSERT_TRUE(succeeds({"skopeo", "copy", from,
                        "oci-archive:" + (folder_ / "oci.tar") + ":example.org/busybox:oci"}));
  expect_import(folder_ / "oci.tar", "example.org/busybox:oci");
  ASSERT_TRUE(succeeds({"skopeo", "copy", "--dest-compress-format", "zstd", from,
                        "oci:" + (folder_ / "zstd") + ":example.org/busybox:zstd"}));
  expect_import(folder_ / "zstd", "example.org/busybox:zstd");
}

TEST_F(Interop, APackedArchiveIsImported) {
  SKIP_WITHOUT("skopeo");
  SKIP_WITHOUT("gzip");
  ASSERT_TRUE(succeeds({"skopeo", "copy", "oci:" + layout() + ":example.org/busybox:v1",
                        "docker-archive:" + (folder_ / "docker.tar") + ":busybox:packed"}));
  ASSERT_TRUE(succeeds({"gzip", folder_ / "docker.tar"}));
  expect_import(folder_ / "docker.tar.gz", "docker.io/library/busybox:packed");
}

TEST_F(Interop, WhatBuildahBuiltIsImported) {
  SKIP_WITHOUT("buildah");
  const std::vector<std::string> buildah{"buildah",   "--root",        folder_ / "root",
                                         "--runroot", folder_ / "run", "--storage-driver",
                                         "vfs"};
  const auto run = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), buildah.begin(), buildah.end());
    return run_tool(arguments, {"BUILDAH_ISOLATION=chroot"});
  };
  const auto begun = run({"from", "--name", "built", "scratch"});
  if (begun.status != 0) GTEST_SKIP() << "buildah does not work here: " << begun.output;
  ASSERT_EQ(run({"copy", "built", "/bin/busybox", "/bin/busybox"}).status, 0);
  ASSERT_EQ(run({"config", "--cmd", "/bin/busybox sh", "built"}).status, 0);
  const auto made =
      run({"commit", "built", "oci-archive:" + (folder_ / "built.tar") + ":example.org/built:v1"});
  ASSERT_EQ(made.status, 0) << made.output;
  expect_import(folder_ / "built.tar", "example.org/built:v1");
}

class RegistryInterop : public Interop {
 protected:
  void SetUp() override {
    Interop::SetUp();
    if (IsSkipped()) return;
    SKIP_WITHOUT("docker-registry");
    registry_ = std::make_unique<TestRegistry>(folder_ / "registry");
    ASSERT_TRUE(registry_->is_up()) << read_text(folder_ / "registry/log");
  }

  Result<ports::NamedImage> pull_from(const std::string& host, const std::string& name,
                                      ports::ImageStore& store, RegistryOptions options = {}) {
    return pull(store, reference(host + "/" + name), options, nullptr);
  }

  std::unique_ptr<TestRegistry> registry_;
};

TEST_F(RegistryInterop, WhatWePushWePull) {
  const auto manifest = imported();
  const std::string name = registry_->host() + "/team/busybox:v1";
  std::uint64_t last = 0;
  std::uint64_t total = 0;
  const auto progress = [&](std::uint64_t done, std::uint64_t all) {
    EXPECT_GE(done, last);
    last = done;
    total = all;
  };
  const auto pushed = push(*store_, manifest, reference(name), {}, progress);
  ASSERT_TRUE(pushed) << pushed.error().message << pushed.error().detail;
  EXPECT_EQ(last, total);
  EXPECT_TRUE(push(*store_, manifest, reference(name), {}, nullptr))
      << "once more, nothing to send";
  const auto other = open("other");
  last = 0;
  const auto pulled = pull(*other, reference(name), {}, progress);
  ASSERT_TRUE(pulled) << pulled.error().message << pulled.error().detail;
  EXPECT_EQ(last, total);
  EXPECT_EQ(pulled->manifest, manifest);
  EXPECT_EQ(pulled->reference, name);
  expect_busybox(*other, name);
  const auto by_digest =
      pull_from(registry_->host(), "team/busybox@sha256:" + manifest.to_string(), *open("third"));
  EXPECT_TRUE(by_digest) << by_digest.error().message;
  EXPECT_EQ(pull_from(registry_->host(), "team/busybox:v2", *other).error().code,
            ErrorCode::NotFound);
  EXPECT_EQ(pull_from(registry_->host(), "none:v1", *other).error().code, ErrorCode::NotFound);
}

TEST_F(RegistryInterop, WhatSkopeoPushesWePullAndTheOtherWayRound) {
  SKIP_WITHOUT("skopeo");
  const std::string from = "oci:" + layout() + ":example.org/busybox:v1";
  const std::string there = "docker://" + registry_->host();
  ASSERT_TRUE(succeeds({"skopeo", "copy", "--dest-tls-verify=false", from, there + "/theirs:oci"}));
  ASSERT_TRUE(succeeds({"skopeo", "copy", "--dest-tls-verify=false", "--format", "v2s2", from,
                        there + "/theirs:docker"}));
  ASSERT_TRUE(succeeds({"skopeo", "copy", "--dest-tls-verify=false", "--dest-compress-format",
                        "zstd", from, there + "/theirs:zstd"}));
  for (const char* name : {"theirs:oci", "theirs:docker", "theirs:zstd"}) {
    const auto pulled = pull_from(registry_->host(), name, *store_);
    ASSERT_TRUE(pulled) << name << pulled.error().message << pulled.error().detail;
    expect_busybox(*store_, pulled->reference);
    ASSERT_TRUE(push(*store_, pulled->manifest, reference(registry_->host() + "/ours/" + name), {},
                     nullptr));
    EXPECT_TRUE(succeeds({"skopeo", "inspect", "--tls-verify=false", there + "/ours/" + name}));
  }
}

TEST_F(RegistryInterop, OfAnIndexTheImageForThisMachineIsPulled) {
  SKIP_WITHOUT("skopeo");
  TestLayout layout;
  TestImage foreign = busybox_image();
  foreign.platform = {"linux", "s390x", ""};
  const containers::ImageIndex index{
      .manifests = {layout.put_image(foreign), layout.put_image(busybox_image())}};
  auto entry =
      layout.put(containers::kOciIndex, to_bytes(as_bytes(containers::write_index(index))));
  entry.reference_name = "v1";
  layout.index.push_back(entry);
  layout.write_folder(folder_ / "multi");
  ASSERT_TRUE(succeeds({"skopeo", "copy", "--all", "--dest-tls-verify=false",
                        "oci:" + (folder_ / "multi") + ":v1",
                        "docker://" + registry_->host() + "/multi:v1"}));
  const auto pulled = pull_from(registry_->host(), "multi:v1", *store_);
  ASSERT_TRUE(pulled) << pulled.error().message << pulled.error().detail;
  EXPECT_EQ(pulled->manifest, index.manifests[1].digest);
  expect_import(folder_ / "multi", "multi:imported", "multi:imported");
}

TEST_F(RegistryInterop, ABrokenOffPullGoesOnByRange) {
  const auto manifest = imported();
  ASSERT_TRUE(push(*store_, manifest, reference(registry_->host() + "/busybox:v1"), {}, nullptr));
  // Cuts the first answer of each large blob in the middle.
  std::size_t cuts = 0;
  TestServer proxy([&, port = registry_->port()](const std::string& request) {
    std::string answer = forward(port, request);
    if (answer.size() > 100'000 && request.find("Range: ") == std::string::npos) {
      ++cuts;
      answer.resize(answer.size() / 2);
    }
    return answer;
  });
  const auto other = open("other");
  const auto pulled = pull_from(proxy.host(), "busybox:v1", *other);
  ASSERT_TRUE(pulled) << pulled.error().message << pulled.error().detail;
  EXPECT_EQ(cuts, 1U);
  expect_busybox(*other, pulled->reference);
}

TEST_F(RegistryInterop, ACancelledPullGoesOnInTheNextProcess) {
  const auto manifest = imported();
  const std::string name = registry_->host() + "/busybox:v1";
  ASSERT_TRUE(push(*store_, manifest, reference(name), {}, nullptr));
  std::uint64_t reached = 0;
  const auto cancelled =
      pull(*open("other"), reference(name), {.is_cancelled = [&] { return reached > 300'000; }},
           [&](std::uint64_t done, std::uint64_t) { reached = done; });
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().code, ErrorCode::FailedPrecondition);
  TestServer proxy(
      [port = registry_->port()](const std::string& request) { return forward(port, request); });
  const auto other = open("other");
  const auto pulled = pull_from(proxy.host(), "busybox:v1", *other);
  ASSERT_TRUE(pulled) << pulled.error().message << pulled.error().detail;
  bool ranged = false;
  for (const std::string& request : proxy.requests()) {
    ranged |= request.find("\r\nRange: bytes=") != std::string::npos;
  }
  EXPECT_TRUE(ranged);
  expect_busybox(*other, pulled->reference);
}

TEST_F(RegistryInterop, TlsIsVerified) {
  SKIP_WITHOUT("openssl");
  const std::string key = folder_ / "key.pem";
  const std::string certificate = folder_ / "certificate.pem";
  ASSERT_TRUE(
      succeeds({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj", "/CN=registry",
                "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate}));
  const TestRegistry secure(folder_ / "secure",
                            "  tls:\n    certificate: " + certificate + "\n    key: " + key + "\n");
  ASSERT_TRUE(secure.is_up()) << read_text(folder_ / "secure/log");
  const RegistryOptions trusting{.transport = RegistryTransport::Tls,
                                 .authority_file = certificate};
  const auto name = reference(secure.host() + "/busybox:v1");
  const auto pushed = push(*store_, imported(), name, trusting, nullptr);
  ASSERT_TRUE(pushed) << pushed.error().message << pushed.error().detail;
  const auto other = open("other");
  const auto pulled = pull(*other, name, trusting, nullptr);
  ASSERT_TRUE(pulled) << pulled.error().message << pulled.error().detail;
  expect_busybox(*other, pulled->reference);
  const auto doubting = pull(*other, name, {.transport = RegistryTransport::Tls}, nullptr);
  ASSERT_FALSE(doubting);
  EXPECT_EQ(doubting.error().code, ErrorCode::Unavailable);
  // The certificate is for the address, not for this name.
  const auto misnamed =
      pull(*other, reference("localhost:" + std::to_string(secure.port()) + "/busybox:v1"),
           trusting, nullptr);
  ASSERT_FALSE(misnamed);
  EXPECT_EQ(misnamed.error().code, ErrorCode::Unavailable);
}

}  // namespace
}  // namespace hm::oci
