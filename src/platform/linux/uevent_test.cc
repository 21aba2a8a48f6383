// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/uevent.h"

#include <gtest/gtest.h>

#include <string>

namespace hm::linux {
namespace {

using namespace std::string_literals;

const std::string kAdd =
    "add@/devices/virtual/block/loop0\0ACTION=add\0DEVPATH=/devices/virtual/block/loop0\0"
    "SUBSYSTEM=block\0SEQNUM=7\0"s;

TEST(Uevent, ActionSubsystemAndDeviceAreRead) {
  const auto event = parse_uevent(kAdd);
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->action, "add");
  EXPECT_EQ(event->subsystem, "block");
  EXPECT_EQ(event->device, "/devices/virtual/block/loop0");
  EXPECT_TRUE(is_hardware_event(kAdd));
}

TEST(Uevent, OtherSubsystemsAndForeignMessagesDoNotCount) {
  EXPECT_FALSE(is_hardware_event("add@/module/x\0SUBSYSTEM=module\0"s));
  EXPECT_FALSE(is_hardware_event("libudev\0\xfe\xed\xca\xfeSUBSYSTEM=block\0"s));
  for (const std::string& bad : {""s, "\0"s, "@/x\0SUBSYSTEM=block\0"s, "add@x\0SUBSYSTEM=block\0"s,
                                 "add@/x"s, "add@/x\0"s, "add@/x\0SUBSYSTEM=\0"s}) {
    EXPECT_FALSE(parse_uevent(bad).has_value());
  }
}

TEST(Uevent, EveryTruncationIsSurvived) {
  for (std::size_t size = 0; size < kAdd.size(); ++size) {
    (void)parse_uevent(std::string_view(kAdd).substr(0, size));
  }
}

}  // namespace
}  // namespace hm::linux
