// SPDX-License-Identifier: Apache-2.0
// What the storage pipeline costs on one core, in bytes per second of its CPU time: the segments of
// 64 MiB under each profile and class, compressing and judging what pays, and a random object all
// the way into stripes and back (1 GiB, compression off). With
// two versions of something, an archive or a folder each, also how much of the second is known from
// the first.
//   bench_storage [--json] [OLD NEW]
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/storage/code_choice.h"
#include "core/storage/compression.h"
#include "core/storage/limits.h"
#include "core/storage/object_decoder.h"
#include "core/storage/object_encoder.h"
#include "core/storage/segmenter.h"
#include "core/storage/tar_walk.h"
#include "foundation/base/check.h"
#include "foundation/blake3/blake3.h"
#include "foundation/crypto/hash.h"
#include "foundation/erasure/coder.h"

namespace {

using namespace hm;
using namespace hm::storage;
namespace fs = std::filesystem;

constexpr std::size_t kObject = std::size_t{64} << 20;
constexpr std::size_t kPiece = std::size_t{1} << 20;  // as it is read from a disk or a socket
constexpr std::size_t kRounds = 9;
constexpr std::size_t kSegment = std::size_t{64} << 10;  // of what is compressed
constexpr std::size_t kPipelineObject = std::size_t{1} << 30;
constexpr std::size_t kPipelineRounds = 3;
constexpr double kBar = 4.0;  // standard, by content

constexpr std::string_view kMethod =
    "one thread; GB (10^9 bytes) of input per second of the thread's CPU time, best and median of "
    "9 "
    "rounds over all rows; 64 MiB in memory, fed in pieces of 1 MiB, segments only counted; encode "
    "and decode: 3 rounds, 1 GiB and 256 MiB, 10+4 shards of 1 MiB, which decoding copies first";

double cpu_seconds() {
  timespec now{};
  HM_CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

std::string cpu_model() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

const SegmentKey& segment_key() {
  static const SegmentKey kKey(std::array<std::uint8_t, kSegmentKeySize>{1});
  return kKey;
}

Bytes random_bytes(std::size_t size, std::uint64_t seed) {
  Bytes out(size);
  for (std::size_t i = 0; i + 8 <= size; i += 8) {  // xorshift64
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    std::memcpy(out.data() + i, &seed, 8);
  }
  return out;
}

Bytes log_lines(std::size_t size) {
  Bytes out;
  out.reserve(size + 128);
  const Bytes noise = random_bytes(size / 8, 7);
  for (std::size_t line = 0; out.size() < size; ++line) {
    const std::string text = "2026-11-28T02:00:00 node " + std::to_string(noise[line * 2]) +
                             " answered a request in " + std::to_string(noise[line * 2 + 1] * 37) +
                             " us, segment " + std::to_string(line) + "\n";
    out.insert(out.end(), text.begin(), text.end());
  }
  out.resize(size);
  return out;
}

// Members of 1 to 128 KiB.
Bytes tar_of(const Bytes& content) {
  Bytes tar;
  std::size_t at = 0;
  for (std::size_t size = 1024; tar.size() < kObject; size = size % (128 * 1024) + 1536) {
    Bytes header(kTarBlock, 0);
    std::snprintf(reinterpret_cast<char*>(header.data()) + 124, 12, "%011zo", size);
    std::memcpy(header.data() + 257, "ustar\00000", 8);
    header[156] = '0';
    std::memset(header.data() + 148, ' ', 8);
    unsigned sum = 0;
    for (const std::uint8_t byte : header) sum += byte;
    std::snprintf(reinterpret_cast<char*>(header.data()) + 148, 7, "%06o", sum);
    if (at + size > content.size()) at = 0;
    tar.insert(tar.end(), header.begin(), header.end());
    tar.insert(tar.end(), content.begin() + static_cast<std::ptrdiff_t>(at),
               content.begin() + static_cast<std::ptrdiff_t>(at + size));
    tar.resize((tar.size() + kTarBlock - 1) / kTarBlock * kTarBlock, 0);
    at += size;
  }
  return tar;
}

std::size_t count_segments(ByteView object, const Profile& profile, ContentClass content) {
  std::size_t count = 0;
  const auto sink = [&](ByteView) { ++count; };
  Segmenter segmenter(profile, content, segment_key());
  for (std::size_t at = 0; at < object.size(); at += kPiece) {
    segmenter.feed(object.subspan(at, std::min(kPiece, object.size() - at)), sink);
  }
  segmenter.finish(sink);
  return count;
}

struct Row {
  std::string name;
  std::size_t bytes;
  std::function<std::size_t()> run;  // gives what is counted: segments, or bytes made
  double bar = 0;                    // 0: none
  std::size_t rounds = kRounds;
  std::size_t count = 0;
  std::vector<double> rates{};

  double median() const { return rates[rates.size() / 2]; }
};

void add_segmenting(std::vector<Row>& rows, std::string name, const Bytes& object,
                    const Profile& profile, ContentClass content, double bar = 0) {
  rows.push_back({std::move(name), object.size(),
                  [&object, profile, content] { return count_segments(object, profile, content); },
                  bar});
}

// `work` on each segment of the object; the sum of what it gives.
void add_per_segment(std::vector<Row>& rows, std::string name, const std::vector<Bytes>& segments,
                     std::size_t bytes, std::function<std::size_t(const Bytes&)> work) {
  rows.push_back({std::move(name), bytes, [&segments, work = std::move(work)] {
                    std::size_t sum = 0;
                    for (const Bytes& each : segments) sum += work(each);
                    return sum;
                  }});
}

std::vector<Bytes> in_segments(ByteView object) {
  std::vector<Bytes> out;
  for (; !object.empty(); object = object.subspan(std::min(kSegment, object.size()))) {
    out.push_back(to_bytes(object.first(std::min(kSegment, object.size()))));
  }
  return out;
}

void measure(std::vector<Row>& rows) {
  for (std::size_t round = 0; round < kRounds; ++round) {
    for (Row& row : rows) {
      if (round >= row.rounds) continue;
      const double start = cpu_seconds();
      row.count = row.run();
      row.rates.push_back(static_cast<double>(row.bytes) / (cpu_seconds() - start) / 1e9);
    }
  }
  for (Row& row : rows) std::ranges::sort(row.rates, std::greater());
}

// --- Into stripes and back ----------------------------------------------------------------

constexpr std::size_t kDecoded = std::size_t{256} << 20;
constexpr double kBarOfSegments = 1.5;
constexpr double kBarOfWhole = 2.5;

const Domain& domain() {
  static const Domain kDomain({}, {}, std::array<std::uint8_t, kDomainSecretSize>{1});
  return kDomain;
}

Randomness chance() {
  return [n = std::uint64_t{0}](std::span<std::uint8_t> out) mutable {
    blake3::Hasher().extended_output(n++ << 32, out);
  };
}

struct Way {
  Profile profile = Profile::standard();
  const Domain* domain = nullptr;
  std::optional<crypto::Digest> known_hash{};
};

Manifest encode(ByteView object, const Way& way, const StripeSink& sink) {
  StripeWriter writer(layout_for({10, 4}).value(), chance(), sink);
  const auto encoder = ObjectEncoder::start({.profile = way.profile,
                                             .compression = Compression::Never,
                                             .cut_by = segment_key(),
                                             .domain = way.domain,
                                             .known_hash = way.known_hash},
                                            writer, chance())
                           .value();
  for (; !object.empty(); object = object.subspan(std::min(kPiece, object.size()))) {
    // The object outlives the encoder: there is nothing to keep, and to keep it by.
    const std::shared_ptr<const void> kept(std::shared_ptr<const void>(), object.data());
    HM_CHECK(encoder->push(object.first(std::min(kPiece, object.size())), kept));
  }
  HM_CHECK(encoder->finish());
  writer.flush();
  return encoder->take_manifest().value();
}

struct Stored {
  Manifest manifest;
  std::vector<std::vector<Bytes>> stripes;

  explicit Stored(ByteView object) {
    manifest = encode(object, {}, [&](const FinishedStripe& stripe) {
      auto& shards = stripes.emplace_back();
      for (const SharedShard& each : stripe.shards) shards.push_back(*each);
    });
  }
};

// The first `lost` shards of each stripe cannot be had.
std::size_t decode(const Stored& stored, std::size_t lost) {
  auto decoder = ObjectDecoder::open(stored.manifest, 0, stored.manifest.size).value();
  std::size_t taken = 0;
  while (decoder.read([](ByteView) {}).value() == ObjectDecoder::Progress::NeedsShards) {
    const StripeWant want = decoder.wants().front();
    for (const ShardIndex index : want.ask) {
      if (index < lost) {
        decoder.lose(want.stripe, index);
      } else {
        taken += decoder.give(want.stripe, index, stored.stripes[want.stripe][index]) ==
                 ShardVerdict::Taken;
      }
    }
  }
  return taken;
}

// A stripe's own work: parity and roots, without segments.
std::size_t code_and_hash(ByteView object) {
  const erasure::Coder coder({10, 4});
  constexpr std::size_t kShard = std::size_t{1} << 20;
  Bytes parity(4 * kShard);
  std::array<erasure::ShardSpace, 4> into{};
  for (std::size_t i = 0; i < into.size(); ++i) into[i] = parity.data() + i * kShard;
  std::size_t stripes = 0;
  for (; object.size() >= 10 * kShard; object = object.subspan(10 * kShard), ++stripes) {
    std::array<erasure::ShardBytes, 10> data{};
    for (std::size_t i = 0; i < data.size(); ++i) data[i] = object.data() + i * kShard;
    coder.encode(data, into, kShard);
    for (const auto* shard : data) (void)blake3::hash({shard, kShard});
    for (const auto* shard : into) (void)blake3::hash({shard, kShard});
  }
  return stripes;
}

std::size_t hash_whole(ByteView object) {
  blake3::Hasher hasher;
  hasher.update(object);
  (void)hasher.digest();
  return 1;
}

std::size_t seal_segments(ByteView object) {
  SegmentSealer sealer;
  Bytes sealed;
  std::size_t count = 0;
  for (; !object.empty(); ++count) {
    const ByteView segment = object.first(std::min(std::size_t{64} << 10, object.size()));
    sealed.resize(segment.size() + kSealOverhead);
    const std::span<std::uint8_t> space = sealed;
    sealer.seal({}, ObjectBinding{.number = count}, 0, {&segment, 1}, {&space, 1});
    object = object.subspan(segment.size());
  }
  return count;
}

// The object must outlive the rows.
void add_pipeline(std::vector<Row>& rows, ByteView object) {
  const auto encoding = [&](std::string name, const Way& way, double bar = 0) {
    rows.push_back({std::move(name), object.size(),
                    [object, way] {
                      std::size_t stripes = 0;
                      encode(object, way, [&](const FinishedStripe&) { ++stripes; });
                      return stripes;
                    },
                    bar, kPipelineRounds});
  };
  const Profile standard = Profile::standard();
  const Profile whole = Profile::whole();
  const crypto::Digest hash = blake3::hash(object);
  encoding("encode, standard, own secret", {standard}, kBarOfSegments);
  encoding("encode, standard, hash known", {standard, nullptr, hash}, kBarOfSegments);
  encoding("encode, standard, in a domain", {standard, &domain()});
  encoding("encode, whole, own secret", {whole}, kBarOfWhole);
  encoding("encode, whole, hash known", {whole, nullptr, hash}, kBarOfWhole);
  encoding("encode, whole, in a domain", {whole, &domain()});
  const ByteView part = object.first(std::min(kDecoded, object.size()));
  const auto step = [&](std::string name, std::size_t (*run)(ByteView)) {
    rows.push_back(
        {std::move(name), part.size(), [part, run] { return run(part); }, 0, kPipelineRounds});
  };
  step("step: hash of the whole", hash_whole);
  step("step: seal 64 KiB", seal_segments);
  step("step: parity and roots, 10+4", code_and_hash);
  const auto stored = std::make_shared<const Stored>(part);
  for (const std::size_t lost : std::array<std::size_t, 3>{0, 1, 4}) {
    rows.push_back({"decode, " + std::to_string(lost) + " of 14 lost", part.size(),
                    [stored, lost] { return decode(*stored, lost); }, 0, kPipelineRounds});
  }
}

// --- Two versions
// ---------------------------------------------------------------------------------

struct Cutting {
  std::string name;
  Profile profile;
  bool by_class;  // else everything is of the class Other
};

struct Kept {
  std::string name;
  std::array<std::size_t, 2> bytes{};     // of each version
  std::array<std::size_t, 2> segments{};  //
  std::array<std::size_t, 2> added{};     // bytes in segments not seen before
  std::array<std::size_t, 2> stored{};    // the same, compressed where it pays
};

std::vector<fs::path> files_of(const fs::path& where) {
  if (!fs::is_directory(where)) return {where};
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(where)) {
    if (entry.is_regular_file() && !entry.is_symlink()) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

void keep(Kept& kept, std::size_t version, const fs::path& where, const Cutting& way,
          std::set<crypto::Digest>& known, Compressor& compressor) {
  Bytes piece(kPiece);
  for (const fs::path& path : files_of(where)) {
    std::ifstream in(path, std::ios::binary);
    const auto read = [&] {
      in.read(reinterpret_cast<char*>(piece.data()), static_cast<std::streamsize>(piece.size()));
      return ByteView(piece).first(static_cast<std::size_t>(in.gcount()));
    };
    ByteView part = read();
    const ContentClass content =
        way.by_class ? classify(part, path.filename().string()) : ContentClass::Other;
    const auto sink = [&](ByteView segment) {
      kept.bytes[version] += segment.size();
      ++kept.segments[version];
      if (!known.insert(crypto::sha256(segment)).second) return;
      kept.added[version] += segment.size();
      const bool pays = compressor.is_worthwhile(content, segment);
      kept.stored[version] += pays ? compressor.compress(segment).value().size() : segment.size();
    };
    Segmenter segmenter(way.profile, content, segment_key());
    for (; !part.empty(); part = read()) segmenter.feed(part, sink);
    segmenter.finish(sink);
  }
}

std::vector<Kept> compare(const std::array<fs::path, 2>& versions) {
  const std::array<Cutting, 5> ways{Cutting{"standard", Profile::standard(), true},
                                    Cutting{"standard, class unknown", Profile::standard(), false},
                                    Cutting{"backup", Profile::backup(), true},
                                    Cutting{"fixed 64 KiB", Profile::fixed(kSegment).value(), true},
                                    Cutting{"whole", Profile::whole(), true}};
  std::vector<Kept> all;
  Compressor compressor;
  for (const Cutting& way : ways) {
    Kept kept{.name = way.name};
    std::set<crypto::Digest> known;
    for (std::size_t i = 0; i < versions.size(); ++i) {
      keep(kept, i, versions[i], way, known, compressor);
    }
    all.push_back(kept);
  }
  return all;
}

// --- Output -----------------------------------------------------------------------------------

double percent(std::size_t part, std::size_t whole) {
  return whole == 0 ? 0 : 100 * static_cast<double>(part) / static_cast<double>(whole);
}

void print_text(const std::vector<Row>& rows, const std::vector<Kept>& kept) {
  std::printf("bench storage: %s\nmachine: %s\nbuild: %s\n", kMethod.data(), cpu_model().c_str(),
              HM_BUILD_TYPE);
  for (const Row& row : rows) {
    std::printf("%-34s best %6.2f GB/s   median %6.2f   count %zu", row.name.c_str(), row.rates[0],
                row.median(), row.count);
    if (row.bar > 0) std::printf("   bar %.1f", row.bar);
    std::printf("\n");
  }
  for (const Kept& each : kept) {
    for (std::size_t i = 0; i < 2; ++i) {
      std::printf(
          "%-24s %s %12zu bytes %8zu segments   unseen %12zu (%5.1f %%)   stored %12zu (%5.1f "
          "%%)\n",
          each.name.c_str(), i == 0 ? "old" : "new", each.bytes[i], each.segments[i], each.added[i],
          percent(each.added[i], each.bytes[i]), each.stored[i],
          percent(each.stored[i], each.bytes[i]));
    }
  }
}

void print_json(const std::vector<Row>& rows, const std::vector<Kept>& kept) {
  std::printf(R"({"schema":1,"bench":"storage","method":"%s","machine":"%s","build":"%s",)",
              kMethod.data(), cpu_model().c_str(), HM_BUILD_TYPE);
  std::printf(R"("unit":"GB/s","results":[)");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    std::printf(R"(%s{"name":"%s","best":%.3f,"median":%.3f,"count":%zu)", i == 0 ? "" : ",",
                row.name.c_str(), row.rates[0], row.median(), row.count);
    if (row.bar > 0) std::printf(R"(,"bar":%.1f)", row.bar);
    std::printf("}");
  }
  std::printf(R"(],"versions":[)");
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const Kept& each = kept[i];
    std::printf(R"(%s{"name":"%s")", i == 0 ? "" : ",", each.name.c_str());
    for (std::size_t v = 0; v < 2; ++v) {
      std::printf(R"(,"%s":{"bytes":%zu,"segments":%zu,"unseen":%zu,"stored":%zu})",
                  v == 0 ? "old" : "new", each.bytes[v], each.segments[v], each.added[v],
                  each.stored[v]);
    }
    std::printf("}");
  }
  std::printf("]}\n");
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string_view> arguments(argv + 1, argv + argc);
  const bool json = !arguments.empty() && arguments[0] == "--json";
  if (json) arguments.erase(arguments.begin());
  if (arguments.size() != 0 && arguments.size() != 2) {
    std::fprintf(stderr, "usage: bench_storage [--json] [OLD NEW]\n");
    return 2;
  }
  const Bytes random = random_bytes(kObject, 1);
  const Bytes lines = log_lines(kObject);
  const Bytes tar = tar_of(random);
  std::vector<Row> rows;
  add_segmenting(rows, "standard, random", random, Profile::standard(), ContentClass::Other, kBar);
  add_segmenting(rows, "standard, log lines", lines, Profile::standard(), ContentClass::Text, kBar);
  add_segmenting(rows, "standard, tar", tar, Profile::standard(), ContentClass::Tar);
  add_segmenting(rows, "standard, disk image", random, Profile::standard(),
                 ContentClass::DiskImage);
  add_segmenting(rows, "standard, media", random, Profile::standard(), ContentClass::Media);
  add_segmenting(rows, "backup, random", random, Profile::backup(), ContentClass::Other);
  add_segmenting(rows, "fixed 64 KiB", random, Profile::fixed(kSegment).value(),
                 ContentClass::Other);
  add_segmenting(rows, "whole", random, Profile::whole(), ContentClass::Other);

  Compressor compressor;
  const std::vector<Bytes> of_random = in_segments(random);
  const std::vector<Bytes> of_lines = in_segments(lines);
  std::vector<Bytes> frames;
  for (const Bytes& each : of_lines) frames.push_back(compressor.compress(each).value());
  const auto judge = [&](const Bytes& segment) -> std::size_t {
    return compressor.is_worthwhile(ContentClass::Other, segment) ? 1 : 0;
  };
  const auto compress = [&](const Bytes& segment) {
    return compressor.compress(segment).value().size();
  };
  add_per_segment(rows, "does it pay? 64 KiB, random", of_random, kObject, judge);
  add_per_segment(rows, "does it pay? 64 KiB, log lines", of_lines, kObject, judge);
  add_per_segment(rows, "compress 64 KiB, log lines", of_lines, kObject, compress);
  add_per_segment(rows, "decompress 64 KiB, log lines", frames, kObject, [&](const Bytes& frame) {
    return compressor.decompress(frame, kSegment).value().size();
  });
  const Bytes large = random_bytes(kPipelineObject, 3);
  add_pipeline(rows, large);
  measure(rows);
  std::vector<Kept> kept;
  if (arguments.size() == 2) kept = compare({fs::path(arguments[0]), fs::path(arguments[1])});
  (json ? print_json : print_text)(rows, kept);
  return 0;
}
