// SPDX-License-Identifier: Apache-2.0
// Detaching, attaching again, logs, copies and connections.
#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>

#include <csignal>
#include <fstream>
#include <map>
#include <thread>

#include "platform/container_runtime/runtime_fixture.h"

namespace hm::container_runtime {
namespace {

using Follow = ports::ContainerRuntime::Follow;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using namespace std::string_literals;

class StreamsTest : public RuntimeTest {
 protected:
  ports::StreamResult logs(const std::string& id, std::size_t tail, Follow follow,
                           Recorder& recorder) {
    auto stream = ask<std::unique_ptr<ports::ContainerStream>>(
        [&](auto done) { runtime_->logs(id, tail, follow, recorder, done); });
    if (stream) (*stream)->allow(kPlenty);
    return stream;
  }
  ports::StreamResult copy(const std::string& id, ports::CopyDirection direction,
                           const std::string& path, Recorder& recorder) {
    auto stream = ask<std::unique_ptr<ports::ContainerStream>>(
        [&](auto done) { runtime_->copy(id, direction, path, recorder, done); });
    if (stream) (*stream)->allow(kPlenty);
    return stream;
  }
  // Sends a tar stream; the problem, or nothing.
  std::string copy_in(const std::string& id, const std::string& path, const std::string& tar) {
    Recorder recorder;
    const auto stream = copy(id, ports::CopyDirection::Into, path, recorder);
    if (!stream) return stream.error().message;
    for (std::size_t at = 0; at < tar.size(); at += 65536) {
      EXPECT_TRUE(wait_for([&] { return recorder.ends > 0 || recorder.taken >= at; }));
      (*stream)->write(to_bytes(as_bytes(std::string_view(tar).substr(at, 65536))));
    }
    (*stream)->close_input();
    EXPECT_TRUE(ended(recorder));
    return recorder.problem;
  }
  std::string copy_out(const std::string& id, const std::string& path, std::string& tar) {
    Recorder recorder;
    const auto stream = copy(id, ports::CopyDirection::OutOf, path, recorder);
    if (!stream) return stream.error().message;
    EXPECT_TRUE(ended(recorder));
    tar = recorder.out;
    return recorder.problem;
  }
};

struct Entry {
  std::string path;
  std::string content;
  mode_t type = AE_IFREG;
  int mode = 0644;
  int user = 0;
  std::string link;
};

std::string tar_of(const std::vector<Entry>& entries) {
  std::string tar(1 << 20, '\0');
  std::size_t used = 0;
  archive* writer = ::archive_write_new();
  ::archive_write_set_format_pax(writer);
  ::archive_write_open_memory(writer, tar.data(), tar.size(), &used);
  for (const Entry& one : entries) {
    archive_entry* entry = ::archive_entry_new();
    ::archive_entry_set_pathname(entry, one.path.c_str());
    ::archive_entry_set_filetype(entry, one.type);
    ::archive_entry_set_perm(entry, static_cast<mode_t>(one.mode));
    ::archive_entry_set_uid(entry, one.user);
    ::archive_entry_set_gid(entry, one.user);
    ::archive_entry_set_size(entry, static_cast<la_int64_t>(one.content.size()));
    if (one.type == AE_IFLNK) ::archive_entry_set_symlink(entry, one.link.c_str());
    if (one.type == AE_IFREG && !one.link.empty()) {
      ::archive_entry_set_hardlink(entry, one.link.c_str());
    }
    ::archive_write_header(writer, entry);
    ::archive_write_data(writer, one.content.data(), one.content.size());
    ::archive_entry_free(entry);
  }
  ::archive_write_close(writer);
  ::archive_write_free(writer);
  tar.resize(used);
  return tar;
}

// Paths and what they have: content, "/" or "-> target".
std::map<std::string, std::string> listed(const std::string& tar) {
  std::map<std::string, std::string> all;
  archive* reader = ::archive_read_new();
  ::archive_read_support_format_tar(reader);
  ::archive_read_open_memory(reader, tar.data(), tar.size());
  archive_entry* entry = nullptr;
  while (::archive_read_next_header(reader, &entry) == ARCHIVE_OK) {
    std::string content(static_cast<std::size_t>(::archive_entry_size(entry)), '\0');
    ::archive_read_data(reader, content.data(), content.size());
    if (::archive_entry_filetype(entry) == AE_IFDIR) content = "/";
    if (::archive_entry_filetype(entry) == AE_IFLNK) {
      content = std::string("-> ") + ::archive_entry_symlink(entry);
    }
    const char* path = ::archive_entry_pathname(entry);
    all[path != nullptr ? path : "(no name)"] =
        content + " " + std::to_string(::archive_entry_uid(entry));
  }
  ::archive_read_free(reader);
  return all;
}

TEST_F(StreamsTest, WhoAttachesAgainGoesOnWhereTheLastOneStopped) {
  Recorder first;
  auto stream = start(order("talks", shell("echo 1; read a; echo 2; read b; echo 3; read c")),
                      &first, 1 << 20);
  ASSERT_TRUE(stream);
  ASSERT_TRUE(wait_for([&] { return first.out == "1\n"; }));
  (*stream)->write(to_bytes(as_bytes("go\n")));
  stream->reset();
  Recorder second;
  auto again = attach("talks", second);
  ASSERT_TRUE(again);
  (*again)->allow(kPlenty);
  ASSERT_TRUE(wait_for([&] { return second.out == "2\n"; }));
  EXPECT_EQ(first.out, "1\n");
  EXPECT_EQ(first.ends, 0);

  Recorder third;
  const auto instead = attach("talks", third);
  ASSERT_TRUE(instead);
  EXPECT_EQ(second.ends, 1);
  EXPECT_THAT(second.problem, HasSubstr("somebody else attached"));
  (*instead)->allow(kPlenty);
  (*instead)->write(to_bytes(as_bytes("go\ngo\n")));
  ASSERT_TRUE(ended(third));
  EXPECT_EQ(third.out, "3\n");
  EXPECT_EQ(second.out, "2\n");
}

TEST_F(StreamsTest, InputThatNobodyTakesIsBoundedHoweverManyAttach) {
  constexpr std::size_t kPipe = 64 * 1024;
  Recorder first;
  auto stream =
      start(order("deaf",
                  shell("trap 'go=1' USR1; echo up; while [ -z $go ]; do sleep 0.01; done; wc -c")),
            &first);
  ASSERT_TRUE(stream);
  ASSERT_TRUE(wait_for([&] { return first.out == "up\n"; }));
  stream->reset();
  for (int i = 0; i < 8; ++i) {
    Recorder recorder;
    stream = attach("deaf", recorder);
    ASSERT_TRUE(stream);
    (*stream)->write(Bytes(ports::kMaxPendingInput, 'x'));
    stream->reset();
  }
  Recorder recorder;
  stream = attach("deaf", recorder);
  ASSERT_TRUE(stream);
  (*stream)->allow(kPlenty);
  (*stream)->close_input();
  (*stream)->signal(SIGUSR1);
  ASSERT_TRUE(ended(recorder));
  EXPECT_GE(std::stoul(recorder.out), kPipe);
  EXPECT_LE(std::stoul(recorder.out), ports::kMaxPendingInput + kPipe);
}

TEST_F(StreamsTest, OutputThatNobodySawIsReplayedByLane) {
  ASSERT_TRUE(
      start(order("alone", shell("echo out; echo error >&2; echo more; sleep 1000")), nullptr));
  Recorder seen;
  const auto log = logs("alone", kPlenty, Follow::Yes, seen);
  ASSERT_TRUE(wait_for([&] { return seen.out == "out\nmore\n" && seen.error == "error\n"; }));
  Recorder recorder;
  const auto stream = attach("alone", recorder);
  ASSERT_TRUE(stream);
  (*stream)->allow(5);
  ASSERT_TRUE(wait_for([&] { return recorder.out.size() + recorder.error.size() == 5; }));
  (*stream)->allow(kPlenty);
  EXPECT_TRUE(
      wait_for([&] { return recorder.out == "out\nmore\n" && recorder.error == "error\n"; }));
}

TEST_F(StreamsTest, AClientThatLagsBehindGetsTheWholeLog) {
  constexpr std::size_t kTotal = 3'000'000;
  ASSERT_TRUE(start(order("ahead", shell("head -c 3000000 /dev/zero; sleep 1000")), nullptr));
  ASSERT_TRUE(wait_for([&] { return fs::file_size(folder_ / "state/ahead/log") > kTotal; }));
  Recorder recorder;
  const auto stream = attach("ahead", recorder);
  ASSERT_TRUE(stream);
  (*stream)->allow(kPlenty);
  // Meanwhile the monitor finds the socket full.
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_TRUE(wait_for([&] { return recorder.out.size() == kTotal; }));
}

TEST_F(StreamsTest, ALogIsFollowedToItsEnd) {
  Recorder own;
  const auto stream =
      start(order("grows", shell("i=0; while read line; do echo $line; done; exit 2")), &own);
  ASSERT_TRUE(stream);
  Recorder follower;
  const auto log = logs("grows", kPlenty, Follow::Yes, follower);
  std::string expected;
  for (int i = 0; i < 20; ++i) {
    const std::string line = std::to_string(i) + "\n";
    (*stream)->write(to_bytes(as_bytes(line)));
    expected += line;
    ASSERT_TRUE(wait_for([&] { return follower.out == expected; }));
  }
  EXPECT_EQ(follower.ends, 0);
  (*stream)->close_input();
  ASSERT_TRUE(ended(follower));
  EXPECT_EQ(follower.code, 2);
  Recorder tail;
  const auto last = logs("grows", 6, Follow::No, tail);
  ASSERT_TRUE(ended(tail));
  EXPECT_EQ(tail.out, "18\n19\n");
}

TEST_F(StreamsTest, ALongLogKeepsItsEndInBoundedSpace) {
  ASSERT_EQ(run(order("long", shell("i=0; while [ $i -lt 400 ]; do head -c 65536 /dev/zero; "
                                    "i=$((i+1)); done; echo last")))
                .code,
            0);
  std::uintmax_t bytes = 0;
  for (const char* name : {"log", "log.old"}) bytes += fs::file_size(folder_ / "state/long" / name);
  EXPECT_LE(bytes, 8U << 20);
  EXPECT_GE(bytes, 4U << 20);
  Recorder all;
  const auto stream = logs("long", kPlenty, Follow::No, all);
  ASSERT_TRUE(ended(all));
  EXPECT_THAT(all.out.substr(all.out.size() - 6), "\0last\n"s);
  EXPECT_GE(all.out.size(), 4U << 20);
}

TEST_F(StreamsTest, FilesGoInAndComeOutAsTheContainersOwn) {
  auto made = order("files", shell("read line; ls -ln /data; cat /data/new/a; cat /data/link"));
  Recorder recorder;
  const auto stream = start(std::move(made), &recorder);
  ASSERT_TRUE(stream);
  const std::string tar =
      tar_of({{.path = "new/a", .content = "content\n", .mode = 0640, .user = 1000},
              {.path = "link", .type = AE_IFLNK, .mode = 0777, .link = "new/a"},
              {.path = "second", .link = "new/a"},
              {.path = "empty/", .type = AE_IFDIR, .mode = 0700},
              {.path = "caf\xc3\xa9", .content = "x"}});
  EXPECT_EQ(copy_in("files", "/data", tar), "");
  (*stream)->write(to_bytes(as_bytes("\n")));
  ASSERT_TRUE(ended(recorder));
  EXPECT_THAT(recorder.out, HasSubstr("drwx------    2 0        0"));
  EXPECT_THAT(recorder.out, HasSubstr("-rw-r-----    2 1000     1000"));
  EXPECT_THAT(recorder.out, HasSubstr("content\ncontent\n"));
  // From one that has ended too.
  std::string out;
  EXPECT_EQ(copy_out("files", "/data", out), "");
  EXPECT_THAT(
      listed(out),
      ElementsAre(Pair("data/", "/ 0"), Pair("data/caf\xc3\xa9", "x 0"), Pair("data/empty/", "/ 0"),
                  Pair("data/link", "-> new/a 0"), Pair("data/new/", "/ 0"),
                  Pair("data/new/a", "content\n 1000"), Pair("data/second", "content\n 1000")));
  EXPECT_EQ(copy_out("files", "/data/new/a", out), "");
  EXPECT_THAT(listed(out), ElementsAre(Pair("a", "content\n 1000")));
  EXPECT_THAT(copy_out("files", "/nosuch", out), HasSubstr("/nosuch"));
}

TEST_F(StreamsTest, NoPathInATarStreamLeavesTheContainer) {
  const fs::path outside = folder_ / "outside";
  fs::create_directories(outside);
  std::ofstream(outside / "secret") << "secret";
  ASSERT_EQ(run(order("evil", {"/bin/true"})).code, 0);
  const fs::path host = fs::path("/") / outside.relative_path();
  const auto path = [](const std::string& name) {
    return std::vector<Entry>{{.path = name, .content = "x"}};
  };
  EXPECT_NE(copy_in("evil", "/data", tar_of(path("../../../x"))), "");
  EXPECT_EQ(copy_in("evil", "/data", tar_of(path("/absolute"))), "");
  EXPECT_EQ(
      copy_in(
          "evil", "/data",
          tar_of(
              {{.path = "up", .type = AE_IFLNK, .link = "../../../../../../.." + host.string()}})),
      "");
  EXPECT_EQ(copy_in("evil", "/data", tar_of({{.path = "abs", .type = AE_IFLNK, .link = host}})),
            "");
  // Inside, the links lead to folders of the container's own that are not there.
  EXPECT_NE(copy_in("evil", "/data", tar_of(path("up/planted"))), "");
  EXPECT_NE(copy_in("evil", "/data", tar_of(path("abs/planted"))), "");
  EXPECT_NE(copy_in("evil", "/data/abs", tar_of(path("planted"))), "");
  std::string out;
  EXPECT_NE(copy_out("evil", "/data/abs/secret", out), "");
  EXPECT_NE(copy_in("evil", "/data", tar_of({{.path = "hard", .link = "abs/secret"}})), "");
  EXPECT_NE(copy_in("evil", "/data", tar_of({{.path = "device", .type = AE_IFCHR}})), "");
  EXPECT_NE(copy_in("evil", "/data", tar_of({{.path = "owner", .content = "x", .user = 100000}})),
            "");
  EXPECT_NE(copy_in("evil", "/data",
                    "no tar stream, and long enough to be one " + std::string(1000, 'x')),
            "");
  EXPECT_EQ(copy_in("evil", "/data", ""), "");
  EXPECT_EQ(std::distance(fs::directory_iterator(outside), {}), 1);
  EXPECT_EQ(copy_out("evil", "/data/absolute", out), "");
  EXPECT_THAT(listed(out), ElementsAre(Pair("absolute", "x 0")));
}

TEST_F(StreamsTest, ACopyThatNobodyTakesEndsWithItsStream) {
  ASSERT_EQ(run(order("full", shell("head -c 20000000 /dev/zero >/data/zeros"))).code, 0);
  for (int i = 0; i < 20; ++i) {
    Recorder recorder;
    auto stream = ask<std::unique_ptr<ports::ContainerStream>>([&](auto done) {
      runtime_->copy("full", ports::CopyDirection::OutOf, "/data", recorder, done);
    });
    ASSERT_TRUE(stream) << stream.error().message;
    (*stream)->allow(100);
    ASSERT_TRUE(wait_for([&] { return recorder.out.size() == 100; }));
    stream->reset();
    // A place is free again once the copy's thread has seen it.
    Recorder next;
    ASSERT_TRUE(wait_for([&] {
      auto other = ask<std::unique_ptr<ports::ContainerStream>>([&](auto done) {
        runtime_->copy("full", ports::CopyDirection::OutOf, "/bin/sh", next, done);
      });
      return other.has_value();
    }));
  }
}

TEST_F(StreamsTest, AReadOnlyRootTakesNoFiles) {
  auto made = order("fixed", {"/bin/true"});
  made.spec.root = containers::Access::ReadOnly;
  ASSERT_EQ(run(std::move(made)).code, 0);
  EXPECT_THAT(copy_in("fixed", "/data", tar_of({{.path = "x", .content = "x"}})),
              HasSubstr("read-only"));
}

TEST_F(StreamsTest, AConnectionReachesWhatListensInTheContainer) {
  Recorder own;
  const auto container = start(order("serves", shell("echo up; nc -l -p 8080 -e cat")), &own);
  ASSERT_TRUE(container);
  ASSERT_TRUE(wait_for([&] { return own.out == "up\n"; }));
  Recorder recorder;
  const auto connect = [&](std::uint16_t port) {
    return ask<std::unique_ptr<ports::ContainerStream>>(
        [&](auto done) { runtime_->connect("serves", port, recorder, done); });
  };
  EXPECT_EQ(connect(8081).error().code, ErrorCode::Unavailable);
  ports::StreamResult stream = connect(8080);
  // It says that it is up before it listens.
  ASSERT_TRUE(wait_for([&] {
    if (!stream) stream = connect(8080);
    return stream.has_value();
  }));
  (*stream)->write(to_bytes(as_bytes("hello")));
  ASSERT_TRUE(wait_for([&] { return recorder.taken == 5; }));
  EXPECT_THAT(recorder.out, IsEmpty());
  (*stream)->allow(kPlenty);
  (*stream)->close_input();
  ASSERT_TRUE(ended(recorder));
  EXPECT_EQ(recorder.out, "hello");
  EXPECT_EQ(recorder.code, 0);
}

TEST_F(StreamsTest, AVolumeOutlivesItsContainerAndIsItsTenantsAlone) {
  if (const auto can = containers_linux::can_limit_disk(); !can)
    GTEST_SKIP() << can.error().message;
  const auto with_volume = [&](const std::string& id, const std::string& tenant,
                               const std::string& script) {
    auto made = order(id, shell(script));
    made.tenant = tenant;
    made.spec.volumes = {{.name = "data", .path = "/data", .bytes = 8 << 20}};
    return made;
  };
  ASSERT_EQ(run(with_volume("one", "alice", "echo kept >/data/file")).code, 0);
  std::string out;
  EXPECT_EQ(copy_out("one", "/data/file", out), "");
  EXPECT_THAT(listed(out), ElementsAre(Pair("file", "kept\n 0")));
  ASSERT_TRUE(remove("one"));
  EXPECT_EQ(run(with_volume("two", "alice", "cat /data/file")).out, "kept\n");
  EXPECT_EQ(run(with_volume("three", "bob", "ls /data")).out.find("file"), std::string::npos);
}

}  // namespace
}  // namespace hm::container_runtime
