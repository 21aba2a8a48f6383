// SPDX-License-Identifier: Apache-2.0
#include "node/storage_api/batch_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "core/api/limits.h"

namespace hm::storage_api {
namespace {

struct Heard {
  std::vector<std::pair<std::string, std::string>> objects;
  std::size_t ended = 0;
  std::string refuses;  // the object of this name

  BatchReader reader() {
    return BatchReader({.on_begin = [this](api::BatchEntry entry) -> Result<void, api::ApiError> {
                          if (entry.name == refuses) return fail(api::bad_request("no"));
                          objects.emplace_back(std::move(entry.name), "");
                          return {};
                        },
                        .on_bytes = [this](std::string bytes) { objects.back().second += bytes; },
                        .on_end = [this] { ++ended; }});
  }
};

std::string line(const std::string& name, std::size_t size) {
  return R"({"name":")" + name + R"(","size":)" + std::to_string(size) + "}\n";
}

TEST(BatchReader, ObjectsComeOutAlikeHoweverTheBodyIsCut) {
  const std::string body = line("a", 3) + "x\ny" + line("empty", 0) + line("b/c", 5) + "hello";
  for (std::size_t step = 1; step <= body.size(); ++step) {
    Heard heard;
    BatchReader reader = heard.reader();
    std::size_t lines = 0;
    for (std::size_t at = 0; at < body.size(); at += step) {
      const auto taken = reader.take(body.substr(at, step));
      ASSERT_TRUE(taken) << step;
      lines += *taken;
    }
    EXPECT_TRUE(reader.finish());
    EXPECT_EQ(lines, body.size() - 8);
    EXPECT_EQ(heard.ended, 3u);
    const std::vector<std::pair<std::string, std::string>> expected = {
        {"a", "x\ny"}, {"empty", ""}, {"b/c", "hello"}};
    EXPECT_EQ(heard.objects, expected) << step;
  }
}

TEST(BatchReader, ABodyThatEndsTooEarlyOrHasNothingIsRefused) {
  for (const std::string& body : {std::string(), line("a", 3) + "xy", line("a", 3),
                                  line("a", 0) + "{\"name\"", std::string("\n")}) {
    Heard heard;
    BatchReader reader = heard.reader();
    EXPECT_FALSE(reader.take(body).has_value() && reader.finish().has_value()) << body;
  }
}

TEST(BatchReader, ALineThatIsTooLongIsRefusedBeforeItsEnd) {
  Heard heard;
  BatchReader reader = heard.reader();
  EXPECT_TRUE(reader.take(std::string(api::kMaxBatchLine, ' ')));
  EXPECT_FALSE(reader.take(" "));
}

TEST(BatchReader, ANameThatComesTwiceIsRefused) {
  Heard heard;
  BatchReader reader = heard.reader();
  EXPECT_TRUE(reader.take(line("a", 0)));
  const auto again = reader.take(line("a", 0));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().status, 400);
}

TEST(BatchReader, WhatTheSinkRefusesIsHandedOn) {
  Heard heard;
  heard.refuses = "b";
  BatchReader reader = heard.reader();
  const auto taken = reader.take(line("a", 1) + "x" + line("b", 1) + "y");
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().message, "no");
  EXPECT_EQ(heard.ended, 1u);
}

}  // namespace
}  // namespace hm::storage_api
