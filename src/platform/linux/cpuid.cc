// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/cpuid.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <span>
#include <string_view>

#include "platform/linux/kernel_text.h"
#include "platform/linux/limits.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace hm::linux {
namespace {

enum class Register : std::uint8_t { Eax, Ebx, Ecx, Edx };
// Register state that the operating system must save before the instructions may be used.
enum class State : std::uint8_t { Any, Avx, Avx512, Amx };

struct Feature {
  std::string_view name;
  std::uint32_t leaf;
  std::uint32_t subleaf;
  Register where;
  unsigned bit;
  State state = State::Any;
};

constexpr std::uint32_t kExtended = 0x80000001;

// Intel SDM volume 2A, CPUID; AMD APM volume 3, appendix E. Names are those of /proc/cpuinfo.
constexpr Feature kFeatures[] = {
    {"fpu", 1, 0, Register::Edx, 0},
    {"cx8", 1, 0, Register::Edx, 8},
    {"cmov", 1, 0, Register::Edx, 15},
    {"mmx", 1, 0, Register::Edx, 23},
    {"fxsr", 1, 0, Register::Edx, 24},
    {"sse", 1, 0, Register::Edx, 25},
    {"sse2", 1, 0, Register::Edx, 26},
    {"pni", 1, 0, Register::Ecx, 0},
    {"pclmulqdq", 1, 0, Register::Ecx, 1},
    {"vmx", 1, 0, Register::Ecx, 5},
    {"ssse3", 1, 0, Register::Ecx, 9},
    {"fma", 1, 0, Register::Ecx, 12, State::Avx},
    {"cx16", 1, 0, Register::Ecx, 13},
    {"sse4_1", 1, 0, Register::Ecx, 19},
    {"sse4_2", 1, 0, Register::Ecx, 20},
    {"movbe", 1, 0, Register::Ecx, 22},
    {"popcnt", 1, 0, Register::Ecx, 23},
    {"aes", 1, 0, Register::Ecx, 25},
    {"xsave", 1, 0, Register::Ecx, 26},
    {"osxsave", 1, 0, Register::Ecx, 27},
    {"avx", 1, 0, Register::Ecx, 28, State::Avx},
    {"f16c", 1, 0, Register::Ecx, 29, State::Avx},
    {"rdrand", 1, 0, Register::Ecx, 30},
    {"fsgsbase", 7, 0, Register::Ebx, 0},
    {"bmi1", 7, 0, Register::Ebx, 3},
    {"avx2", 7, 0, Register::Ebx, 5, State::Avx},
    {"bmi2", 7, 0, Register::Ebx, 8},
    {"erms", 7, 0, Register::Ebx, 9},
    {"avx512f", 7, 0, Register::Ebx, 16, State::Avx512},
    {"avx512dq", 7, 0, Register::Ebx, 17, State::Avx512},
    {"rdseed", 7, 0, Register::Ebx, 18},
    {"adx", 7, 0, Register::Ebx, 19},
    {"avx512ifma", 7, 0, Register::Ebx, 21, State::Avx512},
    {"avx512cd", 7, 0, Register::Ebx, 28, State::Avx512},
    {"sha_ni", 7, 0, Register::Ebx, 29},
    {"avx512bw", 7, 0, Register::Ebx, 30, State::Avx512},
    {"avx512vl", 7, 0, Register::Ebx, 31, State::Avx512},
    {"avx512vbmi", 7, 0, Register::Ecx, 1, State::Avx512},
    {"avx512_vbmi2", 7, 0, Register::Ecx, 6, State::Avx512},
    {"gfni", 7, 0, Register::Ecx, 8},
    {"vaes", 7, 0, Register::Ecx, 9, State::Avx},
    {"vpclmulqdq", 7, 0, Register::Ecx, 10, State::Avx},
    {"avx512_vnni", 7, 0, Register::Ecx, 11, State::Avx512},
    {"avx512_bitalg", 7, 0, Register::Ecx, 12, State::Avx512},
    {"avx512_vpopcntdq", 7, 0, Register::Ecx, 14, State::Avx512},
    {"avx512_vp2intersect", 7, 0, Register::Edx, 8, State::Avx512},
    {"serialize", 7, 0, Register::Edx, 14},
    {"amx_bf16", 7, 0, Register::Edx, 22, State::Amx},
    {"avx512_fp16", 7, 0, Register::Edx, 23, State::Avx512},
    {"amx_tile", 7, 0, Register::Edx, 24, State::Amx},
    {"amx_int8", 7, 0, Register::Edx, 25, State::Amx},
    {"sha512", 7, 1, Register::Eax, 0, State::Avx},
    {"sm3", 7, 1, Register::Eax, 1, State::Avx},
    {"sm4", 7, 1, Register::Eax, 2, State::Avx},
    {"avx_vnni", 7, 1, Register::Eax, 4, State::Avx},
    {"avx512_bf16", 7, 1, Register::Eax, 5, State::Avx512},
    {"avx_ifma", 7, 1, Register::Eax, 23, State::Avx},
    {"xsaveopt", 0xD, 1, Register::Eax, 0},
    {"xsavec", 0xD, 1, Register::Eax, 1},
    {"xsaves", 0xD, 1, Register::Eax, 3},
    {"lahf_lm", kExtended, 0, Register::Ecx, 0},
    {"svm", kExtended, 0, Register::Ecx, 2},
    {"abm", kExtended, 0, Register::Ecx, 5},
    {"sse4a", kExtended, 0, Register::Ecx, 6},
    {"syscall", kExtended, 0, Register::Edx, 11},
    {"nx", kExtended, 0, Register::Edx, 20},
    {"pdpe1gb", kExtended, 0, Register::Edx, 26},
    {"rdtscp", kExtended, 0, Register::Edx, 27},
    {"lm", kExtended, 0, Register::Edx, 29},
};

std::uint32_t value_of(const CpuidRegisters& registers, Register which) {
  switch (which) {
    case Register::Eax: return registers.eax;
    case Register::Ebx: return registers.ebx;
    case Register::Ecx: return registers.ecx;
    case Register::Edx: return registers.edx;
  }
  return 0;
}

void append_register(std::string& text, std::uint32_t value) {
  for (unsigned shift = 0; shift < 32; shift += 8) {
    text.push_back(static_cast<char>((value >> shift) & 0xFFU));
  }
}

// Up to the first zero byte, without blanks around it, anything unprintable replaced.
std::string tidy(std::string text) {
  text.resize(std::min(text.find('\0'), text.size()));
  for (char& c : text) {
    if (c < ' ' || c > '~') c = '?';
  }
  return std::string(trim(text));
}

class Decoder {
 public:
  explicit Decoder(const CpuidSource& source) : source_(source) {
    const CpuidRegisters first = source_.cpuid(0, 0);
    max_leaf_ = first.eax;
    append_register(facts_.vendor, first.ebx);
    append_register(facts_.vendor, first.edx);
    append_register(facts_.vendor, first.ecx);
    facts_.vendor = tidy(facts_.vendor);
    const std::uint32_t extended = source_.cpuid(0x80000000, 0).eax;
    max_extended_ = extended >= 0x80000000 ? extended : 0;
  }

  CpuidFacts decode() {
    read_identity();
    read_features();
    read_caches();
    read_frequencies();
    return std::move(facts_);
  }

 private:
  std::optional<CpuidRegisters> leaf(std::uint32_t number, std::uint32_t subleaf = 0) const {
    const std::uint32_t last = number >= 0x80000000 ? max_extended_ : max_leaf_;
    if (number > last) return std::nullopt;
    return source_.cpuid(number, subleaf);
  }

  void read_identity() {
    if (const auto one = leaf(1)) {
      const std::uint32_t base_family = (one->eax >> 8U) & 0xFU;
      const std::uint32_t base_model = (one->eax >> 4U) & 0xFU;
      facts_.stepping = one->eax & 0xFU;
      facts_.family = base_family;
      if (base_family == 0xF) facts_.family += (one->eax >> 20U) & 0xFFU;
      facts_.model = base_model;
      if (base_family == 0x6 || base_family == 0xF) {
        facts_.model |= ((one->eax >> 16U) & 0xFU) << 4U;
      }
      const bool has_osxsave = (one->ecx & (1U << 27U)) != 0;
      if (has_osxsave) xcr0_ = source_.xgetbv();
      if ((one->ecx & (1U << 31U)) != 0) {
        const CpuidRegisters hypervisor = source_.cpuid(0x40000000, 0);
        std::string signature;
        append_register(signature, hypervisor.ebx);
        append_register(signature, hypervisor.ecx);
        append_register(signature, hypervisor.edx);
        facts_.hypervisor = tidy(signature);
      }
    }
    if (max_extended_ < 0x80000004) return;
    for (std::uint32_t number = 0x80000002; number <= 0x80000004; ++number) {
      const CpuidRegisters part = source_.cpuid(number, 0);
      for (std::uint32_t value : {part.eax, part.ebx, part.ecx, part.edx}) {
        append_register(facts_.brand, value);
      }
    }
    facts_.brand = tidy(facts_.brand);
  }

  bool saves(State state) const {
    // Bits of XCR0: 1 SSE, 2 AVX, 5-7 AVX-512, 17-18 AMX.
    std::uint64_t needed = 0;
    switch (state) {
      case State::Any: return true;
      case State::Avx: needed = 0x6; break;
      case State::Avx512: needed = 0xE6; break;
      case State::Amx: needed = 0x60000; break;
    }
    return (xcr0_ & needed) == needed;
  }

  void read_features() {
    const auto seven = leaf(7);
    const std::uint32_t last_subleaf = seven ? seven->eax : 0;
    for (const Feature& feature : kFeatures) {
      if (feature.leaf == 7 && feature.subleaf > last_subleaf) continue;
      const auto registers = leaf(feature.leaf, feature.subleaf);
      if (!registers) continue;
      const bool present = ((value_of(*registers, feature.where) >> feature.bit) & 1U) != 0;
      if (present && saves(feature.state)) facts_.features.emplace_back(feature.name);
    }
    std::ranges::sort(facts_.features);
  }

  void read_caches() {
    // The same layout at both vendors: Intel leaf 4, AMD leaf 0x8000001D.
    const bool is_amd = facts_.vendor == "AuthenticAMD" || facts_.vendor == "HygonGenuine";
    const std::uint32_t number = is_amd ? 0x8000001D : 4;
    for (std::uint32_t subleaf = 0; subleaf < kMaxCacheLeaves; ++subleaf) {
      const auto cache = leaf(number, subleaf);
      if (!cache) return;
      const std::uint32_t type = cache->eax & 0x1FU;  // 1 data, 2 instruction, 3 unified
      if (type == 0) return;
      const std::uint64_t ways = (cache->ebx >> 22U) + 1U;
      const std::uint64_t partitions = ((cache->ebx >> 12U) & 0x3FFU) + 1U;
      const std::uint64_t line = (cache->ebx & 0xFFFU) + 1U;
      const std::uint64_t bytes = ways * partitions * line * (std::uint64_t{cache->ecx} + 1U);
      const std::uint32_t level = (cache->eax >> 5U) & 0x7U;
      if (level == 1 && type == 1) facts_.l1d_bytes = bytes;
      if (level == 1 && type == 2) facts_.l1i_bytes = bytes;
      if (level == 2) facts_.l2_bytes = bytes;
      if (level == 3) facts_.l3_bytes = bytes;
    }
  }

  void read_frequencies() {
    const auto frequency = leaf(0x16);  // Intel only; zero means that it does not say
    if (!frequency) return;
    const std::uint32_t base = frequency->eax & 0xFFFFU;
    const std::uint32_t max = frequency->ebx & 0xFFFFU;
    if (base != 0) facts_.base_mhz = base;
    if (max != 0) facts_.max_mhz = max;
  }

  const CpuidSource& source_;
  std::uint32_t max_leaf_ = 0;
  std::uint32_t max_extended_ = 0;
  std::uint64_t xcr0_ = 0;
  CpuidFacts facts_;
};

bool has_all(const std::vector<std::string>& features,
             std::initializer_list<std::string_view> wanted) {
  return std::ranges::all_of(
      wanted, [&](std::string_view name) { return std::ranges::binary_search(features, name); });
}

}  // namespace

#if defined(__x86_64__)
namespace {

__attribute__((target("xsave"))) std::uint64_t read_xcr0() { return _xgetbv(0); }

CpuidRegisters execute_cpuid(std::uint32_t leaf, std::uint32_t subleaf) {
  CpuidRegisters out;
  __cpuid_count(leaf, subleaf, out.eax, out.ebx, out.ecx, out.edx);
  return out;
}

}  // namespace

std::optional<CpuidSource> machine_cpuid() {
  return CpuidSource{.cpuid = execute_cpuid, .xgetbv = read_xcr0};
}
#else
std::optional<CpuidSource> machine_cpuid() { return std::nullopt; }
#endif

CpuidFacts decode_cpuid(const CpuidSource& source) { return Decoder(source).decode(); }

std::optional<std::uint32_t> x86_64_level(const std::vector<std::string>& features) {
  // x86-64 psABI, table "micro-architecture levels"; abm stands for LZCNT, pni for SSE3.
  if (!has_all(features, {"cmov", "cx8", "fpu", "fxsr", "mmx", "syscall", "sse", "sse2", "lm"})) {
    return std::nullopt;
  }
  if (!has_all(features, {"cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"})) {
    return 1;
  }
  if (!has_all(features, {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"})) {
    return 2;
  }
  if (!has_all(features, {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"})) return 3;
  return 4;
}

}  // namespace hm::linux
