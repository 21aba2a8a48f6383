// SPDX-License-Identifier: Apache-2.0
// Bodies on their way in and out: ObjectIntake, PartIntake and ObjectAnswer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/blake3/blake3.h"
#include "node/storage_api/api_mesh.h"
#include "node/storing/keeper_limits.h"

namespace hm::storage_api {
namespace {

using ports::HttpMethod;
using storage::testing::random_bytes;
using storing::kMaxTransfers;
using ::testing::HasSubstr;

constexpr const char* kContent = "/api/v1/objects/content";
constexpr std::size_t kMiB = std::size_t{1} << 20;

std::string text_of(const Bytes& bytes) { return std::string(as_text(bytes)); }

ports::HttpRequest put_of(const std::string& name) {
  return ApiMesh::bytes(HttpMethod::Put, kContent, {{"name", name}});
}
ports::HttpRequest get_of(const std::string& name) {
  return ApiMesh::request(HttpMethod::Get, kContent, {{"name", name}});
}

TEST(ObjectIntake, ABodyInPiecesIsStoredAndAllOfItIsTaken) {
  ApiMesh mesh(6);
  const std::string body = text_of(random_bytes(9 * kMiB + 5, 1));
  const auto asked = mesh.put(put_of("object"), body, 300'000);
  ASSERT_EQ(asked->status(), 201) << asked->response->body;
  EXPECT_EQ(asked->taken, body.size());
  EXPECT_EQ(asked->answers, 1U);
  EXPECT_THAT(asked->response->body, HasSubstr(blake3::hash(as_bytes(body)).to_string()));
  EXPECT_EQ(text_of(mesh.get("object").value()), body);
  EXPECT_EQ(mesh.put(put_of("object"), "again", 5)->status(), 200) << "it replaced something";
  EXPECT_EQ(mesh.put(put_of("empty"), "", 1)->status(), 201);
  EXPECT_TRUE(mesh.get("empty").value().empty());
}

TEST(ObjectIntake, AClientThatGoesAwayLeavesNothing) {
  ApiMesh mesh(6);
  ASSERT_EQ(mesh.put(put_of("other"), "kept", 4)->status(), 201);
  mesh.run(10'000);
  const auto before = mesh.kept();
  for (std::size_t i = 0; i < kMaxTransfers + 1; ++i) {
    const auto asked = mesh.opened(put_of("object"));
    ASSERT_TRUE(asked->upload) << i << ": none of them is held on to";
    asked->upload->on_piece(text_of(random_bytes(3 * kMiB, i)));
    mesh.run(i * 7);
    asked->upload->on_lost();
    EXPECT_EQ(asked->answers, 0U);
  }
  EXPECT_FALSE(mesh.keeper().find("object"));
  mesh.keeper().collect();
  mesh.run(60'000);
  EXPECT_TRUE(mesh.kept() == before);
}

TEST(ObjectIntake, MoreUploadsThanTheNodeHoldsAreRefused) {
  ApiMesh mesh(6);
  std::vector<std::shared_ptr<Asked>> open;
  for (std::size_t i = 0; i < kMaxTransfers; ++i) {
    open.push_back(mesh.opened(put_of("object " + std::to_string(i))));
    ASSERT_TRUE(open.back()->upload);
  }
  EXPECT_EQ(mesh.answered(put_of("one more"))->status(), 429);
  for (const auto& asked : open) asked->upload->on_end();
  for (const auto& asked : open) EXPECT_EQ(mesh.wait(asked)->status(), 201);
}

TEST(ObjectIntake, AConditionThatDoesNotHoldIsAnsweredAsSuch) {
  ApiMesh mesh(6);
  ASSERT_EQ(mesh.put(put_of("object"), "first", 5)->status(), 201);
  auto only_new = put_of("object");
  only_new.headers.push_back({"If-None-Match", "*"});
  EXPECT_EQ(mesh.put(only_new, "second", 6)->status(), 412);
  auto only_version = put_of("object");
  only_version.headers.push_back({"If-Match", "\"77\""});
  EXPECT_EQ(mesh.put(only_version, "third", 5)->status(), 412);
  EXPECT_EQ(text_of(mesh.get("object").value()), "first");
}

TEST(ObjectIntake, WhereNobodyLendsTheReasonIsAnsweredOnce) {
  ApiMesh mesh(1, 4096);
  const auto asked = mesh.put(put_of("object"), std::string(kMiB, 'a'), 1'000);
  EXPECT_GE(asked->status(), 500);
  EXPECT_EQ(asked->answers, 1U);
  EXPECT_THAT(asked->response->body, HasSubstr("storage"));
  if (asked->upload) asked->upload->on_piece("more");  // is heard no more
  EXPECT_EQ(asked->answers, 1U);
}

TEST(ObjectIntake, ABatchIsStoredWholeOrNotAtAll) {
  ApiMesh mesh(6);
  const auto batch = ApiMesh::bytes(HttpMethod::Post, "/api/v1/objects/batch", {});
  const std::string two = "{\"name\":\"a\",\"size\":3}\nabc{\"name\":\"b\",\"size\":0}\n";
  const auto asked = mesh.put(batch, two, 7);
  ASSERT_EQ(asked->status(), 201) << asked->response->body;
  EXPECT_EQ(asked->taken, two.size());
  EXPECT_EQ(text_of(mesh.get("a").value()), "abc");
  for (const std::string& bad :
       {std::string("{\"name\":\"c\",\"size\":3}\nabc{\"name\":\"c\",\"size\":0}\n"),
        std::string("{\"name\":\"c\",\"size\":3}\nabc{\"name\":\"\",\"size\":0}\n"),
        std::string("{\"name\":\"c\",\"size\":3}\nabcd"),
        std::string("{\"name\":\"c\",\"size\":3}\nab"), std::string("\n"), std::string()}) {
    const auto refused = mesh.put(batch, bad, 5);
    EXPECT_EQ(refused->status(), 400) << bad;
    EXPECT_EQ(refused->answers, 1U) << bad;
  }
  EXPECT_FALSE(mesh.keeper().find("c"));
}

TEST(PartIntake, APartIsKeptAndOneThatIsTooLongOrBreaksOffIsNot) {
  ApiMesh mesh(6);
  const std::string uploads = "/api/v1/objects/uploads";
  const auto begun = mesh.answered(
      ApiMesh::json(HttpMethod::Post, uploads, {{"name", "object"}}, R"({"part_bytes":65536})"));
  ASSERT_EQ(begun->status(), 201) << begun->response->body;
  const auto id = mesh.keeper().multipart().list().value().front().id.to_string();
  const auto part = [&](const char* number) {
    return ApiMesh::bytes(HttpMethod::Put, uploads + "/" + id + "/part", {{"number", number}});
  };
  const std::string first = text_of(random_bytes(65'536, 1));
  EXPECT_EQ(mesh.put(part("2"), "the last", 3)->status(), 200);
  EXPECT_EQ(mesh.put(part("1"), first + "x", 9'000)->status(), 413);
  mesh.run(1'000);  // what was on its way of it is through
  const auto broken = mesh.opened(part("1"));
  ASSERT_TRUE(broken->upload);
  EXPECT_EQ(mesh.answered(part("1"))->status(), 429) << "it is being sent";
  broken->upload->on_piece("half");
  broken->upload->on_lost();
  EXPECT_EQ(broken->answers, 0U);
  mesh.run(5'000);
  const std::string complete = uploads + "/" + id + "/complete";
  const auto missing = mesh.answered(ApiMesh::json(HttpMethod::Post, complete, {}, "{}"));
  EXPECT_EQ(missing->status(), 409);
  EXPECT_THAT(missing->response->body, HasSubstr("part 1 is missing"));
  EXPECT_EQ(mesh.put(part("1"), first, 9'000)->status(), 200);
  EXPECT_EQ(mesh.answered(ApiMesh::json(HttpMethod::Post, complete, {}, "{}"))->status(), 201);
  EXPECT_EQ(text_of(mesh.get("object").value()), first + "the last");
  EXPECT_EQ(mesh.answered(part("1"))->status(), 404);
}

TEST(ObjectAnswer, ASlowClientGetsAllOfItAndNoMoreThanItTakes) {
  ApiMesh mesh(6);
  const std::string body = text_of(random_bytes(5 * kMiB + 3, 1));
  ASSERT_EQ(mesh.put(put_of("object"), body, kMiB)->status(), 201);
  const auto asked = mesh.answered(get_of("object"));
  ASSERT_EQ(asked->status(), 200);
  EXPECT_EQ(asked->length, body.size());
  for (int i = 0; i < 200 && !asked->kept->finished; ++i) {
    mesh.run(100);
    EXPECT_LE(asked->kept->unread, asked->kept->limit);
    asked->kept->read();
  }
  EXPECT_TRUE(asked->kept->finished);
  EXPECT_TRUE(asked->kept->text == body);
  EXPECT_TRUE(asked->stream.expired());
}

TEST(ObjectAnswer, AClientThatGoesAwayHoldsNothingUp) {
  ApiMesh mesh(6);
  ASSERT_EQ(mesh.put(put_of("object"), text_of(random_bytes(9 * kMiB, 1)), kMiB)->status(), 201);
  for (std::size_t i = 0; i < kMaxTransfers + 1; ++i) {
    const auto asked = mesh.answered(get_of("object"));
    ASSERT_EQ(asked->status(), 200) << i;
    mesh.run(100);
    asked->kept->lose();
    mesh.run(100);
    EXPECT_FALSE(asked->kept->finished);
    EXPECT_TRUE(asked->stream.expired());
  }
}

TEST(ObjectAnswer, WhatCannotBeReadIsAnsweredWithTheReasonAndLaterBreaksTheTransfer) {
  ApiMesh mesh(6);
  const std::string body = text_of(random_bytes(40 * kMiB, 1));
  ASSERT_EQ(mesh.put(put_of("object"), body, kMiB)->status(), 201);
  const auto begun = mesh.answered(get_of("object"));
  ASSERT_EQ(begun->status(), 200);
  mesh.run(200);
  for (std::uint32_t i = 1; i <= 3; ++i) mesh.kill(i);
  for (int i = 0; i < 600 && !begun->stream.expired(); ++i) {
    mesh.run(100);
    begun->kept->read();
  }
  EXPECT_TRUE(begun->stream.expired());
  EXPECT_FALSE(begun->kept->finished) << "nobody takes a part for the whole";
  EXPECT_LT(begun->kept->text.size(), body.size());
  EXPECT_TRUE(body.starts_with(begun->kept->text));
  const auto refused = mesh.answered(get_of("object"));
  EXPECT_EQ(refused->status(), 503);
  EXPECT_THAT(refused->response->body, HasSubstr("not connected"));
  EXPECT_FALSE(refused->kept);
}

}  // namespace
}  // namespace hm::storage_api
