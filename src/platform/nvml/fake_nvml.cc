// SPDX-License-Identifier: Apache-2.0
// A stand-in for libnvidia-ml.so.1 in tests: the same C functions, answering from the scenario file
// that HM_FAKE_NVML names. One word and its values per line:
//   init CODE                    what nvmlInit answers
//   gpu UUID MEMORY_MIB NAME…    a device
//   lost INDEX                   that device answers GPU_IS_LOST
//   mig INDEX UUID               a MIG slice of that device
//   hang MILLISECONDS            nvmlDeviceGetCount takes this long
// With HM_FAKE_NVML_MINIMAL only what NVML had in its first years is there.
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "platform/nvml/nvml_api.h"

namespace {

using hm::nvml::Code;

struct Gpu {
  std::string uuid;
  std::string name;
  unsigned long long mib = 0;
  bool lost = false;
  std::vector<Gpu> slices;
};

struct Scenario {
  int init = 0;
  int hang_ms = 0;
  std::vector<Gpu> gpus;
};

Scenario scenario;

void load() {
  scenario = {};
  const char* path = std::getenv("HM_FAKE_NVML");
  std::ifstream file(path != nullptr ? path : "");
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    std::size_t index = 0;
    if (word == "init") words >> scenario.init;
    if (word == "hang") words >> scenario.hang_ms;
    if (word == "gpu") {
      Gpu gpu;
      words >> gpu.uuid >> gpu.mib >> std::ws;
      std::getline(words, gpu.name);
      scenario.gpus.push_back(gpu);
    }
    if (word == "lost" && words >> index) scenario.gpus.at(index).lost = true;
    if (word == "mig" && words >> index) {
      Gpu slice;
      words >> slice.uuid;
      slice.mib = scenario.gpus.at(index).mib / 7;
      slice.name = scenario.gpus.at(index).name + " MIG 1g";
      scenario.gpus.at(index).slices.push_back(slice);
    }
  }
}

int code(Code value) { return static_cast<int>(value); }

const Gpu& gpu_of(void* device) { return *static_cast<const Gpu*>(device); }

int copy_text(const std::string& text, char* out, unsigned size) {
  if (text.size() + 1 > size) return 7;  // NVML_ERROR_INSUFFICIENT_SIZE
  std::memcpy(out, text.c_str(), text.size() + 1);
  return 0;
}

}  // namespace

extern "C" {

int nvmlInit_v2() {
  load();
  return scenario.init;
}
int nvmlShutdown() { return 0; }
int nvmlDeviceGetCount_v2(unsigned* count) {
  load();
  std::this_thread::sleep_for(std::chrono::milliseconds(scenario.hang_ms));
  *count = static_cast<unsigned>(scenario.gpus.size());
  return 0;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** device) {
  if (scenario.gpus.at(index).lost) return code(Code::GpuIsLost);
  *device = &scenario.gpus.at(index);
  return 0;
}
int nvmlDeviceGetUUID(void* device, char* out, unsigned size) {
  return copy_text(gpu_of(device).uuid, out, size);
}
int nvmlDeviceGetName(void* device, char* out, unsigned size) {
  return copy_text(gpu_of(device).name, out, size);
}
int nvmlDeviceGetMemoryInfo(void* device, hm::nvml::Memory* memory) {
  *memory = {.total = gpu_of(device).mib << 20U, .free = 1U << 20U, .used = 0};
  return 0;
}

#ifndef HM_FAKE_NVML_MINIMAL
int nvmlDeviceGetMemoryInfo_v2(void* device, hm::nvml::MemoryV2* memory) {
  if (memory->version != hm::nvml::kMemoryV2Version) return 25;  // NVML_ERROR_ARGUMENT_VERSION_…
  memory->total = gpu_of(device).mib << 20U;
  memory->free = 2U << 20U;
  memory->used = memory->total - memory->free;
  return 0;
}
int nvmlSystemGetDriverVersion(char* out, unsigned size) {
  return copy_text("550.54.15", out, size);
}
int nvmlSystemGetCudaDriverVersion_v2(int* version) {
  *version = 12040;
  return 0;
}
int nvmlDeviceGetPciInfo_v3(void*, hm::nvml::PciInfo* info) {
  std::memset(info, 'X', sizeof *info);  // ends nowhere, as a broken driver's would
  std::memcpy(info->bus_id, "00000000:65:00.0", 17);
  return 0;
}
int nvmlDeviceGetUtilizationRates(void*, hm::nvml::Utilisation* used) {
  *used = {.gpu = 40, .memory = 10};
  return 0;
}
int nvmlDeviceGetTemperature(void*, int, unsigned* celsius) {
  *celsius = 55;
  return 0;
}
int nvmlDeviceGetPowerUsage(void*, unsigned*) { return code(Code::NotSupported); }
int nvmlDeviceGetCudaComputeCapability(void*, int* major, int* minor) {
  *major = 9;
  *minor = 0;
  return 0;
}
int nvmlDeviceGetMigMode(void* device, unsigned* current, unsigned* pending) {
  *current = gpu_of(device).slices.empty() ? 0 : 1;
  *pending = *current;
  return 0;
}
int nvmlDeviceGetMaxMigDeviceCount(void*, unsigned* count) {
  *count = 7;
  return 0;
}
int nvmlDeviceGetMigDeviceHandleByIndex(void* device, unsigned index, void** slice) {
  auto& slices = static_cast<Gpu*>(device)->slices;
  if (index >= slices.size()) return code(Code::NotFound);
  *slice = &slices[index];
  return 0;
}
#endif

}  // extern "C"
