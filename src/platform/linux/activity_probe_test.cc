// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/activity_probe.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <string>

#include "platform/linux/doctor_checks.h"
#include "platform/linux/planted_tree.h"

namespace hm::linux {
namespace {

using namespace std::chrono_literals;
using activity::Absence;
using activity::Measured;
using activity::Permille;
using activity::PowerSource;
using activity::Pressure;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr std::int64_t kWallSeconds = 1'800'000'000;
constexpr UnixMillis kWall{static_cast<std::uint64_t>(kWallSeconds) * 1000};

MonoTime at(Duration since_start) { return MonoTime{} + since_start; }

// A machine with a terminal, a keyboard, a screen in use and an adapter.
class PlantedActivity : public ::testing::Test {
 protected:
  PlantedActivity() {
    proc.file("stat", "cpu  1000 0 0 9000 0 0 0 0 0 0\n");
    for (const char* resource : {"cpu", "io", "memory"}) {
      proc.file("pressure/" + std::string(resource),
                "some avg10=1.25 avg60=0.00 avg300=0.00 total=1\n");
    }
    dev.folder("pts");
    sys.folder("class/power_supply");
    run.folder("systemd/sessions");
  }

  ActivityProbeOptions options() const {
    return {.proc_root = proc.root(),
            .sys_root = sys.root(),
            .dev_root = dev.root(),
            .run_root = run.root(),
            .lent_group = {}};
  }
  DoctorOptions doctor_options() const {
    return {.proc_root = proc.root(),
            .sys_root = sys.root(),
            .dev_root = dev.root(),
            .run_root = run.root()};
  }

  void plant_terminal(const std::string& name, std::int64_t accessed) {
    dev.file(name, "");
    touch(name, accessed);
  }
  void touch(const std::string& name, std::int64_t accessed) {
    const std::array<timespec, 2> times{timespec{.tv_sec = accessed, .tv_nsec = 0},
                                        timespec{.tv_sec = kWallSeconds, .tv_nsec = 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, (dev.root() + "/" + name).c_str(), times.data(), 0), 0);
  }
  void plant_input(const std::string& name) {
    sys.folder("class/input/" + name);
    dev.file("input/" + name, "keys");
  }
  void read_input(const std::string& name) {
    std::ifstream device(dev.root() + "/input/" + name);
    EXPECT_EQ(device.get(), 'k');
  }
  void plant_session(const std::string& name, const std::string& type, const std::string& remote) {
    run.file("systemd/sessions/" + name,
             "STATE=active\nREMOTE=" + remote + "\nTYPE=" + type + "\nCLASS=user\n");
  }

  PlantedTree proc;
  PlantedTree sys;
  PlantedTree dev;
  PlantedTree run;
};

TEST_F(PlantedActivity, LoadIsWhatWasUsedSinceTheLastLook) {
  const auto probe = make_activity_probe(options());
  EXPECT_EQ(probe->read(at(0s), kWall).load, Measured<Permille>(Absence::NeedsInterval));
  proc.file("stat", "cpu  1100 50 50 9600 100 10 10 80 100 0\n");  // 220 busy, 700 idle, 80 stolen
  const auto reading = probe->read(at(5s), kWall);
  EXPECT_EQ(reading.load, Measured<Permille>(220U));
  EXPECT_EQ(reading.lent, Measured<Permille>(0U));
  EXPECT_EQ(probe->read(at(5s), kWall).load, Measured<Permille>(Absence::NeedsInterval))
      << "no tick has passed";
}

TEST_F(PlantedActivity, WhatLeasesUsedIsNotTheOwners) {
  struct Case {
    const char* file;
    const char* before;
    const char* after;
  };
  const auto ticks = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  ASSERT_EQ(ticks, 100U);
  const Case cases[] = {
      {"cpu.stat", "usage_usec 7000000\n", "usage_usec 10000000\n"},
      {"cpuacct.usage", "7000000000\n", "10000000000\n"},
  };
  for (const Case& version : cases) {
    SCOPED_TRACE(version.file);
    const std::string file = "fs/cgroup/lent/" + std::string(version.file);
    proc.file("stat", "cpu  1000 0 0 9000 0 0 0 0 0 0\n");
    sys.file(file, version.before);
    auto lending = options();
    lending.lent_group = "fs/cgroup/lent";
    const auto probe = make_activity_probe(lending);
    probe->read(at(0s), kWall);
    proc.file("stat", "cpu  1400 0 0 9600 0 0 0 0 0 0\n");
    sys.file(file, version.after);  // 3 s of 10 s
    const auto reading = probe->read(at(5s), kWall);
    EXPECT_EQ(reading.lent, Measured<Permille>(300U));
    EXPECT_EQ(reading.load, Measured<Permille>(100U));

    proc.file("stat", "cpu  1800 0 0 10200 0 0 0 0 0 0\n");
    sys.remove("fs/cgroup/lent");
    EXPECT_EQ(probe->read(at(10s), kWall).load, Measured<Permille>(400U)) << "the group is gone";
    proc.file("stat", "cpu  2200 0 0 10800 0 0 0 0 0 0\n");
    sys.file(file, "garbage");
    const auto malformed = probe->read(at(15s), kWall);
    EXPECT_EQ(malformed.lent, Measured<Permille>(Absence::Malformed));
    EXPECT_EQ(malformed.load, Measured<Permille>(400U)) << "nothing is taken off on a guess";
    sys.remove("fs/cgroup/lent");
  }
}

TEST_F(PlantedActivity, LentTimeBeyondAllThatWasUsedLeavesNoLoad) {
  auto lending = options();
  lending.lent_group = "fs/cgroup/lent";
  const auto probe = make_activity_probe(lending);
  probe->read(at(0s), kWall);
  proc.file("stat", "cpu  1400 0 0 9600 0 0 0 0 0 0\n");
  sys.file("fs/cgroup/lent/cpu.stat", "usage_usec 18446744073709551615\n");
  const auto reading = probe->read(at(5s), kWall);
  EXPECT_EQ(reading.load, Measured<Permille>(0U));
  EXPECT_EQ(reading.lent, Measured<Permille>(activity::kWholeMachine));
}

TEST_F(PlantedActivity, IdleTimeThatGoesBackIsNoLoad) {
  const auto probe = make_activity_probe(options());
  probe->read(at(0s), kWall);
  proc.file("stat", "cpu  900 0 0 8000 0 0 0 100 0 0\n");
  EXPECT_EQ(probe->read(at(5s), kWall).load, Measured<Permille>(0U));
}

TEST_F(PlantedActivity, PressureIsGivenOrSaysWhyNot) {
  proc.remove("pressure/io");
  proc.file("pressure/memory", "some avg10=lots\n");
  const auto reading = make_activity_probe(options())->read(at(0s), kWall);
  EXPECT_EQ(reading.cpu, Measured<Pressure>(Pressure{.some = 125, .full = {}}));
  EXPECT_EQ(reading.io, Measured<Pressure>(Absence::NotOffered));
  EXPECT_EQ(reading.memory, Measured<Pressure>(Absence::Malformed));
}

TEST_F(PlantedActivity, TheLatestTerminalCountsAndItsChangesFromThenOn) {
  plant_terminal("tty1", kWallSeconds - 9'000);
  plant_terminal("pts/0", kWallSeconds - 120);
  plant_terminal("pts/ptmx", kWallSeconds);  // output of all terminals
  plant_terminal("tty", kWallSeconds);       // another one for every process
  plant_terminal("ttyS1", kWallSeconds);     // a serial line, not a console
  const auto probe = make_activity_probe(options());
  EXPECT_EQ(probe->read(at(0s), kWall).terminal_input, Measured<milliseconds>(2min));
  EXPECT_EQ(probe->read(at(5s), kWall).terminal_input, Measured<milliseconds>(125s));
  touch("tty1", kWallSeconds - 8'000);
  EXPECT_EQ(probe->read(at(10s), kWall).terminal_input, Measured<milliseconds>(0s));
  dev.remove("pts/0");
  EXPECT_EQ(probe->read(at(15s), kWall).terminal_input, Measured<milliseconds>(5s));
  plant_terminal("pts/1", kWallSeconds - 8'000);
  EXPECT_EQ(probe->read(at(20s), kWall).terminal_input, Measured<milliseconds>(0s)) << "opened";
}

TEST_F(PlantedActivity, AWallClockThatIsSetMattersAtTheFirstLookOnly) {
  plant_terminal("pts/0", kWallSeconds + 7'200);
  const auto probe = make_activity_probe(options());
  EXPECT_EQ(probe->read(at(0s), kWall).terminal_input, Measured<milliseconds>(0s));
  EXPECT_EQ(probe->read(at(600s), kWall).terminal_input, Measured<milliseconds>(600s));
  EXPECT_EQ(probe->read(at(700s), UnixMillis{0}).terminal_input, Measured<milliseconds>(700s));
}

TEST_F(PlantedActivity, ASerialConsoleIsATerminal) {
  plant_terminal("ttyS0", kWallSeconds - 60);
  sys.file("class/tty/console/active", "tty0 ttyS0\n");
  EXPECT_EQ(make_activity_probe(options())->read(at(0s), kWall).terminal_input,
            Measured<milliseconds>(60s));
}

TEST_F(PlantedActivity, TerminalsAreCalmWithoutOneAndAbsentWithoutAPlaceForThem) {
  EXPECT_EQ(make_activity_probe(options())->read(at(0s), kWall).terminal_input,
            Measured<milliseconds>(activity::kNoInputSeen));
  dev.remove("pts");
  EXPECT_EQ(make_activity_probe(options())->read(at(0s), kWall).terminal_input,
            Measured<milliseconds>(Absence::NotOffered));
}

TEST_F(PlantedActivity, AReadOfAnInputDeviceByAProgramIsInput) {
  const auto probe = make_activity_probe(options());
  EXPECT_EQ(probe->read(at(0s), kWall).device_input, Measured<milliseconds>(Absence::NoDevice));
  plant_input("event0");
  plant_input("event7");
  EXPECT_EQ(probe->read(at(5s), kWall).device_input,
            Measured<milliseconds>(activity::kNoInputSeen));
  read_input("event7");
  EXPECT_EQ(probe->read(at(10s), kWall).device_input, Measured<milliseconds>(0s));
  EXPECT_EQ(probe->read(at(25s), kWall).device_input, Measured<milliseconds>(15s));
  read_input("event0");
  EXPECT_EQ(probe->read(at(30s), kWall).device_input, Measured<milliseconds>(0s));
}

TEST_F(PlantedActivity, AnInputDeviceThatCannotBeWatchedIsSaid) {
  plant_input("event0");
  plant_input("event1");
  const auto probe = make_activity_probe(options());
  probe->read(at(0s), kWall);
  dev.remove("input/event1");  // as in a container that was given one device
  EXPECT_EQ(probe->read(at(5s), kWall).device_input, Measured<milliseconds>(Absence::NotReadable));
  sys.remove("class/input/event1");
  EXPECT_EQ(probe->read(at(10s), kWall).device_input,
            Measured<milliseconds>(activity::kNoInputSeen));
}

TEST_F(PlantedActivity, SessionsOfPeopleAreCounted) {
  plant_session("1", "wayland", "0");
  plant_session("2", "tty", "1");
  plant_session("c3", "x11", "1");
  run.file("systemd/sessions/4", "STATE=active\nREMOTE=0\nTYPE=x11\nCLASS=greeter\n");
  run.file("systemd/sessions/1.ref", "");
  run.file("systemd/sessions/.#5abc", "half a fi");
  const auto probe = make_activity_probe(options());
  EXPECT_EQ(probe->read(at(0s), kWall).sessions,
            Measured<activity::Sessions>(
                activity::Sessions{.interactive = 3, .local_graphical = 1, .remote_graphical = 1}));
  run.file("systemd/sessions/6", "STATE=active\n");
  EXPECT_EQ(probe->read(at(5s), kWall).sessions, Measured<activity::Sessions>(Absence::Malformed));
  run.remove("systemd");
  EXPECT_EQ(probe->read(at(5s), kWall).sessions, Measured<activity::Sessions>(Absence::NotOffered));
}

TEST_F(PlantedActivity, OnBatteryIsABatteryThatDischargesWithoutMains) {
  const auto probe = make_activity_probe(options());
  const auto power = [&] { return probe->read(at(0s), kWall).power; };
  EXPECT_EQ(power(), Measured<PowerSource>(PowerSource::Mains));
  sys.file("class/power_supply/hidpp/type", "Battery\n");
  sys.file("class/power_supply/hidpp/scope", "Device\n");
  sys.file("class/power_supply/hidpp/status", "Discharging\n");
  EXPECT_EQ(power(), Measured<PowerSource>(PowerSource::Mains)) << "a mouse";
  sys.file("class/power_supply/BAT0/type", "Battery\n");
  sys.file("class/power_supply/BAT0/status", "Full\n");
  EXPECT_EQ(power(), Measured<PowerSource>(PowerSource::Mains));
  sys.file("class/power_supply/BAT0/status", "Discharging\n");
  EXPECT_EQ(power(), Measured<PowerSource>(PowerSource::Battery));
  sys.file("class/power_supply/AC/type", "Mains\n");
  sys.file("class/power_supply/AC/online", "1\n");
  EXPECT_EQ(power(), Measured<PowerSource>(PowerSource::Mains));
  sys.file("class/power_supply/AC/online", "0\n");
  EXPECT_EQ(power(), Measured<PowerSource>(PowerSource::Battery));
  sys.file("class/power_supply/AC/online", "perhaps\n");
  EXPECT_EQ(power(), Measured<PowerSource>(Absence::Malformed));
  sys.remove("class/power_supply");
  EXPECT_EQ(power(), Measured<PowerSource>(Absence::NotOffered));
}

TEST_F(PlantedActivity, MalformedAndMissingLoadIsSaid) {
  proc.file("stat", "cpu 1 2\n");
  const auto probe = make_activity_probe(options());
  EXPECT_EQ(probe->read(at(0s), kWall).load, Measured<Permille>(Absence::Malformed));
  proc.remove("stat");
  EXPECT_EQ(probe->read(at(0s), kWall).load, Measured<Permille>(Absence::NotOffered));
}

TEST_F(PlantedActivity, TheDoctorSaysWhichSignsAreThere) {
  const DoctorCheck good = check_activity(doctor_options());
  EXPECT_EQ(good.verdict, DoctorVerdict::Ok);
  EXPECT_THAT(good.found, HasSubstr("load, processor pressure"));
  EXPECT_THAT(good.found, HasSubstr("without input devices (there is no such device)"));

  proc.remove("pressure/io");
  EXPECT_EQ(check_activity(doctor_options()).verdict, DoctorVerdict::Limited);

  sys.folder("class/input/event0");
  plant_session("1", "x11", "0");
  const DoctorCheck blind = check_activity(doctor_options());
  EXPECT_EQ(blind.verdict, DoctorVerdict::No);
  EXPECT_THAT(blind.found, HasSubstr("input devices (this process may not read it)"));
  EXPECT_THAT(blind.costs, HasSubstr("never known to be idle"));
}

TEST(ActivityProbe, ThisMachineTellsItsLoad) {
  const auto probe = make_activity_probe({});
  const auto first = probe->read(at(0s), kWall);
  EXPECT_EQ(first.load, Measured<Permille>(Absence::NeedsInterval));
  // Until a tick of the processor's accounting has passed there is no load to tell.
  activity::ActivityReading reading;
  while (!reading.load) {
    reading = probe->read(at(5s), kWall);
    ASSERT_TRUE(reading.load || reading.load.absence() == Absence::NeedsInterval);
  }
  EXPECT_LE(*reading.load, activity::kWholeMachine);
}

}  // namespace
}  // namespace hm::linux
