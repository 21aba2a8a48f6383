// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/cpuid.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "platform/linux/kernel_text.h"
#include "platform/linux/kernel_tree.h"

namespace hm::linux {
namespace {

using ::testing::Contains;
using ::testing::Not;

using Leaves = std::map<std::pair<std::uint32_t, std::uint32_t>, CpuidRegisters>;

std::uint32_t word(const char* text) {
  std::uint32_t value = 0;
  std::memcpy(&value, text, 4);
  return value;
}

// A processor that behaves as Intel's do: a leaf beyond the highest answers with garbage.
CpuidSource planted(Leaves leaves, std::uint64_t xcr0 = 0) {
  return {.cpuid =
              [leaves = std::move(leaves)](std::uint32_t leaf, std::uint32_t subleaf) {
                const auto found = leaves.find({leaf, subleaf});
                return found != leaves.end()
                           ? found->second
                           : CpuidRegisters{0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF};
              },
          .xgetbv = [xcr0] { return xcr0; }};
}

Leaves small_processor() {
  return {
      {{0, 0}, {4, word("Auth"), word("cAMD"), word("enti")}},
      {{1, 0}, {0x00B40F41, 0, (1U << 27U) | (1U << 28U) | (1U << 25U), 1U << 26U}},
      {{0x80000000, 0}, {0x80000004, 0, 0, 0}},
      {{0x80000001, 0}, {0, 0, 0, 0}},
      {{0x80000002, 0}, {word("  AM"), word("D Ry"), word("zen "), word("9   ")}},
      {{0x80000003, 0}, {word("    "), 0, 0, 0}},
      {{0x80000004, 0}, {0, 0, 0, 0}},
  };
}

TEST(Cpuid, IdentityIsDecodedWithExtendedFamilyAndModel) {
  const CpuidFacts facts = decode_cpuid(planted(small_processor(), 0x7));
  EXPECT_EQ(facts.vendor, "AuthenticAMD");
  EXPECT_EQ(facts.brand, "AMD Ryzen 9");
  EXPECT_EQ(facts.family, 0x1AU);
  EXPECT_EQ(facts.model, 0x44U);
  EXPECT_EQ(facts.stepping, 1U);
  EXPECT_FALSE(facts.hypervisor.has_value());
}

TEST(Cpuid, LeavesBeyondTheHighestAreNeverRead) {
  const CpuidFacts facts = decode_cpuid(planted(small_processor(), 0x7));
  EXPECT_THAT(facts.features, Not(Contains("avx2")));
  EXPECT_THAT(facts.features, Not(Contains("xsavec")));
  EXPECT_FALSE(facts.l1d_bytes.has_value());
  EXPECT_FALSE(facts.base_mhz.has_value());
}

TEST(Cpuid, AvxCountsOnlyIfTheOperatingSystemSavesItsRegisters) {
  EXPECT_THAT(decode_cpuid(planted(small_processor(), 0x7)).features, Contains("avx"));
  EXPECT_THAT(decode_cpuid(planted(small_processor(), 0x3)).features, Not(Contains("avx")));
  EXPECT_THAT(decode_cpuid(planted(small_processor(), 0x3)).features, Contains("aes"));
  Leaves without_osxsave = small_processor();
  without_osxsave[{1, 0}].ecx &= ~(1U << 27U);
  EXPECT_THAT(decode_cpuid(planted(without_osxsave, 0x7)).features, Not(Contains("avx")));
}

TEST(Cpuid, CacheLeavesThatNeverEndAreCutOff) {
  Leaves leaves = small_processor();
  leaves[{0x80000000, 0}].eax = 0x80000020;
  const CpuidFacts facts = decode_cpuid(planted(leaves, 0x7));
  EXPECT_FALSE(facts.l1d_bytes.has_value()) << "type 31 is no cache";
}

TEST(Cpuid, CacheSizesFollowWaysPartitionsLineAndSets) {
  Leaves leaves = small_processor();
  leaves[{0x80000000, 0}].eax = 0x8000001D;
  // 12 ways, 1 partition, 64-byte line, 64 sets: 48 KiB of data at level 1.
  leaves[{0x8000001D, 0}] = {1U | (1U << 5U), (11U << 22U) | 63U, 63, 0};
  leaves[{0x8000001D, 1}] = {0, 0, 0, 0};
  EXPECT_EQ(decode_cpuid(planted(leaves, 0x7)).l1d_bytes, 48U * 1024);
}

TEST(Cpuid, LevelsNeedEveryFeatureOfTheLowerOnes) {
  std::vector<std::string> v1 = {"cmov",    "cx8", "fpu",  "fxsr", "mmx",
                                 "syscall", "sse", "sse2", "lm"};
  std::vector<std::string> v4 = v1;
  for (const char* name :
       {"cx16",  "lahf_lm", "popcnt",  "pni",      "sse4_1",   "sse4_2",   "ssse3",
        "avx",   "avx2",    "bmi1",    "bmi2",     "f16c",     "fma",      "abm",
        "movbe", "xsave",   "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}) {
    v4.emplace_back(name);
  }
  std::ranges::sort(v1);
  std::ranges::sort(v4);
  EXPECT_EQ(x86_64_level(v1), 1U);
  EXPECT_EQ(x86_64_level(v4), 4U);
  std::erase(v4, "movbe");
  EXPECT_EQ(x86_64_level(v4), 2U) << "AVX-512 does not make up for a missing MOVBE";
  EXPECT_EQ(x86_64_level({}), std::nullopt);
}

TEST(Cpuid, AgreesWithTheKernelOnThisMachine) {
  const auto source = machine_cpuid();
  if (!source) GTEST_SKIP() << "missing: the CPUID instruction";
  const auto text = KernelTree("/proc").text("cpuinfo");
  const auto blocks = parse_cpuinfo(text.value_or(""));
  if (blocks.empty() || !blocks[0].contains("flags")) GTEST_SKIP() << "missing: /proc/cpuinfo";
  const CpuidFacts facts = decode_cpuid(*source);
  EXPECT_EQ(facts.brand, blocks[0].at("model name"));
  EXPECT_EQ(facts.vendor, blocks[0].at("vendor_id"));
  EXPECT_EQ(std::to_string(facts.model), blocks[0].at("model"));
  // The kernel may switch a feature off for itself, so it lists a subset; what it lists of the
  // features that matter here must have been found.
  std::vector<std::string> kernel_flags;
  for (std::string_view flag : split_words(blocks[0].at("flags"))) kernel_flags.emplace_back(flag);
  for (const char* name : {"aes", "sse2", "avx", "avx2", "avx512f", "avx512_vnni", "sha_ni", "bmi2",
                           "vaes", "gfni", "popcnt", "abm", "lahf_lm"}) {
    if (std::ranges::find(kernel_flags, name) == kernel_flags.end()) continue;
    EXPECT_THAT(facts.features, Contains(name));
  }
}

}  // namespace
}  // namespace hm::linux
