// SPDX-License-Identifier: Apache-2.0
#include "core/storage/content_class.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "core/storage/limits.h"
#include "core/storage/tar_walk.h"
#include "foundation/base/utf8.h"
#include "foundation/crypto/little_endian.h"

namespace hm::storage {
namespace {

using enum ContentClass;
using namespace std::string_view_literals;

struct Magic {
  std::size_t offset;
  std::string_view bytes;
  ContentClass content;
};

// In this order; the first that fits counts.
constexpr std::array kMagics{
    Magic{0, "PK\x03\x04"sv, Zip},               // APPNOTE 4.3.7, local file header
    Magic{0, "PK\x05\x06"sv, Zip},               // APPNOTE 4.3.16, an empty zip
    Magic{0, "\x1f\x8b\x08"sv, Compressed},      // gzip, RFC 1952 §2.3.1: deflate
    Magic{0, "\x28\xb5\x2f\xfd"sv, Compressed},  // zstd, RFC 8878 §3.1.1
    Magic{0, "\xfd\x37zXZ\0"sv, Compressed},     // .xz file format 1.2, §2.1.1.1
    Magic{4, "\x31\x41\x59\x26\x53\x59"sv,
          Compressed},                              // bzip2: "BZh", level, a block: digits of π
    Magic{0, "\x04\x22\x4d\x18"sv, Compressed},     // LZ4 frame format 1.6
    Magic{0, "7z\xbc\xaf\x27\x1c"sv, Compressed},   // 7zFormat.txt, SignatureHeader
    Magic{0, "Rar!\x1a\x07"sv, Compressed},         // RAR 4 and 5
    Magic{0, "\xff\xd8\xff"sv, Media},              // JPEG, ITU-T T.81 B.1.1.3: SOI, a marker
    Magic{0, "\x89PNG\r\n\x1a\n"sv, Media},         // PNG, §5.2
    Magic{0, "GIF87a"sv, Media},                    // GIF, §17
    Magic{0, "GIF89a"sv, Media},                    //
    Magic{0, "\0\0\0\x0cJXL \r\n\x87\n"sv, Media},  // JPEG XL, ISO 18181-2
    Magic{0, "\0\0\0\x0cjP  \r\n\x87\n"sv, Media},  // JPEG 2000, ISO 15444-1 I.5.1
    Magic{4, "ftyp"sv, Media},                      // ISO 14496-12 §4.3: MP4, MOV, HEIF, AVIF
    Magic{0, "\x1a\x45\xdf\xa3"sv, Media},          // Matroska and WebM, RFC 8794 §11.2.1
    Magic{0, "OggS"sv, Media},                      // Ogg, RFC 3533 §6
    Magic{0, "fLaC"sv, Media},                      // FLAC, RFC 9639 §6
    Magic{0, "ID3"sv, Media},                       // MP3 with tags, ID3v2 §3.1
    Magic{0, "QFI\xfb"sv, DiskImage},               // QCOW, qemu docs/interop/qcow2
    Magic{0, "KDMV"sv, DiskImage},                  // VMDK, Virtual Disk Format 5.0
    Magic{0x40, "\x7f\x10\xda\xbe"sv, DiskImage},   // VDI, VirtualBox VDICore.h
    Magic{0, "vhdxfile"sv, DiskImage},              // VHDX, MS-VHDX §2.2.1
    Magic{0, "conectix"sv, DiskImage},              // VHD, the copy of its footer
    Magic{512, "EFI PART"sv, DiskImage},            // GPT, UEFI §5.3.2
    Magic{0, "XFSB"sv, DiskImage},                  // XFS superblock
    Magic{0, "\x7f\x45LF"sv, Executable},           // ELF, gABI chapter 4
    Magic{0, "\xfe\xed\xfa\xce"sv, Executable},     // Mach-O, mach-o/loader.h: 32 bit,
    Magic{0, "\xfe\xed\xfa\xcf"sv, Executable},     //   64 bit,
    Magic{0, "\xce\xfa\xed\xfe"sv, Executable},     //   and both little-endian
    Magic{0, "\xcf\xfa\xed\xfe"sv, Executable},     //
    Magic{0, "\xca\xfe\xba\xbe"sv, Executable},     // Java class (JVMS §4.1), fat Mach-O
    Magic{0, "\0asm"sv, Executable},                // WebAssembly, core §5.5.16
    Magic{0, "\xff\xfe"sv, Text},                   // UTF-16 with its mark, RFC 2781 §3.2
    Magic{0, "\xfe\xff"sv, Text},                   //
};

bool stands(std::string_view head, std::size_t offset, std::string_view bytes) {
  return head.size() >= offset && head.substr(offset).starts_with(bytes);
}

std::uint64_t number_at(ByteView head, std::size_t offset, std::size_t size) {
  return crypto::load_little_endian(head.data() + offset, size);
}

// RIFF is a container: WebP and AVI hold compressed data, WAVE mostly does not.
bool is_compressed_riff(std::string_view head) {
  return stands(head, 0, "RIFF") && (stands(head, 8, "WEBP") || stands(head, 8, "AVI "));
}

// A frame of MPEG audio (ISO 11172-3 §2.4.1.3): eleven bits of synchronisation, and no reserved
// value for version, layer, bit rate or sampling rate.
bool is_mpeg_audio(ByteView head) {
  return head.size() >= 4 && head[0] == 0xff && (head[1] & 0xe0) == 0xe0 &&
         (head[1] & 0x18) != 0x08 && (head[1] & 0x06) != 0 && (head[2] & 0xf0) != 0xf0 &&
         (head[2] & 0xf0) != 0 && (head[2] & 0x0c) != 0x0c;
}

// Packets of 188 bytes, each with its synchronisation byte (ISO 13818-1 §2.4.3.2).
bool is_transport_stream(ByteView head) {
  constexpr std::size_t kPacket = 188;
  constexpr std::size_t kPackets = 8;
  if (head.size() < kPacket * kPackets) return false;
  for (std::size_t i = 0; i < kPackets; ++i) {
    if (head[i * kPacket] != 0x47) return false;
  }
  return true;
}

// "MZ", and at the offset that stands at 0x3c the signature (PE Format, "MS-DOS Stub"). Where that
// is behind the head, the rest of such a header is not told from text, so "MZ" alone is not enough.
bool is_portable_executable(ByteView head, std::string_view text) {
  if (head.size() < 0x40 || !text.starts_with("MZ")) return false;
  return stands(text, number_at(head, 0x3c, 4), "PE\0\0"sv);
}

// A boot record (UEFI §5.2.1): its signature, and four partitions of which each is active or not
// and one has a type. The boot sector of FAT has the signature too and is caught by the name.
bool is_boot_record(ByteView head) {
  if (head.size() < 512 || head[510] != 0x55 || head[511] != 0xaa) return false;
  bool is_typed = false;
  for (std::size_t entry = 446; entry < 510; entry += 16) {
    if (head[entry] != 0 && head[entry] != 0x80) return false;
    is_typed |= head[entry + 4] != 0;
  }
  return is_typed;
}

// The superblock of ext2 to ext4 stands at 1024, its magic 56 bytes into it, and its block size is
// 1 KiB << (0 to 6) (Linux, Documentation/filesystems/ext4/super.rst).
bool is_ext_file_system(ByteView head) {
  return head.size() >= 2048 && number_at(head, 1024 + 56, 2) == 0xef53 &&
         number_at(head, 1024 + 24, 4) <= 6;
}

// Whole characters only: the head may end within one.
std::string_view without_cut_character(std::string_view text) {
  for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const auto byte = static_cast<std::uint8_t>(text[text.size() - back]);
    if ((byte & 0xc0) == 0x80) continue;
    const std::size_t length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? text.substr(0, text.size() - back) : text;
  }
  return text;
}

bool is_text(std::string_view head) {
  if (head.empty()) return false;
  const auto is_control = [](char c) {
    constexpr std::string_view kInText = "\t\n\f\r\x1b";  // ESC: coloured logs
    const auto byte = static_cast<std::uint8_t>(c);
    return (byte < 0x20 && kInText.find(c) == std::string_view::npos) || byte == 0x7f;
  };
  if (std::ranges::any_of(head, is_control)) return false;
  return is_utf8(head.size() == kClassHead ? without_cut_character(head) : head);
}

// Only for what has no magic of its own in the head.
ContentClass class_by_name(std::string_view name) {
  constexpr std::array<std::string_view, 5> kDisks{"img", "raw", "iso", "vhd", "vmdk"};
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return Other;
  const std::string_view ending = name.substr(dot + 1);
  const auto is_alike = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; };
  const bool is_disk = std::ranges::any_of(
      kDisks, [&](std::string_view each) { return std::ranges::equal(ending, each, is_alike); });
  return is_disk ? DiskImage : Other;
}

}  // namespace

std::string_view name_of(ContentClass content) {
  switch (content) {
    case Tar: return "tar";
    case Zip: return "zip";
    case Compressed: return "compressed";
    case Media: return "media";
    case Text: return "text";
    case DiskImage: return "disk_image";
    case Executable: return "executable";
    case Other: return "other";
  }
  return "other";
}

ContentClass classify(ByteView head, std::string_view name) {
  head = head.first(std::min(head.size(), kClassHead));
  const std::string_view text = as_text(head);
  if (is_tar_header(head)) return Tar;
  for (const Magic& magic : kMagics) {
    if (!stands(text, magic.offset, magic.bytes)) continue;
    if (magic.offset == 4 && magic.content == Compressed && !text.starts_with("BZh")) continue;
    return magic.content;
  }
  if (is_compressed_riff(text) || is_mpeg_audio(head) || is_transport_stream(head)) return Media;
  if (is_portable_executable(head, text)) return Executable;
  if (is_boot_record(head) || is_ext_file_system(head)) return DiskImage;
  if (is_text(text)) return Text;
  return class_by_name(name);
}

}  // namespace hm::storage
