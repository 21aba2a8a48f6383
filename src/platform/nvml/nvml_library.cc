// SPDX-License-Identifier: Apache-2.0
#include "platform/nvml/nvml_library.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

namespace hm::nvml {
namespace {

using ports::HardwareItem;
using ports::HardwareKind;
using ports::HardwareSnapshot;

constexpr const char* kUsualNames[] = {"libnvidia-ml.so.1", "libnvidia-ml.so",
                                       "/usr/lib/wsl/lib/libnvidia-ml.so.1"};
constexpr int kTemperatureOfGpu = 0;  // NVML_TEMPERATURE_GPU

bool ok(int code) { return code == static_cast<int>(Code::Success); }

std::string explain(int code) {
  switch (static_cast<Code>(code)) {
    case Code::Success: return "no error";
    case Code::NotSupported: return "not supported";
    case Code::NoPermission: return "permission denied; the user needs access to /dev/nvidia*";
    case Code::NotFound: return "not found";
    case Code::DriverNotLoaded: return "the NVIDIA kernel driver is not loaded";
    case Code::FunctionNotFound: return "the library lacks this function";
    case Code::GpuIsLost: return "the GPU has fallen off the bus; reset it or restart the machine";
    case Code::ResetRequired: return "the GPU needs a reset";
    case Code::LibraryDriverMismatch:
      return "library and kernel driver have different versions; restart the machine or reload the "
             "driver";
  }
  return "NVML error " + std::to_string(code);
}

template <class Function>
void resolve(void* handle, Function& function, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (void* symbol = ::dlsym(handle, name)) {
      function = reinterpret_cast<Function>(symbol);
      return;
    }
  }
}

Functions resolve_all(void* handle) {
  Functions f;
  resolve(handle, f.init, {"nvmlInit_v2", "nvmlInit"});
  resolve(handle, f.shutdown, {"nvmlShutdown"});
  resolve(handle, f.driver_version, {"nvmlSystemGetDriverVersion"});
  resolve(handle, f.cuda_version,
          {"nvmlSystemGetCudaDriverVersion_v2", "nvmlSystemGetCudaDriverVersion"});
  resolve(handle, f.device_count, {"nvmlDeviceGetCount_v2", "nvmlDeviceGetCount"});
  resolve(handle, f.device_by_index,
          {"nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByIndex"});
  resolve(handle, f.device_name, {"nvmlDeviceGetName"});
  resolve(handle, f.device_uuid, {"nvmlDeviceGetUUID"});
  resolve(handle, f.device_pci, {"nvmlDeviceGetPciInfo_v3"});
  resolve(handle, f.device_memory, {"nvmlDeviceGetMemoryInfo"});
  resolve(handle, f.device_memory_v2, {"nvmlDeviceGetMemoryInfo_v2"});
  resolve(handle, f.device_utilisation, {"nvmlDeviceGetUtilizationRates"});
  resolve(handle, f.device_temperature, {"nvmlDeviceGetTemperature"});
  resolve(handle, f.device_power, {"nvmlDeviceGetPowerUsage"});
  resolve(handle, f.device_compute_capability, {"nvmlDeviceGetCudaComputeCapability"});
  resolve(handle, f.device_mig_mode, {"nvmlDeviceGetMigMode"});
  resolve(handle, f.device_max_mig_count, {"nvmlDeviceGetMaxMigDeviceCount"});
  resolve(handle, f.device_mig_by_index, {"nvmlDeviceGetMigDeviceHandleByIndex"});
  return f;
}

// The text of a buffer that a driver filled, whether or not it ended it.
template <std::size_t kSize>
std::string tidy(const std::array<char, kSize>& buffer) {
  std::string text(buffer.begin(), std::ranges::find(buffer, '\0'));
  for (char& c : text) {
    if (c < ' ' || c > '~') c = '?';
  }
  return text;
}

void read_memory(const Functions& f, Device device, HardwareItem& item) {
  MemoryV2 v2{.version = kMemoryV2Version};
  Memory v1{};
  if (f.device_memory_v2 != nullptr && ok(f.device_memory_v2(device, &v2))) {
    v1 = {.total = v2.total, .free = v2.free, .used = v2.used};
  } else if (f.device_memory == nullptr || !ok(f.device_memory(device, &v1))) {
    return;
  }
  item.descriptor["memory_bytes"] = std::uint64_t{v1.total};
  item.readings["memory_free_bytes"] = std::uint64_t{v1.free};
  item.readings["memory_used_bytes"] = std::uint64_t{v1.used};
}

void read_identity(const Functions& f, Device device, HardwareItem& item) {
  std::array<char, kNameBytes> name{};
  if (f.device_name != nullptr && ok(f.device_name(device, name.data(), kNameBytes))) {
    item.descriptor["name"] = tidy(name);
  }
  int major = 0;
  int minor = 0;
  if (f.device_compute_capability != nullptr &&
      ok(f.device_compute_capability(device, &major, &minor))) {
    item.descriptor["compute_capability"] = std::to_string(major) + "." + std::to_string(minor);
  }
  PciInfo pci{};
  if (f.device_pci != nullptr && ok(f.device_pci(device, &pci))) {
    std::array<char, sizeof pci.bus_id> bus_id{};
    std::ranges::copy(pci.bus_id, bus_id.begin());
    item.descriptor["pci_address"] = tidy(bus_id);
  }
}

void read_momentary(const Functions& f, Device device, HardwareItem& item) {
  Utilisation used{};
  if (f.device_utilisation != nullptr && ok(f.device_utilisation(device, &used))) {
    item.readings["utilisation_percent"] = std::uint64_t{used.gpu};
    item.readings["memory_utilisation_percent"] = std::uint64_t{used.memory};
  }
  unsigned value = 0;
  if (f.device_temperature != nullptr &&
      ok(f.device_temperature(device, kTemperatureOfGpu, &value))) {
    item.readings["temperature_celsius"] = std::uint64_t{value};
  }
  if (f.device_power != nullptr && ok(f.device_power(device, &value))) {
    item.readings["power_milliwatts"] = std::uint64_t{value};
  }
}

class Reading {
 public:
  explicit Reading(const Functions& functions) : f_(functions) { read_versions(); }

  HardwareSnapshot take() && { return std::move(out_); }

  void read_devices() {
    unsigned count = 0;
    const int code = f_.device_count(&count);
    if (!ok(code)) {
      note("GPUs cannot be counted: " + explain(code));
      return;
    }
    if (count > kMaxGpus) note("more GPUs than a snapshot holds; the rest is left out");
    for (unsigned index = 0; index < std::min(count, kMaxGpus); ++index) {
      Device device = nullptr;
      const int found = f_.device_by_index(index, &device);
      if (!ok(found)) {
        note("GPU " + std::to_string(index) + " cannot be read: " + explain(found));
        continue;
      }
      read_device(device, "GPU " + std::to_string(index), {});
    }
    if (count == 0) note("the NVIDIA driver is there and finds no GPU");
  }

 private:
  void note(std::string text) { out_.notes.push_back({HardwareKind::Gpu, std::move(text)}); }

  void read_versions() {
    std::array<char, kVersionBytes> version{};
    if (f_.driver_version != nullptr && ok(f_.driver_version(version.data(), kVersionBytes))) {
      driver_ = tidy(version);
    }
    int cuda = 0;  // 12040 is 12.4
    if (f_.cuda_version != nullptr && ok(f_.cuda_version(&cuda)) && cuda > 0) {
      cuda_ = std::to_string(cuda / 1000) + "." + std::to_string(cuda % 1000 / 10);
    }
  }

  // `parent` is the UUID of the GPU of a MIG slice.
  void read_device(Device device, const std::string& label, const std::string& parent) {
    std::array<char, kUuidBytes> uuid{};
    const int code = f_.device_uuid(device, uuid.data(), kUuidBytes);
    HardwareItem item{.kind = HardwareKind::Gpu, .key = tidy(uuid)};
    if (!ok(code) || item.key.empty()) {
      // The UUID is the identity; without it, it cannot be said which device this is.
      note(label + " has no UUID: " + explain(code));
      return;
    }
    item.detected = 1;
    item.offerable = true;
    item.descriptor["uuid"] = item.key;
    if (!driver_.empty()) item.descriptor["driver_version"] = driver_;
    if (!cuda_.empty()) item.descriptor["cuda_version"] = cuda_;
    read_identity(f_, device, item);
    read_memory(f_, device, item);
    read_momentary(f_, device, item);
    if (!parent.empty()) {
      item.descriptor["parent_uuid"] = parent;
    } else {
      read_slices(device, label, item);
    }
    out_.items.push_back(std::move(item));
  }

  // With MIG on, the slices are what can be used, and the whole GPU is not.
  void read_slices(Device device, const std::string& label, HardwareItem& whole) {
    unsigned current = 0;
    unsigned pending = 0;
    if (f_.device_mig_mode == nullptr || !ok(f_.device_mig_mode(device, &current, &pending))) {
      return;
    }
    whole.descriptor["mig"] = current != 0;
    if (current == 0) return;
    whole.offerable = false;
    unsigned most = 0;
    if (f_.device_max_mig_count == nullptr || f_.device_mig_by_index == nullptr ||
        !ok(f_.device_max_mig_count(device, &most))) {
      return;
    }
    for (unsigned index = 0; index < std::min(most, kMaxMigSlices); ++index) {
      Device slice = nullptr;
      // Places without a slice answer "not found".
      if (!ok(f_.device_mig_by_index(device, index, &slice))) continue;
      read_device(slice, label + " slice " + std::to_string(index), whole.key);
    }
  }

  const Functions& f_;
  std::string driver_;
  std::string cuda_;
  HardwareSnapshot out_;
};

}  // namespace

Library::~Library() { close(); }

void Library::close() {
  if (handle_ == nullptr) return;
  if (functions_.shutdown != nullptr) functions_.shutdown();
  ::dlclose(handle_);
  handle_ = nullptr;
  functions_ = {};
}

std::optional<std::string> Library::open() {
  if (handle_ != nullptr) return std::nullopt;
  std::vector<const char*> names(std::begin(kUsualNames), std::end(kUsualNames));
  if (!path_.empty()) names = {path_.c_str()};
  void* handle = nullptr;
  for (const char* name : names) {
    handle = ::dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (handle != nullptr) break;
  }
  if (handle == nullptr) {
    return "no NVIDIA driver (" + std::string(names.front()) + " cannot be loaded)";
  }
  const Functions functions = resolve_all(handle);
  if (functions.init == nullptr || functions.device_count == nullptr ||
      functions.device_by_index == nullptr || functions.device_uuid == nullptr) {
    ::dlclose(handle);
    return "the NVIDIA management library lacks functions for listing GPUs";
  }
  if (const int code = functions.init(); !ok(code)) {
    ::dlclose(handle);
    return "the NVIDIA management library does not start: " + explain(code);
  }
  handle_ = handle;
  functions_ = functions;
  return std::nullopt;
}

HardwareSnapshot Library::read() {
  if (auto reason = open()) return {.notes = {{HardwareKind::Gpu, *std::move(reason)}}};
  Reading reading(functions_);
  reading.read_devices();
  return std::move(reading).take();
}

}  // namespace hm::nvml
