// SPDX-License-Identifier: Apache-2.0
#include "platform/nvml/nvml_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace hm::nvml {
namespace {

using ports::field;
using ports::HardwareItem;
using ports::HardwareSnapshot;
using ::testing::HasSubstr;

class FakeNvml : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "hm-nvml-XXXXXX").string();
    const int fd = ::mkstemp(name.data());
    ASSERT_GE(fd, 0);
    ::close(fd);
    scenario_ = name;
    ::setenv("HM_FAKE_NVML", name.c_str(), 1);
  }
  void TearDown() override { std::filesystem::remove(scenario_); }

  void plant(const std::string& text) { std::ofstream(scenario_) << text; }

  static std::unique_ptr<ports::HardwareProbe> full(Duration within = std::chrono::seconds(20)) {
    return make_nvml_probe({.library = HM_FAKE_NVML_LIBRARY, .answer_within = within});
  }
  static HardwareSnapshot read(ports::HardwareProbe& probe) {
    const auto result = probe.snapshot();
    EXPECT_TRUE(result.has_value());
    return *result;
  }

 private:
  std::filesystem::path scenario_;
};

TEST_F(FakeNvml, AMachineWithoutTheLibraryHasANoteAndNoError) {
  auto probe = make_nvml_probe({.library = "libhm-does-not-exist.so.1"});
  const HardwareSnapshot snapshot = read(*probe);
  EXPECT_TRUE(snapshot.items.empty());
  ASSERT_EQ(snapshot.notes.size(), 1U);
  EXPECT_THAT(snapshot.notes[0].text, HasSubstr("no NVIDIA driver"));
}

TEST_F(FakeNvml, DevicesAreKeyedByUuidAndFullyDescribed) {
  plant("gpu GPU-aaaa 81559 NVIDIA H100 80GB\ngpu GPU-bbbb 24576 NVIDIA L4\n");
  auto probe = full();
  const HardwareSnapshot snapshot = read(*probe);
  ASSERT_EQ(snapshot.items.size(), 2U);
  const HardwareItem& gpu = snapshot.items[0];
  EXPECT_EQ(gpu.key, "GPU-aaaa");
  EXPECT_EQ(gpu.detected, 1U);
  EXPECT_TRUE(gpu.offerable);
  EXPECT_EQ(*field<std::string>(gpu.descriptor, "name"), "NVIDIA H100 80GB");
  EXPECT_EQ(*field<std::uint64_t>(gpu.descriptor, "memory_bytes"), 81559ULL << 20U);
  EXPECT_EQ(*field<std::string>(gpu.descriptor, "compute_capability"), "9.0");
  EXPECT_EQ(*field<std::string>(gpu.descriptor, "driver_version"), "550.54.15");
  EXPECT_EQ(*field<std::string>(gpu.descriptor, "cuda_version"), "12.4");
  EXPECT_EQ(*field<std::string>(gpu.descriptor, "pci_address"), "00000000:65:00.0");
  EXPECT_EQ(*field<std::uint64_t>(gpu.readings, "temperature_celsius"), 55U);
  EXPECT_FALSE(gpu.readings.contains("power_milliwatts")) << "the device does not say";
}

TEST_F(FakeNvml, FunctionsThatAnOldLibraryLacksLeaveTheirFieldsUnknown) {
  plant("gpu GPU-old 4096 Tesla K80\n");
  auto probe = make_nvml_probe(
      {.library = HM_FAKE_NVML_MINIMAL_LIBRARY, .answer_within = std::chrono::seconds(20)});
  const HardwareSnapshot snapshot = read(*probe);
  ASSERT_EQ(snapshot.items.size(), 1U);
  EXPECT_EQ(*field<std::uint64_t>(snapshot.items[0].descriptor, "memory_bytes"), 4096ULL << 20U);
  for (const char* name : {"driver_version", "cuda_version", "compute_capability", "pci_address"}) {
    EXPECT_FALSE(snapshot.items[0].descriptor.contains(name)) << name;
  }
}

TEST_F(FakeNvml, ALostGpuVanishesWithAReasonAndTheOthersStay) {
  plant("gpu GPU-aaaa 1024 A\ngpu GPU-bbbb 1024 B\n");
  auto probe = full();
  const HardwareSnapshot before = read(*probe);
  plant("gpu GPU-aaaa 1024 A\ngpu GPU-bbbb 1024 B\nlost 0\n");
  const HardwareSnapshot after = read(*probe);
  const ports::HardwareChanges changes = compare(before, after);
  ASSERT_EQ(changes.vanished.size(), 1U);
  EXPECT_EQ(changes.vanished[0].key, "GPU-aaaa");
  EXPECT_TRUE(changes.changed.empty());
  ASSERT_EQ(after.notes.size(), 1U);
  EXPECT_THAT(after.notes[0].text, HasSubstr("fallen off the bus"));
}

TEST_F(FakeNvml, AFailedStartSaysWhyAndIsTriedAgain) {
  auto probe = full();
  plant("init 18\ngpu GPU-aaaa 1024 A\n");
  EXPECT_THAT(read(*probe).notes.at(0).text, HasSubstr("different versions"));
  plant("init 9\n");
  EXPECT_THAT(read(*probe).notes.at(0).text, HasSubstr("not loaded"));
  plant("init 12345\n");
  EXPECT_THAT(read(*probe).notes.at(0).text, HasSubstr("NVML error 12345"));
  plant("gpu GPU-aaaa 1024 A\n");
  EXPECT_EQ(read(*probe).items.size(), 1U);
}

TEST_F(FakeNvml, MigSlicesAreItemsAndTheWholeGpuIsNotOnOffer) {
  plant("gpu GPU-aaaa 70 H100\nmig 0 MIG-1\nmig 0 MIG-2\n");
  auto probe = full();
  const HardwareSnapshot snapshot = read(*probe);
  ASSERT_EQ(snapshot.items.size(), 3U);
  EXPECT_FALSE(find_item(snapshot, ports::HardwareKind::Gpu, "GPU-aaaa")->offerable);
  const HardwareItem* slice = find_item(snapshot, ports::HardwareKind::Gpu, "MIG-2");
  ASSERT_NE(slice, nullptr);
  EXPECT_TRUE(slice->offerable);
  EXPECT_EQ(*field<std::string>(slice->descriptor, "parent_uuid"), "GPU-aaaa");
  EXPECT_EQ(*field<std::uint64_t>(slice->descriptor, "memory_bytes"), 10ULL << 20U);
}

TEST_F(FakeNvml, ADriverThatHangsCostsANoteAndTheGpusStopBeingOffered) {
  plant("gpu GPU-aaaa 1024 A\n");
  auto probe = full(std::chrono::milliseconds(300));
  // On a loaded machine even a healthy library may be late, so it gets a few chances.
  for (int tries = 0; tries < 50 && read(*probe).items.empty(); ++tries) {
  }
  plant("gpu GPU-aaaa 1024 A\nhang 60000\n");
  const HardwareSnapshot hung = read(*probe);
  ASSERT_EQ(hung.items.size(), 1U);
  EXPECT_FALSE(hung.items[0].offerable);
  EXPECT_THAT(hung.notes.at(0).text, HasSubstr("does not answer"));
}  // the probe's end does not wait for the driver

TEST(RealNvml, ThisMachineIsReadWithoutError) {
  auto probe = make_nvml_probe();
  const auto snapshot = probe->snapshot();
  ASSERT_TRUE(snapshot.has_value());
  if (snapshot->items.empty()) {
    ASSERT_FALSE(snapshot->notes.empty());
    GTEST_SKIP() << "missing: " << snapshot->notes[0].text;
  }
  EXPECT_FALSE(snapshot->items[0].key.empty());
}

}  // namespace
}  // namespace hm::nvml
