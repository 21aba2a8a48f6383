// SPDX-License-Identifier: Apache-2.0
// What the processor says about itself through CPUID and XGETBV. The instructions stand behind a
// function, so that tests plant their answers; on other architectures there is no source.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace hm::linux {

struct CpuidRegisters {
  std::uint32_t eax = 0;
  std::uint32_t ebx = 0;
  std::uint32_t ecx = 0;
  std::uint32_t edx = 0;
};

struct CpuidSource {
  std::function<CpuidRegisters(std::uint32_t leaf, std::uint32_t subleaf)> cpuid;
  // XCR0; called only if CPUID says that the operating system has switched XSAVE on.
  std::function<std::uint64_t()> xgetbv;
};

// This processor; none where there is no CPUID instruction.
std::optional<CpuidSource> machine_cpuid();

struct CpuidFacts {
  std::string vendor;  // "GenuineIntel"
  std::string brand;   // "AMD EPYC 9575F 64-Core Processor"; empty if the processor has none
  std::uint32_t family = 0;
  std::uint32_t model = 0;
  std::uint32_t stepping = 0;
  // Names as /proc/cpuinfo spells them, sorted. Vector extensions only if the operating system
  // saves their registers.
  std::vector<std::string> features;
  std::optional<std::uint64_t> l1d_bytes, l1i_bytes, l2_bytes, l3_bytes;  // of one instance
  std::optional<std::uint64_t> base_mhz, max_mhz;
  std::optional<std::string> hypervisor;  // its signature; empty text if it has none
};

CpuidFacts decode_cpuid(const CpuidSource& source);

// 1 to 4 by the x86-64 psABI; none if `features` lacks the baseline. `features` is sorted.
std::optional<std::uint32_t> x86_64_level(const std::vector<std::string>& features);

}  // namespace hm::linux
