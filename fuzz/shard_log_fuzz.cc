// SPDX-License-Identifier: Apache-2.0
// A store of shards over a log from outside. The first byte of the input says how the log is made
// of the rest: whether headers get the check without which they are no records, whether shards get
// the root that their bytes have, whether another log follows. The store opens whatever it is; what
// it reads leads to its root; after compaction, and when it is opened anew, it still reads it.
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>

#include "foundation/base/check.h"
#include "foundation/base/log.h"
#include "foundation/blake3/blake3.h"
#include "platform/shard_store/file_shard_store.h"
#include "platform/shard_store/record.h"

namespace {

using namespace hm;
using namespace hm::shard_store;
namespace fs = std::filesystem;

constexpr Key kKey = {1, 2, 3};
constexpr std::uint64_t kLog = 4 * kBlockBytes;
constexpr std::uint64_t kUnlimited = std::uint64_t{1} << 60;

// One for all inputs, gone at the end.
struct Folder {
  Folder() {
    (void)log::configure("off", log::Format::Human);
    const fs::path memory = "/dev/shm";
    std::string name =
        ((fs::exists(memory) ? memory : fs::temp_directory_path()) / "hm-shard-fuzz-XXXXXX")
            .string();
    HM_CHECK(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
  fs::path path;
};

void write_bytes(const fs::path& path, ByteView bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
}

struct Names {
  std::set<ports::ShardRoot> roots;
  std::set<ports::HolderId> holders;
};

std::uint32_t number_at(ByteView bytes) {
  return static_cast<std::uint32_t>(bytes[0] | bytes[1] << 8 | bytes[2] << 16) |
         static_cast<std::uint32_t>(bytes[3]) << 24;
}

// The fields of a header that may be a record of nobody.
Record record_at(ByteView header) {
  Record record;
  record.kind = static_cast<RecordKind>(header[5]);
  record.shard_bytes = number_at(header.subspan(8));
  std::ranges::copy(header.subspan(16, 32), record.root.bytes.begin());
  std::ranges::copy(header.subspan(48, 32), record.holder.bytes.begin());
  return record;
}

// Puts root and page values of what follows into a record of a shard.
void make_whole(std::span<std::uint8_t> rest, Record& record) {
  if (record.kind != RecordKind::Shard || record.shard_bytes == 0) return;
  if (record.shard_bytes > ports::kMaxShardBytes || record_bytes(record) > rest.size()) return;
  const auto values = rest.subspan(kRecordHeaderBytes);
  const auto body = values.subspan(static_cast<std::size_t>(values_bytes(record.shard_bytes)));
  const auto tree = blake3::PageTree::of(body.first(record.shard_bytes));
  record.root = tree.root();
  auto to = values.begin();
  for (const auto& value : tree.values()) to = std::ranges::copy(value.bytes, to).out;
}

Names make_records(Bytes& log, bool has_checks, bool has_roots) {
  const RecordCodec codec(kKey);
  Names names;
  for (std::uint64_t at = kFirstRecord; at + kRecordHeaderBytes <= log.size(); at += kUnit) {
    const auto rest = std::span(log).subspan(static_cast<std::size_t>(at));
    if (!std::ranges::equal(rest.first(4), as_bytes("HMSR"))) continue;
    Record record = record_at(rest);
    if (has_roots) make_whole(rest, record);
    names.roots.insert(record.root);
    names.holders.insert(record.holder);
    if (!has_checks) continue;
    const Place place{1, static_cast<std::uint32_t>(at / kUnit)};
    std::ranges::copy(codec.encode(record, place), rest.begin());
  }
  return names;
}

std::unique_ptr<ports::ShardStore> open_store(const fs::path& folder) {
  auto opened = open_shard_store({folder.string(), 0, kLog});
  HM_CHECK(opened.has_value());
  return std::move(opened->store);
}

// The shards that can be read, each of which is right.
std::set<ports::ShardRoot> readable(ports::ShardStore& store, const Names& names) {
  std::set<ports::ShardRoot> whole;
  for (const ports::ShardRoot& root : names.roots) {
    const auto got = store.read(root, 0, kUnlimited);
    if (got) {
      HM_CHECK(blake3::hash(*got) == root);
      const auto proven = store.prove(root, 0);
      HM_CHECK(proven && blake3::verify_page(root, got->size(), 0, proven->page, proven->proof));
      whole.insert(root);
    } else {
      HM_CHECK(got.error().code == ErrorCode::NotFound || got.error().code == ErrorCode::Corrupt);
    }
  }
  return whole;
}

void check_counts(ports::ShardStore& store, const Names& names) {
  std::set<ports::ShardRoot> held;
  for (const ports::HolderId& holder : names.holders) {
    ports::HolderUsage counted;
    for (const auto& each : store.list(holder, {}).shards) {
      held.insert(each.root);
      ++counted.shards;
      counted.shard_bytes += each.state.bytes;
      counted.counted_bytes += ports::counted_bytes(each.state.bytes);
    }
    HM_CHECK(counted == store.usage(holder));
  }
  HM_CHECK(store.usage().shards == held.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Folder folder;
  if (size == 0) return 0;
  const std::uint8_t mode = data[0];
  const fs::path shards = folder.path / "shards";
  fs::remove_all(shards);
  fs::create_directory(shards);
  write_bytes(shards / "key", encode_log_header(0, kKey));
  fs::permissions(shards / "key", fs::perms::owner_read | fs::perms::owner_write);
  Bytes log;
  std::ranges::copy(encode_log_header(1, kKey), std::back_inserter(log));
  log.resize(kFirstRecord);
  log.insert(log.end(), data + 1, data + size);
  Names names = make_records(log, (mode & 1) != 0, (mode & 2) != 0);
  write_bytes(shards / "00000001.log", log);
  if ((mode & 4) != 0) write_bytes(shards / "00000002.log", encode_log_header(2, kKey));

  auto store = open_store(shards);
  const auto before = readable(*store, names);
  check_counts(*store, names);
  for (int steps = 0; !store->compact(kLog)->is_done; ++steps) HM_CHECK(steps < 10'000);
  HM_CHECK(readable(*store, names) == before);
  while (!store->scrub(1 << 20)->is_round_done) continue;

  const Bytes bytes = {1, 2, 3};
  const ports::ShardRoot root = blake3::hash(bytes);
  const ports::HolderId holder{{9}};
  const bool is_put = store->put(root, holder, bytes, kUnlimited).has_value();
  HM_CHECK(is_put || names.roots.contains(root));
  names.holders.insert(holder);
  check_counts(*store, names);
  store.reset();
  store = open_store(shards);
  for (const auto& each : before) HM_CHECK(readable(*store, names).contains(each));
  HM_CHECK(!is_put || store->read(root, 0, 3).has_value());
  check_counts(*store, names);
  return 0;
}
