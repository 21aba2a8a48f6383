// SPDX-License-Identifier: Apache-2.0
#include "platform/oci/image_names.h"

#include <fmt/format.h>

#include <utility>

#include "foundation/codec/reader.h"
#include "foundation/codec/writer.h"
#include "platform/files/atomic_file.h"
#include "platform/oci/limits.h"

namespace hm::oci {
namespace {

constexpr std::uint32_t kFormat = 1;

struct NamesFile {
  std::uint32_t format = kFormat;
  std::map<std::string, NameRecord> records;
  static constexpr auto fields(auto& self) { return std::tie(self.format, self.records); }
};

}  // namespace

NameRecord record_of(const StoredImage& image) {
  NameRecord record{.manifest = image.manifest.blob.digest,
                    .created = image.config.created.value_or(UnixMillis(0)),
                    .platform = image.config.os + "/" + image.config.architecture,
                    .layers = image.config.diff_ids};
  for (const ports::ImageBlob& blob : image.manifest.blobs()) {
    record.bytes += blob.bytes;
    record.blobs.push_back(blob.digest);
  }
  return record;
}

ports::NamedImage named_image(const std::string& reference, const NameRecord& record) {
  return {.reference = reference,
          .manifest = record.manifest,
          .bytes = record.bytes,
          .created = record.created,
          .platform = record.platform};
}

Result<ImageNames> ImageNames::open(const std::string& folder) {
  ImageNames names(folder + "/names");
  const auto bytes = files::read_file(names.path_, kMaxNamesFileBytes, files::Access::Public);
  if (!bytes) {
    if (bytes.error().code == ErrorCode::NotFound) return names;
    return fail(bytes.error());
  }
  auto file = codec::decode<NamesFile>(*bytes);
  if (!file || file->format != kFormat) {
    return fail(ErrorCode::Corrupt, names.path_ + " is not a list of image names",
                "Remove it to begin without names; the images stay for a day.");
  }
  names.records_ = std::move(file->records);
  return names;
}

Result<void> ImageNames::set(const std::string& reference, NameRecord record) {
  auto records = records_;
  records.insert_or_assign(reference, std::move(record));
  if (records.size() > kMaxNames) {
    return fail(ErrorCode::NoCapacity, fmt::format("there are {} image names", kMaxNames),
                "Remove some that are not needed.");
  }
  return write(std::move(records));
}

Result<void> ImageNames::remove(const std::string& reference) {
  auto records = records_;
  if (records.erase(reference) == 0) {
    return fail(ErrorCode::NotFound, fmt::format("no image is named {}", reference));
  }
  return write(std::move(records));
}

Result<void> ImageNames::write(std::map<std::string, NameRecord> records) {
  HM_TRY_VOID(files::write_file(path_, codec::encode(NamesFile{.records = records}),
                                files::Access::Public, files::Existing::Replace));
  records_ = std::move(records);
  return {};
}

}  // namespace hm::oci
