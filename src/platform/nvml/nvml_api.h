// SPDX-License-Identifier: Apache-2.0
// The part of NVIDIA's management library that is used, written down from its public documentation,
// because no distribution ships the header without the driver. Sizes are checked against version
// 13.3 of the original.
#pragma once

#include <cstdint>

namespace hm::nvml {

// nvmlReturn_t, as far as a case is made of it.
enum class Code : int {
  Success = 0,
  NotSupported = 3,
  NoPermission = 4,
  NotFound = 6,
  DriverNotLoaded = 9,
  FunctionNotFound = 13,
  GpuIsLost = 15,
  ResetRequired = 16,
  LibraryDriverMismatch = 18,
};

using Device = struct OpaqueDevice*;  // nvmlDevice_t

inline constexpr unsigned kNameBytes = 96;     // NVML_DEVICE_NAME_V2_BUFFER_SIZE
inline constexpr unsigned kUuidBytes = 96;     // NVML_DEVICE_UUID_V2_BUFFER_SIZE
inline constexpr unsigned kVersionBytes = 80;  // NVML_SYSTEM_DRIVER_VERSION_BUFFER_SIZE

struct Memory {  // nvmlMemory_t
  unsigned long long total;
  unsigned long long free;
  unsigned long long used;
};
static_assert(sizeof(Memory) == 24);

struct MemoryV2 {  // nvmlMemory_v2_t
  unsigned version;
  unsigned long long total;
  unsigned long long reserved;
  unsigned long long free;
  unsigned long long used;
};
static_assert(sizeof(MemoryV2) == 40);
inline constexpr unsigned kMemoryV2Version = sizeof(MemoryV2) | (2U << 24U);
static_assert(kMemoryV2Version == 0x2000028);

struct Utilisation {  // nvmlUtilization_t, in percent
  unsigned gpu;
  unsigned memory;
};
static_assert(sizeof(Utilisation) == 8);

struct PciInfo {  // nvmlPciInfo_t
  char bus_id_legacy[16];
  unsigned domain;
  unsigned bus;
  unsigned device;
  unsigned device_id;
  unsigned subsystem_id;
  char bus_id[32];
};
static_assert(sizeof(PciInfo) == 68);

// The functions by their names without the prefix "nvml"; null where the library lacks one.
struct Functions {
  int (*init)() = nullptr;
  int (*shutdown)() = nullptr;
  int (*driver_version)(char*, unsigned) = nullptr;
  int (*cuda_version)(int*) = nullptr;
  int (*device_count)(unsigned*) = nullptr;
  int (*device_by_index)(unsigned, Device*) = nullptr;
  int (*device_name)(Device, char*, unsigned) = nullptr;
  int (*device_uuid)(Device, char*, unsigned) = nullptr;
  int (*device_pci)(Device, PciInfo*) = nullptr;
  int (*device_memory)(Device, Memory*) = nullptr;
  int (*device_memory_v2)(Device, MemoryV2*) = nullptr;
  int (*device_utilisation)(Device, Utilisation*) = nullptr;
  int (*device_temperature)(Device, int sensor, unsigned*) = nullptr;
  int (*device_power)(Device, unsigned* milliwatts) = nullptr;
  int (*device_compute_capability)(Device, int* major, int* minor) = nullptr;
  int (*device_mig_mode)(Device, unsigned* current, unsigned* pending) = nullptr;
  int (*device_max_mig_count)(Device, unsigned*) = nullptr;
  int (*device_mig_by_index)(Device, unsigned, Device*) = nullptr;
};

}  // namespace hm::nvml
