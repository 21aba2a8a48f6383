// SPDX-License-Identifier: Apache-2.0
// Trying things out without leaving a trace: a forked child does the attempt in namespaces of its
// own and is gone afterwards, or an external program runs under a deadline.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/time.h"

namespace hm::linux {

enum class Outcome : std::uint8_t { Works, Fails, TimedOut, Crashed };

struct Attempt {
  Outcome outcome = Outcome::Fails;
  std::string text;  // what was seen, or why it does not work
};

Attempt works(std::string text = {});
// "text: reason of errno"
Attempt fails(std::string text);

// Runs `work` in a forked child and returns what it returned. The child is killed at the deadline.
Attempt run_in_child(const std::function<Attempt()>& work, Duration deadline);

struct ProgramRun {
  Outcome outcome = Outcome::Fails;  // Works: it ended by itself with status 0
  int exit_status = -1;
  std::string output;  // of stdout and stderr together, at most kMaxProgramOutput bytes
};
inline constexpr std::size_t kMaxProgramOutput = 64U << 10U;  // version texts and one error message

// `arguments[0]` is the path of the program. stdin is empty. `before` is called in the child, last
// before the program; false: it does not start.
ProgramRun run_program(const std::vector<std::string>& arguments, Duration deadline,
                       const std::function<bool()>& before = {});

// The path of an executable called `name`; `folders` empty means PATH and the usual sbin folders.
std::optional<std::string> find_program(std::string_view name,
                                        const std::vector<std::string>& folders);

// In a child only. Enters new namespaces (CLONE_NEW… flags), through a user namespace if that is
// the only way. With CLONE_NEWNS mounts made afterwards stay private.
std::optional<std::string> enter_namespaces(int flags);

// In a child only, after CLONE_NEWNS: an empty tmpfs that nobody else sees; its path.
std::optional<std::string> private_scratch_folder();

}  // namespace hm::linux
