// SPDX-License-Identifier: Apache-2.0
// What kind of content an object is, told from its first bytes and, where those say nothing, from
// its name: it decides where segments are cut and whether compression is tried.
//
// Promises: any input has a class; only the first kClassHead bytes are looked at; no allocation.
// Does not do: it is no validation. A file that only begins like a tar is one here; whoever walks
// it further must be ready for anything.
#pragma once

#include <cstdint>
#include <string_view>

#include "foundation/base/bytes.h"

namespace hm::storage {

enum class ContentClass : std::uint8_t {
  Tar,         // POSIX ustar and pax, GNU; not the older form without a magic
  Zip,         // and what is a zip inside: jar, docx, epub, apk
  Compressed,  // gzip, zstd, xz, bzip2, lz4, 7z, rar
  Media,       // images, audio and video in formats that compress
  Text,        // UTF-8 or UTF-16 without control characters: source, logs, JSON
  DiskImage,   // QCOW2, VMDK, VDI, VHD, VHDX, raw disks and file systems
  Executable,  // ELF, PE, Mach-O, Java class, WebAssembly
  Other,
};

std::string_view name_of(ContentClass content);  // "disk_image"

// `name` is the last part of a path, or the path; only what follows its last dot counts.
ContentClass classify(ByteView head, std::string_view name);

}  // namespace hm::storage
