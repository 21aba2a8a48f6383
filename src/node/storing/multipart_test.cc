// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/blake3/blake3.h"
#include "node/storing/keeper_fixture.h"
#include "node/storing/keeper_limits.h"

namespace hm::storing {
namespace {

using storage::testing::random_bytes;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint64_t kPart = 4 * storage::kPartAlignment;

// A commitment becomes final, and then what it is without is dropped.
constexpr std::uint64_t kDropped = 12'000;

// What is begun and not waited for ends some time later, if nobody is killed.
struct Sent {
  std::shared_ptr<ObjectUpload> upload;
  std::optional<Result<UploadReport>> report;
};

class PartsMesh : public KeeperMesh {
 public:
  using KeeperMesh::KeeperMesh;

  MultipartWish wish(const std::string& name, Sharing sharing = Sharing::InDomain) const {
    MultipartWish wish;
    wish.object.name = name;
    wish.object.sharing = sharing;
    wish.part_bytes = kPart;
    return wish;
  }
  template <class T>
  T wait(const std::shared_ptr<std::optional<T>>& answer) {
    for (int i = 0; i < 600 && !*answer; ++i) run(100);
    EXPECT_TRUE(*answer) << "there is an answer";
    return answer->value_or(T(fail(ErrorCode::Unavailable, "no answer")));
  }
  Result<ListedMultipart> begin(MultipartWish wish) {
    const auto answer = std::make_shared<std::optional<Result<ListedMultipart>>>();
    keeper().multipart().begin(
        std::move(wish), [answer](Result<ListedMultipart> begun) { *answer = std::move(begun); });
    return wait(answer);
  }
  std::shared_ptr<Sent> send(const MultipartId& id, PartNumber number, ByteView bytes) {
    const auto sent = std::make_shared<Sent>();
    keeper().multipart().put_part(
        id, number, bytes.size(),
        {.on_taken = nullptr,
         .on_done = [sent](Result<UploadReport> report) { sent->report = std::move(report); }},
        [sent,
         text = std::string(as_text(bytes))](const Result<std::shared_ptr<ObjectUpload>>& begun) {
          if (!begun) {
            sent->report = std::unexpected(begun.error());
            return;
          }
          const std::shared_ptr<ObjectUpload> upload = begun.value();
          sent->upload = upload;
          upload->push(text);
          upload->end();
          upload->finish();
        });
    return sent;
  }
  Result<UploadReport> put_part(const MultipartId& id, PartNumber number, ByteView bytes) {
    const auto sent = send(id, number, bytes);
    for (int i = 0; i < 600 && !sent->report; ++i) run(100);
    EXPECT_TRUE(sent->report) << "a part is answered";
    return sent->report.value_or(fail(ErrorCode::Unavailable, "no answer"));
  }
  Result<UploadReport> put_part_of(const MultipartId& id, PartNumber number, ByteView object) {
    const std::uint64_t begin = (number - 1) * kPart;
    return put_part(id, number,
                    object.subspan(begin, std::min<std::size_t>(kPart, object.size() - begin)));
  }
  Result<UploadReport> complete(const MultipartId& id, MultipartUploads::Completion how = {}) {
    const auto answer = std::make_shared<std::optional<Result<UploadReport>>>();
    keeper().multipart().complete(
        id, std::move(how), [answer](Result<UploadReport> report) { *answer = std::move(report); });
    return wait(answer);
  }
  Result<void> abort(const MultipartId& id) {
    const auto answer = std::make_shared<std::optional<Result<void>>>();
    keeper().multipart().abort(id, [answer](Result<void> ended) { *answer = ended; });
    for (int i = 0; i < 600 && !*answer; ++i) run(100);
    return answer->value_or(fail(ErrorCode::Unavailable, "no answer"));
  }
  std::map<PartNumber, crypto::Digest> parts(const MultipartId& id) {
    std::map<PartNumber, crypto::Digest> all;
    const auto listed = keeper().multipart().parts(id, 0, 100);
    if (!listed) return all;
    for (const ListedPart& part : *listed) all[part.number] = part.content;
    return all;
  }
};

TEST(Multipart, PartsInAnyOrderBecomeOneObject) {
  for (const Sharing sharing : {Sharing::InDomain, Sharing::Alone}) {
    PartsMesh mesh(6);
    const Bytes object = random_bytes(3 * kPart + 12'345, 1);
    auto wish = mesh.wish("object", sharing);
    wish.object.metadata["of"] = "four parts";
    wish.object.readers = {ledger::sample::owner_id(2)};
    const auto begun = mesh.begin(wish);
    ASSERT_TRUE(begun) << begun.error().message;
    for (const PartNumber number : {3U, 1U, 4U, 2U}) {
      const auto put = mesh.put_part_of(begun->id, number, object);
      ASSERT_TRUE(put) << put.error().message;
      EXPECT_EQ(put->part->content.offset, (number - 1) * kPart);
    }
    EXPECT_FALSE(mesh.keeper().find("object")) << "before it is completed it is nothing";
    const auto stored = mesh.complete(
        begun->id,
        {.condition = std::nullopt, .bytes = object.size(), .content = blake3::hash(object)});
    ASSERT_TRUE(stored) << stored.error().message << ": " << stored.error().detail;
    const ObjectRow& row = stored->objects.front().row;
    EXPECT_EQ(row.content, blake3::hash(object));
    EXPECT_EQ(row.readers.size(), 1U);
    EXPECT_EQ(mesh.open_object("object")->manifest->description.metadata.at("of"), "four parts");
    EXPECT_TRUE(mesh.get("object").value() == object);
    const auto range = mesh.get("object", ObjectKeeper::Range{kPart - 5, 2 * kPart + 5});
    EXPECT_EQ(*range, to_bytes(ByteView(object).subspan(kPart - 5, kPart + 10)));
    EXPECT_THAT(mesh.keeper().multipart().list().value(), IsEmpty());
    EXPECT_EQ(mesh.complete(begun->id).error().code, ErrorCode::NotFound);
    ASSERT_TRUE(mesh.remove("object"));
    mesh.run(kDropped);
    EXPECT_TRUE(mesh.kept().empty()) << "the parts left nothing behind";
  }
}

TEST(Multipart, WhatWasAcknowledgedIsThereAfterAKill) {
  PartsMesh mesh(6);
  const Bytes object = random_bytes(2 * kPart + 7, 1);
  const auto begun = mesh.begin(mesh.wish("object", Sharing::Alone));
  ASSERT_TRUE(begun);
  ASSERT_TRUE(mesh.put_part_of(begun->id, 1, object));
  ASSERT_TRUE(mesh.put_part_of(begun->id, 3, object));
  mesh.kill(mesh.tenant());
  mesh.start(mesh.tenant());
  mesh.run(kDropped);
  const auto there = mesh.parts(begun->id);
  ASSERT_EQ(there.size(), 2U);
  EXPECT_EQ(there.at(1), blake3::hash(ByteView(object).first(kPart)));
  EXPECT_EQ(there.at(3), blake3::hash(ByteView(object).subspan(2 * kPart)));
  const auto found = mesh.keeper().multipart().find(begun->id);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->row.stored_bytes, kPart + 7);
  ASSERT_TRUE(mesh.put_part_of(begun->id, 2, object));
  ASSERT_TRUE(mesh.complete(begun->id));
  EXPECT_TRUE(mesh.get("object").value() == object);
}

TEST(Multipart, APartThatIsSentAgainIsReplacedAndNoNumberIsUsedTwice) {
  PartsMesh mesh(6);
  const Bytes object = random_bytes(kPart + 100, 1);
  const auto begun = mesh.begin(mesh.wish("object", Sharing::Alone));
  ASSERT_TRUE(begun);
  ASSERT_TRUE(mesh.put_part(begun->id, 1, random_bytes(kPart, 9)));
  const auto first = mesh.keeper().parts().catalogue->part_manifest(begun->id, 1).value();
  ASSERT_TRUE(mesh.put_part_of(begun->id, 1, object));
  ASSERT_TRUE(mesh.put_part_of(begun->id, 2, object));
  const auto second = mesh.keeper().parts().catalogue->part_manifest(begun->id, 1).value();
  EXPECT_EQ(first.protection, second.protection);
  std::set<storage::SegmentNumber> numbers;
  for (const auto* manifest : {&first, &second}) {
    for (const storage::Segment& each : manifest->segments) {
      EXPECT_TRUE(numbers.insert(std::get<storage::SegmentNumber>(each.seal)).second);
    }
  }
  ASSERT_TRUE(mesh.complete(begun->id));
  EXPECT_TRUE(mesh.get("object").value() == object);
  mesh.run(kDropped);
  EXPECT_TRUE(mesh.kept() == mesh.referenced());
}

TEST(Multipart, SegmentsThatAreStoredAreNotStoredAgain) {
  PartsMesh mesh(6);
  const Bytes object = random_bytes(2 * kPart, 1);
  const auto begun = mesh.begin(mesh.wish("object"));
  ASSERT_TRUE(begun);
  ASSERT_TRUE(mesh.put_part_of(begun->id, 1, object));
  ASSERT_TRUE(mesh.put_part_of(begun->id, 2, object));
  const auto again = mesh.put_part_of(begun->id, 2, object);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->shared_bytes, kPart);
  ASSERT_TRUE(mesh.complete(begun->id));
  const auto other = mesh.begin(mesh.wish("other"));
  ASSERT_TRUE(other);
  EXPECT_EQ(mesh.put_part_of(other->id, 1, object)->shared_bytes, kPart);
  ASSERT_TRUE(mesh.remove("object"));
  mesh.run(kDropped);
  ASSERT_TRUE(mesh.complete(other->id));
  EXPECT_EQ(mesh.get("other").value(), to_bytes(ByteView(object).first(kPart)));
}

TEST(Multipart, WhatIsGivenUpIsDropped) {
  PartsMesh mesh(6);
  const Bytes object = random_bytes(2 * kPart, 1);
  const auto begun = mesh.begin(mesh.wish("object"));
  ASSERT_TRUE(begun);
  ASSERT_TRUE(mesh.put_part_of(begun->id, 1, object));
  EXPECT_FALSE(mesh.kept().empty());
  ASSERT_TRUE(mesh.abort(begun->id));
  EXPECT_EQ(mesh.abort(begun->id).error().code, ErrorCode::NotFound);
  EXPECT_EQ(mesh.put_part_of(begun->id, 2, object).error().code, ErrorCode::NotFound);
  mesh.run(kDropped);
  EXPECT_TRUE(mesh.kept().empty());
}

TEST(Multipart, WhatNobodyTouchesEndsByTheLedgersTime) {
  PartsMesh mesh(6);
  const Bytes object = random_bytes(kPart, 1);
  const auto old = mesh.begin(mesh.wish("old"));
  const auto fresh = mesh.begin(mesh.wish("fresh"));
  ASSERT_TRUE(old && fresh);
  ASSERT_TRUE(mesh.put_part_of(old->id, 1, object));
  // As if it had been sent a week ago.
  MultipartRow row = mesh.keeper().multipart().find(old->id)->row;
  row.touched.value -= kMultipartMillis;
  mesh.keeper().parts().queue.submit(
      [id = old->id, row](Catalogue& catalogue) { return catalogue.begin_multipart(id, row); });
  // It looks with the first block.
  mesh.kill(mesh.tenant());
  mesh.start(mesh.tenant());
  mesh.run(kDropped + 12'000);
  EXPECT_EQ(mesh.keeper().multipart().find(old->id).error().code, ErrorCode::NotFound);
  EXPECT_TRUE(mesh.keeper().multipart().find(fresh->id));
  EXPECT_TRUE(mesh.kept().empty());
}

TEST(Multipart, WhatMakesNoObjectIsRefusedByName) {
  PartsMesh mesh(6);
  const Bytes object = random_bytes(2 * kPart + 50, 1);
  auto wish = mesh.wish("object");
  wish.bytes = object.size();
  const auto begun = mesh.begin(wish);
  ASSERT_TRUE(begun);
  const auto refused = [&](const MultipartUploads::Completion& how = {}) {
    const auto done = mesh.complete(begun->id, how);
    EXPECT_FALSE(done);
    return done ? std::string() : done.error().message;
  };
  EXPECT_THAT(refused(), HasSubstr("there is none"));
  ASSERT_TRUE(mesh.put_part_of(begun->id, 1, object));
  ASSERT_TRUE(mesh.put_part_of(begun->id, 3, object));
  EXPECT_THAT(refused(), HasSubstr("part 2 is missing"));
  ASSERT_TRUE(mesh.put_part(begun->id, 2, ByteView(object).first(kPart - 1)));
  EXPECT_THAT(refused(), HasSubstr("part 2 is shorter than 262144 bytes"));
  ASSERT_TRUE(mesh.put_part_of(begun->id, 2, object));
  EXPECT_THAT(refused({.condition = {}, .bytes = object.size() + 1, .content = {}}),
              HasSubstr("524338 of 524339 bytes are there"));
  EXPECT_THAT(refused({.condition = {}, .bytes = {}, .content = blake3::hash({})}),
              HasSubstr("another content"));
  EXPECT_THAT(refused({.condition = PutCondition{.only_new = false, .only_version = 77},
                       .bytes = {},
                       .content = {}}),
              HasSubstr("no object of this name"));

  EXPECT_EQ(mesh.put_part(begun->id, 0, object).error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(mesh.put_part(begun->id, kMaxParts + 1, object).error().code,
            ErrorCode::InvalidArgument);
  EXPECT_EQ(mesh.put_part(begun->id, 1, object).error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(mesh.put_part(begun->id, 1, {}).error().code, ErrorCode::InvalidArgument);
  EXPECT_THAT(mesh.put_part(begun->id, 3, ByteView(object).first(51)).error().message,
              HasSubstr("behind the end"));
  EXPECT_EQ(mesh.put_part(MultipartId{}, 1, ByteView(object).first(5)).error().code,
            ErrorCode::NotFound);
  ASSERT_TRUE(mesh.complete(begun->id)) << "none of that did any harm";
  EXPECT_TRUE(mesh.get("object").value() == object);

  wish.object.condition.only_new = true;
  EXPECT_EQ(mesh.begin(wish).error().code, ErrorCode::AlreadyExists);
  for (const std::uint64_t part : {std::uint64_t{0}, kPart + 1, kMaxPartBytes + kPart}) {
    wish.part_bytes = part;
    EXPECT_EQ(mesh.begin(wish).error().code, ErrorCode::InvalidArgument) << part;
  }
}

TEST(Multipart, WhatIsUnderWayIsNotBegunTwiceAndThereIsAnEndToHowMany) {
  PartsMesh mesh(6);
  const Bytes object = random_bytes(2 * kPart, 1);
  const auto begun = mesh.begin(mesh.wish("object"));
  ASSERT_TRUE(begun);
  const auto first = mesh.send(begun->id, 1, ByteView(object).first(kPart));
  EXPECT_EQ(mesh.send(begun->id, 1, object)->report->error().code, ErrorCode::Busy);
  EXPECT_EQ(mesh.complete(begun->id).error().code, ErrorCode::Busy);
  EXPECT_EQ(mesh.abort(begun->id).error().code, ErrorCode::Busy);
  mesh.run(5'000);
  ASSERT_TRUE(first->report && *first->report);
  ASSERT_TRUE(mesh.put_part_of(begun->id, 2, object));
  // A client that goes away in the middle of a part holds nothing up.
  auto broken = mesh.send(begun->id, 2, ByteView(object).first(100));
  while (!broken->upload) mesh.steps(1);
  broken->upload->give_up();
  broken->upload.reset();
  mesh.run(5'000);
  ASSERT_TRUE(mesh.complete(begun->id));
  EXPECT_TRUE(mesh.get("object").value() == object);
  for (std::size_t i = 0; i < kMaxMultiparts; ++i) {
    ASSERT_TRUE(mesh.begin(mesh.wish("another"))) << i;
  }
  EXPECT_EQ(mesh.begin(mesh.wish("another")).error().code, ErrorCode::Busy);
}

// What is done at one point of the test below, and what was heard of it.
struct Point {
  std::size_t number = 0;
  std::string name;
  std::shared_ptr<Sent> sent;  // a part
  PartNumber part = 0;
  bool completes = false;  // or gives up: all parts are there

  bool gives_up() const { return completes && number % 5 == 0; }
  bool is_part_acknowledged() const { return sent && sent->report && *sent->report; }
};

// The tenant's node is killed after any number of steps of sending, completing and giving up.
class KilledAnywhere : public PartsMesh {
 public:
  KilledAnywhere() : PartsMesh(5) {}

  // Told of an object: what it is to be, and which of its parts are known to be there.
  struct Told {
    MultipartId id;
    Bytes object;
    std::map<PartNumber, crypto::Digest> parts;
  };

  void deal(std::size_t number) {
    Point point{.number = number, .name = "object " + std::to_string(number % 3)};
    begin_it(point);
    steps(number * 7 % 120);
    const bool is_acknowledged = point.is_part_acknowledged();
    if (point.sent) point.sent->upload.reset();
    kill(tenant());
    start(tenant());
    run(1'500);
    ++(is_acknowledged ? kept_parts : interrupted);
    judge(point, is_acknowledged);
  }

  std::map<std::string, Bytes> whole;
  std::map<std::string, Told> open;
  std::size_t kept_parts = 0;
  std::size_t completed = 0;
  std::size_t interrupted = 0;

 private:
  void begin_it(Point& point) {
    if (!open.contains(point.name)) {
      const auto sharing = point.number % 2 == 0 ? Sharing::InDomain : Sharing::Alone;
      const auto begun = begin(wish(point.name, sharing));
      ASSERT_TRUE(begun);
      open[point.name] = {
          begun->id, random_bytes(kPart + 1'000 + point.number, point.number + 1), {}};
    }
    const Told& told = open[point.name];
    const ByteView all(told.object);
    point.completes = told.parts.size() == 2;
    if (!point.completes) {
      point.part = told.parts.contains(1) ? 2 : 1;
      point.sent =
          send(told.id, point.part, point.part == 1 ? all.first(kPart) : all.subspan(kPart));
    } else if (point.gives_up()) {
      keeper().multipart().abort(told.id, [](const Result<void>&) {});
    } else {
      keeper().multipart().complete(told.id, {}, [](const Result<UploadReport>&) {});
    }
  }

  void judge(const Point& point, bool is_acknowledged) {
    Told& told = open[point.name];
    const auto there = parts(told.id);
    if (!point.completes) {
      for (const auto& [number, content] : told.parts) {
        EXPECT_TRUE(there.contains(number) && there.at(number) == content) << point.number;
      }
      EXPECT_TRUE(!is_acknowledged || there.contains(point.part)) << point.number;
    }
    told.parts = there;
    if (!point.completes || keeper().multipart().find(told.id)) return;
    // It has ended: as an object, or given up.
    const auto object = keeper().find(point.name);
    if (object && object->row.content == blake3::hash(told.object)) {
      whole[point.name] = told.object;
      ++completed;
    } else {
      EXPECT_TRUE(point.gives_up()) << point.number;
    }
    open.erase(point.name);
  }
};

TEST(Multipart, WhereverTheNodeIsKilledAcknowledgedPartsStayAndNoOrphanIsLeft) {
  std::size_t kept_parts = 0;
  std::size_t completed = 0;
  std::size_t interrupted = 0;
  for (std::size_t round = 0; round < 5; ++round) {
    KilledAnywhere mesh;
    for (std::size_t step = 0; step < 40; ++step) mesh.deal(40 * round + step);
    for (const auto& [name, told] : mesh.open) ASSERT_TRUE(mesh.abort(told.id));
    mesh.keeper().collect();
    mesh.run(60'000);
    for (const auto& [name, bytes] : mesh.whole) {
      const auto back = mesh.get(name);
      ASSERT_TRUE(back) << round << ' ' << name << ' ' << back.error().message;
      EXPECT_TRUE(*back == bytes) << round << ' ' << name;
    }
    EXPECT_TRUE(mesh.kept() == mesh.referenced()) << round << mesh.keeper().status().trouble;
    kept_parts += mesh.kept_parts;
    completed += mesh.completed;
    interrupted += mesh.interrupted;
  }
  EXPECT_GT(kept_parts, 30U);
  EXPECT_GT(completed, 10U);
  EXPECT_GT(interrupted, 30U);
}

}  // namespace
}  // namespace hm::storing
