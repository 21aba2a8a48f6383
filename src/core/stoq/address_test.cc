// SPDX-License-Identifier: Apache-2.0
#include "core/stoq/address.h"

#include <gtest/gtest.h>

#include <string>

namespace hm::stoq {
namespace {

std::string normal(std::string_view text) {
  const auto address = Address::parse(text);
  return address ? address->to_string() : std::string(name_of(address.error()));
}

TEST(Address, ReadsEverySpellingAndWritesOne) {
  EXPECT_EQ(normal("[::1]:9292"), "[::1]:9292");
  EXPECT_EQ(normal("[::1]"), "[::1]:9292") << "the default port";
  EXPECT_EQ(normal("[::]:0"), "[::]:0");
  EXPECT_EQ(normal("[2001:0DB8:0:0:0:0:0:1]:1"), "[2001:db8::1]:1");
  EXPECT_EQ(normal("[2001:db8::]:65535"), "[2001:db8::]:65535");
  EXPECT_EQ(normal("[1:0:0:2:0:0:0:3]:1"), "[1:0:0:2::3]:1") << "the longest run is shortened";
  EXPECT_EQ(normal("[1:0:2:3:4:5:6:7]:1"), "[1:0:2:3:4:5:6:7]:1") << "a single zero is not";
  EXPECT_EQ(normal("[1::2:0:0:3]:1"), "[1::2:0:0:3]:1") << "of equal runs the first";
  EXPECT_EQ(normal("[fd48:4d00:1:2:3:4:5:6]:7"), "[fd48:4d00:1:2:3:4:5:6]:7");
}

TEST(Address, RefusesOtherFamiliesByName) {
  EXPECT_EQ(normal("127.0.0.1:9292"), "address_is_ipv4");
  EXPECT_EQ(normal("[127.0.0.1]:9292"), "address_is_ipv4");
  EXPECT_EQ(normal("[::ffff:127.0.0.1]:9292"), "address_is_ipv4_mapped");
  EXPECT_EQ(normal("[::ffff:7f00:1]:9292"), "address_is_ipv4_mapped");
  EXPECT_EQ(normal("[fe80::1%eth0]:9292"), "address_has_zone");
}

TEST(Address, RefusesWhatIsNoAddress) {
  for (const auto* text :
       {"[]:1", "[:]:1", "[:::]:1", "[1:2:3:4:5:6:7]:1", "[1:2:3:4:5:6:7:8:9]:1", "[1::2::3]:1",
        "[12345::]:1", "[g::]:1", "[1:2:3:4:5:6:7::8]:1", "[ ::1]:1", "[+1::]:1", "[1:]:1"}) {
    EXPECT_EQ(normal(text), "address_malformed") << text;
  }
  for (const auto* text :
       {"[::1]:", "[::1]:65536", "[::1]:-1", "[::1]:1x", "[::1]1", "[::1]:000001"}) {
    EXPECT_EQ(normal(text), "port_malformed") << text;
  }
  for (const auto* text : {"", "::1", "::1:9292", "[::1", "localhost:9292"}) {
    EXPECT_EQ(normal(text), "address_not_bracketed") << text;
  }
}

}  // namespace
}  // namespace hm::stoq
