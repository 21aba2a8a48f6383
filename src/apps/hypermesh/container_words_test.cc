// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/container_words.h"

#include <gtest/gtest.h>

#include <csignal>

#include "apps/hypermesh/progress_line.h"
#include "apps/hypermesh/run_replicas.h"
#include "apps/hypermesh/run_wish.h"
#include "apps/hypermesh/service_wish.h"
#include "core/containers/limits.h"
#include "node/hosting/run_plan.h"

namespace hm::cli {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

LookUp nothing() {
  return [](const std::string&) { return std::nullopt; };
}

template <class T>
void expect_usage(const Answer<T>& answer, const std::string& text) {
  ASSERT_FALSE(answer) << text;
  EXPECT_EQ(answer.error().exit, ExitCode::Usage) << text;
  EXPECT_FALSE(answer.error().what.empty()) << text;
  EXPECT_FALSE(answer.error().why.empty()) << text;
  EXPECT_FALSE(answer.error().to_do.empty()) << text;
}

TEST(ContainerWords, SizesArePowersOf1000OrOf1024AndAbove0) {
  EXPECT_EQ(bytes_of("--memory", "256M"), 256'000'000U);
  EXPECT_EQ(bytes_of("--memory", "256Mi"), 256 * kMiB);
  EXPECT_EQ(bytes_of("--memory", "1GiB"), 1024 * kMiB);
  EXPECT_EQ(bytes_of("--memory", "4096"), 4096U);
  for (const char* text : {"", "0", "-1", "M", "1m", "1 G", "1e9", "99999999999G", "1.0000001k"}) {
    expect_usage(bytes_of("--memory", text), text);
  }
  EXPECT_NE(bytes_of("--memory", "x").error().what.find("--memory"), std::string::npos);
}

TEST(ContainerWords, ProcessorsAreDecimalsOrThousandths) {
  EXPECT_EQ(millicores_of("--cpu", "0.5"), 500U);
  EXPECT_EQ(millicores_of("--cpu", "2"), 2000U);
  EXPECT_EQ(millicores_of("--cpu", "1.25"), 1250U);
  EXPECT_EQ(millicores_of("--cpu", "1500m"), 1500U);
  EXPECT_EQ(millicores_of("--cpu", "10m"), 10U);
  for (const char* text :
       {"", "0", "0.001", "9m", "1.2345", "-1", "1,5", "m", "2cores", "1k", "5000", "1.5m", "."}) {
    expect_usage(millicores_of("--cpu", text), text);
  }
}

TEST(ContainerWords, VolumesAreNameAndPathThenSizeAndAccess) {
  using containers::Access;
  using containers::Volume;
  EXPECT_EQ(volume_of("data:/data"), (Volume{"data", "/data", kDefaultVolumeBytes}));
  EXPECT_EQ(volume_of("data:/data:10M"), (Volume{"data", "/data", 10'000'000}));
  EXPECT_EQ(volume_of("data:/data:ro"),
            (Volume{"data", "/data", kDefaultVolumeBytes, Access::ReadOnly}));
  EXPECT_EQ(volume_of("data:/data:8Mi:ro"), (Volume{"data", "/data", 8 * kMiB, Access::ReadOnly}));
  EXPECT_EQ(volume_of("data:/data:8Mi:rw"), (Volume{"data", "/data", 8 * kMiB}));
  for (const char* text : {"", "data", ":/data", "data:", "data:data", "/srv:/data", "./a:/data",
                           "data:/data:", "data:/data:1M:2M", "data:/data:big", "data:/data:1M"}) {
    expect_usage(volume_of(text), text);
  }
  EXPECT_NE(volume_of("/srv:/data").error().why.find("hypermesh cp"), std::string::npos);
}

TEST(ContainerWords, ScratchTakesOfTheMemory) {
  using containers::Scratch;
  EXPECT_EQ(scratch_of("/s", 256 * kMiB), (Scratch{"/s", kDefaultScratchBytes}));
  EXPECT_EQ(scratch_of("/s", 10 * kMiB), (Scratch{"/s", 10 * kMiB}));
  EXPECT_EQ(scratch_of("/s:1M", 10 * kMiB), (Scratch{"/s", 1'000'000}));
  for (const char* text : {"", "s", ":1M", "/s:", "/s:0", "/s:x", "/s:11Mi"}) {
    expect_usage(scratch_of(text, 10 * kMiB), text);
  }
}

TEST(ContainerWords, PortsMayNameAnAddress) {
  EXPECT_EQ(port_of("8080:80"), (PortWord{"::1", 8080, 80}));
  EXPECT_EQ(port_of("0:80"), (PortWord{"::1", 0, 80}));
  EXPECT_EQ(port_of("127.0.0.1:8080:80"), (PortWord{"127.0.0.1", 8080, 80}));
  EXPECT_EQ(port_of("[::1]:8080:80"), (PortWord{"::1", 8080, 80}));
  EXPECT_EQ(port_of("[::]:8080:80"), (PortWord{"::", 8080, 80}));
  EXPECT_EQ(listen_words({"::1", 8080, 80}), "[::1]:8080");
  EXPECT_EQ(listen_words({"127.0.0.1", 1, 2}), "127.0.0.1:1");
  for (const char* text :
       {"", "80", ":", ":80", "80:", "8080:0", "8080:65536", "70000:80", "a:b", "8080:80/udp",
        "host:8080:80", "::1:8080:80", "[::1:8080:80", "[]:8080:80", "-1:80", "1:2:3:4"}) {
    expect_usage(port_of(text), text);
  }
}

TEST(ContainerWords, RestartPoliciesReadAsTheyAreWritten) {
  for (const char* text : {"no", "always", "on-failure", "on-failure:5"}) {
    const auto policy = restart_of(text);
    ASSERT_TRUE(policy) << text;
    EXPECT_EQ(restart_words(*policy), text);
  }
  for (const char* text :
       {"", "never", "on-failure:", "on-failure:0", "on-failure:x", "always:3"}) {
    expect_usage(restart_of(text), text);
  }
}

TEST(ContainerWords, SignalsHaveNamesAndNumbers) {
  for (const char* text : {"TERM", "term", "SIGTERM", "sigterm", "15"}) {
    EXPECT_EQ(signal_of(text), SIGTERM) << text;
  }
  EXPECT_EQ(signal_of("9"), SIGKILL);
  EXPECT_EQ(signal_of("64"), 64);
  EXPECT_EQ(signal_words(SIGHUP), "SIGHUP");
  EXPECT_EQ(signal_words(63), "63");
  for (const char* text : {"", "0", "65", "-9", "NOPE", "SIG", "SIGSIGTERM", "9 "}) {
    expect_usage(signal_of(text), text);
  }
}

TEST(ContainerWords, AVariableWithoutAValueHasTheOneItHasHere) {
  const LookUp here = [](const std::string& name) -> std::optional<std::string> {
    if (name == "HOME") return "/h";
    return std::nullopt;
  };
  EXPECT_EQ(variable_of("A=1", here), "A=1");
  EXPECT_EQ(variable_of("A=", here), "A=");
  EXPECT_EQ(variable_of("A=b=c", here), "A=b=c");
  EXPECT_EQ(variable_of("HOME", here), "HOME=/h");
  for (const char* text : {"", "=1", "MISSING"}) expect_usage(variable_of(text, here), text);
}

TEST(ContainerWords, CopiesTellRunsFromPaths) {
  EXPECT_EQ(copy_side_of("web:/srv/a:b"), (CopySide{"web", "/srv/a:b"}));
  EXPECT_EQ(copy_side_of("./a:b"), (CopySide{"", "./a:b"}));
  EXPECT_EQ(copy_side_of("/var/web:x"), (CopySide{"", "/var/web:x"}));
  EXPECT_EQ(copy_side_of("notes.txt"), (CopySide{"", "notes.txt"}));
  EXPECT_EQ(copy_side_of("-"), (CopySide{"", "-"}));
  for (const char* text : {"", ":/srv", "web:", "web:srv"}) expect_usage(copy_side_of(text), text);
}

TEST(ContainerWords, EveryRefusalOfASpecSaysWhatToDo) {
  for (int i = 0; i <= static_cast<int>(containers::SpecError::RootMustBeReadOnly); ++i) {
    const Failure failure = refusal_of(static_cast<containers::SpecError>(i));
    EXPECT_EQ(failure.exit, ExitCode::Usage) << i;
    EXPECT_FALSE(failure.what.empty()) << i;
    EXPECT_FALSE(failure.why.empty()) << i;
    EXPECT_FALSE(failure.to_do.empty()) << i;
  }
}

ContainerRun plain_run() {
  ContainerRun run;
  run.image = "alpine";
  return run;
}

TEST(RunWish, WhatIsNotSaidIsTheDefaultOfTheSpecWithHalfOfAProcessorOrAWholeOneOfItsOwn) {
  auto plain = plain_run();
  const auto wish = run_wish_of(plain, nothing());
  ASSERT_TRUE(wish);
  containers::RunSpec expected;
  expected.limits.cpu_millicores = 500;
  EXPECT_EQ(wish->spec, expected);
  plain.pins = true;
  EXPECT_EQ(run_wish_of(plain, nothing())->spec.limits.cpu_millicores, 1000U);
  EXPECT_EQ(wish->duration_ms, 3'600'000U);
  EXPECT_FALSE(wish->highest_price);
}

TEST(RunWish, EveryOptionReachesTheSpec) {
  ContainerRun run = plain_run();
  run.command = {"sh", "-c", "true"};
  run.cpu = "2";
  run.memory = "512Mi";
  run.disk = "1Gi";
  run.pins = true;
  run.pids = 64;
  run.net = "mesh";
  run.environment = {"A=1"};
  run.volumes = {"data:/data:8Mi"};
  run.scratch = {"/scratch:1Mi"};
  run.ports = {"8080:80"};
  run.terminal = true;
  run.name = "web";
  run.user = "1000:1000";
  run.directory = "/srv";
  run.entrypoint = "/bin/init";
  run.isolation = "container+";
  run.restart = "on-failure:3";
  run.duration = "2h";
  run.filter = "trust>=600,owner!=mallory";
  run.highest_price = "0.5";
  const auto wish = run_wish_of(run, nothing());
  ASSERT_TRUE(wish) << wish.error().what;
  containers::RunSpec spec;
  spec.name = "web";
  spec.entrypoint = containers::RunSpec::Entrypoint::Replaced;
  spec.process = {.arguments = {"/bin/init", "sh", "-c", "true"},
                  .environment = {"A=1"},
                  .working_directory = "/srv",
                  .user = "1000:1000",
                  .terminal = containers::Terminal::Pty};
  spec.limits.cpu_millicores = 2000;
  spec.limits.cpu_mode = containers::CpuMode::Pinned;
  spec.limits.memory_bytes = 512 * kMiB;
  spec.limits.disk_bytes = 1024 * kMiB;
  spec.limits.pids = 64;
  spec.network = privacy::NetworkClass::Mesh;
  spec.isolation = containers::Isolation::ContainerPlus;
  spec.root = containers::Access::ReadOnly;
  spec.volumes = {{"data", "/data", 8 * kMiB}};
  spec.scratch = {{"/scratch", kMiB}};
  spec.restart = {containers::RestartWhen::OnFailure, 3};
  EXPECT_EQ(wish->spec, spec);
  EXPECT_EQ(wish->ports, (std::vector<PortWord>{{"::1", 8080, 80}}));
  EXPECT_EQ(wish->duration_ms, 7'200'000U);
  EXPECT_EQ(wish->filter, "trust>=600,owner!=mallory");
  EXPECT_EQ(wish->highest_price, caesar::parse_amount("0.5"));
}

TEST(RunWish, AnEmptyEntrypointLeavesTheCommandAlone) {
  ContainerRun run = plain_run();
  run.entrypoint = "";
  run.command = {"ls"};
  const auto wish = run_wish_of(run, nothing());
  ASSERT_TRUE(wish);
  EXPECT_EQ(wish->spec.entrypoint, containers::RunSpec::Entrypoint::Replaced);
  EXPECT_EQ(wish->spec.process.arguments, std::vector<std::string>{"ls"});
}

TEST(RunWish, LeasesCoverTheLimitsAndOnlyTheProcessorsCarryTheNetwork) {
  using assets::AssetKind;
  using hosting::needed_leases;
  using hosting::NeededLease;
  ContainerRun run = plain_run();
  run.cpu = "0.5";
  run.memory = "64Mi";
  run.net = "internet";
  const auto small = run_wish_of(run, nothing());
  ASSERT_TRUE(small);
  EXPECT_EQ(needed_leases(small->spec),
            (std::vector<NeededLease>{{AssetKind::Cpu, 500, privacy::NetworkClass::Internet},
                                      {AssetKind::Memory, 64 * kMiB}}));
  run.disk = "16Mi";
  run.volumes = {"a:/a:4Mi", "b:/b:8Mi:ro"};
  const auto large = run_wish_of(run, nothing());
  ASSERT_TRUE(large);
  EXPECT_EQ(needed_leases(large->spec).back(), (NeededLease{AssetKind::Storage, 28 * kMiB}));
}

TEST(RunWish, WhatCannotBeMeantIsRefused) {
  const auto refused = [](const std::function<void(ContainerRun&)>& change) {
    ContainerRun run = plain_run();
    change(run);
    const auto wish = run_wish_of(run, nothing());
    EXPECT_FALSE(wish);
    if (!wish) {
      EXPECT_EQ(wish.error().exit, ExitCode::Usage) << wish.error().what;
      EXPECT_FALSE(wish.error().to_do.empty()) << wish.error().what;
      return wish.error().what + wish.error().to_do;
    }
    return std::string();
  };
  EXPECT_NE(refused([](auto& r) {
              r.detach = true;
              r.ports = {"1:2"};
            }).find("hypermesh forward"),
            std::string::npos);
  refused([](auto& r) { r.volumes = {"a:/same", "b:/same"}; });
  refused([](auto& r) { r.volumes = {"a:/one", "a:/two"}; });
  refused([](auto& r) {
    r.volumes = {"a:/same"};
    r.scratch = {"/same"};
  });
  refused([](auto& r) { r.volumes = {"a:/"}; });
  refused([](auto& r) { r.volumes = {"A:/a"}; });
  refused([](auto& r) { r.scratch = {"/a/../b"}; });
  refused([](auto& r) { r.name = "Web_1"; });
  refused([](auto& r) { r.user = "a b"; });
  refused([](auto& r) { r.directory = "srv"; });
  refused([](auto& r) { r.memory = "1M"; });
  refused([](auto& r) { r.disk = "1M"; });
  refused([](auto& r) { r.duration = "0s"; });
  refused([](auto& r) { r.highest_price = "much"; });
  refused([](auto& r) { r.filter = "kind=gpu"; });
  refused([](auto& r) { r.filter = "quantity=4"; });
  refused([](auto& r) { r.filter = "trust>=5000"; });
  refused([](auto& r) { r.environment = {"MISSING"}; });
  refused([](auto& r) {
    r.pins = true;
    r.cpu = "0.5";
  });
  refused([](auto& r) {
    r.local = true;
    r.plan = true;
  });
}

TEST(Services, ChecksAreReadAsTheyAreWritten) {
  using containers::HealthCheck;
  using containers::HealthKind;
  const auto check = [](const std::string& text) {
    ContainerRun run = plain_run();
    run.health = text;
    return health_of(run);
  };
  EXPECT_EQ(health_of(plain_run()).value(), HealthCheck{});
  EXPECT_EQ(check("tcp:80").value(), (HealthCheck{.kind = HealthKind::Tcp, .port = 80}));
  EXPECT_EQ(check("http:8080").value(),
            (HealthCheck{.kind = HealthKind::Http, .port = 8080, .path = "/"}));
  EXPECT_EQ(check("http:8080/a?b=c:d").value().path, "/a?b=c:d");
  EXPECT_EQ(check("exec:test -e /a:b").value(),
            (HealthCheck{.kind = HealthKind::Exec, .command = "test -e /a:b"}));
  for (const char* text : {"", "tcp", "tcp:", "tcp:0", "tcp:65536", "tcp:80/x", "udp:53", "http:x",
                           "http:80x", "http:80/a b", "exec:", "none:"}) {
    const auto refused = check(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().exit, ExitCode::Usage) << text;
  }
  ContainerRun run = plain_run();
  run.health = "tcp:80";
  run.health_interval = "2s";
  run.health_retries = 5;
  const auto quick = health_of(run);
  ASSERT_TRUE(quick);
  EXPECT_EQ(quick->interval_ms, 2'000U);
  EXPECT_EQ(quick->timeout_ms, 2'000U) << "not longer than the interval";
  EXPECT_EQ(quick->retries, 5U);
  run.health_timeout = "3s";
  expect_usage(health_of(run), "--health-timeout");
  run.health_interval = "2h";
  expect_usage(health_of(run), "--health-interval");
}

TEST(Services, WhatIsNoServiceIsRefusedBeforeTheNodeIsAsked) {
  ContainerRun service = plain_run();
  service.detach = true;
  service.replicas = 1;
  service.name = "web";
  EXPECT_TRUE(check_replicas(service));
  service.restart = "always";
  EXPECT_TRUE(check_replicas(service)) << "its provider's, on the same machine";
  const auto refused = [&](auto change) {
    ContainerRun changed = service;
    change(changed);
    const auto outcome = check_replicas(changed);
    return !outcome && outcome.error().exit == ExitCode::Usage;
  };
  EXPECT_TRUE(refused([](auto& r) { r.quorum = 1; }));
  EXPECT_TRUE(refused([](auto& r) { r.local = true; }));
  EXPECT_TRUE(refused([](auto& r) { r.input = true; }));
  EXPECT_TRUE(refused([](auto& r) { r.terminal = true; }));
  EXPECT_TRUE(refused([](auto& r) { r.remove = true; }));
  EXPECT_TRUE(refused([](auto& r) { r.name = ""; }));
  EXPECT_TRUE(refused([](auto& r) { r.health = "udp:1"; }));
  EXPECT_TRUE(refused([](auto& r) { r.detach = false; })) << "a job has three or more";
  ContainerRun run = plain_run();
  run.health = "tcp:80";
  expect_usage(run_wish_of(run, nothing()), "--health");
}

TEST(RunWish, ExecNeedsACommand) {
  ContainerExec exec;
  exec.run = "web";
  expect_usage(process_of(exec, nothing()), "no command");
  exec.command = {"ls"};
  exec.environment = {"A=1"};
  const auto process = process_of(exec, nothing());
  ASSERT_TRUE(process);
  EXPECT_EQ(process->arguments, std::vector<std::string>{"ls"});
  exec.directory = "relative";
  expect_usage(process_of(exec, nothing()), "relative");
}

TEST(ProgressWords, RateAndRestAreSaidOnceTheyMeanSomething) {
  using std::chrono::milliseconds;
  EXPECT_EQ(progress_words("fetching", 0, 0, 0, milliseconds(0)), "fetching");
  EXPECT_EQ(progress_words("fetching", kMiB, 0, kMiB, milliseconds(100)), "fetching  1 MiB");
  EXPECT_EQ(progress_words("fetching", 2 * kMiB, 10 * kMiB, 2 * kMiB, milliseconds(1000)),
            "fetching  2 MiB of 10 MiB  2 MiB/s  4.9 s left");
  EXPECT_EQ(progress_words("fetching", kMiB, kMiB, kMiB, milliseconds(1000)),
            "fetching  1 MiB of 1 MiB  1 MiB/s");
}

}  // namespace
}  // namespace hm::cli
