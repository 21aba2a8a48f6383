// SPDX-License-Identifier: Apache-2.0
// Images made for tests: layers from lists of entries, hostile ones too, and layouts of them.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/containers/image_manifest.h"
#include "foundation/base/bytes.h"
#include "foundation/crypto/hash.h"

namespace hm::oci {

// A folder of its own in the system's temporary one, removed when it goes.
class TestFolder {
 public:
  TestFolder();
  ~TestFolder();
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

void write_text(const std::string& path, std::string_view text);
std::string read_text(const std::string& path);

struct TestEntry {
  enum class Kind : std::uint8_t { File, Folder, Symlink, HardLink, CharDevice, Fifo, Socket };
  Kind kind = Kind::File;
  std::string path;
  std::string content;  // or a link's target
  mode_t mode = 0644;
  std::int64_t uid = 0;
  std::int64_t gid = 0;
  std::int64_t modified = 1'600'000'000;
  std::map<std::string, std::string> attributes = {};
};
TestEntry test_file(std::string path, std::string content = "", mode_t mode = 0644);
TestEntry test_folder(std::string path, mode_t mode = 0755);
TestEntry test_symlink(std::string path, std::string target);
TestEntry test_hard_link(std::string path, std::string target);

// A pax archive.
Bytes tar_of(const std::vector<TestEntry>& entries);
Bytes packed(ByteView bytes, containers::LayerPacking packing);

struct TestImage {
  std::vector<std::vector<TestEntry>> layers;
  containers::LayerPacking packing = containers::LayerPacking::Gzip;
  containers::Platform platform;  // empty: this machine's
  std::vector<std::string> command = {"/bin/busybox", "sh"};
};
// One layer with /bin/busybox and links to it; needs the file of that name on this machine.
TestImage busybox_image();

// Blobs by digest, and what an index may say of the images among them.
struct TestLayout {
  std::map<crypto::Digest, Bytes> blobs;
  std::vector<containers::Descriptor> index;

  containers::Descriptor put(std::string_view media_type, Bytes bytes);
  // Adds the image's blobs; the descriptor has its platform.
  containers::Descriptor put_image(const TestImage& image);
  // As image-spec 1.1 has it.
  void write_folder(const std::string& path) const;
  std::vector<TestEntry> entries() const;
};

// Of an image with one entry per layer, for what the tests of the store look at.
std::string config_of(const containers::Platform& platform, const std::vector<std::string>& command,
                      const std::vector<crypto::Digest>& diff_ids);

}  // namespace hm::oci
