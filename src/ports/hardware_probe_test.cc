// SPDX-License-Identifier: Apache-2.0
#include "ports/hardware_probe.h"

#include <gtest/gtest.h>

namespace hm::ports {
namespace {

HardwareItem item(HardwareKind kind, std::string key, std::uint64_t detected = 1) {
  return {.kind = kind, .key = std::move(key), .detected = detected};
}

TEST(HardwareSnapshot, NormaliseSortsAndKeepsTheFirstOfTwoItemsWithOneKey) {
  HardwareSnapshot snapshot{
      .items = {item(HardwareKind::Network, "b", 1), item(HardwareKind::Cpu, "z", 2),
                item(HardwareKind::Network, "a", 3), item(HardwareKind::Network, "b", 4)}};
  normalise(snapshot);
  ASSERT_EQ(snapshot.items.size(), 3U);
  EXPECT_EQ(snapshot.items[0].key, "z");
  EXPECT_EQ(snapshot.items[1].key, "a");
  EXPECT_EQ(snapshot.items[2].key, "b");
  EXPECT_EQ(snapshot.items[2].detected, 1U);
}

TEST(HardwareSnapshot, NormaliseBoundsItemsTextAndLists) {
  HardwareSnapshot snapshot;
  for (std::size_t i = 0; i < kMaxHardwareItems + 5; ++i) {
    snapshot.items.push_back(item(HardwareKind::Network, "link:" + std::to_string(i)));
  }
  snapshot.items[0].descriptor["text"] = std::string(10'000, 'x');
  snapshot.items[0].descriptor["list"] = std::vector<std::string>(10'000, std::string(1'000, 'y'));
  normalise(snapshot);
  EXPECT_EQ(snapshot.items.size(), kMaxHardwareItems);
  EXPECT_EQ(snapshot.notes.size(), 1U);
  const HardwareItem* first = find_item(snapshot, HardwareKind::Network, "link:0");
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(field<std::string>(first->descriptor, "text")->size(), kMaxHardwareText);
  const auto* list = field<std::vector<std::string>>(first->descriptor, "list");
  EXPECT_EQ(list->size(), kMaxHardwareListEntries);
  EXPECT_EQ(list->front().size(), kMaxHardwareText);
}

TEST(HardwareSnapshot, TextIsPrintableUtf8AfterNormalise) {
  HardwareSnapshot snapshot{.items = {item(HardwareKind::Network, "link:\x1b[2J\xff")}};
  snapshot.items[0].descriptor["good"] = std::string("Gerät");
  snapshot.items[0].descriptor["cut"] = std::string(kMaxHardwareText - 1, 'x') + "ä";
  normalise(snapshot);
  EXPECT_EQ(snapshot.items[0].key, "link:?[2J?");
  EXPECT_EQ(*field<std::string>(snapshot.items[0].descriptor, "good"), "Gerät");
  EXPECT_EQ(field<std::string>(snapshot.items[0].descriptor, "cut")->back(), '?');
}

TEST(HardwareSnapshot, UsableNeverExceedsDetected) {
  HardwareSnapshot snapshot{.items = {item(HardwareKind::Memory, "memory", 100)}};
  snapshot.items[0].usable = 500;
  normalise(snapshot);
  EXPECT_EQ(snapshot.items[0].usable, 100U);
}

TEST(HardwareSnapshot, CompareTellsAppearedChangedAndVanished) {
  HardwareSnapshot before{.items = {item(HardwareKind::Cpu, "package:0", 2000),
                                    item(HardwareKind::Network, "link:a"),
                                    item(HardwareKind::Network, "link:b")}};
  HardwareSnapshot after{.items = {item(HardwareKind::Cpu, "package:0", 1000),
                                   item(HardwareKind::Network, "link:b"),
                                   item(HardwareKind::Gpu, "GPU-1")}};
  normalise(before);
  normalise(after);
  const HardwareChanges changes = compare(before, after);
  ASSERT_EQ(changes.appeared.size(), 1U);
  EXPECT_EQ(changes.appeared[0].key, "GPU-1");
  ASSERT_EQ(changes.changed.size(), 1U);
  EXPECT_EQ(changes.changed[0].detected, 1000U);
  ASSERT_EQ(changes.vanished.size(), 1U);
  EXPECT_EQ(changes.vanished[0].key, "link:a");
}

TEST(HardwareSnapshot, AChangedReadingAloneIsNoChange) {
  HardwareSnapshot before{.items = {item(HardwareKind::Memory, "memory")}};
  HardwareSnapshot after = before;
  before.items[0].readings["available_bytes"] = std::uint64_t{1};
  after.items[0].readings["available_bytes"] = std::uint64_t{2};
  EXPECT_TRUE(compare(before, after).empty());
}

}  // namespace
}  // namespace hm::ports
