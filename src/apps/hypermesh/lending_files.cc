// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/lending_files.h"

#include <filesystem>
#include <string>
#include <vector>

#include "foundation/codec/reader.h"
#include "foundation/codec/writer.h"
#include "platform/files/atomic_file.h"

namespace hm::cli {
namespace {

// Sixty-four places with the longest descriptors, or the assets of a machine.
constexpr std::size_t kMaxLendingFile = std::size_t{4} << 20;

template <class T>
Result<std::optional<T>> read_record(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return std::optional<T>{};
  HM_TRY(const Bytes content, files::read_file(path, kMaxLendingFile, files::Access::Secret));
  auto record = codec::decode<T>(content);
  if (!record) {
    return fail(ErrorCode::Corrupt, path + " is damaged",
                "it was not written by this program, or its disk has changed it");
  }
  return std::optional<T>(std::move(*record));
}

template <class T>
Result<void> write_record(const std::string& path, const T& record) {
  return files::write_file(path, codec::encode(record), files::Access::Secret,
                           files::Existing::Replace);
}

}  // namespace

Result<std::optional<node::Pause>> read_pause(const NodeFolder& folder) {
  return read_record<node::Pause>(folder.pause());
}

Result<void> write_pause(const NodeFolder& folder, const std::optional<node::Pause>& pause) {
  if (pause) return write_record(folder.pause(), *pause);
  std::error_code error;
  std::filesystem::remove(folder.pause(), error);
  if (!error) return {};
  return fail(ErrorCode::Io, "cannot remove " + folder.pause(), error.message());
}

Result<std::optional<privacy::Vault>> read_vault(const NodeFolder& folder) {
  HM_TRY(auto places, read_record<std::vector<privacy::VaultPlace>>(folder.vault()));
  if (!places) return std::optional<privacy::Vault>{};
  auto vault = privacy::Vault::from_places(std::move(*places));
  if (!vault) {
    return fail(ErrorCode::Corrupt, folder.vault() + " is damaged",
                std::string(name_of(vault.error())));
  }
  return std::optional<privacy::Vault>(std::move(*vault));
}

Result<void> write_vault(const NodeFolder& folder, const privacy::Vault& vault) {
  return write_record(folder.vault(), vault.places());
}

}  // namespace hm::cli
