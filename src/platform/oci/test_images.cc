// SPDX-License-Identifier: Apache-2.0
#include "platform/oci/test_images.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "core/containers/image_digest.h"
#include "foundation/base/check.h"
#include "platform/oci/stored_image.h"

namespace hm::oci {
namespace {

la_ssize_t append(archive*, void* out, const void* data, std::size_t size) {
  auto& bytes = *static_cast<Bytes*>(out);
  const auto* const begin = static_cast<const std::uint8_t*>(data);
  bytes.insert(bytes.end(), begin, begin + size);
  return static_cast<la_ssize_t>(size);
}

unsigned file_type(TestEntry::Kind kind) {
  switch (kind) {
    case TestEntry::Kind::File:
    case TestEntry::Kind::HardLink: return AE_IFREG;
    case TestEntry::Kind::Folder: return AE_IFDIR;
    case TestEntry::Kind::Symlink: return AE_IFLNK;
    case TestEntry::Kind::CharDevice: return AE_IFCHR;
    case TestEntry::Kind::Fifo: return AE_IFIFO;
    case TestEntry::Kind::Socket: return AE_IFSOCK;
  }
  return AE_IFREG;
}

void fill(archive_entry* entry, const TestEntry& from) {
  ::archive_entry_set_pathname(entry, from.path.c_str());
  ::archive_entry_set_filetype(entry, file_type(from.kind));
  ::archive_entry_set_perm(entry, from.mode);
  ::archive_entry_set_uid(entry, from.uid);
  ::archive_entry_set_gid(entry, from.gid);
  ::archive_entry_set_mtime(entry, from.modified, 0);
  ::archive_entry_set_size(entry, 0);
  if (from.kind == TestEntry::Kind::File) {
    ::archive_entry_set_size(entry, static_cast<la_int64_t>(from.content.size()));
  }
  if (from.kind == TestEntry::Kind::Symlink) {
    ::archive_entry_set_symlink(entry, from.content.c_str());
  }
  if (from.kind == TestEntry::Kind::HardLink) {
    ::archive_entry_set_hardlink(entry, from.content.c_str());
  }
  if (from.kind == TestEntry::Kind::CharDevice) ::archive_entry_set_rdev(entry, 0x0103);
  for (const auto& [name, value] : from.attributes) {
    ::archive_entry_xattr_add_entry(entry, name.c_str(), value.data(), value.size());
  }
}

std::string_view layer_type(containers::LayerPacking packing) {
  switch (packing) {
    case containers::LayerPacking::None: return containers::kOciLayer;
    case containers::LayerPacking::Gzip: return containers::kOciLayerGzip;
    case containers::LayerPacking::Zstd: return containers::kOciLayerZstd;
  }
  return containers::kOciLayer;
}

std::string quoted(const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts)
    list += fmt::format("{}\"{}\"", list.empty() ? "" : ",", text);
  return list;
}

}  // namespace

TestFolder::TestFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "hm-oci-XXXXXX").string();
  HM_CHECK(::mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

TestFolder::~TestFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void write_text(const std::string& path, std::string_view text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TestEntry test_file(std::string path, std::string content, mode_t mode) {
  return {.path = std::move(path), .content = std::move(content), .mode = mode};
}
TestEntry test_folder(std::string path, mode_t mode) {
  return {.kind = TestEntry::Kind::Folder, .path = std::move(path), .mode = mode};
}
TestEntry test_symlink(std::string path, std::string target) {
  return {.kind = TestEntry::Kind::Symlink, .path = std::move(path), .content = std::move(target)};
}
TestEntry test_hard_link(std::string path, std::string target) {
  return {.kind = TestEntry::Kind::HardLink, .path = std::move(path), .content = std::move(target)};
}

Bytes tar_of(const std::vector<TestEntry>& entries) {
  Bytes bytes;
  archive* const writer = ::archive_write_new();
  ::archive_write_set_format_pax(writer);
  // As Docker and others write attributes; both spellings would be written otherwise.
  HM_CHECK(::archive_write_set_options(writer, "xattrheader=SCHILY") == ARCHIVE_OK);
  ::archive_write_set_bytes_in_last_block(writer, 1);
  HM_CHECK(::archive_write_open(writer, &bytes, nullptr, append, nullptr) == ARCHIVE_OK);
  archive_entry* const entry = ::archive_entry_new();
  for (const TestEntry& from : entries) {
    ::archive_entry_clear(entry);
    fill(entry, from);
    HM_CHECK(::archive_write_header(writer, entry) >= ARCHIVE_WARN);
    if (from.kind == TestEntry::Kind::File) {
      ::archive_write_data(writer, from.content.data(), from.content.size());
    }
  }
  ::archive_entry_free(entry);
  HM_CHECK(::archive_write_close(writer) == ARCHIVE_OK);
  ::archive_write_free(writer);
  return bytes;
}

Bytes packed(ByteView bytes, containers::LayerPacking packing) {
  if (packing == containers::LayerPacking::None) return to_bytes(bytes);
  Bytes out;
  archive* const writer = ::archive_write_new();
  ::archive_write_set_format_raw(writer);
  ::archive_write_set_bytes_in_last_block(writer, 1);
  if (packing == containers::LayerPacking::Gzip) ::archive_write_add_filter_gzip(writer);
  if (packing == containers::LayerPacking::Zstd) ::archive_write_add_filter_zstd(writer);
  HM_CHECK(::archive_write_open(writer, &out, nullptr, append, nullptr) == ARCHIVE_OK);
  archive_entry* const entry = ::archive_entry_new();
  ::archive_entry_set_pathname(entry, "layer");
  ::archive_entry_set_filetype(entry, AE_IFREG);
  HM_CHECK(::archive_write_header(writer, entry) == ARCHIVE_OK);
  ::archive_write_data(writer, bytes.data(), bytes.size());
  ::archive_entry_free(entry);
  HM_CHECK(::archive_write_close(writer) == ARCHIVE_OK);
  ::archive_write_free(writer);
  return out;
}

TestImage busybox_image() {
  std::vector<TestEntry> layer{
      test_folder("bin"), test_file("bin/busybox", read_text("/bin/busybox"), 0755),
      test_folder("etc"), test_file("etc/passwd", "root:x:0:0:root:/:/bin/sh\n"),
      test_folder("tmp", 01777)};
  for (const char* name : {"sh", "cat", "echo", "sleep", "true", "false"}) {
    layer.push_back(test_symlink(fmt::format("bin/{}", name), "busybox"));
  }
  return {.layers = {std::move(layer)}};
}

std::string config_of(const containers::Platform& platform, const std::vector<std::string>& command,
                      const std::vector<crypto::Digest>& diff_ids) {
  std::vector<std::string> layers;
  for (const auto& diff_id : diff_ids) layers.push_back(containers::image_digest_text(diff_id));
  return fmt::format(R"({{"created":"2024-01-02T03:04:05Z","architecture":"{}","os":"{}",)"
                     R"("config":{{"Cmd":[{}],"Env":["PATH=/bin"]}},)"
                     R"("rootfs":{{"type":"layers","diff_ids":[{}]}}}})",
                     platform.architecture, platform.os, quoted(command), quoted(layers));
}

containers::Descriptor TestLayout::put(std::string_view media_type, Bytes bytes) {
  containers::Descriptor descriptor{.media_type = std::string(media_type),
                                    .digest = crypto::sha256(bytes),
                                    .bytes = bytes.size()};
  blobs.insert_or_assign(descriptor.digest, std::move(bytes));
  return descriptor;
}

containers::Descriptor TestLayout::put_image(const TestImage& image) {
  const auto platform = image.platform.os.empty() ? machine_platform() : image.platform;
  containers::ImageManifest manifest;
  std::vector<crypto::Digest> diff_ids;
  for (const auto& entries : image.layers) {
    const Bytes tar = tar_of(entries);
    diff_ids.push_back(crypto::sha256(tar));
    manifest.layers.push_back(put(layer_type(image.packing), packed(tar, image.packing)));
  }
  manifest.config =
      put(containers::kOciConfig, to_bytes(as_bytes(config_of(platform, image.command, diff_ids))));
  auto descriptor =
      put(containers::kOciManifest, to_bytes(as_bytes(containers::write_manifest(manifest))));
  descriptor.platform = platform;
  return descriptor;
}

std::vector<TestEntry> TestLayout::entries() const {
  std::vector<TestEntry> entries{
      test_file("index.json", containers::write_index({.manifests = index})), test_folder("blobs"),
      test_folder("blobs/sha256")};
  for (const auto& [digest, bytes] : blobs) {
    entries.push_back(test_file("blobs/sha256/" + digest.to_string(), std::string(as_text(bytes))));
  }
  entries.push_back(test_file("oci-layout", std::string(containers::oci_layout_text())));
  return entries;
}

void TestLayout::write_folder(const std::string& path) const {
  for (const TestEntry& entry : entries()) {
    if (entry.kind == TestEntry::Kind::File) write_text(path + "/" + entry.path, entry.content);
  }
}

}  // namespace hm::oci
