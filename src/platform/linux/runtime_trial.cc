// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/runtime_trial.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "platform/linux/doctor_trial.h"
#include "platform/linux/kernel_text.h"
#include "platform/linux/kernel_tree.h"

namespace hm::linux {
namespace {

// The mounts that a container needs to run the host's /bin/true, if the host has them.
std::string bind_mounts(const std::string& root_folder) {
  std::string mounts = R"({"destination":"/proc","type":"proc","source":"proc"})";
  // Without a mount there, runtimes put device nodes into the folder itself.
  mounts += R"(,{"destination":"/dev","type":"tmpfs","source":"tmpfs","options":["nosuid"]})";
  ::mkdir((root_folder + "/proc").c_str(), 0755);
  ::mkdir((root_folder + "/dev").c_str(), 0755);
  for (const std::string folder : {"/usr", "/bin", "/lib", "/lib64"}) {
    if (::access(folder.c_str(), F_OK) != 0) continue;
    ::mkdir((root_folder + folder).c_str(), 0755);
    mounts += R"(,{"destination":")" + folder + R"(","type":"bind","source":")" + folder +
              R"(","options":["rbind","ro"]})";
  }
  return mounts;
}

// A bundle (OCI runtime specification) with nothing of its own: /bin/true of the host, read-only.
void write_bundle(const std::string& bundle) {
  ::mkdir((bundle + "/rootfs").c_str(), 0755);
  ::mkdir((bundle + "/state").c_str(), 0700);
  const bool is_root = ::geteuid() == 0;
  std::string namespaces =
      R"({"type":"pid"},{"type":"mount"},{"type":"ipc"},{"type":"uts"},{"type":"network"})";
  std::string extra;
  if (is_root) {
    extra = R"(,"resources":{"memory":{"limit":67108864},"pids":{"limit":64}})";
  } else {
    namespaces += R"(,{"type":"user"})";
    extra = R"(,"uidMappings":[{"containerID":0,"hostID":)" + std::to_string(::geteuid()) +
            R"(,"size":1}],"gidMappings":[{"containerID":0,"hostID":)" +
            std::to_string(::getegid()) + R"(,"size":1}])";
  }
  std::ofstream(bundle + "/config.json")
      << R"({"ociVersion":"1.0.2","process":{"terminal":false,"user":{"uid":0,"gid":0},)"
      << R"("args":["/bin/true"],"env":["PATH=/usr/bin:/bin"],"cwd":"/","noNewPrivileges":true},)"
      << R"("root":{"path":"rootfs","readonly":true},"mounts":[)" << bind_mounts(bundle + "/rootfs")
      << R"(],"linux":{"namespaces":[)" << namespaces << "]" << extra << "}}";
}

// The root folder goes folder by folder: whatever is still mounted in it must never be emptied.
void remove_bundle(const std::string& bundle) {
  for (const char* folder : {"/proc", "/dev", "/usr", "/bin", "/lib", "/lib64", ""}) {
    ::rmdir((bundle + "/rootfs" + folder).c_str());
  }
  std::error_code ignored;
  std::filesystem::remove_all(bundle + "/state", ignored);
  ::unlink((bundle + "/config.json").c_str());
  ::rmdir(bundle.c_str());
}

// Where version 2 is mounted, if version 1 has controllers too.
std::string cgroup2_beside_version_1() {
  std::string version_2;
  bool has_version_1 = false;
  const auto text = KernelTree("/proc").text("self/mountinfo");
  for (const Mount& mount : parse_mountinfo(text.value_or(std::string()))) {
    if (mount.filesystem == "cgroup2") version_2 = mount.mount_point;
    has_version_1 = has_version_1 || mount.filesystem == "cgroup";
  }
  return has_version_1 ? version_2 : std::string();
}

ProgramRun run_bundle(const std::string& program, const std::string& bundle, const std::string& id,
                      const std::string& hidden_mount, Duration deadline) {
  const std::string state = bundle + "/state";
  const auto hide = [&hidden_mount] {
    return !enter_namespaces(CLONE_NEWNS) && ::umount2(hidden_mount.c_str(), MNT_DETACH) == 0;
  };
  const auto before = hidden_mount.empty() ? std::function<bool()>() : hide;
  ProgramRun run =
      run_program({program, "--root", state, "run", "--bundle", bundle, id}, deadline, before);
  if (run.outcome != Outcome::Works) {
    run_program({program, "--root", state, "delete", "--force", id}, deadline, before);
  }
  return run;
}

std::string first_line(std::string_view text) {
  const auto lines = split_lines(trim(text));
  return lines.empty() ? std::string() : std::string(trim(lines.front()));
}

}  // namespace

RuntimeTrial try_runtime(const std::string& name, const std::vector<std::string>& folders,
                         Duration deadline) {
  const auto program = find_program(name, folders);
  if (!program) return {.text = name + " is not installed"};
  const ProgramRun version = run_program({*program, "--version"}, deadline);
  const std::string label = version.outcome == Outcome::Works ? first_line(version.output) : name;
  const std::string id = "hypermesh-doctor-" + std::to_string(::getpid()) + "-" + name;
  std::string bundle = (std::filesystem::temp_directory_path() / (id + "-XXXXXX")).string();
  if (::mkdtemp(bundle.data()) == nullptr) return {.text = label + " (no temporary folder)"};
  write_bundle(bundle);
  RuntimeTrial trial{.path = *program, .version = label, .text = label + " runs a container"};
  ProgramRun run = run_bundle(*program, bundle, id, {}, deadline);
  if (run.outcome == Outcome::Fails) trial.hidden_mount = cgroup2_beside_version_1();
  if (!trial.hidden_mount.empty()) {
    const ProgramRun again = run_bundle(*program, bundle, id, trial.hidden_mount, deadline);
    if (again.outcome == Outcome::Works) {
      run = again;
      trial.text += " that does not see " + trial.hidden_mount;
    }
  }
  remove_bundle(bundle);
  if (run.outcome == Outcome::Works) return trial;
  if (run.outcome == Outcome::TimedOut) return {.text = label + " does not finish in time"};
  return {.text = label + " fails: " + first_line(run.output)};
}

}  // namespace hm::linux
