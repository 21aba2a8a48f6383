// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <variant>

#include "core/containers/docker_archive.h"
#include "core/containers/image_config.h"
#include "core/containers/image_digest.h"
#include "core/containers/image_manifest.h"
#include "core/containers/limits.h"

namespace hm::containers {
namespace {

const std::string kHexA(64, 'a');
const std::string kHexB(64, 'b');

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  const auto at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), with);
}

std::string usual_config() {
  return R"({"created":"2024-02-29T23:59:60.123456789+01:00","architecture":"amd64","os":"linux",
    "config":{"Entrypoint":["/bin/sh","-c"],"Cmd":["echo hi"],"Env":["PATH=/bin","A="],
      "WorkingDir":"/srv//www/","User":"1000:www","StopSignal":"SIGQUIT","Labels":{"a":"b"},
      "ExposedPorts":{"80/tcp":{}}},
    "rootfs":{"type":"layers","diff_ids":["sha256:)" +
         kHexA + R"("]},"history":[{"created_by":"x","empty_layer":true}]})";
}

std::optional<ImageError> config_fault(const std::string& json) {
  const auto config = parse_image_config(as_bytes(json));
  return config ? std::nullopt : std::optional(config.error());
}

TEST(ImageConfig, WhatIsUsualIsRead) {
  const auto config = parse_image_config(as_bytes(usual_config()));
  ASSERT_TRUE(config) << name_of(config.error());
  EXPECT_EQ(config->entrypoint, (std::vector<std::string>{"/bin/sh", "-c"}));
  EXPECT_EQ(config->command, std::vector<std::string>{"echo hi"});
  EXPECT_EQ(config->environment, (std::vector<std::string>{"PATH=/bin", "A="}));
  EXPECT_EQ(config->working_directory, "/srv/www");
  EXPECT_EQ(config->user, "1000:www");
  EXPECT_EQ(config->stop_signal, "SIGQUIT");
  EXPECT_EQ(config->architecture, "amd64");
  EXPECT_EQ(config->os, "linux");
  EXPECT_EQ(config->diff_ids, std::vector{*crypto::Digest::parse(kHexA)});
  EXPECT_EQ(config->created, UnixMillis(1709247600123));
}

TEST(ImageConfig, WhatIsAbsentOrNullIsEmpty) {
  const auto config = parse_image_config(as_bytes(
      R"({"architecture":"arm64","os":"linux","rootfs":{"type":"layers","diff_ids":[]},
          "config":{"Entrypoint":null,"Cmd":null,"Env":null,"User":"","WorkingDir":""}})"));
  ASSERT_TRUE(config);
  EXPECT_TRUE(config->entrypoint.empty() && config->command.empty() && config->environment.empty());
  EXPECT_EQ(config->created, std::nullopt);
}

TEST(ImageConfig, ATimeIsRfc3339OrRefused) {
  const auto created = [](std::string_view time) {
    return parse_image_config(
        as_bytes(replaced(usual_config(), "2024-02-29T23:59:60.123456789+01:00", time)));
  };
  EXPECT_EQ(created("1970-01-01T00:00:00Z")->created, UnixMillis(0));
  EXPECT_EQ(created("1970-01-01t00:00:01.5z")->created, UnixMillis(1500));
  EXPECT_EQ(created("0001-01-01T00:00:00Z")->created, std::nullopt);
  for (const char* time :
       {"2024-02-30T00:00:00Z", "2024-01-01", "2024-01-01T00:00:00", "2024-01-01T24:00:00Z",
        "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00+1:00", "2024-01-01T00:00:00Zx",
        "-024-01-01T00:00:00Z", "now"}) {
    const auto config = created(time);
    ASSERT_FALSE(config) << time;
    EXPECT_EQ(config.error(), ImageError::BadTime) << time;
  }
}

TEST(ImageConfig, WhatNoRunMayHaveIsRefused) {
  const auto with = [](std::string_view what, std::string_view text) {
    return config_fault(replaced(usual_config(), what, text));
  };
  EXPECT_EQ(with("\"A=\"", "\"A\""), ImageError::BadProcess);
  EXPECT_EQ(with("\"A=\"", "\"=A\""), ImageError::BadProcess);
  EXPECT_EQ(with("/srv//www/", "/srv/../www"), ImageError::BadProcess);
  EXPECT_EQ(with("/srv//www/", "www"), ImageError::BadProcess);
  EXPECT_EQ(with("1000:www", "root;id"), ImageError::BadProcess);
  EXPECT_EQ(with("echo hi", "echo\\u0000hi"), ImageError::BadProcess);
  EXPECT_EQ(with("SIGQUIT", "quit"), ImageError::BadSignal);
  EXPECT_EQ(with("\"amd64\"", "\"../amd64\""), ImageError::BadPlatform);
  EXPECT_EQ(with("\"linux\"", "\"\""), ImageError::WrongType);
  EXPECT_EQ(with("\"layers\"", "\"base\""), ImageError::WrongType);
  EXPECT_EQ(with("sha256:aa", "sha512:aa"), ImageError::BadDigest);
  EXPECT_EQ(with("sha256:aa", "sha256:AA"), ImageError::BadDigest);
  EXPECT_EQ(with("[\"echo hi\"]", "\"echo hi\""), ImageError::WrongType);
  EXPECT_EQ(with("[\"echo hi\"]", "[1]"), ImageError::WrongType);
}

TEST(ImageConfig, ItIsBoundedBeforeItIsParsed) {
  EXPECT_EQ(config_fault(std::string(kMaxImageDocument + 1, ' ')), ImageError::TooLarge);
  EXPECT_EQ(config_fault(std::string(100'000, '[')), ImageError::TooLarge);
  const std::string deep = std::string(40, '[') + std::string(40, ']');
  EXPECT_EQ(config_fault(replaced(usual_config(), "[{\"created_by\"", deep + ",[{\"created_by\"")),
            ImageError::TooLarge);
  std::string layers;
  for (std::size_t i = 0; i <= kMaxLayers; ++i) layers += "\"sha256:" + kHexB + "\",";
  EXPECT_EQ(config_fault(replaced(usual_config(), "\"sha256:a", layers + "\"sha256:a")),
            ImageError::TooLarge);
}

TEST(ImageConfig, WhatIsNoJsonOrAmbiguousIsRefused) {
  EXPECT_EQ(config_fault(""), ImageError::NotJson);
  EXPECT_EQ(config_fault("{\"a\":1}x"), ImageError::NotJson);
  EXPECT_EQ(config_fault("{\"a\":\"\xff\"}"), ImageError::NotJson);
  EXPECT_EQ(config_fault("[]"), ImageError::WrongType);
  EXPECT_EQ(config_fault("1e999999"), ImageError::NotJson);
  EXPECT_EQ(config_fault(
                replaced(usual_config(), "\"os\":\"linux\"", "\"os\":\"linux\",\"os\":\"linux\"")),
            ImageError::RepeatedKey);
  EXPECT_EQ(config_fault(replaced(usual_config(), "\"a\":\"b\"", "\"a\":\"b\",\"a\":\"c\"")),
            ImageError::RepeatedKey);
}

std::string descriptor(std::string_view type, const std::string& hex, std::string_view rest = "") {
  return R"({"mediaType":")" + std::string(type) + R"(","digest":"sha256:)" + hex +
         R"(","size":10)" + std::string(rest) + "}";
}

std::string usual_manifest() {
  return R"({"schemaVersion":2,"mediaType":")" + std::string(kOciManifest) + R"(","config":)" +
         descriptor(kOciConfig, kHexA) + R"(,"layers":[)" + descriptor(kOciLayerGzip, kHexB) + "]}";
}

std::string index_of(std::string_view entries) {
  return R"({"schemaVersion":2,"manifests":[)" + std::string(entries) + "]}";
}

std::optional<ImageError> fault(const std::string& json, std::string_view announced = "") {
  const auto document = parse_image_document(as_bytes(json), announced);
  return document ? std::nullopt : std::optional(document.error());
}

TEST(ImageManifest, WhatIsUsualIsReadAndWritten) {
  const auto document = parse_image_document(as_bytes(usual_manifest()), kOciManifest);
  ASSERT_TRUE(document);
  const auto& manifest = std::get<ImageManifest>(*document);
  EXPECT_EQ(manifest.config.digest, *crypto::Digest::parse(kHexA));
  ASSERT_EQ(manifest.layers.size(), 1U);
  EXPECT_EQ(manifest.layers[0].bytes, 10U);
  EXPECT_EQ(write_manifest(manifest), usual_manifest());
}

TEST(ImageManifest, DockersOwnTypesMeanTheSame) {
  const std::string json = R"({"schemaVersion":2,"mediaType":")" + std::string(kDockerManifest) +
                           R"(","config":)" + descriptor(kDockerConfig, kHexA) + R"(,"layers":[)" +
                           descriptor(kDockerLayerGzip, kHexB) + "]}";
  EXPECT_EQ(fault(json, kDockerManifest), std::nullopt);
  EXPECT_EQ(media_type_of(as_bytes(json)), std::string(kDockerManifest));
}

TEST(ImageManifest, ADocumentThatCouldBeTwoThingsIsRefused) {
  std::string json = usual_manifest();
  json.pop_back();
  EXPECT_EQ(fault(json + ",\"manifests\":[]}"), ImageError::BadMediaType);
  EXPECT_EQ(fault(usual_manifest(), kOciIndex), ImageError::BadMediaType);
  EXPECT_EQ(fault(usual_manifest(), kDockerManifest), ImageError::BadMediaType);
  EXPECT_EQ(fault(replaced(usual_manifest(), kOciManifest, kOciIndex)), ImageError::BadMediaType);
  EXPECT_EQ(fault(index_of(""), kOciManifest), ImageError::BadMediaType);
  EXPECT_EQ(fault(R"({"schemaVersion":2})"), ImageError::BadMediaType);
}

TEST(ImageManifest, WhatIsWrongIsRefusedByName) {
  const auto with = [](std::string_view what, std::string_view text) {
    return fault(replaced(usual_manifest(), what, text));
  };
  EXPECT_EQ(with(":2,", ":1,"), ImageError::BadVersion);
  EXPECT_EQ(with(":2,", ":-2,"), ImageError::BadSize);
  EXPECT_EQ(with("\"size\":10", "\"size\":-1"), ImageError::BadSize);
  EXPECT_EQ(with("\"size\":10", "\"size\":1e3"), ImageError::BadSize);
  EXPECT_EQ(with("\"size\":10", "\"size\":1.5"), ImageError::BadSize);
  EXPECT_EQ(with("\"size\":10", "\"size\":99999999999999999999999"), ImageError::BadSize);
  EXPECT_EQ(with("\"size\":10", "\"size\":18446744073709551615"), ImageError::BadSize);
  EXPECT_EQ(with("\"size\":10", "\"size\":\"10\""), ImageError::WrongType);
  EXPECT_EQ(with(",\"size\":10", ""), ImageError::WrongType);
  EXPECT_EQ(with("sha256:aa", "sha256:a"), ImageError::BadDigest);
  EXPECT_EQ(with("sha256:aa", "md5:aaaa"), ImageError::BadDigest);
  EXPECT_EQ(with("\"layers\":[", "\"layers\":[1,"), ImageError::WrongType);
  EXPECT_EQ(with("\"layers\":[", "\"layers\":{},\"x\":["), ImageError::WrongType);
  EXPECT_EQ(with(kOciLayerGzip, "application/x-cpio"), ImageError::BadMediaType);
  EXPECT_EQ(with(kOciConfig, "application/vnd.oci.empty.v1+json"), ImageError::BadMediaType);
  EXPECT_EQ(with(kOciLayerGzip, "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"),
            ImageError::ForeignLayer);
  EXPECT_EQ(with(kOciLayerGzip, "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"),
            ImageError::ForeignLayer);
}

TEST(ImageIndex, IsReadAndWrittenWithNamesAndPlatforms) {
  const std::string entry = descriptor(
      kOciManifest, kHexA,
      R"(,"annotations":{"org.opencontainers.image.ref.name":"v1"},"platform":{"architecture":"arm64","os":"linux","variant":"v8"})");
  const std::string json = R"({"schemaVersion":2,"mediaType":")" + std::string(kOciIndex) +
                           R"(","manifests":[)" + entry + "]}";
  const auto document = parse_image_document(as_bytes(json), "");
  ASSERT_TRUE(document);
  const auto& index = std::get<ImageIndex>(*document);
  ASSERT_EQ(index.manifests.size(), 1U);
  EXPECT_EQ(index.manifests[0].reference_name, "v1");
  EXPECT_EQ(to_string(*index.manifests[0].platform), "linux/arm64/v8");
  EXPECT_EQ(write_index(index), json);
}

TEST(ImageIndex, AWholeNameGoesBeforeATag) {
  const std::string entry = descriptor(
      kOciManifest, kHexA,
      R"(,"annotations":{"io.containerd.image.name":"registry.example/a:v1","org.opencontainers.image.ref.name":"v1"})");
  const auto document = parse_image_document(as_bytes(index_of(entry)), "");
  ASSERT_TRUE(document);
  EXPECT_EQ(std::get<ImageIndex>(*document).manifests[0].reference_name, "registry.example/a:v1");
}

TEST(DockerArchive, ItsManifestIsRead) {
  const auto images = parse_docker_archive(as_bytes(
      R"([{"Config":"a.json","RepoTags":["busybox:v1"],"Layers":["a/layer.tar","b.tar"]},
          {"Config":"b.json","RepoTags":null,"Layers":[]}])"));
  ASSERT_TRUE(images);
  EXPECT_EQ(*images,
            (std::vector<DockerArchiveImage>{{"a.json", {"busybox:v1"}, {"a/layer.tar", "b.tar"}},
                                             {"b.json", {}, {}}}));
  for (const char* json : {"{}", "[1]", R"([{"Config":1}])", R"([{"Layers":[]}])",
                           R"([{"Config":"a","Layers":[1]}])"}) {
    EXPECT_EQ(parse_docker_archive(as_bytes(json)).error(), ImageError::WrongType) << json;
  }
}

ImageIndex index_with(const std::vector<Platform>& platforms) {
  ImageIndex index;
  for (std::size_t i = 0; i < platforms.size(); ++i) {
    Descriptor entry{.media_type = std::string(kOciManifest), .bytes = i, .platform = platforms[i]};
    if (platforms[i].os.empty()) entry.platform = std::nullopt;
    index.manifests.push_back(entry);
  }
  return index;
}

// The place in the list of the entry chosen, or -1.
int chosen(const ImageIndex& index, const Platform& machine) {
  const Descriptor* entry = choose_platform(index, machine);
  return entry == nullptr ? -1 : static_cast<int>(entry->bytes);
}

TEST(ChoosePlatform, TakesTheHighestVariantThatTheMachineHas) {
  const auto index = index_with({{"linux", "arm64", "v8"},
                                 {"linux", "amd64", ""},
                                 {"linux", "amd64", "v2"},
                                 {"linux", "amd64", "v4"},
                                 {"linux", "arm64", "v9"},
                                 {"windows", "amd64", "v3"}});
  EXPECT_EQ(chosen(index, {"linux", "amd64", "v1"}), 1);
  EXPECT_EQ(chosen(index, {"linux", "amd64", ""}), 1);
  EXPECT_EQ(chosen(index, {"linux", "amd64", "v3"}), 2);
  EXPECT_EQ(chosen(index, {"linux", "amd64", "v4"}), 3);
  EXPECT_EQ(chosen(index, {"linux", "arm64", ""}), 0);
  EXPECT_EQ(chosen(index, {"linux", "arm64", "v9"}), 4);
  EXPECT_EQ(chosen(index, {"linux", "riscv64", ""}), -1);
}

TEST(ChoosePlatform, TheFirstOfEqualsAndTheUnnamedLast) {
  EXPECT_EQ(chosen(index_with({{}, {"linux", "amd64", ""}, {"linux", "amd64", "v1"}}),
                   {"linux", "amd64", ""}),
            1);
  EXPECT_EQ(chosen(index_with({{"linux", "s390x", ""}, {}, {}}), {"linux", "amd64", ""}), 1);
  EXPECT_EQ(chosen(index_with({{"unknown", "unknown", ""}}), {"linux", "amd64", ""}), -1);
}

TEST(ChoosePlatform, AnEmptyPlatformFitsNothing) {
  const auto with = [](std::string_view platform) {
    return parse_image_document(
        as_bytes(
            index_of(descriptor(kOciManifest, kHexA, ",\"platform\":" + std::string(platform)))),
        "");
  };
  const auto empty = with(R"({"os":"","architecture":""})");
  ASSERT_TRUE(empty);
  EXPECT_EQ(choose_platform(std::get<ImageIndex>(*empty), {"linux", "amd64", ""}), nullptr);
  EXPECT_EQ(with(R"({"os":"linux","architecture":"a/b"})").error(), ImageError::BadPlatform);
  EXPECT_EQ(with(R"({"os":1})").error(), ImageError::WrongType);
}

TEST(ChoosePlatform, WhatIsNoImageIsPassedOver) {
  ImageIndex index = index_with({{"linux", "amd64", ""}, {"linux", "amd64", ""}});
  index.manifests[0].media_type = "application/vnd.example.sbom";
  EXPECT_EQ(chosen(index, {"linux", "amd64", ""}), 1);
}

TEST(OciLayout, HasOneVersion) {
  EXPECT_TRUE(check_oci_layout(as_bytes(oci_layout_text())));
  EXPECT_EQ(check_oci_layout(as_bytes(R"({"imageLayoutVersion":"2.0.0"})")).error(),
            ImageError::BadVersion);
}

TEST(ImageDigest, HasOneSpelling) {
  const auto digest = *crypto::Digest::parse(kHexA);
  EXPECT_EQ(parse_image_digest(image_digest_text(digest)), digest);
  for (const std::string& text :
       {kHexA, "sha256" + kHexA, "SHA256:" + kHexA, "sha256:" + kHexA + "a", std::string()}) {
    EXPECT_EQ(parse_image_digest(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace hm::containers
