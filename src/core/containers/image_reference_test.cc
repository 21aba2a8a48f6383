// SPDX-License-Identifier: Apache-2.0
#include "core/containers/image_reference.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "core/containers/limits.h"

namespace hm::containers {
namespace {

const std::string kDigest = "sha256:" + std::string(64, 'c');

TEST(ImageReference, IsTakenApart) {
  const auto whole = parse_image_reference("Registry.Example:5000/a/b-c.d:V1@" + kDigest);
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->registry, "registry.example:5000");
  EXPECT_EQ(whole->repository, "a/b-c.d");
  EXPECT_EQ(whole->tag, "V1");
  EXPECT_EQ(whole->digest, crypto::Digest::parse(std::string(64, 'c')));
  EXPECT_EQ(to_string(*whole), "registry.example:5000/a/b-c.d:V1@" + kDigest);
}

TEST(ImageReference, LatestIsMeantWithoutTagAndDigest) {
  EXPECT_EQ(to_string(*parse_image_reference("busybox")), "busybox:latest");
  EXPECT_EQ(to_string(*parse_image_reference("busybox@" + kDigest)), "busybox@" + kDigest);
}

TEST(ImageReference, OnlyWhatLooksLikeARegistryIsOne) {
  EXPECT_EQ(parse_image_reference("library/busybox")->registry, "");
  EXPECT_EQ(parse_image_reference("localhost/busybox")->registry, "localhost");
  EXPECT_EQ(parse_image_reference("host:1/busybox")->registry, "host:1");
  EXPECT_EQ(parse_image_reference("[::1]:5000/busybox")->registry, "[::1]:5000");
  EXPECT_EQ(parse_image_reference("127.0.0.1:5000/busybox:v1")->registry, "127.0.0.1:5000");
}

TEST(ImageReference, WhatTheGrammarLacksIsRefused) {
  const std::string many(kMaxRepositoryBytes + 1, 'a');
  for (const std::string& text : {std::string(),
                                  std::string("/"),
                                  std::string("a/"),
                                  std::string("/a"),
                                  std::string("a//b"),
                                  std::string("A/b"),
                                  std::string("a:"),
                                  std::string("a:-b"),
                                  std::string("a..b"),
                                  std::string("a___b"),
                                  std::string("-a"),
                                  std::string("a-"),
                                  std::string("a b"),
                                  std::string("../a"),
                                  std::string("a/../b"),
                                  std::string("a@"),
                                  std::string("a@sha256:00"),
                                  std::string("a@sha512:") + std::string(64, 'c'),
                                  std::string("host:0/a"),
                                  std::string("host:65536/a"),
                                  std::string("host:05/a"),
                                  std::string("host:/a"),
                                  std::string("ho_st.x/a"),
                                  std::string("-host.x/a"),
                                  std::string("[::1/a"),
                                  std::string("[]:5/a"),
                                  std::string("[::g]/a"),
                                  std::string("https://host/a"),
                                  std::string("a\0b", 3),
                                  many,
                                  std::string("a:") + std::string(kMaxTagBytes + 1, 't'),
                                  "a@" + kDigest + "@" + kDigest}) {
    EXPECT_FALSE(parse_image_reference(text)) << text;
  }
}

TEST(RegistryHost, HasHostAndPort) {
  EXPECT_EQ(parse_registry_host("[FE80::1]:443"), (RegistryHost{"fe80::1", 443}));
  EXPECT_EQ(parse_registry_host("Localhost"), (RegistryHost{"localhost", std::nullopt}));
  EXPECT_FALSE(parse_registry_host("host:"));
  EXPECT_FALSE(parse_registry_host("[::1]5"));
}

RC_GTEST_PROP(ImageReference, ItsTextGivesItAgain, ()) {
  const auto one_of = [](auto... choices) {
    return *rc::gen::element<std::string>(std::string(choices)...);
  };
  std::string text = one_of("", "Registry.example/", "localhost/", "host:5000/", "[::1]:5000/");
  text += one_of("a", "a-b", "a--b", "0.1", "a_b", "a__b");
  for (int parts = *rc::gen::inRange(0, 4); parts > 0; --parts) text += one_of("/c", "/d.e", "/7");
  text += one_of("", ":v1", ":_", ":V.1-x");
  text += one_of("", "", "@" + kDigest);
  const auto reference = parse_image_reference(text);
  RC_ASSERT(reference.has_value());
  const auto again = parse_image_reference(to_string(*reference));
  RC_ASSERT(again.has_value());
  RC_ASSERT(*again == *reference);
}

}  // namespace
}  // namespace hm::containers
