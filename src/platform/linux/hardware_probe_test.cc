// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/hardware_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "platform/linux/cgroup_limits.h"
#include "platform/linux/planted_tree.h"

namespace hm::linux {
namespace {

using ports::field;
using ports::HardwareItem;
using ports::HardwareKind;
using ports::HardwareSnapshot;
using ::testing::Contains;
using ::testing::ElementsAre;
using Texts = std::vector<std::string>;

class PlantedMachine : public ::testing::Test {
 protected:
  HardwareSnapshot probe(std::string data_directory = "/data/hm") {
    auto made = make_hardware_probe({.data_directory = std::move(data_directory),
                                     .proc_root = proc.root(),
                                     .sys_root = sys.root(),
                                     .source = HardwareProbeOptions::Source::Trees},
                                    nullptr);
    auto result = made->snapshot();
    EXPECT_TRUE(result.has_value());
    return result ? *result : HardwareSnapshot{};
  }

  void plant_cpu(int cpu, int package, const std::string& siblings) {
    const std::string folder = "devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/";
    sys.file(folder + "physical_package_id", std::to_string(package) + "\n");
    sys.file(folder + "thread_siblings_list", siblings + "\n");
  }

  void plant_two_packages() {
    sys.file("devices/system/cpu/online", "0-7\n");
    for (int cpu = 0; cpu < 8; ++cpu) {
      const int core = cpu % 4;
      plant_cpu(cpu, core / 2, std::to_string(core) + "," + std::to_string(core + 4));
    }
    sys.file("devices/system/node/online", "0-1\n");
    sys.file("devices/system/node/node0/cpulist", "0-1,4-5\n");
    sys.file("devices/system/node/node1/cpulist", "2-3,6-7\n");
    sys.file("devices/system/cpu/cpu0/cache/index0/level", "1\n");
    sys.file("devices/system/cpu/cpu0/cache/index0/type", "Data\n");
    sys.file("devices/system/cpu/cpu0/cache/index0/size", "32K\n");
    sys.file("devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq", "3900000\n");
    proc.file("cpuinfo",
              "processor\t: 0\nmodel name\t: Planted 9000\nvendor_id\t: GenuineIntel\n"
              "flags\t\t: sse2 avx fpu\n\n");
    proc.file("meminfo", "MemTotal: 1000 kB\nMemAvailable: 400 kB\nHugePages_Total: 2\n");
  }

  PlantedTree proc;
  PlantedTree sys;
};

TEST_F(PlantedMachine, EveryPackageIsAnItemWithItsOwnCoresAndNodes) {
  plant_two_packages();
  const HardwareSnapshot snapshot = probe();
  const HardwareItem* first = find_item(snapshot, HardwareKind::Cpu, "package:0");
  const HardwareItem* second = find_item(snapshot, HardwareKind::Cpu, "package:1");
  ASSERT_NE(first, nullptr);
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(first->detected, 4000U);
  EXPECT_EQ(*field<std::uint64_t>(first->descriptor, "logical_cores"), 4U);
  EXPECT_EQ(*field<std::uint64_t>(first->descriptor, "physical_cores"), 2U);
  EXPECT_EQ(*field<std::uint64_t>(first->descriptor, "numa_nodes"), 1U);
  EXPECT_EQ(*field<std::uint64_t>(first->descriptor, "l1d_bytes"), 32U * 1024);
  EXPECT_EQ(*field<std::uint64_t>(first->descriptor, "max_mhz"), 3900U);
  EXPECT_EQ(*field<std::string>(first->descriptor, "brand"), "Planted 9000");
  EXPECT_THAT(*field<Texts>(first->descriptor, "features"), ElementsAre("avx", "fpu", "sse2"));
  EXPECT_EQ(second->descriptor.contains("l1d_bytes"), false) << "unknown stays unknown";
}

TEST_F(PlantedMachine, ACpuThatGoesOfflineChangesTheItem) {
  plant_two_packages();
  const HardwareSnapshot before = probe();
  sys.file("devices/system/cpu/online", "0-6\n");
  const ports::HardwareChanges changes = compare(before, probe());
  ASSERT_EQ(changes.changed.size(), 1U);
  EXPECT_EQ(changes.changed[0].key, "package:1");
  EXPECT_EQ(changes.changed[0].detected, 3000U);
}

TEST_F(PlantedMachine, AnArmMachineIsReadFromCpuinfoAlone) {
  proc.file("cpuinfo",
            "processor\t: 0\nFeatures\t: fp asimd aes sha2\nCPU implementer\t: 0x41\n\n"
            "processor\t: 1\nFeatures\t: fp asimd aes sha2\n\n");
  const HardwareSnapshot snapshot = probe();
  const HardwareItem* item = find_item(snapshot, HardwareKind::Cpu, "package:0");
  ASSERT_NE(item, nullptr);
  EXPECT_EQ(item->detected, 2000U);
  EXPECT_EQ(*field<std::string>(item->descriptor, "implementer"), "0x41");
  EXPECT_FALSE(item->descriptor.contains("physical_cores"));
  EXPECT_FALSE(item->descriptor.contains("x86_64_level"));
}

TEST_F(PlantedMachine, MemoryKeepsReadingsApartFromTheDescriptor) {
  plant_two_packages();
  sys.file("kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "2\n");
  sys.folder("kernel/mm/hugepages/garbage");
  sys.file("kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
  const HardwareSnapshot snapshot = probe();
  const HardwareItem* item = find_item(snapshot, HardwareKind::Memory, "memory");
  ASSERT_NE(item, nullptr);
  EXPECT_EQ(item->detected, 1024'000U);
  EXPECT_EQ(*field<std::uint64_t>(item->descriptor, "hugepages_total"), 2U);
  EXPECT_THAT(*field<Texts>(item->descriptor, "hugepage_sizes"), ElementsAre("2097152"));
  EXPECT_EQ(*field<std::string>(item->descriptor, "transparent_hugepages"), "madvise");
  EXPECT_EQ(*field<std::uint64_t>(item->readings, "available_bytes"), 409'600U);
  EXPECT_FALSE(item->descriptor.contains("swap_bytes"));
}

TEST_F(PlantedMachine, NothingReadableIsAnErrorAndPartsAreNotes) {
  auto made = make_hardware_probe({.proc_root = proc.root(),
                                   .sys_root = sys.root(),
                                   .source = HardwareProbeOptions::Source::Trees},
                                  nullptr);
  EXPECT_EQ(made->snapshot().error().code, ErrorCode::Unavailable);
  proc.file("meminfo", "MemTotal: 1 kB\n");
  const auto partial = made->snapshot();
  ASSERT_TRUE(partial.has_value());
  EXPECT_EQ(partial->notes.size(), 1U);
}

TEST_F(PlantedMachine, CgroupLimitsOfBothVersionsBoundWhatIsUsable) {
  plant_two_packages();
  proc.file("self/cgroup", "4:memory:/box/inner\n1:cpu:/\n0::/job\n");
  proc.file("self/mountinfo",
            "1 0 0:1 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
            "2 0 0:2 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
            "3 0 0:3 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  sys.file("fs/cgroup/memory/box/inner/memory.limit_in_bytes", "9223372036854771712\n");
  sys.file("fs/cgroup/memory/box/memory.limit_in_bytes", "512000\n");
  sys.file("fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  sys.file("fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  sys.file("fs/cgroup/unified/job/cpu.max", "300000 100000\n");
  sys.file("fs/cgroup/unified/cpu.max", "max 100000\n");
  const CgroupLimits limits = read_cgroup_limits(KernelTree(proc.root()), KernelTree(sys.root()));
  EXPECT_EQ(limits.memory_bytes, 512'000U);
  EXPECT_EQ(limits.cpu_millicores, 3000U);
  const HardwareSnapshot snapshot = probe();
  EXPECT_EQ(find_item(snapshot, HardwareKind::Memory, "memory")->usable, 512'000U);
  EXPECT_EQ(find_item(snapshot, HardwareKind::Cpu, "package:0")->usable, 1500U);
}

TEST_F(PlantedMachine, MalformedCgroupTextLimitsNothing) {
  for (const char* text : {"", "::", "0::", "0:/x", "9:memory:/../..", "4:memory:/a\n0::/b"}) {
    proc.file("self/cgroup", text);
    proc.file("self/mountinfo",
              "1 0 0:1 /deep /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
    const CgroupLimits limits = read_cgroup_limits(KernelTree(proc.root()), KernelTree(sys.root()));
    EXPECT_FALSE(limits.memory_bytes.has_value()) << text;
  }
}

class PlantedDisks : public PlantedMachine {
 protected:
  void SetUp() override {
    proc.file("meminfo", "MemTotal: 1 kB\n");
    disk("sda", "2000");
    sys.file("devices/pci/sda/queue/rotational", "1\n");
    sys.file("devices/pci/sda/device/model", "Spinner 3000  \n");
    sys.file("devices/pci/sda/sda1/partition", "1\n");
    sys.link("class/block/sda1", "../../devices/pci/sda/sda1");
    sys.link("dev/block/8:1", "../../devices/pci/sda/sda1");
    disk("sdb", "4000");
    disk("sdc", "8000");
    disk("ram0", "64");
    disk("zram0", "64");
    disk("loop0", "0");
    sys.folder("devices/pci/dm-0/slaves/sda1");
    disk("dm-0", "1000");
    sys.file("devices/pci/dm-0/dm/name", "vault\n");
    sys.link("dev/block/252:0", "../../devices/pci/dm-0");
  }

  void disk(const std::string& name, const std::string& sectors) {
    sys.file("devices/pci/" + name + "/size", sectors + "\n");
    sys.file("devices/pci/" + name + "/ro", "0\n");
    sys.link("class/block/" + name, "../../devices/pci/" + name);
    sys.link("block/" + name, "../devices/pci/" + name);
  }
};

TEST_F(PlantedDisks, TheDataFilesystemIsOnOfferAndItsDiskIsNotListedTwice) {
  proc.file("self/mountinfo", "1 0 8:1 / /data rw - ext4 /dev/sda1 rw\n");
  const HardwareSnapshot snapshot = probe();
  const HardwareItem* data = find_item(snapshot, HardwareKind::Storage, "filesystem:data");
  ASSERT_NE(data, nullptr);
  EXPECT_TRUE(data->offerable);
  EXPECT_EQ(*field<std::string>(data->descriptor, "filesystem"), "ext4");
  EXPECT_EQ(*field<std::string>(data->descriptor, "device"), "sda1");
  EXPECT_EQ(*field<bool>(data->descriptor, "rotational"), true);
  EXPECT_EQ(*field<std::string>(data->descriptor, "model"), "Spinner 3000");
  EXPECT_EQ(find_item(snapshot, HardwareKind::Storage, "disk:sda"), nullptr);
  const HardwareItem* other = find_item(snapshot, HardwareKind::Storage, "disk:sdb");
  ASSERT_NE(other, nullptr);
  EXPECT_FALSE(other->offerable);
  EXPECT_EQ(other->detected, 4000U * 512);
  EXPECT_EQ(find_item(snapshot, HardwareKind::Storage, "disk:ram0"), nullptr);
  EXPECT_EQ(find_item(snapshot, HardwareKind::Storage, "disk:zram0"), nullptr);
  EXPECT_EQ(find_item(snapshot, HardwareKind::Storage, "disk:loop0"), nullptr);
}

TEST_F(PlantedDisks, AStackedDeviceIsFollowedDownToItsDisk) {
  proc.file("self/mountinfo", "1 0 0:40 / /data rw - btrfs /dev/mapper/vault rw\n");
  const HardwareSnapshot snapshot = probe();
  const HardwareItem* data = find_item(snapshot, HardwareKind::Storage, "filesystem:data");
  ASSERT_NE(data, nullptr);
  EXPECT_EQ(*field<std::string>(data->descriptor, "device"), "dm-0");
  EXPECT_EQ(find_item(snapshot, HardwareKind::Storage, "disk:sda"), nullptr);
  EXPECT_NE(find_item(snapshot, HardwareKind::Storage, "disk:sdb"), nullptr);
}

TEST_F(PlantedDisks, AReadOnlyDataFilesystemOffersNothing) {
  proc.file("self/mountinfo", "1 0 8:1 / /data ro - ext4 /dev/sda1 ro\n");
  const HardwareSnapshot snapshot = probe();
  const HardwareItem* data = find_item(snapshot, HardwareKind::Storage, "filesystem:data");
  EXPECT_FALSE(data->offerable);
  EXPECT_EQ(data->usable, 0U);
}

TEST_F(PlantedDisks, ADiskAppearsAndVanishesAndALoopNeedsAWritableFile) {
  const HardwareSnapshot before = probe("");
  sys.file("devices/pci/loop0/size", "2048\n");
  EXPECT_TRUE(compare(before, probe("")).empty()) << "no backing file";
  sys.file("devices/pci/loop0/loop/backing_file", "/x\n");
  const HardwareSnapshot with_loop = probe("");
  ASSERT_EQ(compare(before, with_loop).appeared.size(), 1U);
  EXPECT_EQ(compare(before, with_loop).appeared[0].key, "disk:loop0");
  sys.file("devices/pci/loop0/ro", "1\n");
  EXPECT_TRUE(compare(before, probe("")).empty()) << "read-only";
  sys.remove("block/sdb");
  ASSERT_EQ(compare(before, probe("")).vanished.size(), 1U);
}

TEST_F(PlantedDisks, SizesThatDoNotParseOrOverflowAreLeftOut) {
  sys.file("devices/pci/sdb/size", "lots\n");
  sys.file("devices/pci/sdc/size", "18446744073709551615\n");
  const HardwareSnapshot snapshot = probe("");
  EXPECT_EQ(find_item(snapshot, HardwareKind::Storage, "disk:sdb"), nullptr);
  EXPECT_EQ(find_item(snapshot, HardwareKind::Storage, "disk:sdc"), nullptr);
}

TEST_F(PlantedMachine, LinksCarryMtuSpeedAndSettledAddressesAndLoopbackIsNoAsset) {
  proc.file("meminfo", "MemTotal: 1 kB\n");
  const auto link = [&](const std::string& name, const std::string& index,
                        const std::string& type) {
    sys.file("class/net/" + name + "/ifindex", index);
    sys.file("class/net/" + name + "/type", type);
    sys.file("class/net/" + name + "/flags", "0x1003\n");
    sys.file("class/net/" + name + "/operstate", "up\n");
    sys.file("class/net/" + name + "/mtu", "1500\n");
    sys.file("class/net/" + name + "/address", "02:fc:00:00:00:01\n");
  };
  link("lo", "1", "772");
  link("eth0", "2", "1");
  sys.file("class/net/eth0/speed", "10000\n");
  sys.folder("class/net/eth0/device");
  link("veth9", "3", "1");
  sys.file("class/net/veth9/speed", "-1\n");
  proc.file("net/if_inet6",
            "20010db8000000000000000000000001 02 40 00 80 eth0\n"
            "20010db8000000000000000000000002 02 40 00 01 eth0\n"
            "20010db8000000000000000000000003 02 40 00 c0 eth0\n"
            "short 02 40 00 80 eth0\n20010db800000000000000000000000g 02 40 00 80 eth0\n"
            "fe8000000000000000fc00fffe000001 77 40 20 80 gone\n");
  const HardwareSnapshot snapshot = probe();
  const HardwareItem* eth =
      find_item(snapshot, HardwareKind::Network, "link:eth0:02:fc:00:00:00:01");
  const HardwareItem* veth =
      find_item(snapshot, HardwareKind::Network, "link:veth9:02:fc:00:00:00:01");
  ASSERT_NE(eth, nullptr);
  ASSERT_NE(veth, nullptr);
  EXPECT_EQ(eth->detected, 10'000'000'000U);
  EXPECT_TRUE(eth->offerable);
  EXPECT_THAT(*field<Texts>(eth->descriptor, "ipv6"), ElementsAre("2001:db8::1/64"));
  EXPECT_EQ(veth->detected, std::nullopt) << "the kernel does not say, so nobody knows";
  EXPECT_FALSE(veth->offerable);
  for (const HardwareItem& item : snapshot.items) {
    EXPECT_EQ(item.key.find("link:lo"), std::string::npos);
  }
}

TEST(ThisMachine, IsReadForReal) {
  auto probe = make_hardware_probe({.data_directory = "/does/not/exist/yet"}, nullptr);
  const auto snapshot = probe->snapshot();
  ASSERT_TRUE(snapshot.has_value());
  std::uint64_t cores = 0;
  for (const HardwareItem& item : snapshot->items) {
    if (item.kind == HardwareKind::Cpu)
      cores += *field<std::uint64_t>(item.descriptor, "logical_cores");
  }
  EXPECT_EQ(cores, static_cast<std::uint64_t>(::sysconf(_SC_NPROCESSORS_ONLN)));
  struct sysinfo info{};
  ASSERT_EQ(::sysinfo(&info), 0);
  const HardwareItem* memory = find_item(*snapshot, HardwareKind::Memory, "memory");
  ASSERT_NE(memory, nullptr);
  EXPECT_EQ(memory->detected, std::uint64_t{info.totalram} * info.mem_unit);
  const HardwareItem* data = find_item(*snapshot, HardwareKind::Storage, "filesystem:data");
  ASSERT_NE(data, nullptr);
  EXPECT_GT(data->detected.value_or(0), 0U);
}

TEST(ThisMachine, DoesNotChangeBetweenTwoReadings) {
  auto probe = make_hardware_probe({.data_directory = "/"}, nullptr);
  const auto first = probe->snapshot();
  const auto second = probe->snapshot();
  ASSERT_TRUE(first && second);
  // Links and loop devices may come and go beside this test; processors and memory do not.
  for (const HardwareItem& item : compare(*first, *second).changed) {
    EXPECT_NE(item.kind, HardwareKind::Cpu) << item.key;
    EXPECT_NE(item.kind, HardwareKind::Memory) << item.key;
  }
}

}  // namespace
}  // namespace hm::linux
