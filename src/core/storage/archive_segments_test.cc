// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <optional>
#include <set>

#include "core/storage/limits.h"
#include "core/storage/tar_walk.h"
#include "core/storage/test_segments.h"
#include "core/storage/zip_walk.h"

namespace hm::storage {
namespace {

using namespace testing;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::size_t kKiB = 1024;

// What a walk says of an archive that is there whole.
struct Walked {
  std::vector<std::size_t> member_ends;  // those within the archive
  std::optional<std::size_t> lost_at;    // the header with which it ends
};

Walked walk_through(ArchiveWalk& walk, ByteView archive) {
  Walked out;
  std::size_t at = 0;
  while (at + walk.header_size() <= archive.size()) {
    const auto entry = walk.read_header(archive.subspan(at, walk.header_size()));
    if (!entry) {
      out.lost_at = at;
      return out;
    }
    at += walk.header_size();
    if (entry->body > archive.size() - at) return out;
    walk.read_body(archive.subspan(at, static_cast<std::size_t>(entry->body)));
    at += static_cast<std::size_t>(entry->body);
    if (entry->ends_member) out.member_ends.push_back(at);
  }
  return out;
}

Walked walk_tar(ByteView archive) {
  TarWalk walk;
  return walk_through(walk, archive);
}

std::string pax_record(std::string_view keyword, std::string_view value) {
  const std::size_t rest = keyword.size() + value.size() + 3;
  const std::size_t digits = rest + 2 > 99 ? 3 : rest + 1 > 9 ? 2 : 1;
  return std::to_string(rest + digits) + " " + std::string(keyword) + "=" + std::string(value) +
         "\n";
}

// Members of these sizes, each with other bytes, and the blocks that end an archive.
Bytes tar_of(const std::vector<std::size_t>& sizes, std::uint64_t seed = 1) {
  Bytes tar;
  for (const std::size_t size : sizes) append_tar_member(tar, random_bytes(size, seed++));
  tar.resize(tar.size() + 1024, 0);
  return tar;
}

TEST(TarWalk, FindsMembersOfEachType) {
  Bytes tar;
  append_tar_member(tar, random_bytes(700, 1));
  append(tar, tar_header('5', 4096));  // a folder's size is not followed by a body
  append(tar, tar_header('2', 0));
  append_tar_member(tar, random_bytes(512, 2));
  tar.resize(tar.size() + 10240, 0);
  const auto walked = walk_tar(tar);
  EXPECT_THAT(walked.member_ends, ElementsAre(1536, 2048, 2560, 3584));
  EXPECT_FALSE(walked.lost_at);
}

TEST(TarWalk, KeepsAnExtensionWithTheMemberThatItDescribes) {
  for (const char type : {'x', 'g', 'L', 'K'}) {
    Bytes tar;
    append_tar_member(tar, as_bytes(pax_record("path", "a/long/name")), type);
    append_tar_member(tar, random_bytes(10, 1));
    EXPECT_THAT(walk_tar(tar).member_ends, ElementsAre(2048)) << type;
  }
}

TEST(TarWalk, TakesTheSizeFromPaxRecordsAndTheLastOfThem) {
  Bytes tar;
  const std::string records = pax_record("path", "size=7") + pax_record("size", "99") +
                              pax_record("xsize", "1") + pax_record("size", "1000");
  append_tar_member(tar, as_bytes(records), 'x');
  append(tar, tar_header('0', 0));
  append_padded(tar, random_bytes(1000, 1));
  append_tar_member(tar, random_bytes(10, 2));  // the records are not for this one
  EXPECT_THAT(walk_tar(tar).member_ends, ElementsAre(2560, 3584));
}

TEST(TarWalk, TakesSizesInBase256) {
  Bytes tar = tar_header('0', 0);
  std::ranges::fill(tar.begin() + 124, tar.begin() + 136, 0);
  tar[124] = 0x80;
  tar[134] = 3;  // 768
  put(tar, 257, std::string_view("ustar  \0", 8));
  sign_tar_header(tar);
  append_padded(tar, random_bytes(768, 1));
  EXPECT_THAT(walk_tar(tar).member_ends, ElementsAre(1536));
}

TEST(TarWalk, SkipsTheMapOfASparseMember) {
  Bytes tar = tar_header('S', 512);
  tar[482] = 1;
  sign_tar_header(tar);
  Bytes map(512, 'm');
  map[504] = 1;
  append(tar, map);
  map[504] = 0;
  append(tar, map);
  append_padded(tar, random_bytes(512, 1));
  append_tar_member(tar, random_bytes(10, 2));
  EXPECT_THAT(walk_tar(tar).member_ends, ElementsAre(2048, 3072));
}

// The second header is spoilt and signed anew, where signing is what is not tested.
std::optional<std::size_t> lost_with(const std::function<void(Bytes&)>& spoil) {
  Bytes tar;
  append_tar_member(tar, random_bytes(100, 1));
  Bytes header = tar_header('0', 100);
  spoil(header);
  append(tar, header);
  append_padded(tar, random_bytes(100, 2));
  return walk_tar(tar).lost_at;
}

TEST(TarWalk, EndsAtAHeaderThatIsNone) {
  const auto with_size = [](std::string_view text) {
    return [text](Bytes& header) {
      put(header, 124, text);
      sign_tar_header(header);
    };
  };
  using namespace std::string_view_literals;
  EXPECT_FALSE(lost_with([](Bytes&) {}));
  EXPECT_FALSE(lost_with(with_size("     000144 "sv)));
  EXPECT_EQ(lost_with([](Bytes& header) { ++header[0]; }), 1024U);
  EXPECT_EQ(lost_with([](Bytes& header) {
              put(header, 257, "USTAR");
              sign_tar_header(header);
            }),
            1024U);
  EXPECT_EQ(lost_with(with_size("0000000014x\0"sv)), 1024U);
  EXPECT_EQ(lost_with(with_size("00000000189\0"sv)), 1024U);
  EXPECT_EQ(lost_with(with_size("            "sv)), 1024U);
  EXPECT_EQ(lost_with(with_size("0000 000144\0"sv)), 1024U);
  EXPECT_EQ(lost_with(with_size("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"sv)), 1024U);
  EXPECT_EQ(lost_with(with_size("\x80\0\0\x01\0\0\0\0\0\0\0\0"sv)), 1024U);
  EXPECT_EQ(lost_with(with_size("\x80\0\0\0\x10\0\0\0\0\0\0\x01"sv)), 1024U);
}

TEST(TarWalk, EndsAtMalformedPaxRecords) {
  for (const std::string_view records :
       {"12 size=100", "size=100\n", "0 size=1\n", "11 size=1\n", "9 size=1\n\n", " 9 size=1\n",
        "11 size=-1\n", "10 size=1x\n", "6 size\n", "5 =1\n", "28 size=9999999999999999999\n",
        "99999999999999999999999999 size=1\n", "8 size=1\n", "9 size=1x"}) {
    Bytes tar;
    append_tar_member(tar, as_bytes(records), 'x');
    append_tar_member(tar, random_bytes(10, 1));
    EXPECT_EQ(walk_tar(tar).lost_at, 1024U) << records;
  }
}

TEST(ZipWalk, FindsMembersWhileTheyAreSimple) {
  Bytes zip;
  append_zip_member(zip, random_bytes(1000, 1), "a");
  append_zip_member(zip, random_bytes(10, 2), "name");
  const std::size_t end = zip.size();
  put(zip, 0, "PK\x03\x04");
  append(zip, as_bytes("PK\x01\x02 and what else a directory holds"));
  ZipWalk walk;
  const auto walked = walk_through(walk, zip);
  EXPECT_THAT(walked.member_ends, ElementsAre(1031, end));
  EXPECT_EQ(walked.lost_at, end);
}

TEST(ZipWalk, EndsAtAMemberWhoseSizeIsElsewhere) {
  for (const std::uint16_t flags : {std::uint16_t{0x0008}, std::uint16_t{0x2000}}) {
    Bytes zip;
    append_zip_member(zip, random_bytes(10, 1), "a", flags);
    ZipWalk walk;
    EXPECT_EQ(walk_through(walk, zip).lost_at, 0U);
  }
  Bytes zip;
  append_zip_member(zip, random_bytes(10, 1), "a");
  std::ranges::fill(zip.begin() + 18, zip.begin() + 22, 0xff);
  ZipWalk walk;
  EXPECT_EQ(walk_through(walk, zip).lost_at, 0U);
}

struct Entry {
  std::size_t begin;
  std::size_t body;
  std::size_t end;
  bool ends_member;
};

// §1.4 of docs/protocols/storage.md, length by length. The entries are all of the archive.
std::vector<std::size_t> cuts_as_defined(ByteView archive, const std::vector<Entry>& entries,
                                         const Profile& profile) {
  std::vector<std::size_t> out;
  std::size_t start = 0;
  for (std::size_t at = 1; at <= archive.size(); ++at) {
    const std::size_t length = at - start;
    const auto entry = std::ranges::find_if(
        entries, [&](const Entry& each) { return each.begin < at && at <= each.end; });
    const bool is_member = entry->ends_member && at == entry->end;
    const bool is_large = entry->end - start > profile.mean() && at > entry->body;
    if (at == archive.size() || length == profile.longest() ||
        (length >= profile.shortest() &&
         (is_member ||
          (is_large && asks_for_cut(archive.subspan(start), length, profile, key()))))) {
      out.push_back(length);
      start = at;
    }
  }
  return out;
}

TEST(TarSegments, AreThoseOfTheDefinition) {
  const Profile profile = Profile::by_content(256, 1024, 4096).value();
  const Bytes draws = random_bytes(900, 3);
  std::array<std::size_t, 3> seen{};  // of each type
  Bytes tar;
  std::vector<Entry> entries;
  for (std::size_t i = 0; i < 300; ++i) {
    // A third of them describe the next one, or are blocks of zeros.
    const std::size_t kind = draws[3 * i] % 6 < 4 ? 0 : draws[3 * i] % 6 - 3;
    const std::size_t size = (draws[3 * i + 1] + std::size_t{256} * draws[3 * i + 2]) % 6000;
    const std::size_t begin = tar.size();
    if (kind == 2) {
      tar.resize(begin + 512, 0);
    } else {
      append_tar_member(tar, random_bytes(size, i), kind == 0 ? '0' : 'L');
    }
    entries.push_back({begin, begin + 512, tar.size(), kind == 0});
    ++seen[kind];
  }
  EXPECT_THAT(seen, ::testing::Each(::testing::Gt(20U)));
  EXPECT_EQ(lengths(cut(tar, profile, ContentClass::Tar)), cuts_as_defined(tar, entries, profile));
}

TEST(TarSegments, BeginWithEachMemberThatFollowsEnough) {
  const std::vector<std::size_t> sizes{20 * kKiB, 600 * kKiB, 16 * kKiB, 64 * kKiB, 900 * kKiB};
  const Bytes tar = tar_of(sizes);
  const auto begin = starts(cut(tar, Profile::standard(), ContentClass::Tar));
  std::size_t at = 0;
  std::size_t seen = 0;
  for (const std::size_t size : sizes) {
    // The tail of a large member may be too short for a segment of its own.
    const auto previous =
        std::ranges::max(begin, {}, [&](std::size_t s) { return s < at ? s : 0; });
    if (at == 0 || at - previous >= 16 * kKiB) {
      EXPECT_THAT(begin, Contains(at));
      ++seen;
    }
    at += 512 + (size + 511) / 512 * 512;
  }
  EXPECT_GE(seen, 3U);
  EXPECT_THAT(begin, Contains(20 * kKiB + 512));
}

TEST(TarSegments, KeepAMemberBelowTheMeanWhole) {
  const Bytes tar = tar_of({30 * kKiB, 60 * kKiB, 63 * kKiB, 40 * kKiB});
  EXPECT_THAT(
      lengths(cut(tar, Profile::standard(), ContentClass::Tar)),
      ElementsAre(30 * kKiB + 512, 60 * kKiB + 512, 63 * kKiB + 512, 40 * kKiB + 512, 1024));
}

TEST(TarSegments, HoldSmallMembersTogetherUpToTheShortestLength) {
  const Bytes tar = tar_of(std::vector<std::size_t>(64, kKiB));  // 1536 bytes each
  const auto segments = cut(tar, Profile::standard(), ContentClass::Tar);
  ASSERT_EQ(segments.size(), 6U);
  for (std::size_t i = 0; i + 1 < segments.size(); ++i) EXPECT_EQ(segments[i].size(), 11 * 1536U);
}

TEST(TarSegments, OfTheOtherMembersStayWhenOneGrows) {
  std::vector<std::size_t> sizes(100, 20 * kKiB);
  const auto before = cut(tar_of(sizes), Profile::standard(), ContentClass::Tar);
  Bytes edited;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    append_tar_member(edited, random_bytes(i == 50 ? 21 * kKiB : 20 * kKiB, 1 + i));
  }
  edited.resize(edited.size() + 1024, 0);
  const auto after = cut(edited, Profile::standard(), ContentClass::Tar);
  const std::set<Bytes> known(before.begin(), before.end());
  EXPECT_EQ(std::ranges::count_if(after, [&](const Bytes& s) { return !known.contains(s); }), 1);
}

TEST(TarSegments, OfSmallMembersMostlyStayWhenOneIsInserted) {
  const Bytes draws = random_bytes(4000, 9);
  const auto tar_with = [&](std::size_t inserted_at) {
    Bytes tar;
    for (std::size_t i = 0; i < 2000; ++i) {
      if (i == inserted_at) append_tar_member(tar, random_bytes(777, 1));
      const std::size_t size = (draws[2 * i] + std::size_t{256} * draws[2 * i + 1]) % 9000;
      append_tar_member(tar, random_bytes(size, 1000 + i));
    }
    return tar;
  };
  const auto before = cut(tar_with(2000), Profile::standard(), ContentClass::Tar);
  const auto after = cut(tar_with(300), Profile::standard(), ContentClass::Tar);
  EXPECT_GT(percent_known(before, after), 90U);
}

TEST(TarSegments, AreCutByContentWhereItStopsToBeATar) {
  Bytes object;
  append_tar_member(object, random_bytes(40 * kKiB, 1));
  const std::size_t lost = object.size();
  const Bytes rest = random_bytes(4096 * kKiB, 2);
  append(object, rest);
  const auto as_tar = starts(cut(object, Profile::standard(), ContentClass::Tar));
  EXPECT_THAT(as_tar, Contains(lost));
  // From there it has the cuts that the rest has alone.
  std::vector<std::size_t> alone;
  for (const std::size_t at : starts(cut(rest, Profile::standard(), ContentClass::Other))) {
    alone.push_back(at + lost);
  }
  EXPECT_TRUE(std::ranges::includes(as_tar, alone));
}

TEST(TarSegments, AreBoundedWhenSizesLie) {
  Bytes tar = tar_header('0', 0);
  std::ranges::fill(tar.begin() + 124, tar.begin() + 136, 0);
  tar[124] = 0x80;
  tar[128] = 0x0f;  // nearly 2^60
  put(tar, 257, std::string_view("ustar  \0", 8));
  sign_tar_header(tar);
  append(tar, random_bytes(3 * 1024 * kKiB, 1));
  const auto segments = cut(tar, Profile::standard(), ContentClass::Tar);
  EXPECT_EQ(joined(segments), tar);
  EXPECT_GT(segments.size(), 12U);
  for (const Bytes& each : segments) EXPECT_LE(each.size(), 256 * kKiB);
}

TEST(TarSegments, OfATruncatedTarAreTheTar) {
  const Bytes tar = tar_of({100, 5000, 20'000, 300, 70'000});
  const Profile profile = Profile::by_content(256, 1024, 4096).value();
  for (std::size_t size = 0; size < tar.size(); size += 97) {
    const ByteView part = ByteView(tar).first(size);
    ASSERT_EQ(joined(cut(part, profile, ContentClass::Tar, key(), {1000})), to_bytes(part));
  }
}

TEST(ZipSegments, BeginWithMembersAndAreLongBehindThem) {
  Bytes zip;
  append_zip_member(zip, random_bytes(40 * kKiB, 1), "first");
  const std::size_t second = zip.size();
  append_zip_member(zip, random_bytes(50 * kKiB, 2), "second");
  const std::size_t third = zip.size();
  append_zip_member(zip, random_bytes(2048 * kKiB, 3), "third", 1U << 3);
  const auto segments = cut(zip, Profile::standard(), ContentClass::Zip);
  EXPECT_THAT(starts(segments), ElementsAre(0, second, third, third + kCompressedSegment,
                                            third + 2 * kCompressedSegment));
}

// Archives of all sorts of members, sound or not, with what breaks them.
RC_GTEST_PROP(ArchiveSegments, AreTheSameHoweverTheArchiveIsFed, ()) {
  const bool is_tar = *rc::gen::arbitrary<bool>();
  Bytes archive;
  const auto count = *rc::gen::inRange(0, 30);
  for (int i = 0; i < count; ++i) {
    const Bytes body =
        random_bytes(*rc::gen::inRange<std::size_t>(0, 9000), *rc::gen::arbitrary<std::uint64_t>());
    if (is_tar) {
      append_tar_member(archive, body, *rc::gen::elementOf(std::string("0000L5g")));
    } else {
      append_zip_member(archive, body, "name");
    }
  }
  for (int flips = *rc::gen::inRange(0, 3); flips > 0 && !archive.empty(); --flips) {
    archive[*rc::gen::inRange<std::size_t>(0, archive.size())] ^= 0x10;
  }
  const auto content = is_tar ? ContentClass::Tar : ContentClass::Zip;
  const Profile profile = Profile::by_content(256, 1024, 4096).value();
  const auto pieces =
      *rc::gen::container<std::vector<std::size_t>>(3, rc::gen::inRange<std::size_t>(1, 3000));
  const auto whole = cut(archive, profile, content);
  const auto bounds = bounds_of(profile, content);
  RC_ASSERT(joined(whole) == archive);
  RC_ASSERT(cut(archive, profile, content, key(), pieces) == whole);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    RC_ASSERT(whole[i].size() <= bounds.longest);
    RC_ASSERT(i + 1 == whole.size() || whole[i].size() >= bounds.shortest);
  }
}

}  // namespace
}  // namespace hm::storage
