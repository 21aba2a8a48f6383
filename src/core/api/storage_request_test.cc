// SPDX-License-Identifier: Apache-2.0
#include "core/api/storage_request.h"

#include <gtest/gtest.h>

#include <string>

#include "core/api/limits.h"

namespace hm::api {
namespace {

TEST(ObjectNames, AListIsTakenAndAnythingElseIsRefusedByField) {
  EXPECT_EQ(decode_object_names(R"({"names":["a","b/c"]})").value(),
            (std::vector<std::string>{"a", "b/c"}));
  for (const char* bad : {"", "[]", "{}", R"({"names":[]})", R"({"names":"a"})", R"({"names":[1]})",
                          R"({"names":["a"],"more":1})", R"({"names":["a"],"names":["b"]})"}) {
    EXPECT_FALSE(decode_object_names(bad)) << bad;
  }
  const std::string longest(kMaxObjectNameText, 'a');
  EXPECT_TRUE(decode_object_names(R"({"names":[")" + longest + R"("]})"));
  EXPECT_FALSE(decode_object_names(R"({"names":["a)" + longest + R"("]})"));
}

TEST(ShareObject, ReadersMayBeNobodyAndMustBeNamed) {
  const auto request = decode_share_object(R"({"name":"a","readers":["bob"],"rewrite":true})");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->name, "a");
  EXPECT_EQ(request->readers, std::vector<std::string>{"bob"});
  EXPECT_TRUE(request->rewrite);
  EXPECT_TRUE(decode_share_object(R"({"name":"a","readers":[]})"));
  for (const char* bad : {R"({"readers":[]})", R"({"name":"a"})", R"({"name":1,"readers":[]})",
                          R"({"name":"a","readers":[],"rewrite":1})"}) {
    EXPECT_FALSE(decode_share_object(bad)) << bad;
  }
}

TEST(Uploads, WhatBeginsAndCompletesThemIsNumbersAndTexts) {
  const auto begun = decode_begin_upload(R"({"part_bytes":65536,"bytes":7,"note":"n"})");
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->part_bytes, 65536U);
  EXPECT_EQ(begun->bytes, 7U);
  EXPECT_EQ(begun->note, "n");
  EXPECT_EQ(decode_begin_upload(R"({"part_bytes":1})")->bytes, std::nullopt);
  for (const char* bad : {"{}", R"({"bytes":7})", R"({"part_bytes":"1"})", R"({"part_bytes":-1})",
                          R"({"part_bytes":1,"note":1})", R"({"part_bytes":1,"more":1})"}) {
    EXPECT_FALSE(decode_begin_upload(bad)) << bad;
  }
  EXPECT_FALSE(decode_begin_upload(R"({"part_bytes":1,"note":")" +
                                   std::string(kMaxUploadNote + 1, 'a') + R"("})"));
  const std::string digest(64, 'a');
  const auto completed = decode_complete_upload(R"({"bytes":7,"content":")" + digest + R"("})");
  ASSERT_TRUE(completed);
  EXPECT_EQ(completed->bytes, 7U);
  EXPECT_EQ(completed->content->to_string(), digest);
  EXPECT_TRUE(decode_complete_upload("{}"));
  for (const char* bad : {"", R"({"bytes":"7"})", R"({"content":"aa"})", R"({"content":7})"}) {
    EXPECT_FALSE(decode_complete_upload(bad)) << bad;
  }
}

TEST(BatchEntry, NameAndSizeAreNeededAndMetadataIsTexts) {
  const auto entry = decode_batch_entry(R"({"name":"a\nb","size":7,"metadata":{"k":"v"}})");
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->name, "a\nb");
  EXPECT_EQ(entry->size, 7u);
  EXPECT_EQ(entry->metadata, (std::map<std::string, std::string>{{"k", "v"}}));
  for (const char* bad : {R"({"name":"a"})", R"({"size":1})", R"({"name":"a","size":-1})",
                          R"({"name":"a","size":1.5})", R"({"name":"a","size":1,"metadata":[]})",
                          R"({"name":"a","size":1,"metadata":{"k":1}})", "7"}) {
    EXPECT_FALSE(decode_batch_entry(bad)) << bad;
  }
}

TEST(Code, IsTwoNumbersAndAPlus) {
  const auto code = parse_code("10+4");
  ASSERT_TRUE(code);
  EXPECT_EQ(code->data, 10);
  EXPECT_EQ(code->parity, 4);
  EXPECT_TRUE(parse_code("1+0"));
  for (const char* bad : {"", "+", "4", "4+", "+2", "0+2", "4+2+1", "4 + 2", "256+1", "04+2"}) {
    EXPECT_FALSE(parse_code(bad)) << bad;
  }
}

TEST(Range, OneRangeIsCutToTheSizeAndWhatIsNoneIsAnsweredWhole) {
  const auto part = [](std::uint64_t begin, std::uint64_t end) {
    return RangeAnswer{RangeVerdict::Part, {begin, end}};
  };
  EXPECT_EQ(parse_range("bytes=0-0", 10), part(0, 1));
  EXPECT_EQ(parse_range("bytes=3-5", 10), part(3, 6));
  EXPECT_EQ(parse_range("bytes=3-", 10), part(3, 10));
  EXPECT_EQ(parse_range("bytes=3-99", 10), part(3, 10));
  EXPECT_EQ(parse_range("bytes=-4", 10), part(6, 10));
  EXPECT_EQ(parse_range("bytes=-99", 10), part(0, 10));
  EXPECT_EQ(parse_range(" bytes= 3-5 ", 10), part(3, 6));
  EXPECT_EQ(parse_range("bytes=3-99999999999999999999999", 10), part(3, 10));
  for (const char* none : {"", "3-5", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-3",
                           "bytes=0-1,4-5", "lines=0-1", "bytes=0x1-2", "bytes=1--2"}) {
    EXPECT_EQ(parse_range(none, 10), (RangeAnswer{RangeVerdict::Whole, {0, 10}})) << none;
  }
  for (const char* beyond :
       {"bytes=10-", "bytes=10-11", "bytes=-0", "bytes=99999999999999999999-"}) {
    EXPECT_EQ(parse_range(beyond, 10).verdict, RangeVerdict::Unsatisfiable) << beyond;
  }
  EXPECT_EQ(parse_range("bytes=0-", 0).verdict, RangeVerdict::Unsatisfiable);
  EXPECT_EQ(parse_range("bytes=-1", 0).verdict, RangeVerdict::Unsatisfiable);
}

TEST(HeaderText, EveryByteComesBackAndNothingEndsTheHeader) {
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  const std::string spelt = to_header_text(all);
  EXPECT_EQ(spelt.find_first_of("\r\n \t\"\x7f" + std::string(1, '\0')), std::string::npos);
  EXPECT_EQ(from_header_text(spelt), all);
  for (const char* bad : {"%", "%4", "%4g", "a%"}) EXPECT_FALSE(from_header_text(bad)) << bad;
}

}  // namespace
}  // namespace hm::api
