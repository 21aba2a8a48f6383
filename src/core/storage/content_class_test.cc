// SPDX-License-Identifier: Apache-2.0
#include "core/storage/content_class.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/storage/limits.h"
#include "core/storage/test_segments.h"

namespace hm::storage {
namespace {

using namespace testing;
using enum ContentClass;
using namespace std::string_view_literals;

ContentClass class_of(std::string_view head, std::string_view name = {}) {
  return classify(as_bytes(head), name);
}

// `bytes` at the offset of zeros.
Bytes zeros_with(std::size_t size, std::size_t offset, std::string_view bytes) {
  Bytes out(size, 0);
  put(out, offset, bytes);
  return out;
}

TEST(ContentClass, IsToldFromTheBeginning) {
  EXPECT_EQ(class_of("PK\x03\x04\x14\0"sv), Zip);
  EXPECT_EQ(class_of("\x1f\x8b\x08\0"sv), Compressed);
  EXPECT_EQ(class_of("\x28\xb5\x2f\xfd"sv), Compressed);
  EXPECT_EQ(class_of("\xfd\x37zXZ\0"sv), Compressed);
  EXPECT_EQ(class_of("BZh91AY&SY"sv), Compressed);
  EXPECT_EQ(class_of("\xff\xd8\xff\xe0"sv), Media);
  EXPECT_EQ(class_of("\x89PNG\r\n\x1a\n"sv), Media);
  EXPECT_EQ(class_of("GIF89a"sv), Media);
  EXPECT_EQ(class_of("RIFF\x10\0\0\0WEBPVP8 "sv), Media);
  EXPECT_EQ(class_of("\0\0\0\x20"
                     "ftypisom"sv),
            Media);
  EXPECT_EQ(class_of("\xff\xfb\x90\x64"sv), Media);
  EXPECT_EQ(class_of("QFI\xfb\0\0\0\x03"sv), DiskImage);
  EXPECT_EQ(class_of("\x7f\x45LF\x02\x01\x01"sv), Executable);
  EXPECT_EQ(class_of("\xca\xfe\xba\xbe\0\0\0\x34"sv), Executable);
  EXPECT_EQ(class_of("a line\nand another\n"), Text);
  EXPECT_EQ(class_of("#!/bin/sh\n"), Text);
  EXPECT_EQ(class_of("\xff\xfe\x61\0"sv), Text);
  EXPECT_EQ(class_of("\0\x01\x02"sv), Other);
  EXPECT_EQ(class_of(""), Other);
}

TEST(ContentClass, IsTarOnlyWithAHeaderThatIsOne) {
  Bytes header = tar_header('0', 100);
  EXPECT_EQ(classify(header, "x"), Tar);
  EXPECT_NE(classify(ByteView(header).first(511), "x.tar"), Tar);
  ++header[10];
  EXPECT_NE(classify(header, "x.tar"), Tar);
}

TEST(ContentClass, SeesDisksByTheirTablesAndFileSystems) {
  EXPECT_EQ(classify(zeros_with(4096, 512, "EFI PART"), ""), DiskImage);
  EXPECT_EQ(classify(zeros_with(4096, 1080, "\x53\xef"), ""), DiskImage);
  Bytes boot = zeros_with(4096, 510, "\x55\xaa");
  EXPECT_EQ(classify(boot, ""), Other);  // no partition has a type
  boot[450] = 0x83;
  EXPECT_EQ(classify(boot, ""), DiskImage);
  boot[446] = 0x12;  // neither active nor not
  EXPECT_EQ(classify(boot, ""), Other);
}

TEST(ContentClass, OfAPortableExecutableNeedsItsSecondSignature) {
  Bytes head = zeros_with(512, 0, "MZ");
  EXPECT_EQ(classify(head, ""), Other);
  head[0x3c] = 0x80;
  put(head, 0x80, "PE");
  EXPECT_EQ(classify(head, ""), Executable);
  head[0x3f] = 0xff;  // far behind the head
  EXPECT_EQ(classify(head, ""), Other);
}

TEST(ContentClass, UsesTheNameOnlyWhereContentSaysNothing) {
  const Bytes zeros(4096, 0);
  EXPECT_EQ(classify(zeros, "disk.img"), DiskImage);
  EXPECT_EQ(classify(zeros, "path.img/DISK.ISO"), DiskImage);
  EXPECT_EQ(classify(zeros, "disk.im"), Other);
  EXPECT_EQ(classify(zeros, "img"), Other);
  EXPECT_EQ(class_of("words\n", "disk.img"), Text);
  EXPECT_EQ(class_of("\x1f\x8b\x08\0"sv, "disk.img"), Compressed);
}

TEST(ContentClass, IsTextThoughTheHeadEndsWithinACharacter) {
  std::string text(kClassHead - 1, 'a');
  text += "\xe2\x82\xac and more";
  EXPECT_EQ(class_of(text), Text);
  text[100] = '\x80';
  EXPECT_EQ(class_of(text), Other);
  EXPECT_EQ(class_of("cut\xe2\x82"), Other);  // there is no more of it
}

TEST(ContentClass, LooksAtNothingBehindTheHead) {
  Bytes object(kClassHead, 'a');
  append(object, Bytes(100, 0));
  EXPECT_EQ(classify(object, ""), Text);
}

RC_GTEST_PROP(ContentClass, HasANameForAnyInput, (const Bytes& head, const std::string& name)) {
  RC_ASSERT(!name_of(classify(head, name)).empty());
}

}  // namespace
}  // namespace hm::storage
